import shutil

import pytest
import torch

from gatewise.config import VariantConfig
from gatewise.errors import GatewiseError
from gatewise.models import cells
from gatewise.models.lengths import Lengths
from gatewise.models.recurrence import Recurrence, check

INPUTS = 5


def build(**settings):
    torch.manual_seed(0)
    variant = VariantConfig(**{"cell": "gru", "hidden": 6} | settings)
    return Recurrence(variant, INPUTS).double().eval()


def drawn(time, batch):
    generator = torch.Generator().manual_seed(1)
    return torch.randn(time, batch, INPUTS, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_equals_torch_on_packed_sequences(cell, bidirectional):
    ours = build(cell=cell, layers=2, bidirectional=bidirectional)
    kind = {"rnn": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru": torch.nn.GRU}[cell]
    theirs = kind(5, 6, num_layers=2, bidirectional=bidirectional).double()
    weights = [p for layer in ours.layers for c in layer for p in c.parameters()]
    with torch.no_grad():
        for own, other in zip(weights, theirs.parameters(), strict=True):
            other.copy_(own)
    x_tbf, lengths = drawn(7, 3), torch.tensor([7, 3, 5])
    packed = torch.nn.utils.rnn.pack_padded_sequence(x_tbf, lengths, enforce_sorted=False)
    expected, _ = torch.nn.utils.rnn.pad_packed_sequence(theirs(packed)[0])
    outputs = ours(x_tbf, Lengths(lengths, 7))
    for row, length in enumerate(lengths):
        torch.testing.assert_close(outputs[:length, row], expected[:length, row])


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("cell", cells.names())
def test_a_recurrence_is_a_core_like_its_cells(cell, layers):
    """Unrolling `core` from `initial_state` gives what the whole sequence at once gives."""
    recurrence = build(cell=cell, layers=layers, residual=True)
    x_tbf, state = drawn(6, 2), recurrence.initial_state(2)
    whole = recurrence(x_tbf, Lengths(torch.tensor([6, 6]), 6))
    for x_t, expected in zip(x_tbf, whole, strict=True):
        y_t, state = recurrence.core(x_t, state)
        torch.testing.assert_close(y_t, expected)


def test_a_bidirectional_recurrence_does_not_stream():
    recurrence = build(bidirectional=True)
    with pytest.raises(GatewiseError, match="bidirectional"):
        recurrence.core(drawn(1, 1)[0], recurrence.initial_state(1))


def test_kernel_is_chosen_forced_and_named():
    assert build(cell="lstm").kernel == "fused"
    assert build(cell="lstm", kernel="unrolled").kernel == "unrolled"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"cell": "lstmm", "hidden": 8}, "unknown cell 'lstmm'; did you mean lstm"),
        ({"cell": "lstm-projected", "hidden": 8, "projection": 16}, "projection"),
        ({"cell": "gru", "hidden": 8, "projection": 4}, "projection"),
        ({"cell": "rnn", "hidden": 8, "init": "chrono"}, "init: chrono needs a gate"),
        ({"cell": "rnn", "match": {"parameters": "lstm"}, "forget_bias": 1.0}, "forget_bias"),
        ({"cell": "lstm-layernorm", "hidden": 8, "kernel": "fused"}, "has no fused kernel"),
    ],
)
def test_what_no_task_could_build_is_refused(settings, message):
    with pytest.raises(GatewiseError, match=message):
        check(VariantConfig(**settings))


@pytest.mark.parametrize("cell", cells.names())
def test_every_cell_passes_unbuilt(cell):
    state = torch.get_rng_state()
    check(VariantConfig(cell=cell, hidden=8, layers=2, bidirectional=True))
    assert torch.equal(state, torch.get_rng_state())


@pytest.mark.weekly
@pytest.mark.slow
@pytest.mark.skipif(shutil.which("g++") is None, reason="torch.compile needs a C++ compiler")
def test_compiled_steps_give_the_same_numbers():
    x_tbf, lengths = drawn(7, 3), Lengths(torch.tensor([7, 5, 7]), 7)
    eager, compiled = (build(cell="lstm-layernorm").train() for _ in range(2))
    compiled.compile_steps()
    outputs = [recurrence(x_tbf, lengths) for recurrence in (eager, compiled)]
    assert torch.allclose(*outputs, atol=1e-10)
    for output in outputs:
        output.square().sum().backward()
    for (name, first), (_, second) in zip(
        eager.named_parameters(), compiled.named_parameters(), strict=True
    ):
        assert torch.allclose(first.grad, second.grad, atol=1e-10), name
    assert list(eager.state_dict()) == list(compiled.state_dict())
