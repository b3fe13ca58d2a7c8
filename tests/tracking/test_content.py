"""Which runs of a variant share a parent in MLflow."""

from gatewise.artifacts.plan import OwnSettings
from gatewise.tracking import content
from tests.evidence_runs import record


def chose(seed: int, rate: float, made_by: str = "five trials", **changes):
    """A run whose seed chose its own learning rate: so its plan is its own, too."""
    run = record("digits", "gru", seed, 0.9, plan_sha256=f"rate {rate:g}", **changes)
    own = OwnSettings(names=("dropout", "learning_rate"), made_by=made_by)
    train = run.train.model_copy(update={"learning_rate": rate})
    config = run.config.model_copy(update={"dropout": 10 * rate})
    return run.model_copy(update={"own": own, "train": train, "config": config})


def test_seeds_that_chose_for_themselves_share_one_parent():
    first, second = (content.parent_of(chose(seed, rate)) for seed, rate in ((0, 0.01), (1, 0.02)))
    assert first == second, "whichever seed it is made from"
    assert "train.learning_rate" not in first.params
    assert "config.dropout" not in first.params
    assert "plan_sha256" not in first.params
    assert first.params["train.batch_size"] == "64"
    assert first.params["config.hidden"]


def test_what_a_seed_chose_stands_on_its_own_run():
    settings = chose(1, 0.02).model_dump(mode="json")
    assert (settings["train"]["learning_rate"], settings["config"]["dropout"]) == (0.02, 0.2)


def test_another_way_of_choosing_is_another_parent():
    before = content.parent_key(chose(0, 0.01))
    assert content.parent_key(chose(0, 0.01, "eight trials")) != before
    longer = chose(0, 0.01)
    train = longer.train.model_copy(update={"epochs": longer.train.epochs + 1})
    assert content.parent_key(longer.model_copy(update={"train": train})) != before


def test_seeds_of_two_plans_never_share_one_where_nothing_was_chosen_by_seed():
    one, other = (record("digits", "gru", 0, 0.9, plan_sha256=plan) for plan in "ab")
    assert content.parent_key(one) != content.parent_key(other)
    assert content.parent_of(one).params["plan_sha256"] == "a"
