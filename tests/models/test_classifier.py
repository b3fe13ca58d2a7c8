import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gatewise.config import VariantConfig
from gatewise.errors import GatewiseError
from gatewise.models import cells
from gatewise.models.classifier import SequenceClassifier
from gatewise.models.complexity import Sizes

FRAMES = Sizes(outputs=3, features=5, normalise="clip")
TOKENS = Sizes(outputs=2, vocabulary=11)


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
    sizes = Sizes(outputs=3, features=5, normalise=normalise)
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
    sizes = Sizes(outputs=2, features=2, normalise="train")
    model = build(sizes)
    model.set_input_statistics(torch.tensor([1.0, 5.0]), torch.tensor([2.0, 0.0]))
    assert model.state_dict()["input_mean"].tolist() == [1.0, 5.0]
    raw = torch.tensor([[[3.0, 5.0]]], dtype=torch.float64)
    plain = build(Sizes(outputs=2, features=2))
    plain.load_state_dict(model.state_dict(), strict=False)
    standardised, length = torch.tensor([[[1.0, 0.0]]], dtype=torch.float64), torch.tensor([1])
    assert torch.equal(model(raw, length), plain(standardised, length))
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


def test_every_parameter_gets_a_gradient():
    model = build(TOKENS, cell="lstm", layers=2, bidirectional=True, pooling="attention")
    model(*batch([5, 3, 4], TOKENS)).square().sum().backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad.abs().sum() > 0, name
    assert (model.embedding.weight.grad[0] == 0).all()


@pytest.mark.parametrize("sizes", [TOKENS, Sizes(outputs=3, features=5, normalise="train")])
def test_streaming_takes_what_a_batch_takes(sizes):
    model = build(sizes, pooling="last")
    if sizes.normalise == "train":
        model.set_input_statistics(torch.arange(5.0), torch.full((5,), 2.0))
    inputs, lengths = batch([6, 6], sizes)
    state = model.initial_state(2)
    for x_t in inputs.unbind(1):
        y_t, state = model.core(x_t, state)
    torch.testing.assert_close(model.classifier(y_t), model(inputs, lengths))
