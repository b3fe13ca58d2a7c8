"""The rule: may the candidate be merged, and may it become champion?

**Merge** asks for non-inferiority. Per variant, over all seeds and test groups:

1. *pass*, if the lower bound of the difference (one-sided, level `gate.alpha`) lies above
   `-gate.margin`. All variants must pass, so this needs no correction;
2. else *regression*, if the candidate is significantly worse;
3. else *undecided*, with the seeds that would settle it.

A slice is a regression if it is significantly worse and its fall exceeds `gate.slices.margin`.
False alarms: tests of "worse" share `gate.alpha`, half of it over all whole-test-set
comparisons and half over all slices, each by Holm's method. A broken budget or data check is a
regression too.

**Promotion** asks for more: a candidate is promoted that is significantly better than the
champion (Holm over the candidates), or that is equivalent to it within `compare.rope` and
cheaper by the stated rule (at least `gate.cheaper` fewer multiply-accumulates per step and no
more parameters). The best score never suffices.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from gatewise.config import GateConfig
from gatewise.delivery.gate.costs import Budget
from gatewise.delivery.gate.drift import Finding
from gatewise.delivery.gate.interval import Difference
from gatewise.evidence import statistics
from gatewise.tracking.registry import saves

PASS, REGRESSION, UNDECIDED = "pass", "regression", "undecided"
MOST_SEEDS = 10_000


@dataclass
class Check:
    """One candidate variant against its reference: what was found and what follows."""

    task: str
    variant: str
    reference: str
    """The reference's variant."""
    origin: str
    """Where the reference comes from, in words."""
    metric: str
    must_pass: bool
    """Whether the merge hangs on it; other variants are challengers only."""
    overall: Difference | None = None
    slices: dict[str, Difference] = field(default_factory=dict)
    budgets: list[Budget] = field(default_factory=list)
    data: list[Finding] = field(default_factory=list)
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


@dataclass(frozen=True)
class Promotion:
    """Whether a task's champion is replaced, by what and why."""

    task: str
    promote: bool
    variant: str | None
    reason: str


def decide(checks: Sequence[Check], settings: GateConfig) -> str:
    """Fill in every check's verdict; returns the worst of those that must pass."""
    judged = [check for check in checks if check.must_pass]
    half = settings.alpha / 2
    whole = [check for check in judged if check.overall is not None]
    corrected = statistics.holm([c.overall.p_below() for c in whole if c.overall])
    for check, p in zip(whole, corrected, strict=True):
        check.p_worse = p
    challengers = [[check] for check in checks if not check.must_pass]
    for family in [judged, *challengers]:
        parts = [(check, name) for check in family for name in check.slices]
        corrected = statistics.holm([check.slices[name].p_below() for check, name in parts])
        for (check, name), p in zip(parts, corrected, strict=True):
            check.p_slices[name] = 1.0 if p is None else p
    for check in checks:
        _judge(check, settings, half)
    found = {check.verdict for check in judged}
    return next((v for v in (REGRESSION, UNDECIDED) if v in found), PASS)


def _judge(check: Check, settings: GateConfig, level: float) -> None:
    broken = [f"{b.name}: {_ratio(b)}" for b in check.budgets if b.violated]
    if settings.data.action == "fail":
        broken += [f"{f.check}: {f.sentence}" for f in check.data if f.violated]
    check.fallen = [
        name
        for name, p in check.p_slices.items()
        if p <= level and check.slices[name].value < -settings.slices.margin
    ]
    broken += [
        f"{name} fell by {-100 * check.slices[name].value:.1f} points" for name in check.fallen
    ]
    found = check.overall
    if found is None:
        check.reasons = broken or ["too few test examples to say anything"]
        check.verdict = REGRESSION if broken else UNDECIDED
        return
    low, high = found.bounds(settings.alpha)
    span = f"{100 * found.value:+.2f} points, bounds {100 * low:+.2f} to {100 * high:+.2f}"
    if low > -settings.margin:
        verdict, reason = PASS, f"not worse by {100 * settings.margin:g} points ({span})"
    elif check.p_worse is not None and check.p_worse <= level:
        verdict, reason = REGRESSION, f"worse than the reference ({span})"
    else:
        verdict = UNDECIDED
        check.seeds_needed = seeds_needed(found, settings)
        reason = f"{_settle(found, check.seeds_needed, settings)} ({span})"
    check.verdict = REGRESSION if broken else verdict
    check.reasons = [*broken, reason]


