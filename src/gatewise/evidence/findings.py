"""What one task says about LSTM against GRU: a verdict, a sentence, an interval.

Tests are those of `gatewise.evidence.statistics`, two-sided at `compare.alpha`, uncorrected:
findings that rest on a primary pair take over that pair's corrected verdict instead.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from gatewise.artifacts.comparison import (
    UNDECIDED,
    Comparison,
    Finding,
    Pair,
    TaskComparison,
    VariantSummary,
)
from gatewise.artifacts.document import Interval
from gatewise.config.work import Work
from gatewise.evidence import statistics

Verdict = Literal["supported", "refuted", "inconclusive"]
SUPPORTED: Verdict = "supported"
REFUTED: Verdict = "refuted"
INCONCLUSIVE: Verdict = "inconclusive"


@dataclass(frozen=True)
class Representatives:
    """Which variants of a study stand for the textbook's LSTM, GRU and vanilla RNN."""

    lstm: str | None
    gru: str | None
    """Of the LSTM's width, where there is one."""
    rnn: str | None

    def on(self, task: TaskComparison) -> tuple[VariantSummary, VariantSummary] | None:
        """The task's entries of LSTM and GRU, if it has both."""
        lstm, gru = (task.variants.get(name or "") for name in (self.lstm, self.gru))
        return None if lstm is None or gru is None else (lstm, gru)


LookAtTask = Callable[[str, TaskComparison, Representatives, float], Finding | None]
"""What one task (by name) says, tested at a level; `None` where it cannot say anything."""


@dataclass(frozen=True)
class MeanTest:
    """Whether the mean of differences lies below zero beyond chance."""

    verdict: Verdict
    """Supported where below, refuted where above."""
    mean: float
    interval: Interval | None
    p_value: float | None


def below_zero(differences: Sequence[float], alpha: float) -> MeanTest:
    """Test and interval of differences, one a seed."""
    test = statistics.sign_flip(differences)
    mean = sum(differences) / len(differences)
    verdict = INCONCLUSIVE
    if test is not None and test.two_sided <= alpha:
        verdict = SUPPORTED if mean < 0 else REFUTED
    interval = statistics.mean_interval(differences, 1 - alpha)
    return MeanTest(verdict, mean, interval, test.two_sided if test else None)


# --- structure and cost --------------------------------------------------------------------


def gates(
    _name: str, task: TaskComparison, names: Representatives, _alpha: float
) -> Finding | None:
    """Whether the cells have the gates and states that the textbook gives them."""
    both = names.on(task)
    if both is None or both[0].structure is None or both[1].structure is None:
        return None
    lstm, gru = both[0].structure, both[1].structure
    right = (len(lstm.gates), len(gru.gates)) == (3, 2)
    right = right and "c" in lstm.states and "c" not in gru.states
    listed = [f"{', '.join(s.gates)} (states {', '.join(s.states)})" for s in (lstm, gru)]
    return Finding(
        verdict=SUPPORTED if right else REFUTED,
        where="the cells",
        sentence=f"LSTM: {listed[0]}; GRU: {listed[1]}, as implemented.",
    )


def fewer_parameters(
    name: str, task: TaskComparison, names: Representatives, _alpha: float
) -> Finding | None:
    """Whether a GRU has three quarters of an LSTM's recurrent parameters."""
    both = names.on(task)
    if both is None:
        return None
    lstm, gru = (variant.recurrent_parameters for variant in both)
    as_said = abs(gru / lstm - 0.75) < 0.005
    return _ratio_of_counts(name, gru, lstm, as_said, "parameters")


def fewer_macs(
    name: str, task: TaskComparison, names: Representatives, _alpha: float
) -> Finding | None:
    """Whether a GRU needs fewer multiply-accumulates than an LSTM."""
    both = names.on(task)
    if both is None:
        return None
    lstm, gru = (variant.macs_per_step for variant in both)
    return _ratio_of_counts(name, gru, lstm, gru < lstm, "macs_per_step")


