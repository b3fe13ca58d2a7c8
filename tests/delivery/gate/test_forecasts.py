"""The gate on forecasts: the same pairing, told by counts in place of classes."""

import numpy as np
import pytest

from gatewise.artifacts import runs
from gatewise.config import GateConfig
from gatewise.config.metrics import METRICS
from gatewise.delivery.gate import data_summary, drift, interval, matching, slices, snapshot
from gatewise.training import one_run
from gatewise.training.job import Job
from tests.forecasts import HORIZON, plan, several, write


def trained(root, series, epochs, **settings):
    write(root, series, **settings)
    folder = root / "runs/toy/gru/seed-0"
    folder.mkdir(parents=True)
    one_run.train(Job(plan(epochs), 0, "k", root / "data/prepared/toy", folder), lambda *_: None)
    return snapshot.read(root, "toy", root.name)["gru"]


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """A run of six epochs against one of a single epoch that saw eight values fewer."""
    root, series = tmp_path_factory.mktemp("gate"), several()
    now = trained(root / "now", series, 6)
    old = {name: values[: -2 * HORIZON] for name, values in series.items()}
    return now, trained(root / "then", old, 1), trained(root / "again", series, 1)


def mase(judged):
    counts = judged.counts(np.zeros(len(judged.each), dtype=np.int64), 1, 1)
    return float(METRICS["mase"].from_counts(counts)[0])


def test_stored_forecasts_of_the_same_windows_are_taken_as_they_are(both):
    now, _, again = both
    paired = matching.pair(now, again)
    (one,) = paired.seeds
    assert one.known.all()
    assert paired.evaluated == 0
    for judged, member in ((one.candidate, now), (one.reference, again)):
        record = runs.RunRecord.read(member.members[0])
        assert mase(judged) == pytest.approx(record.metrics["test"]["mase"], rel=1e-6)


def test_windows_that_are_new_to_the_reference_are_put_to_its_weights(both):
    now, then, _ = both
    paired = matching.pair(now, then)
    (one,) = paired.seeds
    assert not one.known.any()
    assert paired.evaluated == len(one.ids) == len(several())
    assert np.isfinite(mase(one.reference))
    assert mase(one.candidate) != mase(one.reference)


def test_a_reference_with_another_history_is_asked_by_its_own_front_end(both, tmp_path):
    now, then, _ = both
    old = {name: values[: -2 * HORIZON] for name, values in several().items()}
    other = trained(tmp_path / "other", old, 1, history=8)
    (one,) = matching.pair(now, other).seeds
    assert np.isfinite(mase(one.reference))
    assert mase(one.reference) != mase(matching.pair(now, then).seeds[0].reference)


def test_differences_and_slices_are_those_of_the_metric(both):
    now, then, _ = both
    paired = matching.pair(now, then)
    metric = METRICS["mase"]
    found = interval.difference(paired.seeds, metric, 200)
    (one,) = paired.seeds
    assert found.value == pytest.approx(mase(one.candidate) - mase(one.reference))
    assert found.se_units > 0
    assert slices.scored_by(metric) is metric
    settings = GateConfig().slices.model_copy(update={"fewest": 1})
    names = [name for name, _ in slices.cut(paired.seeds, paired.labels, settings)]
    assert [name for name in names if name.startswith("group")]
    assert not [name for name in names if name.startswith("class")]


def test_data_are_compared_without_labels(both):
    now, then, _ = both
    checks = {check.check: check for check in drift.check(now, then, GateConfig().data)}
    assert not checks["labels"].violated
    assert not checks["balance"].violated
    from gatewise.artifacts.prepared import Prepared

    assert set(data_summary.summarise(Prepared.open(now.prepared))["label"]) == {""}
