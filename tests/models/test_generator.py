import math

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from gatewise.artifacts.objectives.base import OTHERWISE, SILENT, UNHEARD, Saying
from gatewise.config import VariantConfig
from gatewise.errors import GatewiseError
from gatewise.models import cells
from gatewise.models.batch import Batch
from gatewise.models.building import build
from gatewise.models.classifier import SequenceClassifier
from gatewise.models.complexity import (
    Sizes,
    macs_per_step,
    parameters,
    recurrent_parameters,
    sequence_macs,
)
from gatewise.models.generator import SequenceGenerator
from gatewise.models.lengths import Lengths

WORDS, SYMBOLS, LONGEST = 9, 5, 4
START, UNSEEN = SYMBOLS, SYMBOLS + 1


def sizes(attention="dot", beam=1, longest=LONGEST, **settings):
    given = {"vocabulary": WORDS} | settings
    return Sizes(SYMBOLS + 1, saying=Saying(SYMBOLS, attention, beam, longest), **given)


def model(attention="dot", beam=1, seed=0, **settings):
    torch.manual_seed(seed)
    variant = VariantConfig(**{"cell": "gru", "hidden": 6, "embedding": 6} | settings)
    built = build(variant, sizes(attention, beam))
    assert isinstance(built, SequenceGenerator)
    return built.eval()


def batch(lengths=(5, 2, 3), said=(4, 1, 2), seed=1):
    draws = torch.Generator().manual_seed(seed)
    inputs = torch.randint(1, WORDS, (len(lengths), max(lengths)), generator=draws)
    targets = torch.randint(SYMBOLS, (len(said), max(said)), generator=draws)
    for row, (steps, symbols) in enumerate(zip(lengths, said, strict=True)):
        inputs[row, steps:], targets[row, symbols:] = 0, 0
    return Batch(inputs, torch.tensor(lengths), targets, torch.tensor(said))


def alone(whole, row):
    steps, symbols = int(whole.lengths[row]), int(whole.target_lengths[row])
    one = slice(row, row + 1)
    return Batch(
        whole.inputs[one, :steps],
        whole.lengths[one],
        whole.targets[one, :symbols],
        whole.target_lengths[one],
    )


def step_by_step(built, one):
    """Logits of a single example as the papers have them: a loop of single steps."""
    decoder = built.decoder
    of = Lengths(one.lengths, one.inputs.shape[1])
    read = built.encode(one.inputs, of)[:, 0]  # (time, width)
    half = read.shape[1] // 2
    ends = torch.cat([read[-1, :half], read[0, half:]]) if decoder.bidirectional else read[-1]
    carried = torch.tanh(F.linear(ends, decoder.bridge.linear.weight, decoder.bridge.linear.bias))
    states, at = [], 0
    for cell in decoder.recurrence.cells():
        parts = []
        for width in cell.carried_sizes():
            parts.append(carried[None, at : at + width])
            at += width
        states.append(cell.started(parts))
    rows, logits = [START, *one.targets[0].tolist()], []
    for symbol in rows:
        x_t = decoder.embedding.weight[symbol][None]
        y_t, states = decoder.recurrence.core(x_t, states)
        output = looked(decoder.attention, y_t[0], read)
        logits.append(F.linear(output, decoder.classifier.weight, decoder.classifier.bias))
    return torch.stack(logits)


def looked(attention, s, read):
    name = type(attention).__name__
    if name == "Attention":
        return s
    keys = F.linear(read, attention.key.weight)
    if name == "DotAttention":
        scores = keys @ s / math.sqrt(len(s))
    else:
        query = F.linear(s, attention.query.weight, attention.query.bias)
        scores = torch.tanh(keys + query) @ attention.score
    context = scores.softmax(0) @ read
    return torch.tanh(F.linear(torch.cat([context, s]), attention.combine.weight))


