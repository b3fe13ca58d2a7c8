"""An A/A study, trained for real: one variant under two names."""

import pytest

from gatewise.artifacts.plan import TuningPlan
from gatewise.artifacts.tuned import settle
from gatewise.config import TuningConfig, VariantConfig
from gatewise.evidence import statistics
from gatewise.execution import dispatch, tuning, variant_runs
from gatewise.execution.finished_runs import FinishedRuns
from gatewise.execution.trial_runs import KeptTrials
from tests.execution.test_variant_runs import in_this_process
from tests.tasks import make_plan, write_task

SEEDS = (0, 1, 2)


@pytest.fixture
def scores(tmp_path, monkeypatch):
    """Tunes and trains a variant; gives its choice and its test score by seed."""
    write_task(tmp_path / "prepared")
    monkeypatch.setattr(dispatch.pool, "train_all", in_this_process)

    def run(name):
        config = VariantConfig(cell="gru", hidden=8)
        plan = make_plan(name, seeds=SEEDS, config=config, learning_rate=1e-3)
        space = {"learning_rate": {"low": 1e-3, "high": 0.1}}
        tried = TuningPlan(run=plan, tuning=TuningConfig(trials=3, space=space))
        place = dispatch.Dispatch("")
        root = tmp_path / name
        made = tuning.tune_variant(tried, tmp_path / "prepared", place, KeptTrials(root / "trials"))
        records = variant_runs.train_variant(
            plan,
            tmp_path / "prepared",
            root / "runs",
            place,
            tuned=made,
            finished=FinishedRuns(root / "finished"),
        )
        rate = settle(plan, made.settings()).train.learning_rate
        assert all(record.train.learning_rate == rate for record in records)
        return made.choice, [record.metrics["test"]["accuracy"] for record in records]

    return run


def test_twins_are_never_called_different(scores):
    (one, of_one), (other, of_other) = scores("one"), scores("other")
    assert one == other
    assert len(of_one) == len(SEEDS)
    differences = [a - b for a, b in zip(of_one, of_other, strict=True)]
    assert statistics.sign_flip(differences).two_sided == 1.0
    assert not any(differences)
