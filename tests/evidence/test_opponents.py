"""The linear model against the chosen variant: taken first where it does as well."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatewise.artifacts.baselines import BaselineReport, BaselineScore
from gatewise.config.metrics import METRICS
from gatewise.evidence import comparison
from gatewise.evidence.task_evidence import TaskEvidence
from gatewise.report import words
from tests.evidence.test_beyond_seeds import counts
from tests.evidence_runs import record, study

SPREAD = 0.004 * np.array([1.0, -1, 1, -1, 1, -1, 1, -1])


def compared(scores, linear, metric="accuracy", seeds=None, **keys):
    """The task of a comparison whose linear model scored `linear`, one value or one a seed."""
    count = len(next(iter(scores.values())))
    declared = study(tuple(scores), metric=metric, seeds=count, compare={"resamples": 500}, **keys)
    records = [
        record("toy", variant, seed, float(score))
        for variant, by_seed in scores.items()
        for seed, score in enumerate(by_seed)
    ]
    values = tuple(np.atleast_1d(linear).tolist())
    score = BaselineScore(
        title="TF-IDF + logistic regression",
        mean=float(np.mean(values)),
        std=None,
        ci=None,
        values=values,
        seeds=tuple(range(len(values)) if seeds is None else seeds),
    )
    report = BaselineReport(task="toy", metric=metric, baselines={"linear": score})
    evidence = TaskEvidence(records, baselines=report)
    return comparison.compare(declared, {"toy": evidence}).tasks["toy"]


def test_a_better_linear_model_is_the_answer_and_the_variants_come_after_it():
    task = compared({"lstm": 0.74 + SPREAD, "gru": 0.73 + SPREAD}, 0.757)
    assert task.answer.choice == "lstm"
    assert task.answer.linear.better
    assert task.answer.linear.take
    assert task.answer.sentence.startswith(
        "take the linear model: TF-IDF + logistic regression scores 75.7 % against 74.0 %, "
        "better than lstm (95 %); of the recurrent variants take lstm: "
    )
    parts = words.answer_parts(task.answer)
    assert parts.take == "Take the linear model"
    assert parts.beside[0].startswith("Of the recurrent variants take lstm: ")


def test_a_linear_model_that_is_shown_to_be_as_good_is_taken_too():
    task = compared({"lstm": 0.74 + SPREAD, "gru": 0.72 + SPREAD}, 0.7395)
    assert not task.answer.linear.better
    assert 0.0005 < task.answer.linear.shortfall <= 0.005
    assert "points below lstm (95 %); of the recurrent variants take lstm" in task.answer.sentence


@pytest.mark.parametrize("linear", [0.70, 0.733, 0.738])
def test_a_linear_model_that_may_be_worse_leaves_the_answer_alone(linear):
    task = compared({"lstm": 0.74 + SPREAD * 4, "gru": 0.72 + SPREAD}, linear)
    assert not task.answer.linear.take
    assert task.answer.sentence.startswith("take lstm: ")


def test_seeds_are_paired_where_each_has_its_own_test_examples():
    """The scatter that both share says nothing of which is better."""
    shared = 0.05 * np.sin(np.arange(8))
    apart = compared({"lstm": 0.74 + shared, "gru": 0.70 + shared}, 0.75 + shared)
    assert apart.answer.linear.better
    mixed = compared({"lstm": 0.74 + shared, "gru": 0.70 + shared}, 0.75 - shared)
    assert not mixed.answer.linear.take


def test_where_lower_is_better_a_lower_score_wins():
    scores = {"lstm": 0.60 + SPREAD, "gru": 0.5 + SPREAD}  # log losses of 0.40 and 0.50
    assert compared(scores, 0.35, metric="log_loss").answer.linear.better
    assert not compared(scores, 0.45, metric="log_loss").answer.linear.take


def test_seeds_that_the_baseline_was_not_scored_for_are_no_pairs():
    task = compared({"lstm": 0.74 + SPREAD, "gru": 0.73 + SPREAD}, [0.9, 0.9], seeds=[0, 1])
    assert task.answer.linear is None


def test_too_few_seeds_show_nothing_but_what_it_looks_like_is_said():
    task = compared({"lstm": [0.74, 0.75], "gru": [0.73, 0.74]}, 0.9)
    assert task.answer.linear.shortfall is None
    assert not task.answer.linear.take
    assert task.answer.sentence.startswith("take lstm: best so far")
    assert task.answer.sentence.endswith(
        "; TF-IDF + logistic regression scores 90.0 % against 74.5 % on these examples, with too "
        "few seeds and test groups to say more"
    )


def test_a_linear_model_that_looks_as_good_is_told_of_with_what_it_may_lack():
    task = compared({"lstm": 0.74 + SPREAD * 4, "gru": 0.72 + SPREAD}, 0.741)
    assert not task.answer.linear.take
    assert re.search(
        r"74.1 % against 74.0 % on these examples, but may lie .* points below lstm$",
        task.answer.sentence,
    )


# --- few seeds, many test groups -----------------------------------------------------------


def few_seeds(right, linear, groups=80, size=10, metric="accuracy"):
    """The task of a comparison with test predictions: shares that are right in three seeds."""
    draws = np.random.default_rng(0)
    group = np.array([f"film-{n:02}" for n in np.repeat(np.arange(groups), size)])
    told = counts(draws.random(len(group)) < linear, group)
    runs = {
        variant: {seed: counts(draws.random(len(group)) < share, group) for seed in range(3)}
        for variant, share in right.items()
    }
    score = METRICS[metric].from_counts
    records = [
        record("toy", variant, seed, float(score(run.counts.sum(axis=0))))
        for variant, by_seed in runs.items()
        for seed, run in by_seed.items()
    ]
    own = float(score(told.counts.sum(axis=0)))
    stored = {
        name: tuple((int(r), int(c), float(cells[r, c])) for r, c in np.argwhere(cells))
        for name, cells in zip(told.groups, told.counts, strict=True)
    }
    baseline = BaselineScore(
        title="TF-IDF + logistic regression",
        mean=own,
        std=None,
        ci=None,
        values=(own,),
        seeds=(0,),
        counts=(stored,),
    )
    report = BaselineReport(task="toy", metric=metric, baselines={"linear": baseline})
    evidence = TaskEvidence(records, predictions=runs, baselines=report)
    declared = study(tuple(right), metric=metric, seeds=3, compare={"resamples": 500})
    return comparison.compare(declared, {"toy": evidence}).tasks["toy"]


@pytest.mark.parametrize("metric", ["accuracy", "balanced_accuracy"])
def test_three_seeds_decide_with_many_test_groups(metric):
    task = few_seeds({"lstm": 0.7, "gru": 0.68}, 0.8, metric=metric)
    assert task.answer.linear.better
    assert task.answer.linear.over_groups == 80
    assert task.answer.sentence.startswith("take the linear model: ")
    assert "(95 %, over other seeds and other test groups than these 80)" in task.answer.sentence
    assert words.answer_parts(task.answer).beside[0].startswith("Of the recurrent variants take")
    assert not task.baselines["linear"].counts


def test_three_seeds_decide_nothing_that_the_test_groups_leave_open():
    close = few_seeds({"lstm": 0.74, "gru": 0.7}, 0.745).answer
    assert not close.linear.take
    assert close.linear.shortfall > 0.005
    few = few_seeds({"lstm": 0.7, "gru": 0.68}, 0.8, groups=9, size=100).answer
    assert few.linear.shortfall is None
    assert not few.linear.take


def test_a_better_choice_is_left_alone():
    answer = few_seeds({"lstm": 0.85, "gru": 0.8}, 0.7).answer
    assert not answer.linear.take
    assert answer.sentence.startswith("take lstm: ")
    assert "logistic" not in answer.sentence


@settings(max_examples=25, deadline=None)
@given(
    lstm=st.lists(st.floats(0.1, 0.9), min_size=8, max_size=8),
    linear=st.floats(0.1, 0.9),
    more=st.floats(0, 0.1),
)
def test_a_better_score_never_loses_the_linear_model_its_place(lstm, linear, more):
    scores = {"lstm": np.array(lstm)}
    before = compared(scores, linear).answer.linear
    after = compared(scores, linear + more).answer.linear
    assert after.take >= before.take
    assert after.shortfall <= before.shortfall + 1e-9
