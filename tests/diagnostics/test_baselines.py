from dataclasses import replace

import numpy as np
import pytest

from gatewise.artifacts import splits
from gatewise.config.metrics import LABELLED, RIGHT
from gatewise.diagnostics import baselines
from gatewise.diagnostics.opponents import classify
from tests.pictures import classified
from tests.tasks import write_task


@pytest.mark.parametrize("text", [False, True])
def test_a_linear_model_learns_what_the_label_shows(tmp_path, text):
    prepared = write_task(tmp_path / "task", text=text, examples=240)
    found = baselines.evaluate(prepared, [0, 1, 2], 1.0, 0.05, 500).baselines
    assert len(found["linear"].values) == 1  # one split, one score
    assert found["linear"].std is None
    assert found["linear"].mean > found["majority"].mean + 0.2
    assert ("TF-IDF" in found["linear"].title) == text


def test_the_linear_model_is_counted_by_test_group(tmp_path):
    prepared = write_task(tmp_path / "task", text=True, examples=240)
    found = baselines.evaluate(prepared, [0], 1.0, 0.05, 500).baselines
    (counts,) = found["linear"].counts
    assert not found["majority"].counts
    test = prepared.index[prepared.index["split"] == "test"]
    assert counts.keys() == set(test["group"])
    right, labelled = (
        sum(value for own in counts.values() for at, _, value in own if at == row)
        for row in (RIGHT, LABELLED)
    )
    assert labelled == len(test)
    assert right / labelled == pytest.approx(found["linear"].mean)


def test_majority_is_the_training_splits_own(tmp_path):
    prepared = write_task(tmp_path / "task", examples=240)
    split = splits.for_seed(prepared, 0)
    labels = prepared.index["label"].to_numpy()
    most = np.bincount(labels[split == "train"]).argmax()
    expected = (labels[split == "test"] == most).mean()
    found = baselines.evaluate(prepared, [0], 1.0, 0.05, 500).baselines["majority"]
    assert found.values == (pytest.approx(expected),)


def test_redrawn_splits_are_scored_for_every_seed(tmp_path):
    prepared = write_task(tmp_path / "task", examples=240, resample=True)
    found = baselines.evaluate(prepared, [0, 1, 2, 3], 1.0, 0.05, 500)
    assert len(found.baselines["linear"].values) == 4
    assert found == baselines.evaluate(prepared, [0, 1, 2, 3], 1.0, 0.05, 500)


def test_a_share_of_the_training_data_is_the_networks_share(tmp_path):
    prepared = write_task(tmp_path / "task", examples=240)
    found = baselines.evaluate(prepared, [0, 1], 0.1, 0.05, 500).baselines
    assert len(found["linear"].values) == 2
    full = baselines.evaluate(prepared, [0], 1.0, 0.05, 500).baselines
    assert found["linear"].mean <= full["linear"].mean


def scored_by(prepared, metric):
    card = prepared.card.model_copy(update={"metric": metric})
    return baselines.evaluate(replace(prepared, card=card), [0], 1.0, 0.05, 500)


def test_a_loss_is_that_of_probabilities_and_lower_is_better(tmp_path):
    prepared = write_task(tmp_path / "task", examples=240)
    found = scored_by(prepared, "log_loss").baselines
    split = splits.for_seed(prepared, 0)
    labels = prepared.index["label"].to_numpy()
    shares = np.bincount(labels[split == "train"]) / (split == "train").sum()
    expected = -np.log(shares[labels[split == "test"]]).mean()
    assert found["majority"].mean == pytest.approx(expected)
    assert 0 < found["linear"].mean < found["majority"].mean - 0.1


def test_the_majority_is_right_for_one_class_of_several(tmp_path):
    prepared = write_task(tmp_path / "task", examples=240)
    found = scored_by(prepared, "balanced_accuracy").baselines["majority"]
    assert found.mean == pytest.approx(1 / len(prepared.card.labels))


def test_a_class_without_training_examples_gets_no_probability(tmp_path):
    class Model:
        classes_ = np.array([0, 2])

        def predict_proba(self, examples):
            return np.tile([0.25, 0.75], (len(examples), 1))

    opponents = classify.Opponents(write_task(tmp_path / "task"))
    probabilities = opponents._probabilities(Model(), np.arange(2))
    assert probabilities.tolist() == [[0.25, 0.0, 0.75]] * 2


def test_the_linear_model_of_images_sees_their_pixels(tmp_path):
    prepared = classified(tmp_path, examples=60)
    assert baselines.evaluate(prepared, [0], 1.0, 0.05, 100).baselines["linear"].title == (
        "pixels + logistic regression"
    )
    seen = classify.Opponents(prepared)._examples
    np.testing.assert_allclose(seen, prepared.sequences.reshape(60, 36) / 255, rtol=1e-6)
    large = classified(tmp_path / "large", examples=60, height=48, width=64, channels=3)
    small = classify.Opponents(large)._examples
    assert small.shape == (60, 32 * 32 * 3)
    steps = large.sequences[:48].reshape(48, 64, 3)
    np.testing.assert_allclose(small[0].mean(), steps.mean() / 255, atol=0.01)
