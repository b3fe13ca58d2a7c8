"""Hands pieces of work to a pool in the order of their urgency, whenever they become known.

A pool's own queue is served in the order of its filling, so that a long chain of lengths would wait
behind short runs that nothing hangs on, and leave all workers but one idle in the end.
"""

from __future__ import annotations

import heapq
import itertools
import threading
from concurrent.futures import Executor, Future

from gatewise.diagnostics.probes.work import Result, Work, do


class Dispatcher:
    """The most urgent work first; no more than the pool has workers is handed over at once."""

    def __init__(self, pool: Executor, workers: int) -> None:
        self._pool = pool
        self._free = workers
        self._waiting: list[tuple[float, int, Work, Future[Result]]] = []
        self._order = itertools.count()
        self._lock = threading.Lock()

    def submit(self, work: Work, urgency: float) -> Future[Result]:
        """Have `work` done; of equally urgent pieces the one that came first."""
        future: Future[Result] = Future()
        with self._lock:
            heapq.heappush(self._waiting, (-urgency, next(self._order), work, future))
        self._hand_over()
        return future

    def _hand_over(self) -> None:
        with self._lock:
            if not self._free or not self._waiting:
                return
            self._free -= 1
            *_, work, future = heapq.heappop(self._waiting)
        self._pool.submit(do, work).add_done_callback(lambda done: self._finish(done, future))

    def _finish(self, done: Future[Result], future: Future[Result]) -> None:
        with self._lock:
            self._free += 1
        self._hand_over()
        error = done.exception()
        if error is None:
            future.set_result(done.result())
        else:
            future.set_exception(error)
