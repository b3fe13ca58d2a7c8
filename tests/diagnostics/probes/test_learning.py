import pytest

torch = pytest.importorskip("torch")
from gatewise.config import ProbeConfig, VariantConfig  # noqa: E402
from gatewise.diagnostics.probes import learning, prober  # noqa: E402
from gatewise.diagnostics.probes.problems import PROBLEMS  # noqa: E402
from gatewise.errors import GatewiseError  # noqa: E402

GRU = VariantConfig(cell="gru", hidden=16)


def run(variant, name, length, rate=0.03, seed=0, **settings):
    problem, config = PROBLEMS[name], ProbeConfig(**settings)
    model = prober.build(variant, problem, length, seed)
    return learning.learn(model, problem, length, rate, config, seed)


def test_a_gru_learns_parity_and_says_after_how_many_updates():
    found = run(GRU, "parity", 4)
    assert found.solved
    assert not found.futile
    assert found.score >= learning.SOLVED
    assert found.updates < 500
    assert found == run(GRU, "parity", 4)


def test_what_shows_nothing_is_stopped_and_what_shows_something_goes_on():
    hopeless = {"updates": 100, "futility": 0.5, "batch_size": 4}
    stopped = run(VariantConfig(cell="rnn", hidden=2), "adding", 100, 1e-6, **hopeless)
    assert (stopped.updates, stopped.futile, stopped.solved) == (50, True, False)
    never = run(
        VariantConfig(cell="rnn", hidden=2), "adding", 100, 1e-6, **{**hopeless, "futility": 1}
    )
    assert (never.updates, never.futile) == (100, False)
    # Two of four symbols are soon right, which is no reason to stop.
    halfway = run(VariantConfig(cell="rnn", hidden=8), "copy", 1, 0.01, updates=150, futility=0.2)
    assert halfway.updates > 30
    assert not halfway.futile


def test_starts_are_those_that_the_cell_can_have():
    rnn, lstm = (VariantConfig(cell=cell, hidden=2) for cell in ("rnn", "lstm"))
    every = ("torch", "keras", "forget-bias", "chrono", "declared")
    assert prober.possible_starts(lstm, every) == every
    assert prober.possible_starts(rnn, every) == ("torch", "keras", "declared")
    with pytest.raises(GatewiseError, match="no gate that keeps its state; add torch"):
        prober.possible_starts(rnn, ("chrono",))
    declared = VariantConfig(cell="lstm", hidden=2, init="keras", forget_bias=3.0)
    assert prober.started(declared, "declared", 9) == declared
    assert prober.started(declared, "forget-bias", 9).forget_bias == 1.0
    assert prober.started(declared, "torch", 9) == lstm
    assert prober.started(declared, "chrono", 9).chrono_steps == 9


def test_a_matched_width_is_solved_for_the_problems_own_inputs():
    lstm = VariantConfig(cell="lstm", hidden=20)
    gru = VariantConfig(cell="gru", match={"parameters": "lstm"})
    assert prober.resolve(gru, lstm, PROBLEMS["adding"], 10).hidden > 20


def test_counting_makes_all_of_its_own_updates_and_ends_at_a_rate_of_nothing(monkeypatch):
    rates = []
    step = torch.optim.Adam.step

    def watched(self, *arguments):
        rates.append(self.param_groups[0]["lr"])
        return step(self, *arguments)

    monkeypatch.setattr(torch.optim.Adam, "step", watched)
    run(GRU, "counting", 1, rate=0.08, updates=3, counting_updates=40)
    assert rates == pytest.approx([0.08 * (40 - k) / 40 for k in range(40)])
    rates.clear()
    run(GRU, "parity", 2, rate=0.08, updates=30)
    assert set(rates) == {0.08}


def test_a_problem_may_have_a_width_of_its_own():
    matched = VariantConfig(cell="gru", match={"parameters": "lstm"})
    projected = VariantConfig(cell="lstm", hidden=64, projection=16)
    lstm = prober.at_width(VariantConfig(cell="lstm", hidden=64), 16)
    assert lstm.hidden == 16
    assert prober.at_width(projected, 16).projection == 4
    assert prober.at_width(projected, None) == projected
    assert prober.at_width(matched, 16) == matched
    assert 16 < prober.resolve(matched, lstm, PROBLEMS["counting"], 10).hidden < 24


@pytest.mark.weekly
@pytest.mark.slow
def test_stopping_early_stops_few_late_learners():
    """Runs that the default rule stops, of those that solve it within the budget."""
    settings = ProbeConfig()
    late = solved = 0
    for cell in ("lstm", "gru"):
        for seed in range(4):
            for rate in settings.learning_rates:
                variant = VariantConfig(cell=cell, hidden=64)
                whole = run(variant, "adding", 50, rate, seed, futility=1)
                solved += whole.solved
                if whole.solved and whole.updates > settings.futility * settings.updates:
                    late += not run(variant, "adding", 50, rate, seed).solved
    assert solved >= 12
    assert late <= 0.1 * solved
