"""The views of a task's experiment, in reading order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gatewise.config.metrics import Metric
from gatewise.tracking import content, names, views
from gatewise.tracking.views import View, bar, line, metric, param, scatter, tag

KIND = 'tags."gatewise.kind"'
CURRENT = f"tags.\"{content.CURRENT}\" = 'true'"
"""Runs of earlier studies stay in the store; views show those of this one."""


@dataclass(frozen=True)
class Shown:
    """What the views of a task are made from."""

    metric: Metric
    """The task's primary metric."""
    shortfalls: bool = False
    """Whether variants carry how far they may lie below the best."""
    timed: bool = False
    """Whether variants carry measured times."""
    tuned: tuple[str, ...] = ()
    """Parameters that trials were tried with."""
    champion: str | None = None
    """Id of the run whose model is in use."""


def of_task(shown: Shown) -> list[View]:
    """All views for which there is something to show."""
    made = [_answer(shown), _variants(shown), _seeds(shown), _curves(shown), _cost(shown)]
    if shown.tuned:
        made.append(_trials(shown))
    if shown.champion is not None:
        made.append(_champion(shown))
    return made


def _score(shown: Shown) -> str:
    return names.final("test", shown.metric.name)


def _best_first(shown: Shown) -> bool:
    """Whether to sort ascending."""
    return shown.metric.direction == "lower"


def _axis(shown: Shown, words: str) -> str:
    return f"test {shown.metric.title}, {words}"


def _interval(shown: Shown) -> list[str]:
    score = _score(shown)
    wanted = [names.mean(score), names.low(score), names.high(score)]
    return wanted + [names.shortfall(score)] * shown.shortfalls


def _answer(shown: Shown) -> View:
    score = _score(shown)
    return View(
        "gatewise-1-answer",
        "1 Answer",
        # By time of creation: the comparison is made when all variants are there.
        f"{KIND} != 'run' AND {CURRENT}",
        columns=(*map(metric, _interval(shown)), tag(views.ANSWER_TAG)),
        charts=(
            bar(names.mean(score), _axis(shown, "mean over seeds")),
            bar(names.low(score), _axis(shown, "interval, low end")),
            bar(names.high(score), _axis(shown, "interval, high end")),
        ),
    )


def _variants(shown: Shown) -> View:
    score = _score(shown)
    timed = [names.TRAIN_STEP, names.INFERENCE] * shown.timed
    constants = [param(name) for name in ("parameters", "macs_per_step")]
    charts = [
        bar(names.mean(score), _axis(shown, "mean over seeds")),
        bar(names.std(score), _axis(shown, "standard deviation over seeds")),
    ]
    charts += [bar(names.shortfall(score), _axis(shown, "at worst below the best"))] * (
        shown.shortfalls
    )
    charts += [bar(names.TRAIN_STEP, "milliseconds a training step")] * shown.timed
    return View(
        "gatewise-2-variants",
        "2 Variants",
        f"{KIND} = 'variant' AND {CURRENT}",
        metric(names.mean(score)),
        _best_first(shown),
        columns=(
            *map(metric, _interval(shown)),
            metric(names.std(score)),
            *constants,
            *map(metric, timed),
            tag("gatewise.seeds"),
        ),
        charts=tuple(charts),
    )


def _seeds(shown: Shown) -> View:
    score = _score(shown)
    return View(
        "gatewise-3-seeds",
        "3 Seeds",
        f"{KIND} = 'run' AND {CURRENT}",
        metric(score),
        _best_first(shown),
        columns=(
            metric(score),
            metric(names.final("validation", shown.metric.name)),
            metric(names.BEST_EPOCH),
            metric(names.EPOCHS),
            tag("gatewise.seed"),
        ),
        charts=(
            bar(score, _axis(shown, "mean over seeds")),
            bar(names.final("validation", shown.metric.name), f"validation {shown.metric.title}"),
            bar(names.BEST_EPOCH, "epoch whose weights were kept"),
        ),
        group_by_variant=True,
    )


def _curves(shown: Shown) -> View:
    score = names.curve(f"validation_{shown.metric.name}")
    return View(
        "gatewise-4-curves",
        "4 Curves",
        f"{KIND} = 'run' AND {CURRENT}",
        # By time MLflow would fetch the parents too, and count them as seeds.
        metric(_score(shown)),
        _best_first(shown),
        columns=(metric(score), metric("validation/loss"), metric("train/loss")),
        charts=(
            line(score, title=f"validation {shown.metric.title} by epoch"),
            line("validation/loss", title="validation loss by epoch"),
            line("train/loss", title="training loss by epoch"),
            line("train/gradient_norm", title="gradient norm before clipping, by epoch"),
            line("train/learning_rate", title="learning rate by epoch"),
        ),
        group_by_variant=True,
        mode="CHART",
    )


def _cost(shown: Shown) -> View:
    score = metric(names.mean(_score(shown)))
    charts = [
        scatter(param("parameters"), score, "score against parameters"),
        scatter(param("macs_per_step"), score, "score against multiply-accumulates a step"),
    ]
    times = (names.INFERENCE, names.TRAIN_STEP) if shown.timed else ()
    titles = ("milliseconds an example", "milliseconds a training step")
    charts += [
        scatter(metric(name), score, f"score against {title}")
        for name, title in zip(times, titles, strict=False)
    ]
    return View(
        "gatewise-5-cost",
        "5 Cost",
        f"{KIND} = 'variant' AND {CURRENT}",
        score,
        _best_first(shown),
        columns=(
            score,
            param("parameters"),
            param("recurrent_parameters"),
            param("macs_per_step"),
            *map(metric, times),
        ),
        charts=tuple(charts),
        mode="CHART",
    )


def _trials(shown: Shown) -> View:
    score = names.final("validation", shown.metric.name)
    charts = [views.parallel(shown.tuned, (score,), "trials")]
    if len(shown.tuned) > 1:
        first, second = shown.tuned[:2]
        charts.append(views.contour(param(first), param(second), metric(score), "trials"))
    charts += [scatter(param(name), metric(score), f"score against {name}") for name in shown.tuned]
    return View(
        "gatewise-6-trials",
        "6 Trials",
        f"{KIND} = 'trial' AND {CURRENT}",
        metric(score),
        _best_first(shown),
        columns=(
            metric(score),
            *map(param, shown.tuned),
            metric(names.TRAINING_MACS),
            tag(views.VARIANT_TAG),
            tag("gatewise.chosen"),
        ),
        charts=tuple(charts),
        mode="CHART",
    )


def _champion(shown: Shown) -> View:
    score = _score(shown)
    return View(
        "gatewise-7-champion",
        "7 Champion",
        f"attributes.run_id = '{shown.champion}'",
        metric(score),
        columns=(metric(score), tag(views.VARIANT_TAG), tag("gatewise.seed")),
        charts=(
            bar(score, f"test {shown.metric.title}"),
            line(names.curve(f"validation_{shown.metric.name}"), title="validation by epoch"),
        ),
    )


def of_study(tasks: Sequence[str], metrics: Sequence[str]) -> list[View]:
    """The views of the whole study's experiment.

    Args:
        tasks: their names.
        metrics: names of those that its run holds.
    """
    return [
        View(
            "gatewise-1-answer",
            "1 Answer",
            f"{KIND} = 'study' AND {CURRENT}",
            columns=tuple(tag(f"{views.ANSWER_TAG}.{task}") for task in tasks),
            charts=tuple(bar(name) for name in metrics),
        )
    ]
