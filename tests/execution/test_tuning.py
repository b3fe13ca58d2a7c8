import numpy as np
import pandas as pd
import pytest

from benchmarks.hardening import damage
from gatewise.artifacts import runs, trials, tuned
from gatewise.artifacts.plan import TuningPlan
from gatewise.artifacts.prepared import Prepared
from gatewise.config import TuningConfig, VariantConfig
from gatewise.errors import GatewiseError
from gatewise.execution import dispatch, tuning
from gatewise.execution.trial_runs import KeptTrials
from tests.execution.test_variant_runs import in_this_process
from tests.tasks import make_plan, write_task

RATES = {"learning_rate": {"low": 1e-4, "high": 0.1}}


def make_tuning(run=None, others=None, **changes):
    settings = {"trials": 4, "space": RATES, **changes}
    plan = run or make_plan(seeds=(), learning_rate=1e-4)
    config = TuningConfig.model_validate(settings)
    return TuningPlan(run=plan, tuning=config, others=others or {})


@pytest.fixture
def prepared(tmp_path):
    write_task(tmp_path / "prepared")
    return tmp_path / "prepared"


@pytest.fixture
def started(monkeypatch):
    """Seeds and epochs of the runs that were trained, in this process, in their order."""
    log = []

    def train_all(jobs, workers, address):
        for event in in_this_process(jobs, workers, address):
            if event.kind == "started":
                log.append((event.job.trial, event.job.seed, event.job.plan.train.epochs))
            yield event

    monkeypatch.setattr(dispatch.pool, "train_all", train_all)
    return log


@pytest.fixture
def tune(tmp_path, prepared, started):
    def run(plan, folder="trials", prepared=prepared):
        kept = KeptTrials(tmp_path / "cache" / folder)
        return tuning.tune_variant(plan, prepared, dispatch.Dispatch(""), kept)

    return run


def test_the_best_on_validation_is_chosen_and_the_declared_point_is_among_the_trials(tune):
    result = tune(make_tuning(seeds=2))
    choice = result.choice
    assert [trial.number for trial in choice.trials] == [0, 1, 2, 3]
    assert choice.declared.settings == {"learning_rate": 1e-4}
    best = max(choice.trials, key=lambda trial: trial.mean)
    assert choice.chosen == best.number
    assert choice.best.mean > choice.declared.mean, "1e-4 learns nothing in two epochs"
    assert all(len(trial.scores) == 2 for trial in choice.trials)
    assert 0 <= choice.chance_of_another < 1


def test_of_equal_trials_the_declared_one_stays(tune):
    space = {"label_smoothing": [0.0]}
    result = tune(make_tuning(make_plan(seeds=()), trials=2, seeds=2, space=space))
    assert result.choice.trials[0].scores == result.choice.trials[1].scores
    assert result.choice.chosen == 0
    assert result.choice.chance_of_another == 0.0


def test_nothing_is_trained_where_nothing_is_tuned(tune, started):
    result = tune(make_tuning(trials=0))
    assert result.choice is None
    assert result.settings(0) == {}
    assert started == []


def test_a_kept_choice_is_taken_over_without_a_trial(tune, started):
    plan = make_tuning().model_copy(update={"kept": {"learning_rate": 0.07}})
    result = tune(plan)
    assert result.settings(3) == {"learning_rate": 0.07}
    assert (result.choice, started) == (None, [])


def test_every_variant_tries_equal_points_with_equal_seeds(tune):
    gru = tune(make_tuning())
    lstm = tune(make_tuning(make_plan("lstm", seeds=(), learning_rate=1e-4)))
    points = [[trial.settings for trial in each.choice.trials] for each in (gru, lstm)]
    assert points[0] == points[1]


def test_finished_trials_are_found_again_and_more_keep_the_old_ones(tune, started):
    tune(make_tuning())
    first = list(started)
    again = tune(make_tuning())
    assert started == first
    more = tune(make_tuning(trials=6))
    assert len(started) == len(first) + 2
    assert more.choice.trials[:4] == again.choice.trials


