"""The stage and the evidence together, over variants whose response to a setting is known."""

import math
from types import SimpleNamespace

import numpy as np
import pytest

from gatewise.artifacts.plan import TuningPlan
from gatewise.artifacts.runs import PREDICTIONS
from gatewise.artifacts.trials import TrialRecord
from gatewise.config import TuningConfig
from gatewise.evidence import tuning as evidence
from gatewise.execution import dispatch, tuning
from gatewise.execution.trial_runs import KeptTrials
from gatewise.execution.workers import Event
from gatewise.report import tuning_words
from tests.evidence_runs import METRICS, predictions
from tests.tasks import make_plan, write_task

PEAKS = {"lstm": (0.003, 0.80), "gru": (0.04, 0.90)}
"""Learning rate at which a variant does best, and how well."""
SPACE = {"learning_rate": {"low": 0.001, "high": 0.1}}


def planted(jobs, workers, address):
    """Trains nothing: scores follow from variant, learning rate and seed alone."""
    for job in jobs:
        yield Event("started", job)
        best, top = PEAKS[job.plan.variant]
        score = top - 0.2 * abs(math.log10(job.plan.train.learning_rate / best))
        score += 0.002 * float(np.random.default_rng(job.seed).standard_normal())
        predictions(score, job.seed, examples=500).to_parquet(job.folder / PREDICTIONS)
        record = TrialRecord(key=job.key, seed=job.seed, metrics={"accuracy": score})
        record.write(job.folder)
        yield Event("finished", job)


@pytest.fixture
def tune(tmp_path, monkeypatch):
    write_task(tmp_path / "prepared")
    monkeypatch.setattr(dispatch.pool, "train_all", planted)

    def run(variant, **settings):
        plan = TuningPlan(
            run=make_plan(variant, seeds=(0, 1), learning_rate=0.003),
            tuning=TuningConfig.model_validate({"trials": 8, "space": SPACE, **settings}),
        )
        kept = KeptTrials(tmp_path / "cache" / "trials")
        return tuning.tune_variant(plan, tmp_path / "prepared", dispatch.Dispatch(""), kept)

    return run


@pytest.mark.parametrize("method", ["quasi-random", "random", "grid", "tpe"])
@pytest.mark.parametrize("per", ["variant", "seed"])
def test_common_settings_say_lstm_and_tuning_says_gru(tune, method, per):
    tuned = {name: tune(name, method=method, per=per) for name in PEAKS}
    found = evidence.summarise(tuned, [SimpleNamespace(a="gru", b="lstm")], {}, 0.005)
    (pair,) = found.pairs
    assert (pair.declared_lead, pair.tuned_lead) == ("b", "a")
    said = tuning_words.pair(pair, METRICS["accuracy"])
    assert "common settings favour lstm, tuning turns that round to gru" in said
    assert found.chosen["gru"]["learning_rate"] > 5 * found.chosen["lstm"]["learning_rate"]


def test_it_shows_what_is_good_out_of_the_box_and_what_after_search(tune):
    tuned = {name: tune(name) for name in PEAKS}
    found = evidence.summarise(tuned, [], {}, 0.005)
    gru, lstm = (found.variants[name].budget for name in ("gru", "lstm"))
    assert lstm[0].expected > gru[0].expected
    assert gru[-1].expected > lstm[-1].expected


def test_twins_choose_alike_and_are_equal_to_the_bit(tune, monkeypatch):
    monkeypatch.setitem(PEAKS, "rnn", PEAKS["gru"])
    one, other = tune("gru"), tune("rnn")
    assert one.choice == other.choice
