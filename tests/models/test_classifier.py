import shutil

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gatewise.config import VariantConfig
from gatewise.errors import GatewiseError
from gatewise.models import cells, classifier
from gatewise.models.classifier import SequenceClassifier
from gatewise.models.complexity import Sizes
from gatewise.models.lengths import Lengths

FRAMES = Sizes(classes=3, features=5, normalise="clip")
TOKENS = Sizes(classes=2, vocabulary=11)


def build(sizes=FRAMES, seed=0, dtype=torch.float64, **settings):
    torch.manual_seed(seed)
    variant = VariantConfig(**{"cell": "gru", "hidden": 6, "embedding": 4} | settings)
    return SequenceClassifier(variant, sizes).to(dtype).eval()


def batch(lengths, sizes=FRAMES, seed=1):
    generator = torch.Generator().manual_seed(seed)
    time = max(lengths)
    if sizes.vocabulary:
        inputs = torch.randint(1, sizes.vocabulary, (len(lengths), time), generator=generator)
    else:
        shape = (len(lengths), time, sizes.features)
        inputs = torch.randn(shape, generator=generator, dtype=torch.float64)
    return inputs, torch.tensor(lengths)


@settings(deadline=None, max_examples=150)
@given(
    cell=st.sampled_from(cells.names()),
    lengths=st.lists(st.integers(1, 7), min_size=1, max_size=4),
    pooling=st.sampled_from(["last", "mean", "max", "attention"]),
    bidirectional=st.booleans(),
    layers=st.integers(1, 2),
    normalise=st.sampled_from(["none", "clip", "train"]),
    extra=st.integers(0, 3),
    garbage=st.sampled_from([0.0, 1e6]),
)
def test_padding_never_leaks(
    *, cell, lengths, pooling, bidirectional, layers, normalise, extra, garbage
):
    sizes = Sizes(classes=3, features=5, normalise=normalise)
    model = build(
        sizes, cell=cell, pooling=pooling, bidirectional=bidirectional, layers=layers, residual=True
    )
    inputs, lengths_b = batch(lengths, sizes)
    inputs = torch.cat([inputs, torch.zeros(len(lengths), extra, 5, dtype=torch.float64)], 1)
    for row, length in enumerate(lengths):
        inputs[row, length:] = garbage
    together = model(inputs, lengths_b)
    for row, length in enumerate(lengths):
        alone = model(inputs[row : row + 1, :length], lengths_b[row : row + 1])
        torch.testing.assert_close(together[row], alone[0], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("bidirectional", [False, True])
def test_padding_gets_no_gradient(bidirectional):
    model = build(bidirectional=bidirectional, pooling="attention", layers=2)
    inputs, lengths = batch([2, 5, 3])
    inputs.requires_grad_()
    model(inputs, lengths).square().sum().backward()
    for row, length in enumerate(lengths.tolist()):
        assert (inputs.grad[row, length:] == 0).all()
        assert (inputs.grad[row, :length] != 0).any()


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_equals_torch_on_packed_sequences(cell, bidirectional):
    variant = VariantConfig(cell=cell, hidden=6, layers=2, bidirectional=bidirectional)
    torch.manual_seed(0)
    ours = classifier.Recurrence(variant, 5).double()
    kind = {"rnn": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru": torch.nn.GRU}[cell]
    theirs = kind(5, 6, num_layers=2, bidirectional=bidirectional).double()
    weights = [p for layer in ours.layers for c in layer for p in c.parameters()]
    with torch.no_grad():
        for own, other in zip(weights, theirs.parameters(), strict=True):
            other.copy_(own)
    inputs, lengths = batch([7, 3, 5])
    x_tbf = inputs.transpose(0, 1)
    packed = torch.nn.utils.rnn.pack_padded_sequence(x_tbf, lengths, enforce_sorted=False)
    expected, _ = torch.nn.utils.rnn.pad_packed_sequence(theirs(packed)[0])
    found = ours(x_tbf, Lengths(lengths, 7))
    for row, length in enumerate(lengths):
        torch.testing.assert_close(found[:length, row], expected[:length, row])


@pytest.mark.parametrize("cell", cells.names())
def test_steps_equal_the_whole(cell):
    model = build(TOKENS, cell=cell, layers=2, residual=True)
    tokens, lengths = batch([6, 6], TOKENS)
    whole = model.recurrence(model.embedding(tokens.T), Lengths(lengths, 6))
    state = model.initial_state(2)
    for t in range(6):
        y_t, state = model.step(tokens[:, t], state)
        torch.testing.assert_close(y_t, whole[t])


def test_a_bidirectional_variant_does_not_stream():
    model = build(bidirectional=True)
    with pytest.raises(GatewiseError, match="bidirectional"):
        model.step(torch.zeros(1, 5), model.initial_state(1))


def test_equal_seeds_start_cells_between_equal_embeddings_and_classifiers():
    lstm, gru = build(TOKENS, cell="lstm"), build(TOKENS, cell="gru")
    assert torch.equal(lstm.embedding.weight, gru.embedding.weight)
    assert torch.equal(lstm.classifier.weight, gru.classifier.weight)
    other = build(TOKENS, cell="gru", seed=1)
    assert not torch.equal(other.classifier.weight, gru.classifier.weight)
    assert not torch.equal(
        other.recurrence.layers[0][0].weight_ih, gru.recurrence.layers[0][0].weight_ih
    )


def test_building_draws_from_the_global_generator_alike_for_every_variant():
    build(cell="rnn", hidden=2)
    after_rnn = torch.rand(1)
    build(cell="lstm", hidden=9, layers=3)
    assert torch.equal(after_rnn, torch.rand(1))


def test_training_statistics_are_applied_and_saved():
    sizes = Sizes(classes=2, features=2, normalise="train")
    model = build(sizes)
    model.set_input_statistics(torch.tensor([1.0, 5.0]), torch.tensor([2.0, 0.0]))
    assert model.state_dict()["input_mean"].tolist() == [1.0, 5.0]
    x = torch.tensor([[[3.0, 5.0]]], dtype=torch.float64)
    encoded = model._encode(x, Lengths(torch.tensor([1]), 1))
    assert encoded.tolist() == [[[1.0, 0.0]]]
    with pytest.raises(GatewiseError, match="features"):
        model.set_input_statistics(torch.zeros(3), torch.ones(3))
    with pytest.raises(GatewiseError, match="clip"):
        build().set_input_statistics(torch.zeros(5), torch.ones(5))


@pytest.mark.parametrize("lengths", [[0, 3], [4, 3]])
def test_impossible_lengths_are_refused(lengths):
    with pytest.raises(GatewiseError, match="between 1 and"):
        build()(torch.zeros(2, 3, 5, dtype=torch.float64), torch.tensor(lengths))


def test_dropout_acts_only_in_training():
    model = build(dropout=0.5, input_dropout=0.5, layers=2)
    inputs, lengths = batch([4, 4])
    assert torch.equal(model(inputs, lengths), model(inputs, lengths))
    model.train()
    assert not torch.equal(model(inputs, lengths), model(inputs, lengths))


def test_kernel_is_chosen_forced_and_named():
    assert build(cell="lstm").kernel == "fused"
    assert build(cell="lstm", kernel="unrolled").kernel == "unrolled"


def test_every_parameter_gets_a_gradient():
    model = build(TOKENS, cell="lstm", layers=2, bidirectional=True, pooling="attention")
    model(*batch([5, 3, 4], TOKENS)).square().sum().backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad.abs().sum() > 0, name
    assert (model.embedding.weight.grad[0] == 0).all()


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
        classifier.check(VariantConfig(**settings))


@pytest.mark.parametrize("cell", cells.names())
def test_every_cell_passes_unbuilt(cell):
    state = torch.get_rng_state()
    classifier.check(VariantConfig(cell=cell, hidden=8, layers=2, bidirectional=True))
    assert torch.equal(state, torch.get_rng_state())


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("g++") is None, reason="torch.compile needs a C++ compiler")
def test_compiled_steps_give_the_same_numbers():
    inputs, lengths = batch([7, 5, 7])
    eager, compiled = (build(cell="lstm-layernorm").train() for _ in range(2))
    compiled.recurrence.compile_steps()
    outputs = [model(inputs, lengths) for model in (eager, compiled)]
    assert torch.allclose(*outputs, atol=1e-10)
    for output in outputs:
        output.square().sum().backward()
    for (name, first), (_, second) in zip(
        eager.named_parameters(), compiled.named_parameters(), strict=True
    ):
        assert torch.allclose(first.grad, second.grad, atol=1e-10), name
    assert list(eager.state_dict()) == list(compiled.state_dict())
