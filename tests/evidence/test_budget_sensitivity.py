import pytest

from gatewise.config import Match, VariantConfig
from gatewise.evidence import budget_sensitivity
from gatewise.report import words
from tests.evidence_runs import pair as made

VARIANTS = {
    "lstm": VariantConfig(cell="lstm", hidden=64),
    "gru": VariantConfig(cell="gru", hidden=64),
    "gru-matched": VariantConfig(cell="gru", match=Match(parameters="lstm")),
    "gru-wide": VariantConfig(cell="gru", hidden=99),
}


def pair(a, b, verdict, difference=0.01, primary=True):
    return made(a, b, verdict, difference=difference, primary=primary)


@pytest.mark.parametrize(
    ("at_width", "at_size", "change"),
    [
        ("lstm", "gru-matched", "flips"),
        ("lstm", "undecided", "changes"),
        ("equivalent", "gru-matched", "changes"),
        ("gru", "gru-matched", "none"),
        ("undecided", "undecided", "none"),
    ],
)
def test_the_two_readings_of_a_question_are_set_side_by_side(at_width, at_size, change):
    pairs = [pair("gru", "lstm", at_width, -0.02), pair("gru-matched", "lstm", at_size, 0.03)]
    (found,) = budget_sensitivity.assess(VARIANTS, pairs)
    assert (found.cell, found.reference, found.change) == ("gru", "lstm", change)
    assert [b.equal for b in found.budgets] == ["equal width", "equal parameters"]
    assert [b.difference for b in found.budgets] == [-0.02, 0.03]


def test_the_order_of_a_pair_does_not_matter():
    pairs = [pair("lstm", "gru", "lstm", 0.02), pair("gru-matched", "lstm", "gru-matched", 0.03)]
    (found,) = budget_sensitivity.assess(VARIANTS, pairs)
    assert found.change == "flips"
    assert [b.winner for b in found.budgets] == ["reference", "cell"]
    assert [b.difference for b in found.budgets] == [-0.02, 0.03]


@pytest.mark.parametrize(
    "second",
    [
        pair("gru-wide", "lstm", "lstm"),  # nothing is held equal
        pair("gru-matched", "gru", "gru"),  # the same cell
        pair("gru-matched", "lstm", "lstm", primary=False),
        pair("gru-matched", "lstm", "undecided", difference=None),
    ],
)
def test_one_budget_alone_says_nothing(second):
    assert budget_sensitivity.assess(VARIANTS, [pair("gru", "lstm", "gru"), second]) == ()


def test_the_sentence_names_both_budgets():
    pairs = [pair("gru", "lstm", "lstm"), pair("gru-matched", "lstm", "gru-matched")]
    (found,) = budget_sensitivity.assess(VARIANTS, pairs)
    assert words.budgets(found) == (
        "gru against lstm: at equal width lstm wins, at equal parameters gru wins; "
        "the verdict flips with the budget."
    )