@pytest.mark.parametrize("attention", ["none", "dot", "additive"])
@pytest.mark.parametrize(
    "shape", [{}, {"layers": 2, "bidirectional": True, "residual": True}], ids=["plain", "deep"]
)
@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru", "mingru", "lstm-projected"])
def test_all_steps_at_once_are_those_of_a_loop(cell, shape, attention):
    built, whole = model(attention, cell=cell, **shape), batch()
    with torch.no_grad():
        logits = built.taught(whole).outputs
        assert logits.shape == (3, 5, SYMBOLS + 1)
        for row in range(3):
            one = alone(whole, row)
            expected = step_by_step(built, one)
            torch.testing.assert_close(logits[row, : len(expected)], expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("cell", cells.names())
def test_every_cell_can_be_a_decoder(cell):
    built, whole = model("dot", cell=cell, layers=2, bidirectional=True), batch()
    with torch.no_grad():
        together = built.taught(whole).outputs
        expected = step_by_step(built, alone(whole, 2))
    torch.testing.assert_close(together[2, : len(expected)], expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("cell", cells.names())
def test_what_was_read_reaches_every_state_that_holds_something(cell):
    built, whole = model("none", cell=cell), batch()
    built.taught(whole).outputs.sum().backward()
    weight = built.decoder.bridge.linear.weight
    assert (weight.grad.abs().sum(1) > 0).all(), "a state that starts from the bridge is forgotten"
    assert all(p.grad is not None and p.grad.isfinite().all() for p in built.parameters())


def test_gradients_are_those_of_finite_differences():
    built, whole = model("additive", cell="lstm", hidden=3).double(), batch((3, 2), (2, 1))
    weights = dict(built.named_parameters())
    names = [
        "decoder.bridge.linear.weight",
        "decoder.attention.key.weight",
        "decoder.attention.score",
    ]

    def logits(*some):
        given = weights | dict(zip(names, some, strict=True))
        return torch.func.functional_call(built, given, (*whole[:2], whole.targets))

    chosen = tuple(weights[name].detach().clone().requires_grad_() for name in names)
    assert torch.autograd.gradcheck(logits, chosen, fast_mode=True)


def test_attention_never_looks_at_padding():
    for attention in ("dot", "additive"):
        built, whole = model(attention), batch()
        weights = built.attention(whole.inputs, whole.lengths, whole.targets)
        assert weights.shape == (3, LONGEST + 1, 5)
        torch.testing.assert_close(weights.sum(-1), torch.ones(3, LONGEST + 1))
        for row, steps in enumerate(whole.lengths.tolist()):
            assert (weights[row, :, steps:] == 0).all()
            assert (weights[row, :, :steps] > 0).all()
    with pytest.raises(GatewiseError, match="choose dot or additive"):
        model("none").attention(whole.inputs, whole.lengths, whole.targets)


@pytest.mark.parametrize("beam", [1, 3])
@pytest.mark.parametrize("cell", ["lstm", "gru", "lstm-peephole"])
def test_what_is_said_of_an_example_hangs_on_no_other(cell, beam):
    built = model("dot", beam, cell=cell, bidirectional=True, hidden=16)
    lengths = [1 + row % 6 for row in range(24)]
    whole = batch(lengths, [1 + row % LONGEST for row in range(24)])
    with torch.inference_mode():
        together = built.answered(whole)
        for row in range(24):
            one = built.answered(alone(whole, row))
            symbols = together.said[row]
            assert symbols[symbols != SILENT].tolist() == one.said[0].tolist()
            count = int(whole.target_lengths[row]) + 1
            torch.testing.assert_close(
                together.outputs[row, :count], one.outputs[0, :count], rtol=1e-4, atol=1e-5
            )
            assert (together.outputs[row, count:] == 0).all()


def test_many_examples_and_texts_are_said_some_at_a_time(monkeypatch):
    from gatewise.models import generator

    built, whole = model("dot", 2), batch([3, 5, 2, 4, 1], [1] * 5)
    with torch.inference_mode():
        at_once = built.answered(whole)
        monkeypatch.setattr(generator, "AT_ONCE", 2 * 2 * (SYMBOLS + 1))
        in_parts = built.answered(whole)
    assert torch.equal(at_once.said, in_parts.said)
    torch.testing.assert_close(at_once.outputs, in_parts.outputs)


def test_references_are_measured_by_their_first_alternative():
    built, whole = model(), batch((3, 3), (2, 2))
    first = whole.targets
    rows = torch.cat([first, torch.tensor([[OTHERWISE, 1, 1], [OTHERWISE, 2, 0]])], 1)
    several = whole._replace(targets=rows, target_lengths=torch.tensor([5, 4]))
    with torch.inference_mode():
        one, other = built.answered(whole), built.answered(several)
    torch.testing.assert_close(one.outputs, other.outputs)
    assert other.targets is rows, "scores need all of them"
    logits = built.taught(whole).outputs.log_softmax(-1)
    wanted = torch.cat([first, torch.full((2, 1), SYMBOLS)], 1)
    torch.testing.assert_close(one.outputs, logits.gather(2, wanted[..., None])[..., 0].detach())


def test_a_symbol_never_seen_in_training_costs_a_guess():
    built, whole = model(), batch((3,), (3,))
    whole.targets[0, 1] = UNHEARD
    with torch.inference_mode():
        logs = built.answered(whole).outputs[0]
        heard = whole.targets.clone()
        heard[0, 1] = 0
        other = built.answered(whole._replace(targets=heard)).outputs[0]
    assert logs[1] == pytest.approx(-math.log(SYMBOLS + 1))
    assert logs[0] == other[0]
    assert logs[2] != other[2], "it has an embedding of its own"


def test_without_a_known_target_outputs_say_how_likely_the_text_is():
    built, whole = model("dot", 2), batch()
    with torch.inference_mode():
        free = built.answered(whole._replace(target_lengths=None))
        said = [row[row != SILENT] for row in free.said]
        longest = max(len(row) for row in said)
        targets = torch.stack([F.pad(row, (0, longest - len(row))) for row in said])
        lengths = torch.tensor([len(row) for row in said])
        known = built.answered(whole._replace(targets=targets, target_lengths=lengths))
    assert free.outputs.shape == (3, 1)
    torch.testing.assert_close(free.outputs[:, 0], known.outputs.sum(1), rtol=1e-4, atol=1e-5)


def test_no_length_no_text():
    torch.manual_seed(0)
    variant = VariantConfig(cell="gru", hidden=4)
    built = build(variant, sizes(longest=None)).eval()
    with pytest.raises(GatewiseError, match="set_longest"):
        built.answered(batch())
    built.set_longest(2)
    again = build(variant, sizes(longest=None)).eval()
    again.load_state_dict(built.state_dict())
    assert again.answered(batch()).said.shape[1] <= 2, "weights keep it"


def test_it_cannot_be_streamed():
    built = model()
    assert not built.streams
    with pytest.raises(GatewiseError, match="whole input first"):
        built.core(torch.zeros(1, dtype=torch.int64), built.initial_state(1))


def test_sizes_decide_what_is_built():
    variant = VariantConfig(cell="gru", hidden=4)
    assert isinstance(build(variant, Sizes(3, features=2)), SequenceClassifier)
    assert isinstance(build(variant, sizes()), SequenceGenerator)
    with pytest.raises(GatewiseError, match="see `build`"):
        SequenceGenerator(variant, Sizes(3, features=2))
    with pytest.raises(GatewiseError, match="belongs to models that say"):
        build(variant, Sizes(3, features=2)).set_longest(3)


@pytest.mark.parametrize(
    "inputs", [{}, {"vocabulary": None, "features": 7}], ids=["text", "frames"]
)
@pytest.mark.parametrize("attention", ["none", "dot", "additive"])
@pytest.mark.parametrize("cell", ["lstm", "gru", "slstm", "lstm-projected", "lstm-fgr"])
def test_parameters_are_those_that_are_counted(cell, attention, inputs):
    for shape in ({}, {"layers": 2, "bidirectional": True}):
        variant = VariantConfig(cell=cell, hidden=6, embedding=4, **shape)
        asked = sizes(attention, **inputs)
        built = build(variant, asked)
        assert sum(p.numel() for p in built.parameters()) == parameters(variant, asked)
        both = [*built.recurrence.parameters(), *built.decoder.recurrence.parameters()]
        assert sum(p.numel() for p in both) == recurrent_parameters(variant, asked)


def test_arithmetic_is_that_of_the_products():
    variant = VariantConfig(cell="lstm", hidden=6, embedding=4, bidirectional=True)
    for attention, looking in (
        ("none", 0),
        ("dot", 12 * 6 + 18 * 6 + 6 + 12),
        ("additive", 12 * 6 + 18 * 6 + 6 * 6 + 6 + 12),
    ):
        each = macs_per_step(variant, sizes(attention))
        assert each == 2 * 24 * (4 + 6) + 24 * (4 + 6) + looking
    # Two sequences: 3 steps read for 2 said, and 1 for 5.
    total = sequence_macs(variant, sizes("dot"), 4, 7, 3 * 2 + 1 * 5)
    one, other = (sequence_macs(variant, sizes("dot"), *steps) for steps in ((3, 2), (1, 5)))
    assert total == one + other
    plain = Sizes(2, vocabulary=WORDS)
    assert sequence_macs(variant, plain, 4, 7) == 4 * macs_per_step(variant, plain)


def test_variants_of_a_seed_start_alike_where_their_cells_do_not_matter():
    lstm, gru = model(cell="lstm"), model(cell="gru")
    for part in ("embedding", "decoder.embedding", "decoder.classifier", "decoder.attention.key"):
        one, other = (built.get_submodule(part).weight for built in (lstm, gru))
        assert torch.equal(one, other)


def test_attention_that_copies_learns_to_copy():
    """Reversing strings of five symbols, which no state of eight units could hold by heart."""
    torch.manual_seed(0)
    draws = np.random.default_rng(0)
    strings = torch.from_numpy(draws.integers(0, 8, (640, 5)))
    saying = Saying(8, "dot", 1, 8)
    variant = VariantConfig(cell="gru", hidden=32, embedding=16, bidirectional=True)
    built = build(variant, Sizes(9, vocabulary=10, saying=saying))
    optimizer = torch.optim.AdamW(built.parameters(), lr=0.01, fused=True)
    end = torch.full((64, 1), 8)
    for step in range(240):
        rows = strings[64 * (step % 8) : 64 * (step % 8 + 1)]
        targets = rows.flip(1)
        whole = Batch(rows + 1, torch.full((64,), 5), targets, torch.full((64,), 5))
        logits = built.taught(whole).outputs
        loss = F.cross_entropy(logits.flatten(0, 1), torch.cat([targets, end], 1).flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    unseen = strings[512:]
    asked = Batch(unseen + 1, torch.full((128,), 5), unseen.flip(1), torch.full((128,), 5))
    with torch.inference_mode():
        said = built.eval().answered(asked).said
    same = F.pad(said, (0, 8 - said.shape[1]), value=SILENT)[:, :6]
    right = (same == F.pad(unseen.flip(1), (0, 1), value=SILENT)).all(1)
    assert right.float().mean() > 0.9
