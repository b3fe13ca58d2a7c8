import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

pytest.importorskip("torch")
from gatewise.diagnostics.probes import dispatch


@pytest.fixture
def worker(monkeypatch):
    """One worker that waits to be let go, the order of its work, and its dispatcher."""
    gate, done = threading.Event(), []

    def do(work):
        gate.wait(10)
        done.append(work)
        if work == "fails":
            raise ValueError(work)
        return work.upper()

    monkeypatch.setattr(dispatch, "do", do)
    with ThreadPoolExecutor(1) as pool:
        yield dispatch.Dispatcher(pool, 1), gate, done
        gate.set()


def test_the_most_urgent_comes_first_and_equals_in_their_order(worker):
    dispatcher, gate, done = worker
    asked = (("first", 0), ("short", 1), ("long", 9), ("as long", 9), ("none", 0))
    futures = [dispatcher.submit(name, urgency) for name, urgency in asked]
    gate.set()
    assert [future.result(10) for future in futures] == [name.upper() for name, _ in asked]
    # The first had begun before there was anything else.
    assert done == ["first", "long", "as long", "short", "none"]


def test_what_fails_fails_alone(worker):
    dispatcher, gate, _ = worker
    failing, after = dispatcher.submit("fails", 0), dispatcher.submit("after", 0)
    gate.set()
    assert after.result(10) == "AFTER"
    with pytest.raises(ValueError, match="fails"):
        failing.result(10)
