"""Long work item by item: in several processes, in order, with a progress bar."""

from __future__ import annotations

import multiprocessing
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any, TypeVar

from gatewise.errors import GatewiseError

Item = TypeVar("Item")
Result = TypeVar("Result")


def in_order(
    function: Callable[[Item], Result], items: Iterable[Item], workers: int
) -> Iterator[Result]:
    """Results of `function` over `items` in order, computed a few items ahead at most.

    Raises:
        GatewiseError: a worker died.
    """
    if workers == 1:
        yield from map(function, items)
        return
    # fork inherits what `function` holds; where there is no fork, it is sent once.
    context = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
    with ProcessPoolExecutor(workers, context, _begin, (function,)) as pool:
        waiting: deque[Future[Result]] = deque()
        try:
            for item in items:
                waiting.append(pool.submit(_work, item))
                if len(waiting) > 2 * workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        except BrokenProcessPool:
            raise GatewiseError(
                "a worker died while preparing, most likely for want of memory; free some, or "
                "run again with fewer processes beside it"
            ) from None
        finally:
            for future in waiting:
                future.cancel()


_function: Callable[[Any], Any]
"""What this process, a worker, does with each item."""


def _begin(function: Callable[[Any], Any]) -> None:
    global _function  # noqa: PLW0603 - a worker process has one task and nowhere else to keep it
    _function = function


def _work(item: Any) -> Any:
    return _function(item)


def progress(
    items: Iterable[Result], total: int, what: str, size: Callable[[Result], int]
) -> Iterator[Result]:
    """Show on stderr how far the iteration over `items` has come; `size` counts each one's."""
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(f"preparing {what}", total=total)
        for item in items:
            yield item
            bar.advance(task, size(item))
