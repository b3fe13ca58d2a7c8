"""Numbers and verdicts in words; scores and differences are shown as their metric says."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gatewise.artifacts.answer import Answer
from gatewise.artifacts.baselines import ScoreSummary
from gatewise.artifacts.comparison import (
    EQUIVALENT,
    UNDECIDED,
    BudgetSensitivity,
    Comparison,
    Finding,
    Pair,
    Ratio,
    TaskComparison,
    TaskMetric,
)
from gatewise.artifacts.costs import Quartiles
from gatewise.artifacts.document import Interval
from gatewise.artifacts.probes import Runs
from gatewise.config.metrics import Metric
from gatewise.evidence import allocation, answer_words, promise_words
from gatewise.evidence.gradients import left as gradient_share
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


def updates(runs: Runs) -> str:
    """Updates after which half of the runs have solved it: `150 (125 to 200)`."""
    if runs.median is None:
        return f"> {max(run.updates for run in runs.runs):,}"
    low, high = (
        "?" if bound is None else f"{bound:,.0f}" for bound in (runs.median_low, runs.median_high)
    )
    return f"{runs.median:,.0f} ({low} to {high})"


def left(log10_shares: Sequence[float]) -> str:
    """Shares of a gradient, given as logarithms: mean and range, `62 % (31 % to 88 %)`."""
    mean = sum(log10_shares) / len(log10_shares)
    low, high = min(log10_shares), max(log10_shares)
    return f"{gradient_share(mean)} ({gradient_share(low)} to {gradient_share(high)})"


def effect(finding: Finding) -> str:
    """A finding's effect with interval and seeds: `reviews: 0.83 (0.79 to 0.88), n = 8`."""
    parts = [] if finding.effect is None else [f"{finding.effect:.3g}"]
    if finding.interval is not None:
        parts.append(f"({finding.interval[0]:.3g} to {finding.interval[1]:.3g})")
    said = " ".join(parts) or finding.verdict
    seeds = "" if finding.n is None else f", n = {finding.n}"
    return f"{finding.where}: {said}{seeds}" if finding.where else f"{said}{seeds}"


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
        "p: exact sign-flip test (of equivalent pairs: two one-sided tests), Holm-corrected over "
        f"the {comparison.primary_tests} primary pairs of all tasks; secondary pairs are "
        f"uncorrected and exploratory. Equivalent: within {ropes(comparison.tasks.values())}."
        f"{_saved(comparison)}"
    )


def _saved(comparison: Comparison) -> str:
    """What adding seeds in rounds saved, where it saved something."""
    runs = allocation.runs_saved(comparison)
    if not runs:
        return ""
    return f" The race saved {runs:,} runs against as many seeds of every variant on every task."


# --- verdicts ------------------------------------------------------------------------------


def verdict(pair: Pair) -> str:
    """A pair's verdict in a few words."""
    if pair.winner is not None:
        return f"{pair.winner} beats {pair.other(pair.winner)}"
    if pair.verdict == EQUIVALENT:
        return f"{pair.a} and {pair.b} are equivalent"
    return f"{UNDECIDED}{_still_needed(pair)}"


def sentence(pair: Pair, metric: Metric) -> str:
    """A pair's verdict with its evidence, for people."""
    if pair.difference is None:
        return f"{pair.a} against {pair.b}: no seed finished with both."
    evidence = (
        f"difference {metric.show_difference(pair.difference)}, "
        f"interval {difference_interval(pair.ci, metric)}, {_deciding(pair)}"
    )
    if pair.winner is not None:
        return f"{verdict(pair)} ({evidence})."
    if pair.verdict == EQUIVALENT:
        return f"{verdict(pair)} within ±{metric.show_amount(pair.rope)} ({evidence})."
    return f"{pair.a} against {pair.b} is undecided{_still_needed(pair)} ({evidence})."


def deciding_p(pair: Pair) -> str:
    """The p-value that decided a verdict: of two one-sided tests where that is equivalence."""
    if pair.verdict == EQUIVALENT:
        return f"{p_value(pair.deciding_p_equivalence)} (equivalence)"
    return p_value(pair.deciding_p)


def _deciding(pair: Pair) -> str:
    if pair.verdict == EQUIVALENT:
        return f"p of equivalence = {p_value(pair.deciding_p_equivalence)}"
    return f"p = {p_value(pair.deciding_p)}"


def answer(task: TaskComparison) -> list[str]:
    """The task's answer in plain words: what to take, then a sentence for each primary pair."""
    return [taken(task), *verdicts(task)]


def taken(task: TaskComparison) -> str:
    """What to take, in one sentence."""
    if task.answer is None:
        return "No usable run: there is no answer."
    return f"{task.answer.sentence}."


def verdicts(task: TaskComparison) -> list[str]:
    """A sentence for each primary pair, and for each budget that a verdict may hang on."""
    metric = task.metric.definition
    sentences = [sentence(pair, metric) for pair in task.primary]
    sentences += [budgets(entry) for entry in task.budgets]
    sentences += tuning_words.sentences(task)
    return sentences or ["No primary pair was declared for this task; nothing is decided."]


@dataclass(frozen=True)
class AnswerParts:
    """An answer's sentence, taken apart for a page."""

    take: str
    """`Take gru`."""
    why: str
    """What that can cost at worst and what it saves."""
    beside: tuple[str, ...]
    """What else there is to say."""


def answer_parts(found: Answer) -> AnswerParts:
    """The answer's sentence in parts, each with a capital."""
    first, *rest = found.sentence.split("; ")
    take, _, why = first.partition(": ")
    return AnswerParts(_capital(take), why, tuple(map(_capital, rest)))


def basis(found: Answer) -> str:
    """What an answer's bounds rest on and speak of."""
    return (
        f"Bounds for all variants at once, {100 * found.level:g} %, from {found.unit_words}; "
        f"they speak of {found.generalises_over}. Costs are multiples of {found.choice}'s."
    )


def promised(task: TaskComparison, power: float) -> list[str]:
    """What the study could tell beforehand, and what it turned out to be able to tell."""
    metric, made = task.metric.definition, task.promise
    if made is None:
        return []
    if task.outcome is None:
        return promise_words.sentences(made, metric, power)
    limit = promise_words.sentences(made, metric, power)[1:]
    return [promise_words.compared(made, task.outcome, metric), *limit]


def shortfall(value: float | None, metric: Metric) -> str:
    """An upper bound of how far the best lies above: `0.9 points`, rounded up."""
    return "unknown" if value is None else answer_words.amount(value, metric)


def warnings(task: TaskComparison) -> tuple[str, ...]:
    """What limits the task's evidence and its answer."""
    return (*task.warnings, *(task.answer.caveats if task.answer else ()))


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


def _still_needed(pair: Pair) -> str:
    seeds = pair.seeds_needed
    if seeds is None:
        return ""
    text = f", needs about {seeds:,} more seed{'s' if seeds > 1 else ''}"
    if pair.seeds_needed_interval is None:
        return text
    low, high = pair.seeds_needed_interval
    return f"{text}, {low:,} to {high:,}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
