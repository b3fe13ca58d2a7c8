import pytest

from gatewise.artifacts.context import ContextReport, ContextScores
from gatewise.evidence import context


def report(*rows, metric="accuracy"):
    """Scores of seeds 0, 1, ... on the last 1, 2, 4 and all 6 steps."""
    scores = ContextScores(seeds=tuple(range(len(rows))), scores=rows)
    return ContextReport(
        task="toy",
        metric=metric,
        steps=(1, 2, 4, 6),
        median_length=5,
        step_seconds=None,
        variants={"gru": scores, "none": ContextScores(seeds=(), scores=())},
    )


def needed(*rows, rope=0.005, metric="accuracy"):
    found = context.summarise(report(*rows, metric=metric), rope, 0.05)
    return found.variants["gru"].needed


def test_needed_is_the_least_context_from_which_on_nothing_is_lost():
    assert needed((0.5, 0.7, 0.898, 0.9)) == 4
    assert needed((0.5, 0.7, 0.8, 0.9)) == 6
    assert needed((0.9, 0.9, 0.9, 0.9)) == 1
    # As good by chance at two steps, and worse again with more: not yet enough.
    assert needed((0.5, 0.9, 0.8, 0.9)) == 6
    assert needed((0.5, 0.95, 0.93, 0.9)) == 2, "better than the whole is good enough"


def test_of_a_loss_less_is_better():
    assert needed((1.5, 1.2, 0.502, 0.5), metric="log_loss") == 4
    assert needed((0.1, 0.2, 0.3, 0.5), metric="log_loss") == 1


def test_losses_are_of_paired_seeds():
    found = context.summarise(report((0.4, 0.5, 0.8, 0.9), (0.1, 0.2, 0.5, 0.6)), 0.005, 0.05)
    points = found.variants["gru"].points
    assert [point.steps for point in points] == [1, 2, 4, 6]
    assert points[2].score == pytest.approx(0.65)
    assert points[2].loss == pytest.approx(-0.1)
    assert points[2].loss_ci == pytest.approx((-0.1, -0.1))
    assert points[2].ci[0] < points[2].ci[1]
    assert points[-1].loss == 0


def test_what_was_not_asked_is_not_said():
    assert "none" not in context.summarise(report((0.1,) * 4), 0.005, 0.05).variants
    assert context.summarise(None, 0.005, 0.05) is None
