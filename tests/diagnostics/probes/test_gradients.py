import numpy as np
import pytest

torch = pytest.importorskip("torch")
from gatewise.config import VariantConfig  # noqa: E402
from gatewise.diagnostics.probes import gradients  # noqa: E402
from gatewise.diagnostics.probes.prober import build  # noqa: E402
from gatewise.diagnostics.probes.problems import PROBLEMS  # noqa: E402

ADDING = PROBLEMS["adding"]
RNG = np.random.default_rng
RNN = VariantConfig(cell="rnn", hidden=3)


def test_half_life_of_a_known_decay():
    assert gradients.half_life([-0.1 * k for k in range(30)]) == pytest.approx(np.log10(2) / 0.1)
    assert gradients.half_life([0.0] * 10) is None
    assert gradients.half_life([0.1 * k for k in range(10)]) is None
    # What underflows says nothing: only the six decades below the top are fitted.
    cut = [-1.0 * k for k in range(7)] + [-30.0] * 50
    assert gradients.half_life(cut) == pytest.approx(np.log10(2))
    assert 0 < gradients.half_life([0.0, -30.0, -30.0]) < 0.1


def test_what_is_left_at_a_distance():
    assert gradients.log10_left([0.0] * 100, 50) == 0
    falling = [-0.1 * k for k in range(100)]
    assert gradients.log10_left(falling, 50) == pytest.approx(-4.95 + 0.45, abs=0.1)
    assert gradients.log10_left([0.02 * k for k in range(100)], 50) > 0


def test_gradient_norms_match_finite_differences():
    model = build(RNN, ADDING, 5, 0)
    found = gradients.norms(model, ADDING, 5, RNG(1))
    examples = ADDING.draw(5, gradients.EXAMPLES, RNG(1))
    double, inputs = build(RNN, ADDING, 5, 0).double(), examples.inputs.double()

    def squared_errors(x):
        return (double(x)[-1, :, 0] - examples.targets.double()) ** 2

    slopes = torch.zeros(5, gradients.EXAMPLES, 2, dtype=torch.float64)
    for t in range(5):
        for f in range(2):  # an example's loss hangs on its own inputs alone
            step = torch.zeros_like(inputs)
            step[t, :, f] = 1e-5
            up, down = squared_errors(inputs + step), squared_errors(inputs - step)
            slopes[t, :, f] = (up - down).detach() / 2e-5
    expected = slopes.norm(dim=-1).mean(1).log10().flip(0).tolist()
    assert found == pytest.approx(expected, abs=1e-3)
