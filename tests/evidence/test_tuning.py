from types import SimpleNamespace

import numpy as np
import pytest

from gatewise.artifacts.tuned import Tuned
from gatewise.evidence import comparison, tuning
from gatewise.report import tuning_words
from tests.evidence.tunings import RATES, choice, of_scores, trial, tuned
from tests.evidence_runs import record, study, summary, write_card, write_run

PAIRS = [SimpleNamespace(a="gru", b="lstm"), SimpleNamespace(a="rnn", b="lstm")]


def summarise(*several, tested=None, rope=0.005):
    return tuning.summarise({one.variant: one for one in several}, PAIRS, tested or {}, rope)


def test_nothing_is_said_where_nothing_was_tuned():
    bare = Tuned(task="toy", variant="gru", metric="accuracy")
    assert summarise(bare) is None
    assert summarise() is None


def test_what_tuning_turns_round_is_seen():
    result = summarise(of_scores("gru", 0.6, 0.9, 0.8), of_scores("lstm", 0.7, 0.75, 0.8))
    (pair,) = result.pairs
    assert (pair.declared, pair.tuned) == (pytest.approx(-0.1), pytest.approx(0.1))
    assert (pair.declared_lead, pair.tuned_lead) == ("b", "a")
    assert pair.disagree
    assert result.chosen["gru"] == {"learning_rate": 0.002}


@pytest.mark.parametrize(("low", "disagree"), [(0.700, True), (0.692, False)])
def test_a_difference_within_the_rope_is_none(low, disagree):
    one = summarise(of_scores("gru", low, 0.9), of_scores("lstm", 0.702, 0.95))
    assert one.pairs[0].declared_lead == ("neither" if disagree else "b")
    assert one.pairs[0].disagree == disagree


def test_of_a_loss_the_lower_leads():
    several = [
        tuned(
            name,
            choice([trial(i, score) for i, score in enumerate(scores)], sign=-1),
            metric="log_loss",
        )
        for name, scores in (("gru", (0.5, 0.4)), ("lstm", (0.6, 0.3)))
    ]
    pair = summarise(*several).pairs[0]
    assert (pair.declared_lead, pair.tuned_lead) == ("a", "b")


def test_where_the_declared_settings_diverged_nothing_is_compared_with_them():
    gru = tuned("gru", choice([trial(0, None, "diverged"), trial(1, 0.9)]))
    result = summarise(gru, of_scores("lstm", 0.7, 0.8))
    assert result.variants["gru"].declared_score is None
    assert result.pairs[0].declared is None
    assert not result.pairs[0].disagree


def test_saved_work_is_that_of_points_not_trained_in_full():
    """Three points at 6 units are 18; a rung of 3 for each and one whole training are 15."""
    made = choice([trial(0, 0.8), trial(1, 0.5, "pruned"), trial(2, 0.4, "pruned")])
    result = summarise(tuned("gru", made))
    assert result.variants["gru"].saved_macs == pytest.approx(3e6)
    assert result.variants["gru"].saved == pytest.approx(1 - 15 / 18)
    assert result.variants["gru"].counts == {"complete": 1, "pruned": 2}
    whole = summarise(of_scores("gru", 0.5, 0.6)).variants["gru"]
    assert whole.saved is whole.saved_macs is None


def test_choices_of_seeds_are_taken_together():
    first = choice([trial(0, 0.6), trial(1, 0.8), trial(2, 0.3, "pruned")])
    second = choice([trial(0, 0.7), trial(1, 0.5, "pruned"), trial(2, 0.9)])
    result = summarise(tuned("gru", {0: first, 1: second})).variants["gru"]
    assert [one.scores for one in result.trials] == [(0.6, 0.7), (0.8,), (0.9,)]
    assert result.declared_score == pytest.approx(0.65)
    assert result.tuned_score == pytest.approx(0.85)
    assert result.chosen_by_seed["1"] == {"learning_rate": 0.004}
    assert result.training_macs == sum(t.training_macs for c in (first, second) for t in c.trials)


def test_a_choice_at_the_edge_is_named_once():
    edge = choice([trial(0, 0.5), trial(1, 0.6, learning_rate=0.099)], ("learning_rate",))
    result = summarise(tuned("gru", {0: edge, 1: edge}))
    (found,) = result.at_edge
    assert (found.variant, found.setting, found.value) == ("gru", "learning_rate", 0.099)


def test_where_one_seed_and_one_group_judged_the_chance_of_another_is_not_known():
    sure = choice([trial(0, 0.5), trial(1, 0.6)])
    unknown = sure.model_copy(update={"chance_of_another": None})
    assert summarise(tuned("gru", {0: sure, 1: sure})).variants["gru"].chance_of_another == 0.25
    assert summarise(tuned("gru", {0: sure, 1: unknown})).variants["gru"].chance_of_another is None
    assert tuning_words.another(None) == "not known"


