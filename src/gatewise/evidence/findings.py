"""What one task or the probes say about LSTM against GRU: a verdict, a sentence, an interval.

Tests are those of `gatewise.evidence.statistics`, two-sided at `compare.alpha`, uncorrected:
findings that rest on a primary pair take over that pair's corrected verdict instead.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gatewise.evidence import statistics

SUPPORTED, REFUTED, INCONCLUSIVE = "supported", "refuted", "inconclusive"


@dataclass(frozen=True)
class Finding:
    """What one task or probe says about a claim."""

    verdict: str
    sentence: str
    effect: float | None = None
    interval: tuple[float, float] | None = None
    link: str | None = None
    """Anchor of the picture in the report."""


@dataclass(frozen=True)
class Names:
    """Which variants of a study stand for the textbook's LSTM, GRU and vanilla RNN."""

    lstm: str | None
    gru: str | None
    """Of the LSTM's width, where there is one."""
    rnn: str | None


def _both(task: Mapping[str, Any], names: Names) -> tuple[Any, Any] | None:
    """The task's entries of LSTM and GRU, if it has both."""
    cells = task["variants"]
    found = names.lstm in cells and names.gru in cells
    return (cells[names.lstm], cells[names.gru]) if found else None


# --- structure and cost --------------------------------------------------------------------


def gates(_name: str, task: Any, names: Names, _alpha: float) -> Finding | None:
    """Whether the cells have the gates and states that the textbook gives them."""
    both = _both(task, names)
    if both is None or not all(cells["structure"] for cells in both):
        return None
    lstm, gru = (cells["structure"] for cells in both)
    right = (len(lstm["gates"]), len(gru["gates"])) == (3, 2)
    right = right and "c" in lstm["states"] and "c" not in gru["states"]
    listed = [f"{', '.join(s['gates'])} (states {', '.join(s['states'])})" for s in (lstm, gru)]
    return Finding(
        SUPPORTED if right else REFUTED, f"LSTM: {listed[0]}; GRU: {listed[1]}, as implemented."
    )


def less_of(key: str, picture: str) -> Any:
    """What looks whether a GRU has less of something than an LSTM, and a picture of it."""

    def look(name: str, task: Any, names: Names, _alpha: float) -> Finding | None:
        both = _both(task, names)
        if both is None:
            return None
        ratio = both[1][key] / both[0][key]
        fewer = ratio < 1 and (key != "recurrent_parameters" or abs(ratio - 0.75) < 0.005)
        counted = f"{both[1][key]:,} against {both[0][key]:,}, a ratio of {ratio:.3f}"
        return Finding(
            SUPPORTED if fewer else REFUTED,
            f"{name}: {counted}.",
            ratio,
            link=f"chart-{name}--{picture}",
        )

    return look


def _step_ratio(task: Any, names: Names) -> tuple[float, tuple[float, float] | None] | None:
    """A GRU's training step to an LSTM's, with its interval."""
    for pair in task["pairs"]:
        found = pair["step_time"]
        if {pair["a"], pair["b"]} == {names.lstm, names.gru} and found is not None:
            power = 1 if pair["a"] == names.gru else -1
            ratio = found["ratio"] ** power
            if found["ci"] is None:
                return ratio, None
            low, high = sorted(bound**power for bound in found["ci"])
            return ratio, (low, high)
    return None


def step_time(name: str, task: Any, names: Names, _alpha: float) -> Finding | None:
    """Whether a GRU's training step takes less time than an LSTM's."""
    found = _step_ratio(task, names)
    if found is None:
        return None
    ratio, interval = found
    said = f"{name}: {ratio:.2f} times as long a step"
    if interval is None:
        said = f"{said}, in too few rounds for an interval."
        return Finding(INCONCLUSIVE, said, ratio, None, "costs")
    low, high = interval
    verdict = SUPPORTED if high < 1 else REFUTED if low > 1 else INCONCLUSIVE
    return Finding(verdict, f"{said} ({low:.2f} to {high:.2f}).", ratio, interval, "costs")


def time_to_target(name: str, task: Any, names: Names, alpha: float) -> Finding | None:
    """Epochs to the target, seed by seed, times the ratio of the steps.

    That ratio is measured, too: what is said has to hold at both ends of its interval.
    """
    both, step = _both(task, names), _step_ratio(task, names)
    if both is None or step is None:
        return None
    if step[1] is None:
        return Finding(INCONCLUSIVE, f"{name}: a step was timed in too few rounds.")
    epochs = [cells["epochs_to_target"] for cells in both]
    if any(not found or None in found for found in epochs) or len(set(map(len, epochs))) > 1:
        missed = sum(epoch is None for found in epochs for epoch in found)
        return Finding(INCONCLUSIVE, f"{name}: {missed} runs never reached the target.")
    d = np.log2(epochs[1]) - np.log2(epochs[0])
    ends = [_lower(d + math.log2(bound), alpha, name, "", "costs") for bound in step[1]]
    verdicts = {end.verdict for end in ends}
    verdict = verdicts.pop() if len(verdicts) == 1 else INCONCLUSIVE
    ratio = step[0] * 2 ** float(np.mean(d))
    said = f"{name}: {ratio:.2f} times as long to the target"
    least, most = (end.interval for end in ends)
    if least is None or most is None:
        return Finding(verdict, f"{said}, from one seed.", ratio, None, "costs")
    low, high = 2 ** least[0], 2 ** most[1]
    return Finding(verdict, f"{said} ({low:.2f} to {high:.2f}).", ratio, (low, high), "costs")


