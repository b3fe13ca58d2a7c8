import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import confusion_matrix, f1_score

from gatewise.errors import GatewiseError
from gatewise.evidence import bootstrap, prediction_counts
from tests.evidence_runs import predictions


def write(frame, tmp_path):
    frame.to_parquet(tmp_path / "predictions.parquet", index=False)
    return prediction_counts.read(tmp_path)


def test_counts_agree_with_scikit_learn(tmp_path):
    frame = predictions(0.7, seed=3, examples=200)
    found = write(frame, tmp_path)
    assert np.array_equal(found.confusion, confusion_matrix(frame.label, frame.predicted))
    whole = found.counts.sum(axis=0)[None]
    assert bootstrap.scores(whole, "accuracy")[0] == pytest.approx(0.7)
    expected = f1_score(frame.label, frame.predicted, average="macro")
    assert bootstrap.scores(whole, "macro_f1")[0] == pytest.approx(expected)
    for i, group in enumerate(found.groups):
        rows = frame[frame.group == group]
        assert found.counts[i, 0].sum() == (rows.label == rows.predicted).sum()
        assert found.counts[i, 2].sum() == len(rows)


def test_the_test_sets_digest_ignores_order_but_not_content(tmp_path):
    frame = predictions(0.7, seed=3)
    first = write(frame, tmp_path)
    shuffled = write(frame.sample(frac=1, random_state=0), tmp_path)
    assert shuffled.test_set == first.test_set
    assert np.array_equal(shuffled.counts, first.counts)
    assert write(frame.iloc[1:], tmp_path).test_set != first.test_set
    assert write(predictions(0.2, seed=3), tmp_path).test_set == first.test_set


def test_constant_predictions_are_noticed(tmp_path):
    frame = predictions(0.7, seed=3)
    assert not write(frame, tmp_path).constant
    assert write(frame.assign(predicted=1), tmp_path).constant


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
    with pytest.raises(GatewiseError, match="not readable"):
        prediction_counts.read(tmp_path)
    assert isinstance(frame, pd.DataFrame)
