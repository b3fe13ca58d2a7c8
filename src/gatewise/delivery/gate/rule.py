"""The rule of the merge: may the candidate take the reference's place?

Per variant, over all seeds and test groups, non-inferiority is asked for:

1. *pass*, if the lower bound of the gain (one-sided, level `gate.alpha`) lies above
   `-gate.margin`. All variants must pass, so this needs no correction;
2. else *regression*, if the candidate is significantly worse;
3. else *undecided*, with the seeds that would settle it.

The gain is the difference turned so that above zero is better, whichever way the metric goes.
A slice is a regression if it is significantly worse and its accuracy falls by more than
`gate.slices.margin`. False alarms: tests of "worse" share `gate.alpha`, half of it over all
whole-test-set comparisons and half over all slices, each by Holm's method. A broken budget or
data check is a regression too. Becoming champion asks for more: see `promotion`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from gatewise.config import GateConfig
from gatewise.config.metrics import Metric
from gatewise.delivery.gate import slices
from gatewise.delivery.gate.costs import Budget
from gatewise.delivery.gate.drift import DataCheck
from gatewise.delivery.gate.interval import Difference
from gatewise.evidence import statistics

PASS, REGRESSION, UNDECIDED = "pass", "regression", "undecided"
MOST_SEEDS = 10_000


@dataclass
class Check:
    """One candidate variant against its reference: what was measured and what follows."""

    task: str
    variant: str
    reference: str
    """The reference's variant."""
    origin: str
    """Where the reference comes from, in words."""
    metric: Metric
    """The task's primary metric; slices go by `slice_metric`."""
    must_pass: bool
    """Whether the merge hangs on it; other variants are challengers only."""
    overall: Difference | None = None
    slices: dict[str, Difference] = field(default_factory=dict)
    budgets: list[Budget] = field(default_factory=list)
    data: list[DataCheck] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    verdict: str = UNDECIDED
    reasons: list[str] = field(default_factory=list)
    fallen: list[str] = field(default_factory=list)
    """Slices that fell."""
    p_worse: float | None = None
    """Corrected."""
    p_slices: dict[str, float] = field(default_factory=dict)
    """Corrected."""
    seeds_needed: int | None = None

    @property
    def gain(self) -> Difference | None:
        """`overall`, turned so that above zero is better."""
        return None if self.overall is None else self.overall.gain(self.metric)

    def slice_gain(self, name: str) -> Difference:
        """The slice's difference, turned so that above zero is better."""
        return self.slices[name].gain(self.slice_metric)

    @property
    def slice_metric(self) -> Metric:
        """What slices are scored by."""
        return slices.scored_by(self.metric)

    def span(self, alpha: float) -> str:
        """The difference with its bounds in words: `-2.00 points, bounds -3.01 to -1.02`."""
        if self.overall is None:
            return "no difference known"
        low, high = self.overall.bounds(alpha)
        return (
            f"{self.metric.show_difference(self.overall.value)}, bounds "
            f"{self.metric.difference(low)} to {self.metric.difference(high)}"
        )

    def barred(self, settings: GateConfig) -> bool:
        """Whether something other than the score keeps the candidate from promotion."""
        drifted = settings.data.action == "fail" and any(d.violated for d in self.data)
        return drifted or any(b.violated for b in self.budgets) or bool(self.fallen)


def worst(verdicts: Sequence[str]) -> str:
    """What several verdicts come to; nothing to judge passes."""
    return next((v for v in (REGRESSION, UNDECIDED) if v in verdicts), PASS)


def decide(checks: Sequence[Check], settings: GateConfig) -> str:
    """Fill in every check's verdict; returns the worst of those that must pass."""
    judged = [check for check in checks if check.must_pass]
    half = settings.alpha / 2
    gains = [(check, check.gain) for check in judged]
    known = [(check, gain) for check, gain in gains if gain is not None]
    corrected = statistics.holm([gain.p_below() for _, gain in known])
    for (check, _), p in zip(known, corrected, strict=True):
        check.p_worse = p
    challengers = [[check] for check in checks if not check.must_pass]
    for family in [judged, *challengers]:
        parts = [(check, name) for check in family for name in check.slices]
        corrected = statistics.holm([check.slice_gain(name).p_below() for check, name in parts])
        for (check, name), p in zip(parts, corrected, strict=True):
            check.p_slices[name] = 1.0 if p is None else p
    for check in checks:
        _judge(check, settings, half)
    return worst([check.verdict for check in judged])


