"""Rules for how many trials and seeds the minutes suffice for, given this machine's pace."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from gatewise.data.understanding import Understanding
from gatewise.evidence import promise
from gatewise.repro.studies.choices import Chosen, Section
from gatewise.repro.studies.sizes import SplitSizes
from gatewise.repro.studies.timing import Pace

FIXED = 60.0
"""Seconds of a study beside its runs and its data: starting, costs, weighing, the page."""
PER_RUN = 2.0
"""Seconds of a run beside its steps."""
AROUND_A_STEP = 1.4
"""Times its own duration that a step takes with loading, augmentation and validation."""
LEAST_LEARNING = 15.0
"""Seconds that the runs of even the least plan take together: networks that have hardly begun to
learn would lose to the linear model for that alone."""
PER_CLIP, PER_TEXT, PER_IMAGE = 0.004, 0.0002, 0.002
"""Seconds that fetching and preparing an example takes."""
LINEAR = 0.00002
"""Seconds that the linear model takes for each training text and label."""


@dataclass(frozen=True)
class Plan:
    """How much is tried."""

    trials: int
    """Settings that each variant tries; 0 tunes nothing."""
    first: int
    """Seeds of each variant."""
    step: int
    """Seeds that are added while the task is unanswered."""
    cap: int
    shortest: float = 1.0
    """Share of the updates with which it may still be taken; runs are then shorter."""

    def runs(self, variants: int) -> int:
        """Runs before the first look."""
        return variants * (self.trials + self.first)


LADDER = (
    Plan(8, 8, 8, 32),
    Plan(5, 8, 8, 24),
    Plan(4, 8, 8, 16),
    Plan(3, 6, 6, 12),
    Plan(0, 6, 6, 12),
    Plan(0, 5, 0, 5, 0.6),
    Plan(0, 3, 0, 3, 0.01),
)
"""From what answers best to the least that compares at all; the first that fits is taken. With
fewer than five seeds nothing can be bounded, so five shorter runs go before three whole ones."""


@dataclass(frozen=True)
class Budget:
    """What fits into the minutes."""

    plan: Plan
    share: float
    """Of the updates that a run would have with time enough."""
    run_seconds: float
    """Of one run."""
    total_seconds: float
    """Of the study up to its first look; more than was asked for where even the least does not
    fit."""
    minutes: float
    """That were asked for."""
    workers: int
    """Runs that are trained at once."""

    def stage_seconds(self, task: str, variants: Iterable[str]) -> dict[str, float]:
        """What stages of learning will take, by name, up to the first look."""
        each = self.run_seconds / self.workers
        took: dict[str, float] = {}
        for variant in variants:
            took[f"tune@{task}-{variant}"] = max(1.0, each * self.plan.trials)
            took[f"train@{task}-{variant}"] = each * self.plan.first
            took[f"probe@{variant}"] = 1.0  # there is next to nothing to ask
        return {name: round(seconds, 1) for name, seconds in took.items()}


def fit(
    minutes: float, data: Understanding, sizes: SplitSizes, updates: int, variants: int, pace: Pace
) -> Budget:
    """The richest plan that fits, with shorter runs where none does.

    Args:
        minutes: that the study may take.
        data: what it is about.
        sizes: of its splits.
        updates: training steps of a run.
        variants: that are compared.
        pace: of this machine.
    """
    around = FIXED + _on_data(data, sizes)
    learning = AROUND_A_STEP * updates * pace.step_seconds
    plan, share = LADDER[-1], 0.0
    for plan in LADDER:
        wall = 60 * minutes - around
        wall = max(wall, LEAST_LEARNING) if plan is LADDER[-1] else wall
        room = wall * pace.workers / plan.runs(variants) - PER_RUN
        share = min(room / learning, 1.0)
        if share >= plan.shortest:
            break
    share = max(share, plan.shortest)
    run = PER_RUN + share * learning
    total = around + plan.runs(variants) * run / pace.workers
    return Budget(plan, share, run, total, minutes, pace.workers)


def _on_data(data: Understanding, sizes: SplitSizes) -> float:
    if data.kind == "audio":
        return PER_CLIP * data.examples
    if data.kind == "image":
        return PER_IMAGE * data.examples
    return PER_TEXT * data.examples + LINEAR * sizes.train * len(data.labels)


def tuning(budget: Budget, space: dict[str, object]) -> Section:
    """The section `tuning`."""
    if not budget.plan.trials:
        unit = "minute" if budget.minutes == 1 else "minutes"
        return {"trials": Chosen(0, f"no time for any within {budget.minutes:g} {unit}")}
    return {
        "trials": Chosen(
            budget.plan.trials, "settings that each variant tries, the declared first"
        ),
        "space": Chosen(space, "what matters most, to both sides of the declared one"),
    }


def seeds(budget: Budget) -> Chosen:
    """The value of `seeds`."""
    plan = budget.plan
    said = (
        f"a run takes about {_seconds(budget.run_seconds)} here, these "
        f"{budget.total_seconds / 60:.1f} minutes of the {budget.minutes:g} asked for"
    )
    if not plan.step:
        few = "; too few seeds to bound anything: --minutes gives more" if plan.first < 5 else ""
        return Chosen(plan.first, said + few)
    rounds = {"first": plan.first, "step": plan.step, "cap": plan.cap}
    return Chosen(
        {**rounds, "minutes": budget.minutes}, f"{said}; then more while there is no answer"
    )


def tolerance(sizes: SplitSizes, *, drawn: bool, plan: Plan) -> tuple[Chosen, Chosen]:
    """`compare.tolerance` and `compare.rope`: what the test examples can tell apart.

    Args:
        sizes: of the splits.
        drawn: whether each seed tests on others, so that they add up.
        plan: how many seeds there are.
    """
    examples = max(sizes.test, 1) * (plan.first if drawn else 1)
    noise = 1.96 * math.sqrt(promise.DISAGREEMENT / examples)
    # Nor finer than a single example of a run.
    finest = max(noise, 1 / max(sizes.test, 1))
    points = min(max(math.ceil(200 * finest - 1e-9) / 2, 1.0), 10.0)
    many = f"{examples:,} test examples" + (" over the seeds" if drawn else "")
    unit = "point" if points == 1 else "points"
    return (
        Chosen(points / 100, f"{points:g} {unit}: {many} tell about {100 * noise:.1f} apart"),
        Chosen(points / 200, "half of it counts as no difference"),
    )


def _seconds(value: float) -> str:
    return f"{value:.0f} s" if value >= 10 else f"{value:.1f} s"
