"""Numbers and verdicts in words; scores and differences are shown as their metric says."""

from __future__ import annotations

from collections.abc import Iterable

from gatewise.artifacts.baselines import ScoreSummary
from gatewise.artifacts.comparison import (
    EQUIVALENT,
    UNDECIDED,
    BudgetSensitivity,
    Comparison,
    Pair,
    Ratio,
    TaskComparison,
    TaskMetric,
)
from gatewise.artifacts.costs import Quartiles
from gatewise.artifacts.document import Interval
from gatewise.config.metrics import Metric
from gatewise.report import tuning_words

MISSING = "n/a"

# --- numbers -------------------------------------------------------------------------------


def share(value: float | None, digits: int = 1) -> str:
    """A share of something, which is no score: `97.5 %`."""
    return MISSING if value is None else f"{value:.{digits}%}".replace("%", " %")


def share_difference(value: float) -> str:
    """How far two shares differ: `1.25 points`."""
    return f"{value:+.2%}".replace("%", " points")


def score(summary: ScoreSummary, metric: Metric) -> str:
    """`97.5 +- 0.4 %`: mean and standard deviation over seeds."""
    if summary.std is None:
        return metric.show(summary.mean)
    return f"{metric.number(summary.mean)} ± {metric.show(summary.std)}"


def interval(bounds: Interval | None, metric: Metric) -> str:
    """`97.1 to 97.9`, of a score."""
    return MISSING if bounds is None else metric.interval(bounds)


def difference(value: float | None, metric: Metric) -> str:
    """`+1.25`, of two scores."""
    return MISSING if value is None else metric.difference(value)


def difference_interval(bounds: Interval | None, metric: Metric) -> str:
    """`+0.90 to +1.60`, of the difference of two scores."""
    return MISSING if bounds is None else metric.difference_interval(bounds)


def count(value: float | None) -> str:
    """`25,216`."""
    return MISSING if value is None else f"{value:,.0f}"


def number(value: float | None, digits: int = 2) -> str:
    """Fixed digits."""
    return MISSING if value is None else f"{value:.{digits}f}"


def p_value(value: float | None) -> str:
    """`0.0078`; never rounded to zero."""
    if value is None:
        return MISSING
    return "< 0.0001" if value < 0.0001 else f"{value:.4f}"


def quartiles(timing: Quartiles | None) -> str:
    """`1.24 (1.20 to 1.31)`: a median with its quartiles."""
    if timing is None:
        return MISSING
    return f"{timing.median:.3g} ({timing.q1:.3g} to {timing.q3:.3g})"


def ratio(measured: Ratio | None) -> str:
    """`0.87 (0.84 to 0.90)`: a ratio with its interval, where there is one."""
    if measured is None:
        return MISSING
    bounds = f" ({measured.ci[0]:.2f} to {measured.ci[1]:.2f})" if measured.ci else ""
    return f"{measured.ratio:.2f}{bounds}"


def half_life(steps: float | None) -> str:
    """Steps in which a gradient halves; `None` where it does not shrink."""
    return "does not shrink" if steps is None else f"{steps:.1f}"


# --- headings ------------------------------------------------------------------------------


def heading(metric: TaskMetric) -> str:
    """Over a column of test scores: `test accuracy`, `test log loss (lower is better)`."""
    hint = "" if metric.direction == "higher" else " (lower is better)"
    return f"test {metric.definition.title}{hint}"


def title(name: str, task: TaskComparison) -> str:
    """The task's name and what its data are, honest about synthetic ones."""
    text = task.title
    if task.synthetic and "synthetic" not in text.lower():
        text += " (synthetic data)"
    return name if text == name else f"{name}: {text}"


def ropes(tasks: Iterable[TaskComparison]) -> str:
    """What counts as equivalent: `±0.5 points`, or one amount for each kind of metric."""
    amounts = dict.fromkeys(
        f"±{task.metric.definition.show_amount(task.metric.rope)}" for task in tasks
    )
    return " or ".join(amounts)


def level(comparison: Comparison) -> str:
    """Nominal coverage of the intervals: `95 %`."""
    return f"{100 * (1 - comparison.alpha):g} %"


def footnote(comparison: Comparison) -> str:
    """How to read the tables."""
    return (
        f"Mean ± standard deviation over seeds; {level(comparison)} BCa intervals. "
        "p: exact sign-flip test, Holm-corrected over the "
        f"{comparison.primary_tests} primary pairs of all tasks; secondary pairs are "
        f"uncorrected and exploratory. Equivalent: within {ropes(comparison.tasks.values())}."
    )


# --- verdicts ------------------------------------------------------------------------------


def verdict(pair: Pair) -> str:
    """A pair's verdict in a few words."""
    if pair.winner is not None:
        return f"{pair.winner} beats {pair.other(pair.winner)}"
    if pair.verdict == EQUIVALENT:
        return f"{pair.a} and {pair.b} are equivalent"
    return f"{UNDECIDED}{_still_needed(pair.seeds_needed)}"


def sentence(pair: Pair, metric: Metric) -> str:
    """A pair's verdict with its evidence, for people."""
    if pair.difference is None:
        return f"{pair.a} against {pair.b}: no seed finished with both."
    evidence = (
        f"difference {metric.show_difference(pair.difference)}, "
        f"interval {difference_interval(pair.ci, metric)}, p = {p_value(pair.deciding_p)}"
    )
    if pair.winner is not None:
        return f"{verdict(pair)} ({evidence})."
    if pair.verdict == EQUIVALENT:
        return f"{verdict(pair)} within ±{metric.show_amount(pair.rope)} ({evidence})."
    return f"{pair.a} against {pair.b} is undecided{_still_needed(pair.seeds_needed)} ({evidence})."


def answer(task: TaskComparison) -> list[str]:
    """The task's answer in plain words: a sentence for each primary pair."""
    metric = task.metric.definition
    sentences = [sentence(pair, metric) for pair in task.primary]
    sentences += [budgets(entry) for entry in task.budgets]
    sentences += tuning_words.sentences(task)
    return sentences or ["No primary pair was declared for this task; nothing is decided."]


def budgets(entry: BudgetSensitivity) -> str:
    """Whether a cell's verdict against a reference hangs on what was held equal."""
    cell, reference = entry.cell, entry.reference
    outcome = {
        "cell": f"{cell} wins",
        "reference": f"{reference} wins",
        "equivalent": "they are equivalent",
        "undecided": "it is undecided",
    }
    parts = [f"at {budget.equal} {outcome[budget.winner]}" for budget in entry.budgets]
    close = {
        "flips": "the verdict flips with the budget",
        "changes": "the verdict depends on the budget",
        "none": "the budget does not change the verdict",
    }
    return f"{cell} against {reference}: {', '.join(parts)}; {close[entry.change]}."


def _still_needed(seeds: int | None) -> str:
    if seeds is None:
        return ""
    return f", needs about {seeds:,} more seed{'s' if seeds > 1 else ''}"
