import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatewise.config import VariantConfig
from gatewise.errors import GatewiseError
from gatewise.models import budget, cells
from gatewise.models.complexity import Sizes, macs_per_step, recurrent_parameters

SIZES = Sizes(outputs=10, features=40)
LSTM = VariantConfig(cell="lstm", hidden=64)


def matched(quantity, cell="gru", **settings):
    return VariantConfig(cell=cell, match={quantity: "lstm"}, **settings)


def test_a_given_width_stays():
    solved = budget.resolve(LSTM, None, SIZES)
    assert solved.variant == LSTM
    assert solved.epochs_factor == 1


def test_the_lstm_of_128_and_the_gru_of_151_are_equal_at_40_inputs():
    solved = budget.resolve(matched("parameters"), VariantConfig(cell="lstm", hidden=128), SIZES)
    assert solved.variant.hidden == 151
    assert solved.variant.match is None
    assert "width 151" in solved.sentence
    assert "lstm's 87,040" in solved.sentence


@settings(deadline=None, max_examples=60)
@given(
    quantity=st.sampled_from(["parameters", "macs"]),
    cell=st.sampled_from(["rnn", "lstm", "gru"]),
    reference=st.sampled_from(["rnn", "lstm", "gru"]),
    hidden=st.integers(60, 300),
    layers=st.integers(1, 3),
    bidirectional=st.booleans(),
)
def test_no_other_width_comes_nearer(*, quantity, cell, reference, hidden, layers, bidirectional):
    reference = VariantConfig(cell=reference, hidden=hidden)
    wish = matched(quantity, cell, layers=layers, bidirectional=bidirectional)
    solved = budget.resolve(wish, reference, SIZES).variant
    cost = macs_per_step if quantity == "macs" else recurrent_parameters
    target = cost(reference, SIZES)
    gap = abs(cost(solved, SIZES) - target)
    for other in (max(solved.hidden - 1, 1), solved.hidden + 1):
        assert gap <= abs(cost(solved.model_copy(update={"hidden": other}), SIZES) - target)


def test_hidden_takes_the_width():
    assert budget.resolve(matched("hidden"), LSTM, SIZES).variant.hidden == 64


def test_training_macs_scale_the_epochs():
    solved = budget.resolve(matched("training_macs", hidden=64), LSTM, SIZES)
    assert solved.epochs_factor == pytest.approx(4 / 3)
    assert solved.variant.hidden == 64
    assert solved.variant.match is None


def test_an_exact_match_says_so():
    solved = budget.resolve(matched("parameters", "lstm"), LSTM, SIZES)
    assert solved.variant.hidden == 64
    assert "exactly lstm's" in solved.sentence


def test_a_budget_out_of_reach_is_refused():
    with pytest.raises(GatewiseError, match=r"nearest width .* is 1 "):
        budget.resolve(matched("parameters"), VariantConfig(cell="rnn", hidden=1), SIZES)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"cell": "lsmt", "hidden": 8}, "unknown cell 'lsmt'; did you mean .*lstm"),
        ({"cell": "rnn", "hidden": 8, "init": "chrono"}, "'rnn' has none"),
        ({"cell": "mingru", "hidden": 8, "projection": 4}, "'mingru' takes no projection"),
        ({"cell": "lstm-projected", "hidden": 8, "projection": 9}, "wider than the hidden state"),
        ({"cell": "lstm-layernorm", "hidden": 8, "kernel": "fused"}, "has no fused kernel"),
    ],
)
def test_a_variant_that_cannot_be_built_is_refused(settings, message):
    with pytest.raises(GatewiseError, match=message):
        budget.resolve(VariantConfig(**settings), None, SIZES)


@pytest.mark.parametrize("cell", cells.names())
def test_every_cell_can_be_matched_to_an_lstm(cell):
    solved = budget.resolve(matched("parameters", cell), LSTM, SIZES).variant
    off = recurrent_parameters(solved, SIZES) / recurrent_parameters(LSTM, SIZES)
    assert abs(off - 1) < 0.03


def test_a_missing_reference_is_refused():
    with pytest.raises(GatewiseError, match="'lstm' must be given"):
        budget.resolve(matched("parameters"), None, SIZES)
