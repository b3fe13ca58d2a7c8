"""The process behind live tracking: reads events line by line and writes them to MLflow.

Forked from the warm process for `gatewise.tracking.live.Tracker`; events come as JSON lines on
standard input, sentences for people go back the same way on standard output.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from gatewise.artifacts.runs import RunRecord
from gatewise.config import TrackingConfig
from gatewise.tracking import content, names, origin
from gatewise.tracking.connection import TrackingError
from gatewise.tracking.content import MetricKey
from gatewise.tracking.store import Store
from gatewise.tracking.system import Machine

RETRY_SECONDS = 15.0
GATHER_SECONDS = 2.0
"""News is gathered for so long: a request costs as much for one epoch as for ten."""
Event = dict[str, Any]


class Writer:
    """Writes one stage's events, and goes on after a store that was away has come back."""

    def __init__(
        self,
        opening: Event,
        say: Callable[[str], None],
        open_store: Callable[[TrackingConfig], Store] = Store,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.config = TrackingConfig.model_validate(opening["config"])
        self.task: str = opening["task"]
        self.variant: str = opening["variant"]
        self.data_digest: str | None = opening["data_digest"]
        self.once = origin.tags()
        self._machine = Machine() if self.config.system_metrics else None
        self._say = say
        self._open_store = open_store
        self._clock = clock
        self._store: Store | None = None
        self._told = False
        self._retry_at = 0.0
        self._missed = False
        self._parents: dict[str, str] = {}
        self._started: dict[int, Event] = {}
        self._run_ids: dict[int, str] = {}
        self._whole: set[int] = set()
        """Seeds whose run was in the store before, finished."""
        self._held: dict[int, dict[MetricKey, float]] = {}
        """What the store holds of the curves of runs that are open."""
        self._folders: dict[int, Path] = {}
        """Finished seeds that are not delivered yet."""
        self._members: dict[int, tuple[Path, RunRecord]] = {}

    def connect(self) -> bool:
        """Open the store unless it is open; after a failure only every few seconds."""
        if self._store is not None:
            return True
        if self._clock() < self._retry_at:
            return False
        try:
            store = self._open_store(self.config)
            store.experiment(self.task)
        except TrackingError as error:
            self._lose(error)
            return False
        self._store = store
        return True

    def take(self, events: list[Event]) -> None:
        """Write some events; epochs that cannot be written now come with `run_finished`."""
        points: dict[int, dict[MetricKey, float]] = {}
        for event in events:
            seed = event["seed"]
            match event["event"]:
                case "run_started":
                    self._started[seed] = event
                    self._guarded(partial(self._open_run, seed))
                case "epoch":
                    # Several epochs of a run that queued up go out in one request.
                    found = points.setdefault(seed, {})
                    found.update(_points(event))
                    if self._machine is not None:
                        now = self._machine.sample()
                        found.update({(name, event["epoch"]): v for name, v in now.items()})
                case "run_finished":
                    self._guarded(partial(self._epochs, seed, points.pop(seed, {})))
                    self._folders[seed] = Path(event["folder"])
                    self._guarded(partial(self._finished, seed))
                case "run_failed":
                    self._guarded(partial(self._epochs, seed, points.pop(seed, {})))
                    if not self._guarded(partial(self._failed, seed, event["reason"], "FAILED")):
                        self._missed = True
        for seed, values in points.items():
            self._guarded(partial(self._epochs, seed, values))

    def close(self) -> None:
        """Deliver what could not be before; write the parent's aggregates; end what still runs."""
        if self._folders:
            self._retry_at = 0.0
        for seed in list(self._folders):
            self._guarded(partial(self._finished, seed))
        aggregated = self._guarded(self._aggregate)
        for seed in list(self._run_ids):
            self._guarded(partial(self._failed, seed, "training was interrupted", "KILLED"))
        if self._folders or self._missed or not aggregated:
            self._say("some of it was not delivered; `gatewise track` adds what is missing")

    # --- inner -----------------------------------------------------------------------

    def _guarded(self, action: Callable[[], object]) -> bool:
        if not self.connect():
            return False
        try:
            action()
        except TrackingError as error:
            self._lose(error)
            return False
        return True

    def _lose(self, error: TrackingError) -> None:
        if not self._told:  # one sentence, however often it happens
            self._say(f"{error}; training goes on")
            self._told = True
        self._store = None
        self._run_ids.clear()
        self._retry_at = self._clock() + RETRY_SECONDS

    def _open_run(self, seed: int) -> str | None:
        assert self._store is not None  # noqa: S101
        if seed in self._run_ids or seed not in self._started:
            return self._run_ids.get(seed)
        event = self._started[seed]
        settings = {**event["params"], "task": self.task, "variant": self.variant, "seed": seed}
        wanted = content.from_settings(event["key"], settings)
        wanted = replace(wanted, data_digest=wanted.data_digest or self.data_digest)
        run = self._store.start(wanted, self.once)
        run_id: str = run.info.run_id
        if content.CONTENT in run.data.tags:
            self._whole.add(seed)
        self._held[seed] = self._store.history(run)
        self._run_ids[seed] = run_id
        return run_id

    def _epochs(self, seed: int, points: dict[MetricKey, float]) -> None:
        assert self._store is not None  # noqa: S101
        run_id = self._open_run(seed)
        fresh = {key: value for key, value in points.items() if key not in self._held.get(seed, ())}
        if run_id is not None and fresh and seed not in self._whole:
            self._store.log_points(run_id, fresh)
            self._held[seed] |= fresh

    def _finished(self, seed: int) -> None:
        assert self._store is not None  # noqa: S101
        folder = self._folders[seed]
        record = RunRecord.read(folder)
        wanted = content.from_folder(folder)
        parent = self._parent(record)
        run = self._store.find(self.task, wanted.key)
        known = self._held.get(seed) if seed in self._run_ids else None
        self._store.complete(wanted, run, parent, self.once, known=known)
        self._members[seed] = (folder, record)
        del self._folders[seed]
        self._run_ids.pop(seed, None)

    def _failed(self, seed: int, reason: str, status: str) -> None:
        assert self._store is not None  # noqa: S101
        run_id = self._open_run(seed)
        if run_id is not None and seed not in self._whole:
            self._store.end(run_id, status, reason)
        self._run_ids.pop(seed, None)
        self._started.pop(seed, None)

    def _parent(self, record: RunRecord) -> str:
        assert self._store is not None  # noqa: S101
        wanted = content.parent_of(record)
        if wanted.key not in self._parents:
            self._parents[wanted.key] = self._store.start(wanted, self.once).info.run_id
        return self._parents[wanted.key]

    def _aggregate(self) -> None:
        assert self._store is not None  # noqa: S101
        if self._members:
            members = list(self._members.values())
            parent = content.with_aggregates(content.parent_of(members[0][1]), members)
            # Notes and pictures follow with the comparison, from the mirror.
            self._store.update(replace(parent, notes="", artifacts={}))


def _points(event: Event) -> dict[MetricKey, float]:
    return {
        (names.curve(name) if name in content.CURVES else names.live(name), event["epoch"]): value
        for name, value in event["values"].items()
    }


def gather(waiting: queue.SimpleQueue[Event | None], seconds: float) -> list[Any]:
    """The events of the next seconds, at least one; at once where the last of all is among them."""
    events = [waiting.get()]
    deadline = time.monotonic() + seconds
    while not _last(events[-1]):
        try:
            events.append(waiting.get(timeout=max(0.0, deadline - time.monotonic())))
        except queue.Empty:
            break
    return events


def _last(event: Event | None) -> bool:
    return event is None or event["event"] == "close"


def main() -> None:
    """Read events until `close` or the end of input."""
    os.nice(5)  # training goes first
    # Whatever a library prints must not end up between the messages.
    replies, sys.stdout = sys.stdout, sys.stderr
    waiting: queue.SimpleQueue[Event | None] = queue.SimpleQueue()

    def answer(**message: Any) -> None:
        try:
            replies.write(json.dumps(message) + "\n")
            replies.flush()
        except OSError:
            pass  # Training is gone; there is still something to write to the store.

    def read() -> None:
        for line in sys.stdin:
            waiting.put(json.loads(line))
        waiting.put(None)

    threading.Thread(target=read, daemon=True).start()
    opening = waiting.get()
    if opening is None:
        return
    writer = Writer(opening, say=lambda sentence: answer(say=sentence))
    writer.connect()
    answer(ready=True)
    closing = False
    while not closing:
        # What the machine does is asked when an epoch has ended, not later.
        events = gather(waiting, 0.0 if writer.config.system_metrics else GATHER_SECONDS)
        closing = _last(events[-1])
        writer.take([event for event in events if event is not None and "seed" in event])
    writer.close()


def serve(stdin: int, stdout: int, stderr: int) -> None:
    """`main` on the given descriptors: what the warm process forks."""
    for target, fd in enumerate((stdin, stdout, stderr)):
        os.dup2(fd, target)
        os.close(fd)
    # Ctrl-C is for training; the writer then still closes its runs.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    main()
