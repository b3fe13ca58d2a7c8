"""The whole gate with metrics that count classes alike, or of which less is better."""

import pytest

from gatewise import config
from gatewise.delivery.gate import snapshot
from gatewise.delivery.gate.assessment import assess
from gatewise.delivery.gate.reference import References
from gatewise.delivery.gate.report import as_json, as_markdown
from tests.delivery.gate.projects import project

FAST = {"gate": {"resamples": 200, "margin": 0.02}}


def against_champion(candidate, champion, monkeypatch):
    """The gate over the project `candidate`, where `champion` holds the champion's runs."""
    monkeypatch.chdir(candidate)
    (kept,) = snapshot.read(champion, "toy", "the champion").values()
    references = References("champion", True, {"toy": {kept.variant: kept}})
    return assess(config.load(), references)


@pytest.fixture(params=["log_loss", "balanced_accuracy", "macro_f1"])
def metric(request):
    return request.param


@pytest.fixture
def champion(metric, tmp_path):
    return project(tmp_path / "champion", metric=metric, **FAST)


def test_worse_is_a_regression_and_better_is_promoted(metric, champion, tmp_path, monkeypatch):
    def gated(name, **changes):
        candidate = project(tmp_path / name, metric=metric, luck=1, **changes, **FAST)
        return against_champion(candidate, champion, monkeypatch).tasks["toy"]

    worse = gated("worse", skill=0.8)
    assert worse.verdict == "regression"
    assert worse.main[0].reasons[-1].startswith("worse than the reference (")
    assert not worse.promotion.promote
    better = gated("better", skill=0.98)
    assert better.verdict == "pass"
    assert (better.promotion.promote, better.promotion.variant) == (True, "gru")
    falls = metric == "log_loss"
    assert (better.main[0].overall.value < 0) is falls
    assert (worse.main[0].overall.value > 0) is falls


def test_log_loss_sees_doubt_that_accuracy_does_not(tmp_path, monkeypatch):
    for metric, verdict in (("log_loss", "regression"), ("accuracy", "pass")):
        sure = project(tmp_path / metric / "sure", metric=metric, **FAST)
        doubtful = project(tmp_path / metric / "doubtful", metric=metric, sure=0.6, **FAST)
        assert against_champion(doubtful, sure, monkeypatch).verdict == verdict


def test_slices_go_by_accuracy_and_the_report_says_in_what_each_is(tmp_path, monkeypatch):
    before = project(tmp_path / "before", metric="log_loss", **FAST)
    after = project(tmp_path / "after", metric="log_loss", weak_class=0.3, **FAST)
    result = against_champion(after, before, monkeypatch)
    (check,) = result.tasks["toy"].checks
    assert check.fallen[0] == "class left"
    assert check.slices["class left"].value == pytest.approx(-0.3, abs=0.1)
    settings = config.load().gate
    text = as_markdown(result, settings)
    assert "Against **champion**, margin 0.02 nats." in text
    assert "| toy | gru | log loss | " in text
    assert "class left fell by " in text
    assert "difference to champion in points" in text, "slices have a chart of their own"
    assert "nats; ┆ is the margin" in text
    kept = as_json(result, settings)["tasks"]["toy"]
    assert (kept["metric"], kept["direction"]) == ("log_loss", "lower")


def test_the_best_on_validation_succeeds_a_champion_that_is_no_longer_studied(
    metric, champion, tmp_path, monkeypatch
):
    others = {"bad": {"skill": 0.7}, "good": {"skill": 0.95}}
    candidate = project(tmp_path / "others", metric=metric, variants=others, **FAST)
    result = against_champion(candidate, champion, monkeypatch)
    assert [check.variant for check in result.tasks["toy"].main] == ["good"]


def test_the_best_seed_is_chosen_by_the_primary_metric(tmp_path):
    folder = project(tmp_path, metric="log_loss")
    (candidate,) = snapshot.read(folder, "toy", "here").values()
    losses = {seed: r.metrics["validation"]["log_loss"] for seed, r in candidate.records.items()}
    assert candidate.best("log_loss").seed == min(losses, key=lambda seed: (losses[seed], seed))
