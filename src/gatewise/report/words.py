"""Numbers and verdicts in words: the only place that turns fractions into percent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

MISSING = "n/a"


def percent(value: float | None, digits: int = 1) -> str:
    """`97.5 %`."""
    return MISSING if value is None else f"{100 * value:.{digits}f} %"


def points(value: float | None) -> str:
    """A difference in percentage points, signed: `+1.25`."""
    return MISSING if value is None else f"{100 * value:+.2f}"


def score(variant: Mapping[str, Any]) -> str:
    """`97.5 +- 0.4 %`: mean and standard deviation over seeds."""
    if variant["std"] is None:
        return percent(variant["mean"])
    return f"{100 * variant['mean']:.1f} ± {100 * variant['std']:.1f} %"


def interval(bounds: list[float] | None, signed: bool = False) -> str:
    """`97.1 to 97.9`, in percent."""
    if bounds is None:
        return MISSING
    form = "+.2f" if signed else ".1f"
    return f"{100 * bounds[0]:{form}} to {100 * bounds[1]:{form}}"


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


def quartiles(timing: Mapping[str, float] | None) -> str:
    """`1.24 (1.20 to 1.31)`: a median with its quartiles."""
    if timing is None:
        return MISSING
    return f"{timing['median']:.3g} ({timing['q1']:.3g} to {timing['q3']:.3g})"


def ratio(found: Mapping[str, Any] | None) -> str:
    """`0.87 (0.84 to 0.90)`: a ratio with its interval, where there is one."""
    if found is None:
        return MISSING
    bounds = f" ({found['ci'][0]:.2f} to {found['ci'][1]:.2f})" if found["ci"] else ""
    return f"{found['ratio']:.2f}{bounds}"


def half_life(steps: float | None) -> str:
    """Steps in which a gradient halves; `None` where it does not shrink."""
    return "does not shrink" if steps is None else f"{steps:.1f}"


def deciding_p(pair: Mapping[str, Any]) -> float | None:
    """The p-value that the verdict rule looked at: corrected for primary pairs."""
    found: float | None = pair["p_value_holm" if pair["primary"] else "p_value"]
    return found


def verdict(pair: Mapping[str, Any]) -> str:
    """A pair's verdict in a few words."""
    found = pair["verdict"]
    if found == "equivalent":
        return f"{pair['a']} and {pair['b']} are equivalent"
    if found == "undecided":
        return f"undecided{_still_needed(pair['seeds_needed'])}"
    other = pair["b"] if found == pair["a"] else pair["a"]
    return f"{found} beats {other}"


def sentence(pair: Mapping[str, Any]) -> str:
    """A pair's verdict with its evidence, for people."""
    evidence = (
        f"difference {points(pair['difference'])} points, "
        f"interval {interval(pair['ci'], signed=True)}, p = {p_value(deciding_p(pair))}"
    )
    found = pair["verdict"]
    if pair["difference"] is None:
        return f"{pair['a']} against {pair['b']}: no seed finished with both."
    if found == "equivalent":
        return (
            f"{pair['a']} and {pair['b']} are equivalent within "
            f"±{100 * pair['rope']:.2g} points ({evidence})."
        )
    if found == "undecided":
        return (
            f"{pair['a']} against {pair['b']} is undecided"
            f"{_still_needed(pair['seeds_needed'])} ({evidence})."
        )
    return f"{verdict(pair)} ({evidence})."


def answer(task: Mapping[str, Any]) -> list[str]:
    """The task's answer in plain words: a sentence for each primary pair."""
    found = [sentence(pair) for pair in task["pairs"] if pair["primary"]]
    found += [budgets(entry) for entry in task["budgets"]]
    return found or ["No primary pair was declared for this task; nothing is decided."]


def budgets(entry: Mapping[str, Any]) -> str:
    """Whether a cell's verdict against a reference hangs on what was held equal."""
    cell, reference = entry["cell"], entry["reference"]
    told = {
        "cell": f"{cell} wins",
        "reference": f"{reference} wins",
        "equivalent": "they are equivalent",
        "undecided": "it is undecided",
    }
    parts = [f"at {found['equal']} {told[found['winner']]}" for found in entry["budgets"]]
    close = {
        "flips": "the verdict flips with the budget",
        "changes": "the verdict depends on the budget",
        "none": "the budget does not change the verdict",
    }
    return f"{cell} against {reference}: {', '.join(parts)}; {close[entry['change']]}."


def rank(pair: Mapping[str, Any]) -> str:
    """`primary`, or `secondary (exploratory)`."""
    return "primary" if pair["primary"] else "secondary"


def title(name: str, task: Mapping[str, Any]) -> str:
    """The task's name and what its data are, honest about synthetic ones."""
    text = str(task["title"])
    if task["synthetic"] and "synthetic" not in text.lower():
        text += " (synthetic data)"
    return name if text == name else f"{name}: {text}"


def _still_needed(seeds: int | None) -> str:
    if seeds is None:
        return ""
    return f", needs about {seeds:,} more seed{'s' if seeds > 1 else ''}"
