"""Runs in parallel: one short-lived process each, forked from a process that is already warm.

A run starts in hundredths of a second, in a process of its own, so that a run that dies takes
nothing with it and is known by name.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import traceback
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait

from gatewise.errors import DivergedError, GatewiseError, meaning
from gatewise.execution import warm
from gatewise.training.job import Job


@dataclass(frozen=True)
class Event:
    """News of one run: `started`, `resumed`, `epoch` (with its values), `finished`, `failed`."""

    kind: str
    job: Job
    epoch: int = 0
    values: dict[str, float] = field(default_factory=dict)
    reason: str = ""
    diverged: bool = False
    """Of a failure: it follows from settings, data and seed, and would come again."""


def failure(job: Job, error: GatewiseError) -> Event:
    """What is reported of a run that ended with `error`."""
    return Event("failed", job, reason=str(error), diverged=isinstance(error, DivergedError))


def train_all(
    jobs: list[Job], workers: int, address: str, work: Callable[[Job, int], None] | None = None
) -> Iterator[Event]:
    """Train `jobs`, at most `workers` at once, and yield events as they happen.

    A job that fails or dies yields `failed` with the reason; the others go on. Closing the
    iterator (or Ctrl-C) ends the processes that are still running.

    Args:
        jobs: what to train.
        workers: processes at once.
        address: the warm process they are forked from.
        work: what a process does; `train_and_report` unless a test has other plans.
    """
    waiting = deque(jobs)
    running: dict[Connection, tuple[Job, warm.Child]] = {}
    try:
        while waiting or running:
            while waiting and len(running) < workers:
                job = waiting.popleft()
                receiver, sender = multiprocessing.Pipe(duplex=False)
                started = warm.fork(address, work or train_and_report, [job], [sender.fileno()])
                sender.close()
                running[receiver] = (job, started)
            ready = set(wait(list(running)))
            for receiver in [connection for connection in running if connection in ready]:
                job, child = running[receiver]
                try:
                    event: Event = receiver.recv()
                except (EOFError, ConnectionResetError):
                    event = Event("failed", job, reason=_death(child.wait()))
                if event.kind in ("finished", "failed"):
                    del running[receiver]
                    receiver.close()
                    child.wait()
                yield event
    finally:
        for connection, (_job, unfinished) in running.items():
            unfinished.kill()
            unfinished.wait()
            connection.close()


def train_and_report(job: Job, fd: int) -> None:
    """Train `job` and write events to the pipe `fd`: what each forked process does."""
    # The parent decides what Ctrl-C means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if job.plan.accelerator == "cpu":
        # At every step torch would ask the driver whether there are GPUs.
        os.environ["CUDA_VISIBLE_DEVICES"] = ""
    sender = Connection(fd, readable=False)

    def on_epoch(epoch: int, values: dict[str, float]) -> None:
        sender.send(Event("epoch", job, epoch=epoch, values=values))

    def on_resumed(epochs: int, sentence: str) -> None:
        sender.send(Event("resumed", job, epoch=epochs, reason=sentence))

    try:
        sender.send(Event("started", job))
        from gatewise.training import work as training

        training.carry_out(job, on_epoch, on_resumed)
        sender.send(Event("finished", job))
    except BrokenPipeError:
        pass  # The parent is gone, and with it whoever wanted the result.
    except GatewiseError as error:
        sender.send(failure(job, error))
    except MemoryError:
        sender.send(Event("failed", job, reason=_OUT_OF_MEMORY))
    except Exception as error:
        sender.send(Event("failed", job, reason=meaning(error) or traceback.format_exc()))


_OUT_OF_MEMORY = "ran out of memory; lower execution.workers or train.batch_size"


def _death(status: int) -> str:
    if status == -signal.SIGKILL:
        return f"its process was killed (signal 9), as the system does when one {_OUT_OF_MEMORY}"
    if status < 0:
        return f"its process died of signal {-status} ({signal.Signals(-status).name})"
    return f"its process ended early with status {status}"
