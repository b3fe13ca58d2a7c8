import numpy as np
import pytest

from gatewise.evidence import ranking
from gatewise.evidence.comparison import gains
from tests.evidence_runs import summary, task_comparison


def means(tasks, order=("a", "b", "c"), noise=0.0):
    rng = np.random.default_rng(0)
    return {
        f"t{i}": {v: 0.9 - 0.05 * k + noise * rng.standard_normal() for k, v in enumerate(order)}
        for i in range(tasks)
    }


def test_agreement_over_many_tasks_is_found():
    found = ranking.rank(means(10), 0.05)
    assert found.average_ranks == {"a": 1.0, "b": 2.0, "c": 3.0}
    assert found.p_value < 0.001
    # Demsar 2006, table 5: q(0.05) for three classifiers is 2.343
    assert found.critical_difference == pytest.approx(2.343 * np.sqrt(12 / 60), abs=1e-3)
    ends = next(p for p in found.pairs if (p.a, p.b) == ("a", "c"))
    assert ends.p_value < 0.001
    assert "the ranks differ" in found.sentence


def test_three_tasks_are_said_to_be_too_few():
    found = ranking.rank(means(3), 0.05)
    assert found.p_value is None
    assert "too few" in found.sentence
    assert found.average_ranks["a"] == 1.0


def test_chance_ranks_are_not_called_different():
    found = ranking.rank(means(8, noise=1.0), 0.05)
    assert found.p_value > 0.05
    assert "no variant ranks reliably" in found.sentence


def test_ties_and_gaps():
    ties = {f"t{i}": {"a": 0.5, "b": 0.5, "c": 0.5} for i in range(6)}
    assert "score the same" in ranking.rank(ties, 0.05).sentence
    assert "nothing is ranked" in ranking.rank({"t": {"a": 0.5}}, 0.05).sentence
    assert "nothing is ranked" in ranking.rank({"t": {}}, 0.05).sentence


def test_tasks_of_any_metric_rank_together():
    """Shares, error rates and scaled errors: each task ranks by its own direction."""
    better_first = {
        "accuracy": (0.9, 0.8, 0.7),
        "macro_f1": (0.5, 0.4, 0.3),
        "symbol_error_rate": (0.05, 0.10, 0.40),
        "mase": (0.9, 1.4, 12.0),
        "log_loss": (0.1, 0.2, 3.0),
        "smape": (10.0, 11.0, 190.0),
    }
    tasks = {
        metric: task_comparison(
            {name: summary(score) for name, score in zip("abc", scores, strict=True)},
            metric=metric,
        )
        for metric, scores in better_first.items()
    }
    found = ranking.rank(gains(tasks), 0.05)
    assert found.tasks == 6
    assert found.average_ranks == {"a": 1.0, "b": 2.0, "c": 3.0}
    assert found.p_value == pytest.approx(np.exp(-6))  # chi squared 12, two degrees of freedom


def test_nemenyi_matches_scikit_posthocs():
    import scikit_posthocs

    data = means(9, noise=0.05)
    expected = scikit_posthocs.posthoc_nemenyi_friedman(
        np.array([[row[v] for v in "abc"] for row in data.values()])
    ).to_numpy()
    found = {(p.a, p.b): p.p_value for p in ranking.rank(data, 0.05).pairs}
    for (a, b), p in found.items():
        assert p == pytest.approx(expected["abc".index(a), "abc".index(b)], abs=1e-6)