def _ratio_of_counts(name: str, gru: int, lstm: int, as_said: bool, picture: str) -> Finding:
    ratio = gru / lstm
    return Finding(
        verdict=SUPPORTED if as_said else REFUTED,
        where=name,
        sentence=f"{name}: {gru:,} against {lstm:,}, a ratio of {ratio:.3f}.",
        effect=ratio,
        link=f"chart-{name}--{picture}",
    )


def _step_ratio(
    task: TaskComparison, names: Representatives
) -> tuple[float, Interval | None] | None:
    """A GRU's training step to an LSTM's, with its interval."""
    for pair in task.pairs:
        timed = pair.step_time
        if {pair.a, pair.b} == {names.lstm, names.gru} and timed is not None:
            power = 1 if pair.a == names.gru else -1
            ratio = timed.ratio**power
            if timed.ci is None:
                return ratio, None
            low, high = sorted(bound**power for bound in timed.ci)
            return ratio, (low, high)
    return None


def step_time(
    name: str, task: TaskComparison, names: Representatives, _alpha: float
) -> Finding | None:
    """Whether a GRU's training step takes less time than an LSTM's."""
    timed = _step_ratio(task, names)
    if timed is None:
        return None
    ratio, interval = timed
    said = f"{name}: {ratio:.2f} times as long a step"
    if interval is None:
        said = f"{said}, in too few rounds for an interval."
        return Finding(verdict=INCONCLUSIVE, where=name, sentence=said, effect=ratio, link="costs")
    low, high = interval
    verdict = SUPPORTED if high < 1 else REFUTED if low > 1 else INCONCLUSIVE
    return Finding(
        verdict=verdict,
        where=name,
        sentence=f"{said} ({low:.2f} to {high:.2f}){_where_timed(task)}."
        + _macs_disagree(task, names, verdict),
        effect=ratio,
        interval=interval,
        link="costs",
    )


def time_to_target(
    name: str, task: TaskComparison, names: Representatives, alpha: float
) -> Finding | None:
    """Epochs to the target, seed by seed, times the ratio of the steps.

    That ratio is measured, too: what is said has to hold at both ends of its interval.
    """
    both, step = names.on(task), _step_ratio(task, names)
    if both is None or step is None:
        return None
    if step[1] is None:
        said = f"{name}: a step was timed in too few rounds."
        return Finding(verdict=INCONCLUSIVE, where=name, sentence=said)
    lstm, gru = ([e for e in v.epochs_to_target if e is not None] for v in both)
    planned = [len(variant.epochs_to_target) for variant in both]
    if not all(planned) or [len(lstm), len(gru)] != planned or len(lstm) != len(gru):
        missed = sum(planned) - len(lstm) - len(gru)
        why = f"{missed} runs never reached the target" if missed else "a seed is missing"
        said = f"{name}: {why}."
        return Finding(verdict=INCONCLUSIVE, where=name, sentence=said, n=min(planned))
    d = np.log2(gru) - np.log2(lstm)
    ends = [below_zero((d + math.log2(bound)).tolist(), alpha) for bound in step[1]]
    verdicts = {end.verdict for end in ends}
    verdict = verdicts.pop() if len(verdicts) == 1 else INCONCLUSIVE
    ratio = step[0] * 2 ** float(np.mean(d))
    said = f"{name}: {ratio:.2f} times as long to the target"
    least, most = (end.interval for end in ends)
    if least is None or most is None:
        said, interval = f"{said}, from one seed.", None
    else:
        interval = 2 ** least[0], 2 ** most[1]
        said = f"{said} ({interval[0]:.2f} to {interval[1]:.2f}){_where_timed(task)}."
        said += _macs_disagree(task, names, verdict)
    return Finding(
        verdict=verdict,
        where=name,
        n=len(d),
        sentence=said,
        effect=ratio,
        interval=interval,
        link="costs",
    )


def _where_timed(task: TaskComparison) -> str:
    return f" on {task.cost_device}" if task.cost_device else ""


