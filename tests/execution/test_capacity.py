import pytest

from gatewise.errors import GatewiseError
from gatewise.execution import capacity


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """A machine with 8 cores and 10 GB free."""
    monkeypatch.setattr(capacity, "cores", lambda: 8)
    monkeypatch.setattr(capacity, "free_mb", lambda: 10_000.0)
    return monkeypatch


@pytest.mark.parametrize(("threads", "expected"), [(1, 8), (2, 4), (3, 2), (16, 1)])
def test_auto_fills_the_cores(machine, threads, expected):
    assert capacity.workers("auto", threads) == expected


@pytest.mark.parametrize(("free", "expected"), [(2_000.0, 5), (900.0, 2), (100.0, 1)])
def test_auto_fits_the_memory(machine, free, expected):
    machine.setattr(capacity, "free_mb", lambda: free)
    assert capacity.workers("auto", 1) == expected


def test_more_workers_than_cores_are_refused(machine):
    assert capacity.workers(8, 1) == 8
    with pytest.raises(GatewiseError, match=r"execution.workers is 9, .* 8 cores.* at most 8"):
        capacity.workers(9, 1)
    with pytest.raises(GatewiseError, match=r"with 4 threads each.* at most 2"):
        capacity.workers(3, 4)


def test_more_workers_than_memory_are_refused(machine):
    machine.setattr(capacity, "free_mb", lambda: 1_300.0)
    with pytest.raises(GatewiseError, match=r"is 4, but there are 1,300 MB.* at most 3"):
        capacity.workers(4, 1)


def test_a_container_may_have_less_than_the_machine(monkeypatch, tmp_path):
    monkeypatch.setattr(capacity, "_CGROUP", tmp_path)
    machine = capacity.free_mb()
    assert machine > 0
    (tmp_path / "memory.max").write_text("max\n")
    (tmp_path / "memory.current").write_text("100\n")
    assert capacity.free_mb() == pytest.approx(machine, rel=0.2)
    (tmp_path / "memory.max").write_text("5000100\n")
    assert capacity.free_mb() == 5.0
