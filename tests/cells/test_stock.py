import pytest
import torch

from gatewise import cells
from gatewise.errors import GatewiseError


def test_an_unknown_cell_suggests_the_nearest():
    with pytest.raises(GatewiseError, match=r"unknown cell 'lstn'; did you mean .*lstm"):
        cells.get("lstn")


def test_an_option_that_a_cell_does_not_take_is_refused():
    with pytest.raises(GatewiseError, match="'gru' takes no projection"):
        cells.get("gru")(3, 4, projection=2)


@pytest.mark.parametrize("name", ["rnn", "lstm", "gru"])
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.float64, 1e-10)])
def test_fused_equals_core(name, dtype, tolerance):
    torch.manual_seed(0)
    cell = cells.get(name)(5, 7).to(dtype)
    for parameter in cell.parameters():
        torch.nn.init.uniform_(parameter, -0.5, 0.5)
    x_tbf = torch.randn(9, 4, 5, dtype=dtype)
    start = tuple(torch.randn(4, 7, dtype=dtype) for _ in cell.states)
    results = []
    for kernel in ("fused", "unrolled"):
        cell.kernel = kernel
        leaves = [x_tbf.clone().requires_grad_(), *(s.clone().requires_grad_() for s in start)]
        y, state = cell(leaves[0], tuple(leaves[1:]))
        loss = y.square().sum() + sum(s.sin().sum() for s in state)
        gradients = torch.autograd.grad(loss, [*leaves, *cell.parameters()])
        results.append([y, *state, *gradients])
    for fused, unrolled in zip(*results, strict=True):
        torch.testing.assert_close(fused, unrolled, atol=tolerance, rtol=tolerance)