def _macs_disagree(task: TaskComparison, names: Representatives, verdict: Verdict) -> str:
    """What the multiply-accumulates say, where it is the opposite of what the clock says."""
    both = names.on(task)
    if both is None or verdict == INCONCLUSIVE:
        return ""
    ratio = both[1].macs_per_step / both[0].macs_per_step
    if ratio == 1 or (ratio < 1) == (verdict == SUPPORTED):
        return ""
    return f" The multiply-accumulates say the opposite ({ratio:.2f})."


def gap(name: str, task: TaskComparison, names: Representatives, alpha: float) -> Finding | None:
    """Whether a GRU's scores on training and test data differ less than an LSTM's."""
    both = names.on(task)
    if both is None:
        return None
    metric = task.metric.definition
    lstm, gru = (dict(zip(v.seeds, map(metric.gain, v.gaps), strict=False)) for v in both)
    d = [gru[seed] - lstm[seed] for seed in sorted(lstm.keys() & gru.keys())]
    if not d:
        return None
    test = below_zero(d, alpha)
    share = task.train_fraction
    what = f"{name}{'' if share == 1 else f' ({share:.0%} of the training data)'}"
    said = f"{what}: GRU's gap minus LSTM's {metric.show_difference(test.mean)}"
    if test.interval is not None and test.p_value is not None:
        said += f" ({metric.difference_interval(test.interval)}, p = {test.p_value:.3g})"
    return Finding(
        verdict=test.verdict,
        where=name,
        n=len(d),
        sentence=f"{said}.",
        effect=metric.scaled(test.mean),
        interval=_scaled(task, test.interval),
        link=name,
    )


# --- which is better -----------------------------------------------------------------------


def better(
    comparison: Comparison, work: Work | None, a: str | None, b: str | None
) -> list[Finding]:
    """Whether `a` beats `b` on the tasks of a kind of work, or on all of them.

    Takes over the pair's verdict, which knows the metric's direction and region of equivalence.
    """
    return [
        _better(name, task, pair, a)
        for name, task in comparison.tasks.items()
        if work is None or task.work == work
        for pair in task.pairs
        if {pair.a, pair.b} == {a, b} and a is not None and pair.difference is not None
    ]


def _better(name: str, task: TaskComparison, pair: Pair, a: str | None) -> Finding:
    metric = task.metric.definition
    sign = 1 if pair.a == a else -1
    b = pair.b if pair.a == a else pair.a
    difference = sign * (pair.difference or 0.0)
    verdict = INCONCLUSIVE if pair.verdict == UNDECIDED else REFUTED
    low_high = sorted(sign * bound for bound in pair.ci) if pair.ci else None
    kind = " (synthetic)" if task.synthetic else ""
    return Finding(
        verdict=SUPPORTED if pair.verdict == a else verdict,
        where=name,
        n=len(pair.seeds),
        sentence=f"{name}{kind}: {a} minus {b} is {metric.show_difference(difference)}, "
        f"{pair.verdict}.",
        effect=metric.scaled(difference),
        interval=_scaled(task, (low_high[0], low_high[1]) if low_high else None),
        link=f"chart-{name}--forest-{pair.rank}",
    )


def depends(tasks: Mapping[str, TaskComparison], names: Representatives) -> list[Finding]:
    """Each winning somewhere supports it; where all tasks decide and one never wins, it is refuted.

    A cell that wins here and does as well there can be taken everywhere: the task need not be
    asked.
    """
    verdicts = {
        name: pair.verdict
        for name, task in tasks.items()
        for pair in task.pairs
        if {pair.a, pair.b} == {names.lstm, names.gru}
    }
    if len(verdicts) < 2:
        return []
    said = ", ".join(f"{name}: {verdict}" for name, verdict in verdicts.items())
    verdict = REFUTED
    if {names.lstm, names.gru} <= set(verdicts.values()):
        verdict = SUPPORTED
    elif UNDECIDED in verdicts.values():
        verdict = INCONCLUSIVE
    return [Finding(verdict=verdict, where="all tasks", n=len(verdicts), sentence=f"{said}.")]


def _scaled(task: TaskComparison, interval: Interval | None) -> Interval | None:
    if interval is None:
        return None
    scaled = task.metric.definition.scaled
    return scaled(interval[0]), scaled(interval[1])
