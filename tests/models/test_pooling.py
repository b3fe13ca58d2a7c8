import pytest
import torch

from gatewise.models.lengths import Lengths
from gatewise.models.pooling import Pooling

WIDTH = 3


def attention(steps, pooling):
    weights = pooling.score(steps).softmax(0)
    return (weights * steps).sum(0)


DEFINITIONS = {
    "last": lambda steps, _: steps[-1],
    "mean": lambda steps, _: steps.mean(0),
    "max": lambda steps, _: steps.amax(0),
    "attention": attention,
}


@pytest.mark.parametrize("lengths", [[4, 4], [4, 1], [2, 3]])
@pytest.mark.parametrize("kind", DEFINITIONS)
def test_each_sequence_is_pooled_over_its_own_steps(kind, lengths):
    torch.manual_seed(0)
    pooling = Pooling(kind, WIDTH).double()
    x_tbf = torch.randn(4, len(lengths), WIDTH, dtype=torch.float64)
    pooled = pooling(x_tbf, Lengths(torch.tensor(lengths), 4))
    for row, length in enumerate(lengths):
        torch.testing.assert_close(pooled[row], DEFINITIONS[kind](x_tbf[:length, row], pooling))


@pytest.mark.parametrize(("kind", "parameters"), [("mean", 0), ("attention", WIDTH)])
def test_only_attention_learns(kind, parameters):
    assert sum(p.numel() for p in Pooling(kind, WIDTH).parameters()) == parameters
