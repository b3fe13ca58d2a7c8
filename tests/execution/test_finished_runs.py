"""A kept run is taken as it was left, or not at all, whatever became of it meanwhile."""

import pytest

from benchmarks.hardening import damage
from gatewise.artifacts import runs
from gatewise.errors import GatewiseError
from gatewise.execution.finished_runs import REQUIRED, FinishedRuns
from gatewise.execution.seals import SEAL
from tests.records import name_files
from tests.tracking.conftest import write_run

KEY = "a" * 64


def finished_run(folder):
    """A run folder as training leaves it."""
    import numpy as np
    import pandas as pd
    from safetensors.numpy import save_file

    run = write_run(folder, key=KEY)
    chance = np.random.default_rng(0)
    save_file({"weight": chance.normal(size=(8, 8)).astype(np.float32)}, run / runs.WEIGHTS)
    pd.DataFrame(
        {
            "id": [str(i) for i in range(20)],
            "group": "g",
            "label": chance.integers(3, size=20).astype(np.int32),
            "predicted": chance.integers(3, size=20).astype(np.int32),
            "probabilities": list(chance.random((20, 3), dtype=np.float32)),
        }
    ).to_parquet(run / runs.PREDICTIONS, index=False, write_page_checksum=True)
    name_files(run)
    return run


@pytest.fixture
def kept(tmp_path):
    store = FinishedRuns(tmp_path / "kept")
    store.keep(KEY, finished_run(tmp_path / "work"))
    return store


def test_a_whole_run_is_given_back_file_by_file(kept, tmp_path):
    assert KEY in kept
    assert kept.damage(KEY) is None
    kept.restore(KEY, tmp_path / "again")
    assert {path.name for path in (tmp_path / "again").iterdir()} == set(REQUIRED)
    for path in (tmp_path / "again").iterdir():
        assert path.read_bytes() == (kept.path(KEY) / path.name).read_bytes()


def test_a_run_that_was_never_kept_is_no_damage(kept):
    assert "b" * 64 not in kept
    assert kept.damage("b" * 64) is None


@pytest.mark.parametrize("kind", damage.KINDS)
@pytest.mark.parametrize("name", sorted({*REQUIRED, SEAL}))
def test_any_damage_to_any_file_is_seen_and_the_run_can_be_kept_anew(kept, tmp_path, name, kind):
    for seed in range(5 if kind in ("cut", "one bit") else 1):
        content = (kept.path(KEY) / name).read_bytes()
        damage.spoil(kept.path(KEY) / name, kind, seed)
        found = kept.damage(KEY)
        harmless = found is None and name == SEAL
        if not harmless:  # a bit of the seal's white space is none of a run's
            assert found is not None
            assert KEY not in kept
            assert name == SEAL or name in found
        damage.whole_again(kept.path(KEY) / name, content)
    damage.spoil(kept.path(KEY) / name, kind)
    kept.keep(KEY, finished_run(tmp_path / "once more"))
    assert KEY in kept


@pytest.mark.parametrize("kind", ["a folder", "a pipe", "junk"])
def test_something_else_in_a_kept_runs_place_is_replaced(tmp_path, kind):
    store = FinishedRuns(tmp_path / "kept")
    store.path(KEY).parent.mkdir(parents=True)
    store.path(KEY).write_bytes(b"x")
    damage.spoil(store.path(KEY), kind)
    assert KEY not in store
    assert store.damage(KEY)
    store.keep(KEY, finished_run(tmp_path / "work"))
    assert KEY in store


def test_a_run_of_another_key_is_not_taken(kept):
    other = "b" * 64
    kept.path(other).parent.mkdir(parents=True)
    kept.path(KEY).rename(kept.path(other))
    assert other not in kept
    assert "another run" in kept.damage(other)


@pytest.mark.parametrize("name", [runs.WEIGHTS, runs.PREDICTIONS])
def test_what_was_written_wrong_is_not_kept(tmp_path, name):
    run = finished_run(tmp_path / "work")
    damage.spoil(run / name, "one bit", seed=1)
    with pytest.raises(GatewiseError, match=rf"{name}: damaged"):
        FinishedRuns(tmp_path / "kept").keep(KEY, run)
