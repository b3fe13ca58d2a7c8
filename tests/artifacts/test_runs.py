"""Weights and predictions are those that their record names, or are refused."""

import numpy as np
import pytest

from benchmarks.hardening import damage
from gatewise.artifacts import runs
from gatewise.artifacts.runs import RunRecord
from gatewise.errors import GatewiseError
from gatewise.files import DamagedError
from tests.execution.test_finished_runs import finished_run


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return finished_run(tmp_path_factory.mktemp("runs") / "runs")


def test_whole_files_pass(whole):
    runs.check(whole, RunRecord.read(whole))


@pytest.mark.parametrize("kind", damage.KINDS)
@pytest.mark.parametrize("name", [runs.WEIGHTS, runs.PREDICTIONS])
def test_damage_is_named_with_what_mends_it(whole, name, kind):
    record, content = RunRecord.read(whole), (whole / name).read_bytes()
    try:
        damage.spoil(whole / name, kind)
        with pytest.raises(GatewiseError, match=rf"{name}: .*"):
            runs.check(whole, record)
    finally:
        damage.whole_again(whole / name, content)


@pytest.mark.parametrize("name", [runs.WEIGHTS, runs.PREDICTIONS])
def test_no_flipped_bit_changes_content_unseen(whole, name):
    record, content = RunRecord.read(whole), (whole / name).read_bytes()
    before = _content(whole, name)
    said = []
    try:
        for seed in range(60):
            damage.spoil(whole / name, "one bit", seed)
            try:
                runs.check(whole, record)
                found = _content(whole, name)
            except DamagedError as error:
                said.append(str(error))
            else:
                assert found == before
            damage.whole_again(whole / name, content)
    finally:
        damage.whole_again(whole / name, content)
    assert said
    assert all("dvc repro -f train@digits-gru" in sentence for sentence in said)


def _content(folder, name):
    if name == runs.WEIGHTS:
        from safetensors.numpy import load_file

        return {key: value.tobytes() for key, value in load_file(folder / name).items()}
    found = runs.read_predictions(folder)
    return [found.ids, *(np.asarray(column).tolist() for column in found.columns.values())]


def test_a_record_of_a_million_threads_is_refused(whole):
    content = (whole / runs.RECORD).read_text()
    try:
        (whole / runs.RECORD).write_text(content.replace('"threads": 1,', '"threads": 1000000,'))
        with pytest.raises(GatewiseError, match="threads"):
            RunRecord.read(whole)
    finally:
        (whole / runs.RECORD).write_text(content)
