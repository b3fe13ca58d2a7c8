"""Pictures of memory: what is solved after how many updates, how gradients reach back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from gatewise.artifacts.comparison import TaskComparison
from gatewise.artifacts.probes import GradientDecay, ProbeReport, Runs
from gatewise.report import charts, words
from gatewise.report.charts import Zone
from gatewise.report.figure import Figure

Probes = Mapping[str, ProbeReport]
"""By variant."""
NEAR = 10
"""Steps whose mean norm stands for the nearest."""
SHOWN = (-6.0, 2.0)
"""log10 range of the picture of gradients; what lies beyond is drawn at its edge."""
ZONES = (
    Zone(SHOWN[0], -2.0, "vanished: below 1 %"),
    Zone(-1.0, 1.0, "held"),
    Zone(1.0, SHOWN[1], "exploding"),
)


def probe_figures(probes: Probes) -> list[Figure]:
    """Share solved by updates, what short lengths teach of long ones, gradient by distance."""
    problems = dict.fromkeys(name for report in probes.values() for name in report.probes)
    return [
        *(figure for name in problems for figure in _solved(probes, name)),
        *(figure for name in problems for figure in _beyond(probes, name)),
        *_gradients(probes),
    ]


def _solved(probes: Probes, name: str) -> Iterator[Figure]:
    known = {v: report.probes[name] for v, report in probes.items() if name in report.probes}
    first = next(iter(known.values()))
    rows = [
        {"variant": variant, "updates": updates, "share": share}
        for variant, problem in known.items()
        for updates, share in share_solved(problem.lengths[0])
    ]
    axes = ("updates", "updates"), ("share", "share of runs that solve it")
    spec = charts.lines(rows, list(probes), *axes, steps=True)
    if spec is None:
        return
    held = "; ".join(
        f"{variant} holds {problem.longest_solved or 'none'}" for variant, problem in known.items()
    )
    length = f"{first.asked[0]} {first.length_means}"
    caption = f"{first.title}, {length}: runs that have solved it"
    alternative = f"{first.title}, longest length held: {held}"
    yield Figure(f"probe-{name}", "probe", caption, alternative, spec)


def share_solved(runs: Runs) -> list[tuple[int, float]]:
    """Updates and the share of runs that have solved it by then, from nothing to the budget."""
    solved = sorted(run.updates for run in runs.runs if run.solved)
    points = [(0, 0.0)]
    points += [(at, (i + 1) / len(runs.runs)) for i, at in enumerate(solved)]
    end = max(run.updates for run in runs.runs)
    return points if points[-1][0] >= end else [*points, (end, points[-1][1])]


def _beyond(probes: Probes, name: str) -> Iterator[Figure]:
    known = {v: report.probes[name] for v, report in probes.items() if name in report.probes}
    first = next(iter(known.values()))
    if len(first.asked) < 2:
        return
    rows = [
        {
            "variant": variant,
            "length": length,
            "score": sum(scores) / len(scores),
            "low": min(scores),
            "high": max(scores),
        }
        for variant, problem in known.items()
        for length, scores in problem.beyond.items()
    ]
    axes = ("length", f"length, {first.length_means}"), ("score", "score")
    spec = charts.lines(rows, list(probes), *axes)
    if spec is not None:
        caption = f"{first.title}: models that learnt {first.asked[0]}, asked of more"
        alternative = "; ".join(
            f"{variant} right up to {'/'.join(map(str, problem.reach_by_seed))} by seed"
            for variant, problem in known.items()
        )
        yield Figure(f"beyond-{name}", "probe", caption, alternative, spec)


def _gradients(probes: Probes) -> Iterator[Figure]:
    for when, moment in (("initial", "at initialisation"), ("trained", "after training")):
        decays = {
            variant: report.gradient.moments[when]
            for variant, report in probes.items()
            if report.gradient is not None
        }
        rows = [row for variant, decay in decays.items() for row in _relative(variant, decay)]
        axes = ("distance", "distance in steps"), ("gradient", "log10 share of the nearest")
        spec = charts.lines(rows, list(probes), *axes, log=True, zones=ZONES)
        if spec is None:
            continue
        caption = f"Gradient of the loss that reaches back, {moment}; mean and range over seeds"
        halves = (f"{v} {words.half_life(decay.half_life)}" for v, decay in decays.items())
        yield Figure(
            f"gradient-{when}", "probe", caption, f"Half-life in steps: {', '.join(halves)}", spec
        )


def context_figures(name: str, task: TaskComparison) -> Iterator[Figure]:
    """Test score against how much of each sequence's end was given."""
    if task.context is None:
        return
    metric = task.metric.definition
    rows = []
    for variant, context in task.context.variants.items():
        for point in context.points:
            low, high = point.ci or (point.score, point.score)
            bounds = sorted((metric.scaled(low), metric.scaled(high)))
            row = {"variant": variant, "steps": point.steps, "score": metric.scaled(point.score)}
            rows.append({**row, "low": bounds[0], "high": bounds[1]})
    axes = ("steps", "last steps given"), ("score", f"test {metric.axis}")
    spec = charts.lines(rows, list(task.variants), *axes, log=True)
    if spec is not None:
        needed = ", ".join(f"{v} {context.needed}" for v, context in task.context.variants.items())
        caption = "Score on the last steps of each sequence; bands are intervals over seeds"
        yield Figure(f"{name}--context", "context", caption, f"Steps needed: {needed}", spec)


def _relative(variant: str, decay: GradientDecay) -> Iterator[dict[str, float | str]]:
    """Norms against those of the nearest steps, within what is shown."""
    near = _mean(decay.log10[:NEAR])
    for distance, values in enumerate(zip(decay.log10, decay.low, decay.high, strict=True)):
        middle, low, high = (min(max(value - near, SHOWN[0]), SHOWN[1]) for value in values)
        yield {
            "variant": variant,
            "distance": distance,
            "gradient": round(middle, 3),
            "low": round(low, 3),
            "high": round(high, 3),
        }


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
