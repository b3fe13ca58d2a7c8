"""From what probing gave to `reports/probes/<variant>.json`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gatewise.artifacts.plan import ProbePlan
from gatewise.artifacts.probes import (
    Attempt,
    Gradient,
    GradientDecay,
    ProbedLength,
    ProbedRun,
    ProbeReport,
    Problem,
    Runs,
)
from gatewise.config import ProbeConfig
from gatewise.diagnostics.probes import gradients, prober
from gatewise.diagnostics.probes.grid import Found, Measured, probe
from gatewise.diagnostics.probes.learning import SOLVED
from gatewise.diagnostics.probes.problems import PROBLEMS
from gatewise.diagnostics.probes.work import Result
from gatewise.evidence import survival

NOTE = (
    "Synthetic problems, learnt from scratch at each length with at most {updates:,} updates of "
    "{batch} examples (after {futility:.0%} of them, runs no better than chance are stopped); "
    "solved means a score of {solved:.0%} on fresh examples. A length counts as held where half of "
    "{seeds} seeds solve it at the best of the starts ({starts}) and learning rates ({rates}) that "
    "every variant may choose from.{counting} Gradients are those of the adding problem's loss "
    "with respect to the input so many steps before the end."
)


def report(plan: ProbePlan, workers: int) -> ProbeReport:
    """Probe a variant, at most `workers` runs at once.

    Raises:
        GatewiseError: its cell can have none of the starts.
    """
    reason = _left_out(plan) or prober.why_not(plan.config)
    found = Found() if reason else probe(plan, workers)
    config = plan.probes
    return ProbeReport(
        note=note(config),
        settings=config,
        unprobed=reason,
        probes={name: _problem(name, parts, config) for name, parts in found.problems.items()},
        starts={one.option.start: Runs(**_runs(one)) for one in found.starts},
        gradient=_gradient(found, config),
    )


def _left_out(plan: ProbePlan) -> str | None:
    """Why the study does not ask for this variant, or `None` where it does."""
    wanted = plan.probes.variants
    if wanted is None or plan.variant in wanted:
        return None
    return f"probes.variants names {', '.join(wanted) or 'none'} alone"


def note(config: ProbeConfig) -> str:
    """How to read the figures."""
    return NOTE.format(
        updates=config.updates,
        batch=config.batch_size,
        futility=config.futility,
        solved=SOLVED,
        seeds=config.seeds,
        starts=", ".join(config.starts),
        rates=", ".join(f"{rate:g}" for rate in config.learning_rates),
        counting=_note_on_counting(config) if config.counting_lengths else "",
    )


def _note_on_counting(config: ProbeConfig) -> str:
    width = "" if config.counting_width is None else f" with {config.counting_width} units a layer"
    return (
        f" Counting is learnt once{width}, on n up to {config.counting_lengths[0]} in "
        f"{config.counting_updates:,} updates, and what was learnt is asked of longer strings."
    )


def _problem(name: str, measured: Sequence[Measured], config: ProbeConfig) -> Problem:
    problem, asked = PROBLEMS[name], config.lengths(name)
    first = measured[0]
    held = [one.length for one in measured if one.held]
    return Problem(
        title=problem.title,
        paper=problem.paper,
        length_means=problem.length_means,
        lengths=tuple(_length(name, one) for one in measured),
        asked=asked,
        longest_by_seed=tuple(_longest(measured, seed) for seed in range(len(first.results))),
        longest_solved=max(held, default=None),
        beyond={
            length: tuple(result.beyond[i] for result in first.results)
            for i, length in enumerate(asked)
        },
        reach_by_seed=tuple(_reach(asked, result) for result in first.results),
    )


def _length(name: str, measured: Measured) -> ProbedLength:
    return ProbedLength(
        length=measured.length,
        steps=PROBLEMS[name].steps(measured.length),
        attempts=tuple(
            Attempt(
                start=one.option.start,
                learning_rate=one.option.learning_rate,
                updates=one.result.learnt.updates,
                solved=one.result.learnt.solved,
                score=one.result.learnt.score,
            )
            for one in measured.tried
        ),
        **_runs(measured),
    )


def _runs(measured: Measured) -> dict[str, Any]:
    learnt = [result.learnt for result in measured.results]
    times = survival.Times(
        tuple(one.updates for one in learnt), tuple(one.solved for one in learnt)
    )
    half = survival.median(times)
    return {
        "start": measured.option.start,
        "learning_rate": measured.option.learning_rate,
        "runs": tuple(
            ProbedRun(
                seed=seed,
                updates=one.updates,
                solved=one.solved,
                futile=one.futile,
                score=one.score,
            )
            for seed, one in enumerate(learnt)
        ),
        "median": half.median,
        "median_low": half.low,
        "median_high": half.high,
    }


def _longest(measured: Sequence[Measured], seed: int) -> int:
    longest = 0
    for one in measured:
        if not one.results[seed].learnt.solved:
            break
        longest = one.length
    return longest


def _reach(lengths: Sequence[int], result: Result) -> int:
    """The longest length that the model of the shortest one solves, with all shorter ones."""
    reach = lengths[0] if result.learnt.solved else 0
    for length, score in zip(lengths[1:], result.beyond[1:], strict=True):
        if not reach or score < SOLVED:
            break
        reach = length
    return reach


def _gradient(found: Found, config: ProbeConfig) -> Gradient | None:
    if "adding" not in found.problems:
        return None
    first = found.problems["adding"][0]
    return Gradient(
        start=first.option.start,
        initial=decay([one.initial for one in first.results], config.gradient_reach),
        trained=decay([one.trained for one in first.results], config.gradient_reach),
    )


def decay(curves: Sequence[Sequence[float]], reach: int) -> GradientDecay:
    """Curves of log10 norms by distance, one a seed, together."""
    values = np.array(curves)
    mean = [float(value) for value in values.mean(axis=0)]
    return GradientDecay(
        log10=tuple(mean),
        low=tuple(float(value) for value in values.min(axis=0)),
        high=tuple(float(value) for value in values.max(axis=0)),
        left=tuple(gradients.log10_left(curve, reach) for curve in curves),
        half_life=gradients.half_life(mean),
        half_lives=tuple(gradients.half_life(curve) for curve in curves),
    )
