import math

import pytest
import torch

from gatewise.errors import GatewiseError
from gatewise.models import cells
from gatewise.models.initialisation import CHRONO_STEPS, initialise

GATED = [name for name in cells.names() if cells.get(name).keep_gate]
GATELESS = [name for name in cells.names() if not cells.get(name).keep_gate]


def made(name, scheme="torch", forget_bias=None, hidden=48, inputs=48, seed=0, **settings):
    torch.manual_seed(seed)
    cell = cells.get(name)(inputs, hidden)
    with torch.no_grad():
        for parameter in cell.parameters():
            parameter.fill_(torch.nan)
    initialise(cell, scheme, forget_bias, **settings)
    return cell


def block(cell, name):
    rows = slice(cell.blocks.index(name) * 48, (cell.blocks.index(name) + 1) * 48)
    biases = [p for key, p in cell.named_parameters() if key in ("bias", "bias_ih", "bias_hh")]
    return sum(b[rows] for b in biases)


@pytest.mark.parametrize("name", cells.names())
@pytest.mark.parametrize("scheme", ["torch", "keras"])
def test_every_parameter_is_filled_and_follows_the_seed(name, scheme):
    one, same, other = (dict(made(name, scheme, seed=s).named_parameters()) for s in (0, 0, 1))
    for key, parameter in one.items():
        assert parameter.isfinite().all(), key
        assert torch.equal(parameter, same[key])
        if key.startswith("weight"):
            assert not torch.equal(parameter, other[key])


@pytest.mark.parametrize("name", ["rnn", "lstm", "gru"])
def test_torch_scheme_draws_what_torch_draws(name):
    kind = {"rnn": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru": torch.nn.GRU}[name]
    ours = made(name, inputs=20)
    torch.manual_seed(0)
    theirs = kind(20, 48)
    for own, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert torch.equal(own, other)


@pytest.mark.parametrize("name", cells.names())
def test_torch_scheme_stays_within_its_bound(name):
    for key, parameter in made(name).named_parameters():
        if key.startswith("gain"):
            assert (parameter == 1).all()
        else:
            assert 0.8 / math.sqrt(48) < parameter.abs().max() <= 1 / math.sqrt(48)


@pytest.mark.parametrize("name", ["lstm", "gru", "lstm-peephole", "gru-cho"])
def test_keras_scheme(name):
    cell = made(name, "keras", inputs=20)
    for key, parameter in cell.named_parameters():
        if key.startswith("weight_h"):
            gram = parameter.T @ parameter
            torch.testing.assert_close(gram, torch.eye(48), atol=1e-5, rtol=0)
        elif key.startswith("weight_i"):
            limit = math.sqrt(6 / sum(parameter.shape))
            assert 0.9 * limit < parameter.abs().max() <= limit
    for gate in cell.blocks:
        assert (block(cell, gate) == (1.0 if gate == "forget" else 0.0)).all()


@pytest.mark.parametrize("name", GATED)
@pytest.mark.parametrize("scheme", ["torch", "keras", "chrono"])
def test_forget_bias_sets_the_gate_that_keeps(name, scheme):
    cell = made(name, scheme, forget_bias=2.5)
    assert (block(cell, cell.keep_gate) == 2.5 * cell.keep_sign).all()


def states_kept(cell, steps=5):
    """How much of an early state is still there after some steps without input."""
    state = tuple(torch.ones_like(s) for s in cell.initial_state(1))
    x = torch.zeros(1, cell.input_size)
    for _ in range(steps):
        _, state = cell.core(x, state)
    return (state[1] if "c" in cell.states else state[0]).mean().item()


# The stabilised sLSTM divides by its normaliser, so a constant state looks kept whatever happens.
@pytest.mark.parametrize("name", [n for n in GATED if n != "slstm"])
def test_a_larger_forget_bias_keeps_more(name):
    little, much = (made(name, forget_bias=b) for b in (-6.0, 6.0))
    for cell in (little, much):
        for key, parameter in cell.named_parameters():
            if key.startswith(("weight", "gain")):
                parameter.data.zero_()
    assert states_kept(much) > states_kept(little) + 0.1


@pytest.mark.parametrize("name", GATED)
def test_chrono_spreads_memory_over_the_steps(name):
    cell = made(name, "chrono")
    memory = (cell.keep_sign * block(cell, cell.keep_gate)).exp()
    assert 1 <= memory.min() < CHRONO_STEPS / 4
    assert CHRONO_STEPS * 3 / 4 < memory.max() <= CHRONO_STEPS - 1 + 1e-3
    if "input" in cell.gates and cell.keep_gate == "forget":
        torch.testing.assert_close(block(cell, "input"), -block(cell, "forget"))


@pytest.mark.parametrize("steps", [3, 17, 1000])
def test_chrono_is_told_how_long_to_remember(steps):
    memory = block(made("lstm", "chrono", chrono_steps=steps), "forget").exp()
    assert memory.min() >= 1
    assert (steps - 1) * 0.75 < memory.max() <= (steps - 1) * (1 + 1e-5)


@pytest.mark.parametrize("name", GATELESS)
@pytest.mark.parametrize("settings", [{"scheme": "chrono"}, {"forget_bias": 1.0}])
def test_a_cell_without_the_gate_is_refused(name, settings):
    with pytest.raises(GatewiseError, match=f"cell '{name}' has none; leave it out, or use one of"):
        made(name, **settings)