def seeds_needed(found: Difference, settings: GateConfig) -> int | None:
    """Seeds to add before a harmless change passes with the wanted power.

    `None` where no number of seeds would do, because the test groups alone leave more doubt
    than the margin allows, or more than `MOST_SEEDS` would be needed.
    """
    z, room = _room(found, settings)
    if room <= 0:
        return None
    fleeting = (1 - found.lasting) * found.se_units**2 * found.seeds
    total = statistics.seeds_for_power(
        max((found.spread**2 + fleeting) ** 0.5, 1e-9),
        z * room**0.5,
        settings.alpha,
        settings.power,
    )
    if total is None or total > MOST_SEEDS:
        return None
    return max(1, total - found.seeds)


def _room(found: Difference, settings: GateConfig) -> tuple[float, float]:
    """Standard errors that fit into the margin, and the square of what is left for the seeds.

    Both errors add in squares. Of the groups' error only the lasting part stays; the rest
    shrinks as the seeds' own does.
    """
    from scipy import stats

    z = float(stats.norm.isf(settings.alpha) + stats.norm.isf(1 - settings.power))
    return z, (settings.margin / z) ** 2 - found.lasting * found.se_units**2


def promotion(
    task: str,
    checks: Sequence[Check],
    verdict: str,
    costs: Mapping[str, tuple[float, float]],
    settings: GateConfig,
    rope: float,
) -> Promotion:
    """Whether one of a task's candidates replaces the champion.

    Args:
        task: its name.
        checks: every candidate against the champion, judged.
        verdict: the merge verdict of the task.
        costs: multiply-accumulates per step and parameters of each candidate variant, and under
            the empty name those of the champion.
        settings: the gate's.
        rope: differences within this count as equal.
    """
    if verdict != PASS:
        return Promotion(task, False, None, f"the gate says {verdict}")
    able = [check for check in checks if check.overall is not None and not _bars(check, settings)]
    corrected = statistics.holm([c.overall.p_above() for c in able if c.overall])
    better = [
        check
        for check, p in zip(able, corrected, strict=True)
        if p is not None and p <= settings.alpha
    ]
    if better:
        best = max(better, key=lambda check: check.overall.value if check.overall else 0.0)
        assert best.overall is not None  # noqa: S101
        low, high = best.overall.bounds(settings.alpha / 2)
        return Promotion(
            task,
            True,
            best.variant,
            f"better than the champion by {100 * best.overall.value:.2f} points "
            f"({100 * low:+.2f} to {100 * high:+.2f})",
        )
    equal = []
    for check in able:
        assert check.overall is not None  # noqa: S101
        low, high = check.overall.bounds(settings.alpha / max(1, len(able)))
        if low > -rope and high < rope:
            equal.append(check)
    cheaper = [c for c in equal if saves(costs[c.variant], costs[""], settings.cheaper)]
    if cheaper:
        least = min(cheaper, key=lambda check: costs[check.variant])
        saved = 1 - costs[least.variant][0] / costs[""][0]
        return Promotion(
            task,
            True,
            least.variant,
            f"equivalent to the champion within {100 * rope:g} points and needs "
            f"{100 * saved:.0f} % fewer multiply-accumulates",
        )
    return Promotion(task, False, None, "no candidate is shown to be better, or equal and cheaper")


def _bars(check: Check, settings: GateConfig) -> bool:
    """Whether something other than the score keeps a candidate from promotion."""
    drifted = settings.data.action == "fail" and any(f.violated for f in check.data)
    return drifted or any(b.violated for b in check.budgets) or bool(check.fallen)


def _ratio(budget: Budget) -> str:
    return (
        f"{budget.candidate:,.6g} against {budget.reference:,.6g} {budget.unit}".rstrip()
        + f", {budget.ratio:.2f} times (at most {budget.limit:g})"
    )


def _settle(found: Difference, needed: int | None, settings: GateConfig) -> str:
    if needed is not None:
        more = "seed" if needed == 1 else "seeds"
        return f"undecided; about {needed:,} more {more} would settle it"
    doubt = 1.645 * found.lasting**0.5 * found.se_units
    if _room(found, settings)[1] > 0:
        return (
            f"undecided, and more than {MOST_SEEDS:,} seeds would be needed: they differ by "
            f"±{100 * found.spread:.1f} points where the margin is {100 * settings.margin:g}"
        )
    return (
        "undecided, and no number of seeds would settle it: the test groups alone leave "
        f"±{100 * doubt:.1f} points of doubt where the margin is "
        f"{100 * settings.margin:g}; more test groups would"
    )
