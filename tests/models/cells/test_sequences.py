"""The compiled loops of RNN, LSTM and GRU against `torch.nn`, in the precision that trains."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gatewise.models import cells
from gatewise.models.cells import compiled, sequences

LIBRARY = {"rnn": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru": torch.nn.GRU}


def pair(name, inputs=7, hidden=12):
    torch.manual_seed(3)
    module = LIBRARY[name](inputs, hidden)
    cell = cells.get(name)(inputs, hidden)
    for ours, theirs in zip(cell.parameters(), module.parameters(), strict=True):
        ours.data.copy_(theirs.data)
    return cell, module


@pytest.mark.parametrize("name", LIBRARY)
@pytest.mark.parametrize(("time", "batch"), [(1, 1), (40, 1), (17, 9)])
def test_outputs_and_gradients_are_those_of_torch(name, time, batch):
    cell, module = pair(name)
    x = torch.randn(time, batch, 7)
    weigh = torch.randn(time, batch, 12)
    results = []
    for run in (cell, module):
        x_in = x.clone().requires_grad_()
        y = run(x_in)[0]
        results.append([y, *torch.autograd.grad((y * weigh).sum(), [x_in, *run.parameters()])])
    for ours, theirs in zip(*results, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=2e-4, atol=2e-5)


@pytest.mark.parametrize("name", LIBRARY)
def test_layouts_of_what_comes_in_make_no_difference(name):
    """Batch-first slices, expanded gradients and states that are views."""
    cell, _ = pair(name)
    x = torch.randn(5, 9, 7)
    state = tuple(torch.randn(12, 5).t() for _ in cell.states)
    y = cell(x.transpose(0, 1), state)[0]
    same = cell(x.transpose(0, 1).contiguous(), tuple(s.contiguous() for s in state))[0]
    assert torch.equal(y, same)
    expanded = torch.autograd.grad(y.sum(), list(cell.parameters()))
    plain = torch.autograd.grad(same, list(cell.parameters()), torch.ones_like(same))
    assert all(torch.equal(a, b) for a, b in zip(expanded, plain, strict=True))


@pytest.mark.parametrize("name", LIBRARY)
def test_a_state_that_is_given_is_left_as_it_was(name):
    cell, _ = pair(name)
    state = tuple(torch.randn(3, 12) for _ in cell.states)
    kept = [s.clone() for s in state]
    y, _ = cell(torch.randn(4, 3, 7), state)
    y.sum().backward()
    assert all(torch.equal(a, b) for a, b in zip(state, kept, strict=True))


@pytest.mark.parametrize("name", LIBRARY)
def test_without_a_compiler_another_pass_gives_the_same(name, monkeypatch):
    cell, _ = pair(name)
    x = torch.randn(8, 3, 7)
    with_it = cell(x)[0]
    monkeypatch.setattr(sequences, "_compiler", lambda: False)
    torch.testing.assert_close(cell(x)[0], with_it, rtol=1e-5, atol=1e-6)


@given(st.floats(-100, 100, width=32))
def test_gates_are_right_to_a_few_units_in_the_last_place(x):
    y = np.full((1, 1, 1), x, np.float32)
    zero = np.zeros((1, 1), np.float32)
    compiled.rnn_forward(y, zero, zero, zero.copy())
    assert y[0, 0, 0] == pytest.approx(np.tanh(np.float64(x)), rel=5e-7, abs=1e-30)
    gates = np.full((1, 1, 3), x, np.float32)
    out = np.zeros((1, 1, 1), np.float32)
    triple = np.zeros((1, 3), np.float32)
    compiled.gru_forward(gates, zero, triple.T.copy(), zero[0], out, out.copy(), triple.copy())
    assert gates[0, 0, 0] == pytest.approx(1 / (1 + np.exp(-np.float64(x))), abs=3e-7)


@pytest.mark.parametrize("name", LIBRARY)
def test_a_training_pass_finds_everything_compiled(name):
    """Else every run that is forked from the warm process would compile it by itself."""

    def made():
        loops = [getattr(compiled, f"{name}_{way}") for way in ("forward", "backward")]
        return [len(kernel.signatures) for kernel in (compiled.product, *loops)]

    cell, _ = pair(name)
    before = made()
    x = torch.randn(5, 3, 7, requires_grad=True)
    cell(x)[0].sum().backward()
    assert made() == before
