"""Reports of probes with chosen outcomes, as the `probe` stage would write them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gatewise.artifacts.probes import (
    Gradient,
    ProbedLength,
    ProbedRun,
    ProbeReport,
    Problem,
    Runs,
)
from gatewise.config import ProbeConfig
from gatewise.evidence import survival

SEEDS = 4
LENGTHS = {"adding": (50, 100), "copy": (20,), "counting": (30, 40, 60)}
SETTINGS = ProbeConfig(
    adding_lengths=LENGTHS["adding"],
    copy_lengths=LENGTHS["copy"],
    counting_lengths=LENGTHS["counting"],
    parity_lengths=(),
    order_lengths=(),
    updates=1500,
    seeds=SEEDS,
)


def runs(updates: Sequence[int | None], start: str = "torch") -> Runs:
    """Runs that solved it after so many updates; `None` for those that never did."""
    times = survival.Times(
        tuple(SETTINGS.updates if one is None else one for one in updates),
        tuple(one is not None for one in updates),
    )
    half = survival.median(times)
    return Runs(
        start=start,
        learning_rate=0.01,
        runs=tuple(
            ProbedRun(seed=seed, updates=at, solved=done, futile=False, score=0.95 * done)
            for seed, (at, done) in enumerate(zip(times.updates, times.solved, strict=True))
        ),
        median=half.median,
        median_low=half.low,
        median_high=half.high,
    )


def problem(
    name: str,
    longest: Sequence[int],
    updates: Sequence[int | None] = (200, 210, 220, 230),
    reach: Sequence[int] | None = None,
) -> Problem:
    """A problem whose seeds hold these lengths, each learnt after these updates."""
    asked = LENGTHS[name]
    learnt = []
    for length in asked:
        solved = [at if top >= length else None for top, at in zip(longest, updates, strict=True)]
        measured = runs(solved).model_dump()
        learnt.append(ProbedLength(length=length, steps=length, attempts=(), **measured))
        if 2 * sum(at is not None for at in solved) < len(solved):
            break
    held = [one.length for one in learnt if 2 * one.solved >= len(longest)]
    reach = longest if reach is None else reach
    return Problem(
        title=f"{name} problem",
        paper="a paper",
        length_means="steps",
        lengths=learnt,
        asked=asked,
        longest_by_seed=longest,
        longest_solved=max(held, default=None),
        beyond={length: [0.95 * (top >= length) for top in reach] for length in asked},
        reach_by_seed=reach,
    )


def gradient(left: float, length: int = 100) -> Gradient:
    """One that falls evenly to the log10 share `left` at the distance that is asked about."""
    from gatewise.diagnostics.probes.summary import decay

    slope = left / SETTINGS.gradient_reach
    curves = [[slope * k * (1 + 0.01 * seed) for k in range(length)] for seed in range(SEEDS)]
    fallen = decay(curves, SETTINGS.gradient_reach)
    return Gradient(start="torch", initial=fallen, trained=fallen)


def report(
    problems: Mapping[str, Problem],
    starts: Mapping[str, Runs] | None = None,
    left: float = -0.5,
    **changes: object,
) -> ProbeReport:
    """The report of one variant."""
    fields = {
        "note": "made up",
        "settings": SETTINGS,
        "probes": problems,
        "starts": starts or {},
        "gradient": gradient(left),
    }
    return ProbeReport.model_validate({**fields, **changes})


def holding(longest: int, updates: Sequence[int | None] = (200, 210, 220, 230)) -> ProbeReport:
    """All seeds hold so many steps of adding, and as many of copy as are asked there."""
    copy = min(longest, LENGTHS["copy"][-1])
    return report(
        {
            "adding": problem("adding", [longest] * SEEDS, updates),
            "copy": problem("copy", [copy] * SEEDS, updates),
        },
        left=-0.5 if longest else -20.0,
    )
