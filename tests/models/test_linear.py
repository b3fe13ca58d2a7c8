import pytest
import torch

from gatewise.models.linear import Linear


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("shape", [(7, 5), (3, 4, 5), (0, 5)])
def test_it_is_torchs_layer(shape, bias):
    torch.manual_seed(0)
    ours, theirs = Linear(5, 6, bias=bias), torch.nn.Linear(5, 6, bias=bias)
    theirs.load_state_dict(ours.state_dict())
    results = []
    for layer in (ours, theirs):
        x = torch.linspace(-1, 1, max(1, torch.Size(shape).numel()))[: torch.Size(shape).numel()]
        x = x.view(shape).requires_grad_()
        layer(x).square().sum().backward()
        results.append([layer(x), x.grad, *(p.grad for p in layer.parameters())])
    for one, other in zip(*results, strict=True):
        torch.testing.assert_close(one, other)


def test_a_row_hangs_on_no_other_row():
    torch.manual_seed(0)
    layer, x = Linear(37, 23), torch.randn(61, 37)
    together = layer(x)
    for rows in (slice(0, 1), slice(5, 12), slice(60, 61)):
        assert torch.equal(layer(x[rows]), together[rows])


def test_it_stays_in_full_precision_among_halves():
    layer, x = Linear(8, 4), torch.randn(3, 8)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(layer(x), layer(x.float()))
        assert layer(x.bfloat16()).dtype == torch.float32