def _judge(check: Check, settings: GateConfig, level: float) -> None:
    broken = [f"{b.name}: {_ratio(b)}" for b in check.budgets if b.violated]
    if settings.data.action == "fail":
        broken += [f"{d.check}: {d.sentence}" for d in check.data if d.violated]
    check.fallen = [
        name
        for name, p in check.p_slices.items()
        if p <= level and check.slice_gain(name).value < -settings.slices.margin
    ]
    broken += [
        f"{name} fell by {check.slice_metric.show_amount(-check.slice_gain(name).value)}"
        for name in check.fallen
    ]
    if check.gain is None:
        check.reasons = broken or ["too few test examples to say anything"]
        check.verdict = REGRESSION if broken else UNDECIDED
        return
    verdict, reason = _of_the_whole(check, check.gain, settings, level)
    check.verdict = REGRESSION if broken else verdict
    check.reasons = [*broken, f"{reason} ({check.span(settings.alpha)})"]


def _of_the_whole(
    check: Check, gain: Difference, settings: GateConfig, level: float
) -> tuple[str, str]:
    """Verdict and reason by the whole test set's score."""
    low, _ = gain.bounds(settings.alpha)
    if low > -settings.margin:
        return PASS, f"not worse by {check.metric.show_amount(settings.margin)}"
    if check.p_worse is not None and check.p_worse <= level:
        return REGRESSION, "worse than the reference"
    check.seeds_needed = seeds_needed(gain, settings)
    return UNDECIDED, _settle(gain, check.metric, check.seeds_needed, settings)


def seeds_needed(gain: Difference, settings: GateConfig) -> int | None:
    """Seeds to add before a harmless change passes with the wanted power.

    `None` where no number of seeds would do, because the test groups alone leave more doubt
    than the margin allows, or more than `MOST_SEEDS` would be needed.
    """
    z, room = _room(gain, settings)
    if room <= 0:
        return None
    fleeting = (1 - gain.lasting) * gain.se_units**2 * gain.seeds
    total = statistics.seeds_for_power(
        max((gain.spread**2 + fleeting) ** 0.5, 1e-9),
        z * room**0.5,
        settings.alpha,
        settings.power,
    )
    if total is None or total > MOST_SEEDS:
        return None
    return max(1, total - gain.seeds)


def _room(gain: Difference, settings: GateConfig) -> tuple[float, float]:
    """Standard errors that fit into the margin, and the square of what is left for the seeds.

    Both errors add in squares. Of the groups' error only the lasting part stays; the rest
    shrinks as the seeds' own does.
    """
    from scipy import stats

    z = float(stats.norm.isf(settings.alpha) + stats.norm.isf(1 - settings.power))
    return z, (settings.margin / z) ** 2 - gain.lasting * gain.se_units**2


def _ratio(budget: Budget) -> str:
    return (
        f"{budget.candidate:,.6g} against {budget.reference:,.6g} {budget.unit}".rstrip()
        + f", {budget.ratio:.2f} times (at most {budget.limit:g})"
    )


def _settle(gain: Difference, metric: Metric, needed: int | None, settings: GateConfig) -> str:
    if needed is not None:
        more = "seed" if needed == 1 else "seeds"
        return f"undecided; about {needed:,} more {more} would settle it"
    margin = metric.show_amount(settings.margin)
    if _room(gain, settings)[1] > 0:
        return (
            f"undecided, and more than {MOST_SEEDS:,} seeds would be needed: they differ by "
            f"±{metric.show_amount(gain.spread)} where the margin is {margin}"
        )
    doubt = 1.645 * gain.lasting**0.5 * gain.se_units
    return (
        "undecided, and no number of seeds would settle it: the test groups alone leave "
        f"±{metric.show_amount(doubt)} of doubt where the margin is {margin}; more test groups "
        "would"
    )
