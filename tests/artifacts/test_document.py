"""What stages hand each other is read in one way: missing, damaged and foreign files are named."""

import pytest

from gatewise.artifacts.comparison import Comparison
from gatewise.artifacts.plan import RunPlan
from gatewise.artifacts.prepared import CARD, TaskCard, read_digest
from gatewise.artifacts.runs import RunRecord
from gatewise.artifacts.trials import TrialRecord
from gatewise.errors import GatewiseError
from gatewise.files import DamagedError

READERS = {
    "plan": ("plan.json", RunPlan.read),
    "prepare": (CARD, TaskCard.read),
    "tune": ("trial.json", lambda path: TrialRecord.read(path.parent)),
    "train": ("run.json", lambda path: RunRecord.read(path.parent)),
    "compare": ("comparison.json", Comparison.read),
}


@pytest.mark.parametrize("stage", READERS)
def test_a_missing_file_names_the_stage_that_makes_it(stage, tmp_path):
    name, read = READERS[stage]
    with pytest.raises(GatewiseError, match=rf"{name}: missing; run `dvc repro {stage}` to make"):
        read(tmp_path / name)


@pytest.mark.parametrize("content", ['{"surprise": 1}', "[]", '{"task": '])
@pytest.mark.parametrize("stage", READERS)
def test_what_is_no_such_file_is_damaged(stage, content, tmp_path):
    name, read = READERS[stage]
    (tmp_path / name).write_text(content)
    with pytest.raises(DamagedError, match=name):
        read(tmp_path / name)


def test_the_digest_of_data_that_were_not_prepared(tmp_path):
    with pytest.raises(GatewiseError, match=r"task\.json: missing; run `dvc repro prepare`"):
        read_digest(tmp_path)
