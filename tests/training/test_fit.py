import numpy as np
import pytest

from gatewise.artifacts.prepared import Prepared
from gatewise.config import SPLITS
from gatewise.training import distributed
from gatewise.training.datamodule import TaskData
from gatewise.training.evaluation import score
from gatewise.training.fit import Keep, fit
from gatewise.training.scoring import weights_digest
from tests.tasks import make_plan, write_task


class TouchedError(Exception):
    """Somebody asked for the test split."""


class Rows(dict):
    """Rows of each split, without those of the test split."""

    def __getitem__(self, split):
        if split == "test":
            raise TouchedError
        return super().__getitem__(split)

    values = items = None


class Guarded(TaskData):
    """Data whose test split nobody may have."""

    def __init__(self, *settings):
        super().__init__(*settings)
        self.rows = Rows(self.rows)


def poisoned(prepared):
    """The task with test examples that would show in whatever is computed with them."""
    sequences = np.array(prepared.sequences)
    index = prepared.index.copy()
    test = index["split"] == "test"
    for start, length in index.loc[test, ["start", "length"]].to_numpy():
        sequences[start : start + length] = np.nan
    index.loc[test, "label"] = 10**6
    return Prepared(prepared.card, sequences, index)


def test_fitting_and_scoring_on_validation_never_touch_the_test_split(tmp_path, monkeypatch):
    prepared = write_task(tmp_path)
    plan = make_plan(epochs=3)
    clean = fit(plan, 0, prepared)
    monkeypatch.setattr(distributed, "TaskData", Guarded)
    fitted = fit(plan, 0, poisoned(prepared), keep=Keep(tmp_path / "kept.ckpt", "key"))
    evaluations = score(fitted, ["validation"])
    assert fitted.curves == clean.curves
    digests = {weights_digest(result.module.model.state_dict()) for result in (fitted, clean)}
    assert len(digests) == 1
    assert list(evaluations) == ["validation"]
    with pytest.raises(TouchedError):
        score(fitted, ["test"])


def test_an_evaluation_says_which_row_each_logit_belongs_to(tmp_path):
    prepared = write_task(tmp_path)
    fitted = fit(make_plan(epochs=12), 0, prepared)
    evaluations = score(fitted, SPLITS)
    assert set(evaluations) == set(SPLITS)
    for split, evaluation in evaluations.items():
        at = prepared.index.iloc[evaluation.rows]
        assert set(at["split"]) == {split}
        assert evaluation.columns["probabilities"].shape == (len(at), 3)
        assert evaluation.columns["label"].tolist() == at["label"].tolist()
        right = evaluation.columns["predicted"] == evaluation.columns["label"]
        assert evaluation.metrics["accuracy"] == pytest.approx(right.mean())
        assert evaluation.metrics["accuracy"] > 0.9


@pytest.mark.parametrize(("metric", "best"), [("log_loss", "idxmin"), ("macro_f1", "idxmax")])
def test_the_best_epoch_is_that_of_the_primary_metric_in_its_direction(tmp_path, metric, best):
    import pandas as pd

    plan = make_plan(epochs=40, patience=6, schedule="constant", learning_rate=0.1)
    plan = plan.model_copy(update={"metric": metric})
    fitted = fit(plan, 0, write_task(tmp_path, noise=3.0))
    curves = pd.DataFrame(fitted.curves)
    values = curves[f"validation_{metric}"]
    assert fitted.best_epoch == curves["epoch"][getattr(values, best)()]
    assert 1 < fitted.best_epoch < len(curves) < 40, "early stopping has to be at work here"
    assert len(curves) == fitted.best_epoch + 6, "it counts from another epoch"
    scored = score(fitted, ["validation"])["validation"].metrics
    assert scored[metric] == pytest.approx(values[fitted.best_epoch - 1], rel=1e-5)
