import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gatewise.models.dropout import Dropout


@given(st.floats(0.01, 0.9), st.integers(0, 2**32))
def test_the_asked_share_is_dropped_and_the_mean_kept(p, seed):
    torch.manual_seed(seed)
    y = Dropout(p)(torch.ones(101, 1003))
    share = float((y == 0).float().mean())
    assert share == pytest.approx(p, abs=6 * (p * (1 - p) / y.numel()) ** 0.5 + 2**-16)
    assert float(y.mean()) == pytest.approx(1, abs=0.05)
    assert y.unique().tolist() == pytest.approx([0, 1 / (1 - p)], rel=1e-3)


def test_neighbours_that_share_a_draw_are_dropped_independently():
    torch.manual_seed(0)
    kept = (Dropout(0.5)(torch.ones(400_000)) > 0).float().view(-1, 4)
    assert torch.corrcoef(kept.t()).triu(1).abs().max() < 0.01


def test_the_gradient_passes_where_the_value_did():
    x = torch.randn(7, 5, requires_grad=True)
    y = Dropout(0.4)(x)
    (g,) = torch.autograd.grad(y.sum(), x)
    torch.testing.assert_close(g * x, y)


def test_equal_seeds_give_equal_masks_and_evaluation_none():
    x, dropout = torch.randn(3, 5), Dropout(0.5)
    drawn = []
    for _ in range(2):
        torch.manual_seed(1)
        drawn.append(dropout(x))
    assert torch.equal(*drawn)
    assert dropout.eval()(x) is x


def test_nothing_is_drawn_where_nothing_is_dropped():
    torch.manual_seed(0)
    before = torch.get_rng_state()
    x = torch.randn(2)
    torch.set_rng_state(before)
    assert Dropout(0.0)(x) is x
    assert torch.equal(torch.get_rng_state(), before)


def test_half_precision_stays_half():
    assert Dropout(0.5)(torch.ones(8, dtype=torch.bfloat16)).dtype == torch.bfloat16
