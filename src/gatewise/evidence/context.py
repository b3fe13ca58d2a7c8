"""How much past a task needs: the least context whose score is as good as the whole's."""

from __future__ import annotations

from gatewise.artifacts.comparison import ContextPoint, TaskContext, VariantContext
from gatewise.artifacts.context import ContextReport, ContextScores
from gatewise.config.metrics import METRICS
from gatewise.evidence import statistics


def summarise(report: ContextReport | None, rope: float, alpha: float) -> TaskContext | None:
    """What a task's contexts say.

    Args:
        report: what was scored; `None` where nothing was.
        rope: how much worse than the whole a score may be to be as good.
        alpha: one minus the intervals' level.
    """
    if report is None or not report.steps:
        return None
    gain = METRICS[report.metric].gain
    variants = {}
    for name, scored in report.variants.items():
        if not scored.seeds:
            continue
        points = _points(report, scored, alpha)
        needed = points[-1].steps
        for point in reversed(points):
            if -gain(point.loss) > rope:
                break
            needed = point.steps
        variants[name] = VariantContext(points=points, needed=needed)
    return TaskContext(
        steps=report.steps,
        median_length=report.median_length,
        step_seconds=report.step_seconds,
        variants=variants,
    )


def _points(report: ContextReport, scored: ContextScores, alpha: float) -> tuple[ContextPoint, ...]:
    """Score at each context and how far it lies from the whole's, by paired seed."""
    points = []
    for i, steps in enumerate(report.steps):
        values = [row[i] for row in scored.scores]
        losses = [row[i] - row[-1] for row in scored.scores]
        points.append(
            ContextPoint(
                steps=steps,
                score=sum(values) / len(values),
                ci=statistics.mean_interval(values, 1 - alpha),
                loss=sum(losses) / len(losses),
                loss_ci=statistics.mean_interval(losses, 1 - alpha),
            )
        )
    return tuple(points)
