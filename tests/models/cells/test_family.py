"""What every cell of the family must do; a new cell gets all of it for free."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils.flop_counter import FlopCounterMode

from gatewise.errors import GatewiseError
from gatewise.models import cells
from gatewise.models.cells import staged

ALL = cells.names()
FUSED = [name for name in ALL if cells.get(name).has_fused()]
FAMILY = {
    "rnn", "lstm", "gru", "gru-cho", "lstm-peephole", "lstm-nig", "lstm-nfg", "lstm-nog",
    "lstm-niaf", "lstm-noaf", "lstm-np", "lstm-cifg", "lstm-fgr", "lstm-projected",
    "lstm-layernorm", "gru-layernorm", "mgu", "mut1", "mut2", "mut3", "minlstm", "mingru", "slstm",
}  # fmt: skip


def made(name, inputs=5, hidden=6, dtype=torch.float64, seed=0, **options):
    torch.manual_seed(seed)
    cell = cells.get(name)(inputs, hidden, **options)
    for parameter in cell.parameters():
        torch.nn.init.uniform_(parameter, -0.6, 0.6)
    return cell.to(dtype)


def drawn(*shape, dtype=torch.float64, seed=1):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64).to(dtype)


def started(cell, batch, dtype=torch.float64):
    """A state as it may stand in the middle of a sequence."""
    _, state = cell.unrolled(drawn(3, batch, cell.input_size, dtype=dtype, seed=9),
                             cell.initial_state(batch))  # fmt: skip
    return tuple(s.detach() for s in state)


def results(cell, kernel, x_tbf, state):
    """Outputs, last state, and gradients of everything that has one."""
    cell.kernel = kernel
    x_tbf = x_tbf.clone().requires_grad_()
    state = tuple(s.clone().requires_grad_() for s in state)
    y, after = cell(x_tbf, state)
    weigh = drawn(*y.shape, dtype=y.dtype, seed=5)
    loss = (y * weigh).sum() + sum(s.sin().sum() for s in after if s.requires_grad)
    leaves = [x_tbf, *state, *cell.parameters()]
    gradients = torch.autograd.grad(loss, leaves, allow_unused=True)
    gradients = [torch.zeros_like(a) if g is None else g
                 for a, g in zip(leaves, gradients, strict=True)]  # fmt: skip
    return [y, *after, *gradients]


def test_the_family_is_complete():
    assert set(ALL) >= FAMILY


def test_an_unknown_cell_suggests_the_nearest():
    with pytest.raises(GatewiseError, match=r"unknown cell 'lstn'; did you mean .*lstm"):
        cells.get("lstn")


def test_an_option_that_a_cell_does_not_take_is_refused():
    with pytest.raises(GatewiseError, match=r"'gru' takes no projection.*use lstm-projected"):
        cells.get("gru")(3, 4, projection=2)


def test_a_projection_wider_than_the_state_is_refused():
    with pytest.raises(GatewiseError, match=r"projection 9 is wider .*between 1 and 8"):
        cells.get("lstm-projected")(3, 8, projection=9)


@pytest.mark.parametrize("name", ALL)
def test_a_cell_describes_itself(name):
    kind = cells.get(name)
    assert kind.name == name
    assert kind.source
    assert kind.summary().endswith(".")
    assert any("h_t" in (k.__doc__ or "") for k in kind.__mro__)
    assert set(kind.gates) <= set(kind.blocks)
    assert kind.keep_gate is None or kind.keep_gate in kind.gates
    cell = made(name)
    _, state = cell.core(drawn(2, 5), cell.initial_state(2))
    assert len(state) == len(kind.states) == len(cell.state_sizes())
    assert [s.shape for s in state] == [(2, width) for width in cell.state_sizes()]


# Written out here on its own: (I H, H^2, H) of the parameters, then of the products.
CLOSED_FORMS = {
    "rnn": ((1, 1, 2), (1, 1)),
    "lstm": ((4, 4, 8), (4, 4)),
    "gru": ((3, 3, 6), (3, 3)),
    "lstm-peephole": ((4, 4, 7), (4, 4)),
    "lstm-nig": ((3, 3, 5), (3, 3)),
    "lstm-nfg": ((3, 3, 5), (3, 3)),
    "lstm-nog": ((3, 3, 5), (3, 3)),
    "lstm-niaf": ((4, 4, 7), (4, 4)),
    "lstm-noaf": ((4, 4, 7), (4, 4)),
    "lstm-np": ((4, 4, 4), (4, 4)),
    "lstm-cifg": ((3, 3, 5), (3, 3)),
    "lstm-fgr": ((4, 13, 7), (4, 13)),
    "lstm-layernorm": ((4, 4, 14), (4, 4)),
    "gru-layernorm": ((3, 3, 10), (3, 3)),
    "gru-cho": ((3, 3, 3), (3, 3)),
    "mgu": ((2, 2, 2), (2, 2)),
    "mut1": ((1, 4, 3), (1, 4)),
    "mut2": ((1, 5, 3), (1, 5)),
    "mut3": ((1, 6, 3), (1, 6)),
    "mingru": ((2, 0, 2), (2, 0)),
    "minlstm": ((3, 0, 3), (3, 0)),
    "slstm": ((4, 4, 4), (4, 4)),
}


def products(cell):
    """Multiply-accumulates of one step of one sequence, as torch counts them."""
    state = cell.initial_state(1)
    with FlopCounterMode(display=False) as counter:
        cell.core(drawn(1, cell.input_size), state)
    return counter.get_total_flops() / 2


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize(("inputs", "hidden"), [(5, 6), (40, 12)])
def test_closed_forms(name, inputs, hidden):
    kind, cell = cells.get(name), made(name, inputs, hidden)
    count, macs = kind.parameter_count(inputs, hidden), kind.macs_per_step(inputs, hidden)
    assert count == sum(p.numel() for p in cell.parameters())
    assert macs == products(cell)
    if name in CLOSED_FORMS:
        (ih, hh, h), (macs_ih, macs_hh) = CLOSED_FORMS[name]
        assert count == ih * inputs * hidden + hh * hidden**2 + h * hidden
        assert macs == macs_ih * inputs * hidden + macs_hh * hidden**2


@pytest.mark.parametrize("projection", [1, 3, 6])
def test_closed_forms_of_a_projection(projection):
    kind, cell = cells.get("lstm-projected"), made("lstm-projected", projection=projection)
    macs = 4 * 6 * (5 + projection) + projection * 6
    assert kind.macs_per_step(5, 6, projection=projection) == macs == products(cell)
    assert kind.parameter_count(5, 6, projection=projection) == macs + 4 * 6
    assert kind.output_size(6, projection=projection) == projection


@pytest.mark.parametrize("name", ["mut1", "mut2", "mut3"])
def test_a_mutant_as_wide_as_its_input_needs_no_embedding(name):
    _, hh, h = CLOSED_FORMS[name][0]
    assert cells.get(name).parameter_count(6, 6) == hh * 36 + h * 6
    assert made(name, 6, 6)(drawn(2, 1, 6))[0].shape == (2, 1, 6)


@pytest.mark.parametrize("name", FUSED)
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.float64, 1e-10)])
def test_fused_equals_core(name, dtype, tolerance):
    cell = made(name, dtype=dtype)
    x_tbf, state = drawn(9, 4, 5, dtype=dtype), started(cell, 4, dtype)
    found = results(cell, "fused", x_tbf, state)
    expected = results(cell, "unrolled", x_tbf, state)
    for a, b in zip(found, expected, strict=True):
        torch.testing.assert_close(a, b, atol=tolerance, rtol=tolerance)


@pytest.mark.parametrize("name", FUSED)
@pytest.mark.parametrize("elements", [1, 200])
def test_fused_gradients_do_not_depend_on_the_chunk(name, elements, monkeypatch):
    monkeypatch.setattr(staged, "CHUNK_ELEMENTS", elements)
    monkeypatch.setattr("gatewise.models.cells.fast_gru.CHUNK_ELEMENTS", elements)
    monkeypatch.setattr("gatewise.models.cells.fast_fgr.CHUNK_ELEMENTS", elements)
    cell = made(name)
    x_tbf, state = drawn(11, 2, 5), started(cell, 2)
    found = results(cell, "fused", x_tbf, state)
    expected = results(cell, "unrolled", x_tbf, state)
    for a, b in zip(found, expected, strict=True):
        torch.testing.assert_close(a, b, atol=1e-10, rtol=1e-10)


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("kernel", ["fused", "unrolled"])
def test_gradcheck(name, kernel):
    cell = made(name, 2, 3)
    if kernel == "fused" and not cell.has_fused():
        pytest.skip("no fused kernel")
    cell.kernel = kernel
    names = [n for n, _ in cell.named_parameters()]
    weights = [p.detach().requires_grad_() for p in cell.parameters()]

    def outputs(x_tbf, *weights):
        parameters = dict(zip(names, weights, strict=True))
        return torch.func.functional_call(cell, parameters, (x_tbf,))[0]

    x_tbf = drawn(3, 2, 2).requires_grad_()
    assert torch.autograd.gradcheck(outputs, (x_tbf, *weights))


@pytest.mark.parametrize("name", ALL)
def test_every_parameter_and_the_first_input_get_a_gradient(name):
    cell = made(name, dtype=torch.float32)
    x_tbf = drawn(4, 2, 5, dtype=torch.float32).requires_grad_()
    cell(x_tbf)[0][-1].square().sum().backward()
    for key, parameter in cell.named_parameters():
        assert parameter.grad.abs().sum() > 0, key
    assert (x_tbf.grad[0] != 0).any()


@pytest.mark.parametrize("name", ALL)
@settings(deadline=None, max_examples=12)
@given(
    inputs=st.integers(1, 5),
    hidden=st.integers(1, 6),
    chunks=st.lists(st.integers(1, 5), min_size=1, max_size=4),
    order=st.permutations(range(3)),
    seed=st.integers(0, 99),
)
def test_chunks_and_order_do_not_matter(name, *, inputs, hidden, chunks, order, seed):
    cell = made(name, inputs, hidden, seed=seed)
    x_tbf = drawn(sum(chunks), 3, inputs, seed=seed)
    whole, last = cell(x_tbf)
    parts, state = [], cell.initial_state(3)
    for part in x_tbf.split(chunks):
        y, state = cell(part, state)
        parts.append(y)
    torch.testing.assert_close(torch.cat(parts), whole)
    for a, b in zip(state, last, strict=True):
        torch.testing.assert_close(a, b)
    stepped, state = [], cell.initial_state(3)
    for x_t in x_tbf:
        y_t, state = cell.core(x_t, state)
        stepped.append(y_t)
    torch.testing.assert_close(torch.stack(stepped), whole)
    torch.testing.assert_close(cell(x_tbf[:, order])[0], whole[:, order])


@pytest.mark.parametrize("name", ALL)
def test_single_precision_agrees_with_double(name):
    double, single = made(name), made(name, dtype=torch.float32)
    x_tbf = drawn(30, 3, 5)
    y, _ = single(x_tbf.float())
    torch.testing.assert_close(y.double(), double(x_tbf)[0], atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("name", ALL)
def test_mixed_precision_leaves_the_recurrence_alone(name):
    cell = made(name, dtype=torch.float32)
    x_tbf = drawn(4, 2, 5, dtype=torch.float32)
    with torch.autocast("cpu", torch.bfloat16):
        y, _ = cell(x_tbf)
        y.square().sum().backward()
    assert torch.equal(y, cell(x_tbf)[0])


@pytest.mark.parametrize("name", ALL)
def test_large_inputs_and_long_sequences_stay_finite(name):
    cell = made(name, dtype=torch.float32)
    x_tbf = (100 * drawn(200, 2, 5, dtype=torch.float32)).requires_grad_()
    y, _ = cell(x_tbf)
    y[-1].sum().backward()
    assert y.isfinite().all()
    assert x_tbf.grad.isfinite().all()


@pytest.mark.parametrize("name", ALL)
def test_results_do_not_outlive_their_graph(name):
    """A kernel that keeps its own outputs would leak a batch each step."""
    import gc
    import weakref

    gc.disable()
    try:
        y, state = made(name)(drawn(3, 2, 5).requires_grad_())
        watched = [weakref.ref(t) for t in (y, *state)]
        del y, state
        assert [w() is None for w in watched] == [True] * len(watched)
    finally:
        gc.enable()


SYMBOLS, STEPS = 4, 7


@pytest.mark.slow
@pytest.mark.parametrize("name", ALL)
def test_learns_a_delayed_recall(name):
    """The first step shows one of four symbols; after noise, the last step asks for it."""
    from gatewise.config import VariantConfig
    from gatewise.models.classifier import SequenceClassifier
    from gatewise.models.complexity import Sizes

    torch.manual_seed(0)
    generator = torch.Generator().manual_seed(0)
    variant = VariantConfig(cell=name, hidden=24, pooling="last")
    model = SequenceClassifier(variant, Sizes(outputs=SYMBOLS, features=SYMBOLS + 1))
    optimiser = torch.optim.Adam(model.parameters(), lr=0.02)

    def batch(size):
        labels = torch.randint(SYMBOLS, (size,), generator=generator)
        x = 0.1 * torch.randn(size, STEPS, SYMBOLS + 1, generator=generator)
        x[torch.arange(size), 0, labels] += 1
        x[:, -1, SYMBOLS] += 1
        return x, torch.full((size,), STEPS), labels

    for _ in range(400):
        x, lengths, labels = batch(64)
        loss = torch.nn.functional.cross_entropy(model(x, lengths), labels)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        if loss < 0.05:
            break
    x, lengths, labels = batch(512)
    accuracy = (model.eval()(x, lengths).argmax(1) == labels).float().mean().item()
    assert accuracy > 0.95
