import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import balanced_accuracy_score, confusion_matrix, f1_score, log_loss

from gatewise.config.metrics import LABELLED, METRICS, RIGHT
from gatewise.errors import GatewiseError
from gatewise.evidence import prediction_counts
from gatewise.training.scoring import predictions_digest
from tests.evidence_runs import predictions


def write(frame, tmp_path):
    frame.to_parquet(tmp_path / "predictions.parquet", index=False)
    return prediction_counts.read(tmp_path)


def test_counts_agree_with_scikit_learn(tmp_path):
    frame = predictions(0.7, seed=3, examples=200)
    found = write(frame, tmp_path)
    assert np.array_equal(found.confusion, confusion_matrix(frame.label, frame.predicted))
    whole = found.counts.sum(axis=0)
    expected = {
        "accuracy": 0.7,
        "macro_f1": f1_score(frame.label, frame.predicted, average="macro"),
        "balanced_accuracy": balanced_accuracy_score(frame.label, frame.predicted),
        "log_loss": log_loss(frame.label, np.stack(list(frame.probabilities))),
    }
    for name, score in expected.items():
        assert METRICS[name].from_counts(whole) == pytest.approx(score)
    for i, group in enumerate(found.groups):
        rows = frame[frame.group == group]
        assert found.counts[i, RIGHT].sum() == (rows.label == rows.predicted).sum()
        assert found.counts[i, LABELLED].sum() == len(rows)


def test_the_test_sets_digest_ignores_order_but_not_content(tmp_path):
    frame = predictions(0.7, seed=3)
    first = write(frame, tmp_path)
    shuffled = write(frame.sample(frac=1, random_state=0), tmp_path)
    assert shuffled.test_set == first.test_set
    assert shuffled.counts == pytest.approx(first.counts)  # losses add up in another order
    assert write(frame.iloc[1:], tmp_path).test_set != first.test_set
    assert write(predictions(0.2, seed=3), tmp_path).test_set == first.test_set


def test_constant_predictions_are_noticed(tmp_path):
    frame = predictions(0.7, seed=3)
    assert not write(frame, tmp_path).constant
    always = [np.array([0.2, 0.7, 0.1], dtype=np.float32)] * len(frame)
    assert write(frame.assign(probabilities=always), tmp_path).constant


def test_confusion_of_several_runs_is_their_sum(tmp_path):
    few = write(predictions(0.7, seed=3, classes=2), tmp_path)
    many = write(predictions(0.5, seed=4, classes=4), tmp_path)
    total = prediction_counts.confusion([few, many])
    assert total.shape == (4, 4)
    assert np.array_equal(total[2:], many.confusion[2:])
    assert total.sum() == few.confusion.sum() + many.confusion.sum()
    assert prediction_counts.confusion([few], classes=3).shape == (3, 3)


def test_unusable_predictions_are_named(tmp_path):
    with pytest.raises(GatewiseError, match=r"predictions\.parquet: missing"):
        prediction_counts.read(tmp_path)
    frame = predictions(0.7, seed=3)
    frame.drop(columns="group").to_parquet(tmp_path / "predictions.parquet")
    with pytest.raises(GatewiseError, match=r"no column group"):
        prediction_counts.read(tmp_path)
    frame.iloc[:0].to_parquet(tmp_path / "predictions.parquet")
    with pytest.raises(GatewiseError, match="holds no prediction"):
        prediction_counts.read(tmp_path)
    (tmp_path / "predictions.parquet").write_text("torn")
    with pytest.raises(GatewiseError, match=r"predictions\.parquet: damaged"):
        prediction_counts.read(tmp_path)
    assert isinstance(frame, pd.DataFrame)


def test_predictions_that_the_record_does_not_name_are_refused(tmp_path):
    frame = predictions(0.7, seed=3)
    frame.to_parquet(tmp_path / "predictions.parquet")
    named = predictions_digest(frame)
    assert prediction_counts.read(tmp_path, named).groups
    frame.loc[0, "label"] = (frame.loc[0, "label"] + 1) % 3
    frame.to_parquet(tmp_path / "predictions.parquet")
    with pytest.raises(GatewiseError, match=r"predictions\.parquet: damaged.*makes it anew"):
        prediction_counts.read(tmp_path, named)
