import shutil

import numpy as np
import pytest

torch = pytest.importorskip("torch")
from gatewise.config import ProbeConfig, VariantConfig, parse  # noqa: E402
from gatewise.diagnostics import probes  # noqa: E402
from gatewise.errors import GatewiseError  # noqa: E402

RNG = np.random.default_rng
TINY = ProbeConfig(
    adding_lengths=(2, 4), copy_lengths=(1,), parity_lengths=(1, 2), steps=3, batch_size=4,
    gradient_length=6, seeds=2,
)  # fmt: skip


def test_adding_asks_for_the_sum_of_the_marked_numbers():
    found = probes.adding(10, 50, RNG(0))
    values, marks = found.inputs[..., 0], found.inputs[..., 1]
    assert torch.equal(marks.sum(0), torch.full((50,), 2.0))
    assert torch.equal(marks[:5].sum(0), torch.ones(50))
    assert torch.allclose((values * marks).sum(0) - 1, found.targets.float())
    assert found.scored.tolist() == [False] * 9 + [True]


def test_copy_hides_nothing_and_asks_in_order():
    found = probes.copy(7, 20, RNG(0))
    time = 2 * probes.COPIED + 7
    assert found.inputs.shape == (time, 20, probes.SYMBOLS + 2)
    shown = found.inputs[: probes.COPIED].argmax(-1)
    assert torch.equal(found.targets[found.scored], shown)
    asks = found.inputs[found.scored]
    assert torch.equal(asks.argmax(-1), torch.full((probes.COPIED, 20), probes.SYMBOLS + 1))


def test_parity_by_its_definition():
    found = probes.parity(9, 30, RNG(0))
    ones = (found.inputs[..., 0] > 0).long()
    for t in range(9):
        assert torch.equal(found.targets[t], ones[: t + 1].sum(0) % 2)


def test_scores_are_right_for_the_answers_they_get():
    class Oracle(probes.Prober):
        def forward(self, x):
            if x.shape[-1] == 2:
                return (x[..., 0] * x[..., 1]).sum(0, keepdim=True).expand(len(x), -1)[
                    ..., None
                ] - 1
            ones = (x[..., 0] > 0).long().cumsum(0) % 2
            return torch.nn.functional.one_hot(ones, 2).float()

    variant = VariantConfig(cell="gru", hidden=2)
    assert probes.score(Oracle(variant, 2, 1), "adding", 10, RNG(0)) == pytest.approx(1.0)
    assert probes.score(Oracle(variant, 1, 2), "parity", 10, RNG(0)) == 1.0
    untrained = probes.build(variant, "parity", 0)
    assert 0.3 < probes.score(untrained, "parity", 10, RNG(0)) < 0.7


@pytest.mark.slow
def test_a_gru_learns_parity_of_four_bits():
    config = ProbeConfig()
    _, reached = probes.learn(VariantConfig(cell="gru", hidden=32), "parity", 4, config, 0)
    assert reached >= probes.SOLVED


def test_half_life_of_a_known_decay():
    assert probes.half_life([-0.1 * k for k in range(30)]) == pytest.approx(np.log10(2) / 0.1)
    assert probes.half_life([0.0] * 10) is None
    assert probes.half_life([0.1 * k for k in range(10)]) is None
    # What underflows says nothing: only the six decades below the top are fitted.
    cut = [-1.0 * k for k in range(7)] + [-30.0] * 50
    assert probes.half_life(cut) == pytest.approx(np.log10(2))
    assert 0 < probes.half_life([0.0, -30.0, -30.0]) < 0.1


def test_gradient_norms_match_the_chain_rule():
    model = probes.build(VariantConfig(cell="rnn", hidden=3), "adding", 0)
    found = probes.gradient_norms(model, 5, RNG(1))
    inputs = probes.adding(5, 32, RNG(1)).inputs
    moved = []
    for k in range(5):  # finite differences of the first example, in double precision
        double = probes.build(VariantConfig(cell="rnn", hidden=3), "adding", 0).double()
        slopes = []
        for b in range(32):
            grad = []
            for f in range(2):
                step = torch.zeros_like(inputs, dtype=torch.float64)
                step[4 - k, b, f] = 1e-5
                up, down = double(inputs.double() + step), double(inputs.double() - step)
                grad.append(float((up[-1].sum() - down[-1].sum()).detach() / 2e-5))
            slopes.append(np.hypot(*grad))
        moved.append(np.log10(np.mean(slopes)))
    assert found == pytest.approx(moved, abs=1e-3)


def test_longest_solved_stops_at_the_first_failure():
    assert probes.longest_solved((5, 10, 20), (1.0, 0.95, 0.2)) == 10
    assert probes.longest_solved((5, 10, 20), (1.0, 0.2, None)) == 5
    assert probes.longest_solved((5, 10), (0.1, None)) is None


def test_probe_is_reproducible_and_summed_up():
    variant = VariantConfig(cell="lstm", hidden=4)
    first = probes.probe(variant, None, TINY, "adding", 0)
    assert first == probes.probe(variant, None, TINY, "adding", 0)
    second = probes.probe(variant, None, TINY, "adding", 1)
    found = probes.summarise({"adding": [first, second]}, TINY)
    adding = found.probes["adding"]
    assert [point.length for point in adding.lengths] == [2, 4]
    assert adding.longest_solved is None
    assert adding.lengths[1].score is None  # the shorter one was not solved
    assert len(found.gradient.initial.log10) == 6


def test_a_matched_width_is_solved_for_the_problems_own_inputs():
    lstm = VariantConfig(cell="lstm", hidden=20)
    gru = VariantConfig(cell="gru", match={"parameters": "lstm"})
    assert probes.resolve(gru, lstm, "adding").hidden > 20


def test_lengths_must_rise():
    with pytest.raises(GatewiseError, match="must rise"):
        parse(
            {
                "tasks": {"t": {"source": {"kind": "digits"}, "features": {"kind": "frames"}}},
                "variants": {"gru": {"cell": "gru", "hidden": 2}},
                "probes": {"adding_lengths": [10, 5]},
            }
        )


def test_stage_probes_a_variant_whatever_the_workers(tmp_path, monkeypatch):
    from gatewise import config
    from gatewise.artifacts import plan
    from gatewise.evidence.comparison import read_probes
    from pipeline import probe as stage
    from tests.evidence_runs import study

    monkeypatch.chdir(tmp_path)
    found = []
    for workers in (1, 2):
        two_seeds = {**TINY.model_dump(), "seeds": 2}
        declared = study(("lstm", "gru"), probes=two_seeds, execution={"workers": workers})
        operation = (declared.execution, declared.tracking)
        monkeypatch.setattr(config, "load_operation", lambda operation=operation: operation)
        plan.write(declared)
        shutil.rmtree(".gatewise", ignore_errors=True)  # or the second would find the first's
        stage.main(["gru"])
        found.append(read_probes(declared.variants))
    assert found[0] == found[1]
    assert list(found[0]) == ["gru"]
    assert len(found[0]["gru"].probes["copy"].longest_by_seed) == 2