def gap(name: str, task: Any, names: Names, alpha: float) -> Finding | None:
    """Whether a GRU's scores on training and test data differ less than an LSTM's."""
    both = _both(task, names)
    if both is None:
        return None
    lstm, gru = (dict(zip(cells["seeds"], cells["gaps"], strict=False)) for cells in both)
    d = [100 * (gru[seed] - lstm[seed]) for seed in sorted(lstm.keys() & gru.keys())]
    share = task["train_fraction"]
    what = f"{name}{'' if share == 1 else f' ({share:.0%} of the training data)'}"
    return _lower(d, alpha, f"{what}: GRU's gap minus LSTM's", "points", name) if d else None


def _lower(d: Sequence[float], alpha: float, what: str, unit: str, link: str) -> Finding:
    """Supported where differences lie below zero beyond chance, refuted where above."""
    test = statistics.sign_flip(d)
    interval = statistics.mean_interval(d, 1 - alpha)
    mean = sum(d) / len(d)
    verdict = INCONCLUSIVE
    if test is not None and test.two_sided <= alpha:
        verdict = SUPPORTED if mean < 0 else REFUTED
    said = f"{what} {mean:+.2f} {unit}"
    if interval is not None and test is not None:
        said += f" ({interval[0]:+.2f} to {interval[1]:+.2f}, p = {test.two_sided:.3g})"
    return Finding(verdict, f"{said}.", mean, interval, link)


# --- memory --------------------------------------------------------------------------------


def longer(probes: Mapping[str, Any], a: str | None, b: str | None, alpha: float) -> list[Finding]:
    """Whether `a` solves longer problems than `b`: adding and copy, seed by seed."""
    if not probes or a not in probes["variants"] or b not in probes["variants"]:
        return []
    d, told = [], []
    for problem in ("adding", "copy"):
        of_a, of_b = (probes["variants"][v]["probes"][problem] for v in (a, b))
        least = of_a["lengths"][0]["length"] / 2  # what an unsolved shortest length counts as
        for x, y in zip(of_a["longest_by_seed"], of_b["longest_by_seed"], strict=True):
            d.append(math.log2(max(x, least) / max(y, least)))
        told.append(
            f"{problem} {of_a['longest_solved'] or 0} against {of_b['longest_solved'] or 0}"
        )
    return [_factor(d, alpha, f"{a} against {b}: {', '.join(told)} steps", "probes")]


def alive(probes: Mapping[str, Any], a: str | None, b: str | None, alpha: float) -> list[Finding]:
    """Whether `a`'s gradient halves later than `b`'s, at initialisation and after training."""
    if not probes or a not in probes["variants"] or b not in probes["variants"]:
        return []
    longest = 10 * probes["settings"]["gradient_length"]  # what "does not shrink" counts as
    d = []
    for when in ("initial", "trained"):
        of_a, of_b = (probes["variants"][v]["gradient"][when]["half_lives"] for v in (a, b))
        for x, y in zip(of_a, of_b, strict=True):
            d.append(math.log2(min(x or longest, longest) / min(y or longest, longest)))
    return [_factor(d, alpha, f"{a} against {b}: half-life", "chart-gradient-initial")]


def _factor(d: Sequence[float], alpha: float, what: str, link: str) -> Finding:
    """Supported where log2 ratios lie above zero beyond chance."""
    found = _lower([-x for x in d], alpha, what, "", link)
    ratio = 2 ** (sum(d) / len(d))
    test = statistics.sign_flip(d)
    chance = f" (p = {test.two_sided:.3g})" if test else ""
    said = f"{what}, {ratio:.2g} times as long on average{chance}."
    interval = found.interval and (2 ** -found.interval[1], 2 ** -found.interval[0])
    return Finding(found.verdict, said, ratio, interval, link)


# --- which is better -----------------------------------------------------------------------


def better(
    comparison: Mapping[str, Any], kinds: Sequence[str], a: str | None, b: str | None
) -> list[Finding]:
    """Whether `a` beats `b` on the tasks of some kinds of source; takes the pair's verdict."""
    study = comparison.get("study", {}).get("tasks", {})
    findings = []
    for name, task in comparison["tasks"].items():
        if study.get(name, {}).get("source", {}).get("kind") not in kinds:
            continue
        for pair in task["pairs"]:
            if {pair["a"], pair["b"]} != {a, b} or pair["difference"] is None:
                continue
            sign = 1 if pair["a"] == a else -1
            verdict = INCONCLUSIVE if pair["verdict"] == "undecided" else REFUTED
            verdict = SUPPORTED if pair["verdict"] == a else verdict
            ci = [100 * sign * bound for bound in pair["ci"]] if pair["ci"] else None
            points = 100 * sign * pair["difference"]
            kind = " (synthetic speech)" if task["synthetic"] else ""
            findings.append(
                Finding(
                    verdict,
                    f"{name}{kind}: {a} minus {b} is {points:+.2f} points, {pair['verdict']}.",
                    points,
                    (min(ci), max(ci)) if ci else None,
                    f"chart-{name}--forest-{'primary' if pair['primary'] else 'secondary'}",
                )
            )
    return findings


def depends(tasks: Mapping[str, Any], names: Names) -> list[Finding]:
    """Different winners on different tasks support it; one winner everywhere refutes it."""
    verdicts = {
        name: pair["verdict"]
        for name, task in tasks.items()
        for pair in task["pairs"]
        if {pair["a"], pair["b"]} == {names.lstm, names.gru}
    }
    if len(verdicts) < 2:
        return []
    said = ", ".join(f"{name}: {verdict}" for name, verdict in verdicts.items())
    decided = {verdict for verdict in verdicts.values() if verdict != "undecided"}
    if len(decided) > 1:
        verdict = SUPPORTED
    elif "undecided" in verdicts.values() or not decided:
        verdict = INCONCLUSIVE
    else:
        verdict = REFUTED
    return [Finding(verdict, f"{said}.")]