@pytest.mark.parametrize("method", ["quasi-random", "tpe"])
def test_an_interrupted_search_comes_to_the_same_choice(tune, started, monkeypatch, method):
    plan = make_tuning(method=method, trials=5)
    whole = tune(plan, "whole")
    real = dispatch.pool.train_all

    def killed(jobs, workers, address):
        yield from real(jobs[: len(jobs) // 2 or 1], workers, address)
        if len(started) >= 7:  # two trials of this attempt are kept
            raise KeyboardInterrupt

    monkeypatch.setattr(dispatch.pool, "train_all", killed)
    with pytest.raises(KeyboardInterrupt):
        tune(plan, "interrupted")
    monkeypatch.setattr(dispatch.pool, "train_all", real)
    assert tune(plan, "interrupted") == whole


def test_no_trial_sees_the_test_split(tune, tmp_path, prepared):
    before = tune(make_tuning(), "before")
    task = Prepared.open(prepared)
    test = (task.index["split"] == "test").to_numpy()
    sequences = np.array(task.sequences)
    for start, length in task.index.loc[test, ["start", "length"]].to_numpy():
        sequences[start : start + length] = np.nan
    index = task.index.copy()
    index.loc[test, "label"] = 0
    np.save(prepared / "sequences.npy", sequences)
    Prepared(task.card, sequences, index).write(prepared)
    assert tune(make_tuning(), "after") == before
    tested = set(index.loc[test, "id"])
    for path in (tmp_path / "cache").rglob("predictions.parquet"):
        assert not tested & set(pd.read_parquet(path)["id"])


def test_halving_trains_all_for_a_third_and_the_better_half_in_full(tune, started):
    plan = make_tuning(make_plan(seeds=(), learning_rate=1e-4, epochs=6), prune="halving")
    choice = tune(plan).choice
    assert [run[2] for run in started[:4]] == [2] * 4
    whole = {trial for trial, _, epochs in started if epochs == 6}
    assert 0 in whole
    assert len(whole) in (2, 3)
    assert {t.number for t in choice.trials if t.status == "complete"} == whole
    assert {t.status for t in choice.trials if t.number not in whole} == {"pruned"}
    pruned = next(t for t in choice.trials if t.status == "pruned")
    assert choice.best.training_macs == pytest.approx(4 * pruned.training_macs)


def test_with_equal_arithmetic_a_cheaper_variant_tries_more(tune):
    gru = make_plan(seeds=(), learning_rate=1e-4)
    large = make_plan(
        "large", seeds=(), config=VariantConfig(cell="gru", hidden=16), learning_rate=1e-4
    )
    others = {"gru": gru, "large": large}
    few = make_tuning(large, others, trials=2, budget="macs")
    many = make_tuning(gru, others, trials=2, budget="macs")
    assert len(tune(few).choice.trials) == 2
    assert len(tune(many).choice.trials) > 4


def test_a_setting_that_a_cell_lacks_skips_the_point_and_is_counted(tune):
    rnn = make_plan("rnn", seeds=(), config=VariantConfig(cell="rnn", hidden=8))
    choice = tune(make_tuning(rnn, space={"forget_bias": [1.0]}, trials=2)).choice
    assert [trial.status for trial in choice.trials] == ["complete", "skipped"]
    assert "forget_bias" in choice.trials[1].note
    assert choice.chosen == 0


def test_trials_that_diverge_are_results_and_all_of_them_an_error(tune):
    wild = {"learning_rate": [1e30]}
    choice = tune(make_tuning(space=wild, trials=2)).choice
    assert [trial.status for trial in choice.trials] == ["complete", "diverged"]
    with pytest.raises(GatewiseError, match=r"tune toy/gru: none of 2 trials came to an end"):
        tune(make_tuning(make_plan(seeds=(), learning_rate=1e30), space=wild, trials=2))


def test_each_seed_can_choose_by_trials_of_its_own(tune, started):
    result = tune(make_tuning(make_plan(seeds=(0, 5), learning_rate=1e-4), per="seed", trials=2))
    assert set(result.by_seed) == {0, 5}
    assert {seed for _, seed, _ in started} == {1_001_000, 1_006_000}
    assert result.settings(5) == result.by_seed[5].settings


def test_a_redrawn_split_gets_several_seeds(tmp_path, tune, started):
    write_task(tmp_path / "redrawn", resample=True)
    result = tune(make_tuning(trials=2), prepared=tmp_path / "redrawn")
    assert result.seeds == tuning.SEEDS_WHERE_REDRAWN > 1
    assert len(started) == 2 * result.seeds


def test_the_choice_says_where_it_lies_at_the_edge():
    space = TuningConfig.model_validate({"space": RATES}).space
    assert tuning.at_edge(space, {"learning_rate": 0.09}) == ("learning_rate",)
    assert tuning.at_edge(space, {"learning_rate": 0.5}) == ("learning_rate",)
    assert tuning.at_edge(space, {"learning_rate": 0.003}) == ()


def test_chosen_settings_take_the_place_of_the_plans():
    plan = make_plan()
    settled = tuned.settle(plan, {"learning_rate": 0.5, "dropout": 0.3})
    assert (settled.train.learning_rate, settled.config.dropout) == (0.5, 0.3)
    same = tuned.settle(plan, {"learning_rate": plan.train.learning_rate})
    assert same.sha256 == plan.sha256, "the declared settings are the run that there was before"


@pytest.mark.parametrize("name", [trials.RECORD, runs.PREDICTIONS])
def test_a_damaged_trial_is_trained_again(tune, started, tmp_path, name):
    before = tune(make_tuning())
    first = len(started)
    damage.spoil(next((tmp_path / "cache").rglob(name)), "one bit", seed=1)
    assert tune(make_tuning()) == before
    assert len(started) == first + 1