def test_trials_that_came_to_an_end_are_ranked_and_the_test_score_stands_beside():
    made = choice([trial(0, 0.6), trial(1, 0.9, "pruned"), trial(2, 0.8), trial(3, 0.8)])
    result = summarise(tuned("gru", made), tested={"gru": summary(0.7, 0.8)}).variants["gru"]
    assert result.best == (2, 3, 0)
    assert result.test_score == pytest.approx(0.75)


def test_two_equal_points_of_one_choice_stay_two():
    made = choice([trial(0, 0.6, init="torch"), trial(1, 0.6, init="torch")])
    result = summarise(tuned("gru", made, {"init": ("torch",)}))
    assert result.variants["gru"].trials == made.trials
    assert result.trials == 2


def test_where_seeds_search_for_themselves_the_budget_is_each_ones():
    """Points of an adaptive search differ by seed: ten seeds of three trials are not thirty."""
    by_seed = {
        seed: choice(
            [
                trial(i, 0.5 + 0.1 * i, learning_rate=0.002 + 0.01 * i + 0.001 * seed)
                for i in range(3)
            ]
        )
        for seed in range(10)
    }
    result = summarise(tuned("gru", by_seed, method="tpe"))
    assert result.trials == 3
    assert [p.expected for p in result.variants["gru"].budget] == pytest.approx([0.5, 0.6, 0.7])
    assert len(result.variants["gru"].trials) == 30


def test_settings_that_a_retraining_kept_are_named():
    bare = Tuned(task="toy", variant="gru", metric="accuracy", kept={"learning_rate": 0.0123})
    assert summarise(bare) is None
    (line,) = tuning.warnings("toy", {"gru": bare}, None)
    assert "toy/gru: trained with learning_rate 0.0123, kept" in line
    assert "retrain --tune" in line


@pytest.mark.parametrize(
    ("seeds", "by_seed", "warned"), [(1, False, True), (2, False, False), (1, True, False)]
)
def test_a_choice_by_one_trial_seed_a_point_is_warned_of(seeds, by_seed, warned):
    made = choice([trial(0, 0.5), trial(1, 0.6)])
    both = {v: tuned(v, {0: made} if by_seed else made, seeds=seeds) for v in ("lstm", "gru")}
    told = tuning.warnings("toy", both, summarise(*both.values()))
    assert len(told) == warned
    if warned:
        assert "toy: settings were chosen by one trial seed a point" in told[0]
        assert "14 % of equal variants" in told[0]


def test_the_comparison_carries_it(tmp_path):
    write_card(tmp_path, "toy")
    for variant in ("lstm", "gru"):
        made = of_scores(variant, 0.5, 0.6)
        made.write(tmp_path / "data" / "tuned" / "toy" / f"{variant}.json")
        for seed in range(2):
            write_run(tmp_path, record("toy", variant, seed, 0.8))
    declared = study(seeds=2)
    compared = comparison.compare(declared, comparison.gather(declared, tmp_path))
    held = compared.tasks["toy"].tuning
    assert held.space == RATES
    assert set(held.chosen) == {"lstm", "gru"}
    assert (held.pairs[0].a, held.pairs[0].b) == ("gru", "lstm")
    assert held.variants["gru"].test_score == pytest.approx(0.8)
    assert type(compared).model_validate_json(compared.model_dump_json()) == compared


def test_a_task_that_common_settings_give_to_one_and_tuning_to_the_other(tmp_path):
    """At the declared rate `lstm` leads; tuned, `gru` does, and so says the verdict."""
    write_card(tmp_path, "toy")
    rng = np.random.default_rng(0)
    for variant, scores, tested in (("lstm", (0.9, 0.8), 0.89), ("gru", (0.7, 0.96), 0.95)):
        of_scores(variant, *scores).write(tmp_path / "data" / "tuned" / "toy" / f"{variant}.json")
        for seed in range(8):
            score = tested + 0.002 * float(rng.standard_normal())
            write_run(tmp_path, record("toy", variant, seed, score))
    declared = study(seeds=8)
    task = comparison.compare(declared, comparison.gather(declared, tmp_path)).tasks["toy"]
    assert task.tuning.declared_leader == "lstm"
    assert task.tuning.tuned_leader == "gru"
    assert "lstm as declared, gru after tuning" in task.tuning.sentence
    assert task.tuning.variants["lstm"].chosen == {"learning_rate": 0.001}, "nothing beat it"
    assert task.pairs[0].verdict == "gru"
    assert task.leader == "gru"
