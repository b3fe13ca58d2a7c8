import os
import signal
import time

import pytest

from gatewise.data.preparation.parallel import in_order, progress
from gatewise.errors import GatewiseError


def slow_at_first(item: int) -> int:
    time.sleep(0.05 * (item == 0))
    return item * item


def die(item: int) -> int:
    if item == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return item


@pytest.mark.parametrize("workers", [1, 3])
def test_results_come_in_the_order_of_their_items(workers: int) -> None:
    assert list(in_order(slow_at_first, range(20), workers)) == [n * n for n in range(20)]


def test_items_are_taken_a_few_ahead_at_most() -> None:
    taken = []

    def items():  # type: ignore[no-untyped-def]
        for item in range(100):
            taken.append(item)
            yield item

    results = in_order(slow_at_first, items(), 2)
    assert next(results) == 0
    assert len(taken) <= 6
    results.close()  # type: ignore[attr-defined]


def test_a_worker_that_dies_is_a_sentence() -> None:
    with pytest.raises(GatewiseError, match="a worker died while preparing"):
        list(in_order(die, range(10), 2))


def test_progress_passes_everything_through() -> None:
    assert list(progress([[1, 2], [3]], 3, "things", len)) == [[1, 2], [3]]
