"""Live tracking: an observer of training that can neither slow it nor stop it.

Everything is handed to one child process for the stage (`gatewise.tracking.writer`), which is
the only writer to the store. A slow store, a hanging server or a crash in a library stays over
there; whatever is not delivered by the end, `gatewise track` adds from the run folders.
"""

from __future__ import annotations

import json
import os
import queue
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from gatewise.config import TrackingConfig
from gatewise.errors import GatewiseError
from gatewise.execution import warm
from gatewise.tracking import creation, writer

CLOSE_SECONDS = 30.0
"""How long a stage waits at its end for a store that answers slowly."""
HINT = "`gatewise track` adds what is missing"


def say_on_stderr(sentence: str) -> None:
    """Default for `Tracker`'s `say`."""
    print(f"tracking: {sentence}", file=sys.stderr, flush=True)


class Tracker:
    """Logs the runs of one variant on one task while they train.

    The methods named like training events only queue; none of them waits or raises.
    """

    def __init__(
        self,
        config: TrackingConfig,
        task: str,
        variant: str,
        *,
        address: str,
        data_digest: str | None = None,
        say: Callable[[str], None] = say_on_stderr,
        log: str | Path = ".gatewise/tracking.log",
    ) -> None:
        """Prepare; nothing is started yet.

        Args:
            config: the store; nothing happens unless it is `enabled` and `live`.
            task: name of the task.
            variant: name of the variant.
            address: the warm process that the writer is forked from.
            data_digest: digest of the prepared task, so that the data set is there from the start.
            say: gets each sentence meant for people.
            log: file that takes the writer's own error output.
        """
        self.config = config
        self.task = task
        self.variant = variant
        self.address = address
        self.data_digest = data_digest
        self._say = say
        self._log = Path(log)
        self._process: warm.Child | None = None
        self._queue: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._ready = False
        self._closed = False

    def __enter__(self) -> Tracker:
        """Start."""
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close; after Ctrl-C without waiting."""
        self.close(limit=2.0 if kind is KeyboardInterrupt else CLOSE_SECONDS)

    def start(self) -> None:
        """Start the writer; returns at once."""
        if not (self.config.enabled and self.config.live):
            return
        self._log.parent.mkdir(parents=True, exist_ok=True)
        creation.begin(self.config, self.address)
        (events, to_writer), (from_writer, replies) = os.pipe(), os.pipe()
        try:
            with self._log.open("a", encoding="utf-8") as errors:
                fds = [events, replies, errors.fileno()]
                self._process = warm.fork(self.address, writer.serve, [], fds)
        except (OSError, GatewiseError) as error:
            os.close(to_writer)
            os.close(from_writer)
            self._say(f"could not start ({error}); training goes on, and {HINT}")
            return
        finally:
            os.close(events)
            os.close(replies)
        outgoing = os.fdopen(to_writer, "w", encoding="utf-8")
        incoming = os.fdopen(from_writer, encoding="utf-8")
        self._threads = [
            threading.Thread(target=self._feed, args=(outgoing,), daemon=True),
            threading.Thread(target=self._listen, args=(incoming,), daemon=True),
        ]
        for thread in self._threads:
            thread.start()
        self._put(
            "open",
            config=self.config.model_dump(mode="json"),
            task=self.task,
            variant=self.variant,
            data_digest=self.data_digest,
        )

    def run_started(self, seed: int, key: str, params: Mapping[str, Any]) -> None:
        """A seed begins to train.

        Args:
            seed: which.
            key: identity of the run; a run of this key that is stored already is continued.
            params: what is known of its record (`gatewise.artifacts.runs.RunRecord` fields) or
                plan; other keys are ignored, `run_finished` adds the rest.
        """
        self._put("run_started", seed=seed, key=key, params=dict(params))

    def epoch(self, seed: int, epoch: int, values: Mapping[str, float]) -> None:
        """An epoch ended.

        Args:
            seed: whose.
            epoch: which, counted from 1.
            values: the row of `curves.csv`, and what only live tracking knows (seconds, memory),
                which is logged under `live/`.
        """
        numbers = {name: float(value) for name, value in values.items() if name != "epoch"}
        self._put("epoch", seed=seed, epoch=epoch, values=numbers)

    def run_finished(self, seed: int, folder: Path) -> None:
        """A run's folder is whole, just now or because it was restored."""
        self._put("run_finished", seed=seed, folder=str(Path(folder).resolve()))

    def run_failed(self, seed: int, reason: str) -> None:
        """A run ended without a result."""
        self._put("run_failed", seed=seed, reason=reason)

    def close(self, limit: float = CLOSE_SECONDS) -> None:
        """Deliver the rest within `limit` seconds and end the writer.

        A store that was not even open by the time training ended is not waited for.
        """
        process = self._process
        if process is None or self._closed:
            return
        self._put("close")
        self._closed = True
        self._queue.put(None)
        if not self._ready:
            self._end(f"training was over before MLflow was ready; {HINT}")
            return
        try:
            status = process.wait(limit)
        except TimeoutError:
            self._end(f"the store did not take everything within {limit:.0f} s; {HINT}")
            return
        for thread in self._threads:
            thread.join(timeout=1.0)
        if status != 0:
            self._say(f"the writer died with status {status} ({self._log}); {HINT}")

    # --- inner -----------------------------------------------------------------------

    def _put(self, event: str, **values: Any) -> None:
        if self._process is not None and not self._closed:
            self._queue.put(json.dumps({"event": event, **values}, default=str))

    def _feed(self, stdin: IO[str]) -> None:
        """Own thread: a pipe that nobody empties must not hold training up."""
        try:
            while (line := self._queue.get()) is not None:
                stdin.write(line + "\n")
                stdin.flush()
            stdin.close()
        except (BrokenPipeError, ValueError, OSError):
            pass  # The writer is gone; close() says so.

    def _listen(self, stdout: IO[str]) -> None:
        """Own thread: pass on what the writer has to say."""
        for line in stdout:
            message = json.loads(line)
            if message.get("ready"):
                self._ready = True
            if "say" in message:
                self._say(message["say"])

    def _end(self, sentence: str) -> None:
        process = self._process
        assert process is not None  # noqa: S101
        process.kill()
        process.wait()
        self._say(sentence)
