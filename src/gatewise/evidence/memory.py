"""Whether a variant can hold what another cannot: what the probes say.

A length is *held* where it is solved within the budget of updates, at the best of the starts and
rates that all variants may choose from. How fast that is learnt is another question
(`gatewise.evidence.learning_speed`). Tests are exact permutations of the seeds over the two sides
(`gatewise.evidence.survival`), two-sided at `compare.alpha` and uncorrected. Where no variant
learns a problem, nothing follows from it.
"""

from __future__ import annotations

import math

from gatewise.artifacts.comparison import Finding
from gatewise.artifacts.document import Interval
from gatewise.artifacts.probes import ProbeReport, Problem
from gatewise.evidence import probed, survival
from gatewise.evidence.findings import INCONCLUSIVE
from gatewise.evidence.probed import Probes


def holds(probes: Probes, a: str | None, b: str | None, alpha: float) -> list[Finding]:
    """Whether `a` holds longer lengths than `b`, a finding a problem."""
    both = probed.both(probes, a, b)
    if both is None or a is None or b is None:
        return []
    return [
        _holds(name, a, b, both, alpha)
        for name in probed.HOLDING
        if all(name in report.probes for report in both)
    ]


def _holds(
    name: str, a: str, b: str, both: tuple[ProbeReport, ProbeReport], alpha: float
) -> Finding:
    of_a, of_b = (report.probes[name] for report in both)
    seeds, link = _seeds(of_a, of_b), f"chart-probe-{name}"
    unit = f"{of_a.length_means} of {of_a.title}"
    if not any((*of_a.longest_by_seed, *of_b.longest_by_seed)):
        return Finding(
            verdict=INCONCLUSIVE,
            where=name,
            n=seeds,
            sentence=f"{of_a.title}: neither {a} nor {b} learnt {of_a.asked[0]} "
            f"{of_a.length_means} in {probed.budget(both, name)}; nothing follows.",
            link=link,
        )
    longest = of_a.asked[-1]
    if all(value == longest for value in (*of_a.longest_by_seed, *of_b.longest_by_seed)):
        return Finding(
            verdict=INCONCLUSIVE,
            where=name,
            n=seeds,
            sentence=f"both hold {longest} {unit}, the longest asked (all {_count(of_a)} and "
            f"{_count(of_b)} seeds): they can differ beyond it only.",
            effect=0.0,
            link=link,
        )
    least = of_a.asked[0] / 2  # what an unsolved shortest length counts as
    levels = [
        [math.log2(max(value, least)) for value in side.longest_by_seed] for side in (of_a, of_b)
    ]
    p = survival.permuted(*levels)
    length = _deciding(of_a, of_b)
    counts = [(_solved(side, length), _count(side)) for side in (of_a, of_b)]
    (x, n), (y, m) = counts
    shares = f"{x} of {n} seeds of {a} hold {length} {unit}, {y} of {m} of {b}"
    return Finding(
        verdict=probed.verdict(p, sum(levels[0]) / n - sum(levels[1]) / m, alpha),
        where=name,
        n=seeds,
        sentence=f"{shares}, within {probed.budget(both, name)} (p = {p:.3g})."
        f"{_stopped(of_a, of_b)}",
        effect=x / n - y / m,
        interval=difference_of_shares(x, n, y, m, 1 - alpha),
        link=link,
    )


def counts(probes: Probes, a: str | None, b: str | None, alpha: float) -> list[Finding]:
    """Whether what `a` learnt on short a^n b^n holds on longer strings than what `b` did."""
    both = probed.both(probes, a, b)
    if both is None or not all("counting" in report.probes for report in both):
        return []
    of_a, of_b = (report.probes["counting"] for report in both)
    learnt = of_a.asked[0]
    if not all(side.longest_solved for side in (of_a, of_b)):
        unlearnt = [name for name, s in ((a, of_a), (b, of_b)) if not s.longest_solved]
        return [
            Finding(
                verdict=INCONCLUSIVE,
                where="counting",
                n=_seeds(of_a, of_b),
                sentence=f"{' and '.join(map(str, unlearnt))} did not learn n up to {learnt} in "
                f"{probed.budget(both, 'counting')}; nothing follows.",
                link="chart-beyond-counting",
            )
        ]
    levels = [
        [math.log2(max(value, learnt / 2)) for value in side.reach_by_seed] for side in (of_a, of_b)
    ]
    p = survival.permuted(*levels)
    reaches = ["/".join(map(str, side.reach_by_seed)) for side in (of_a, of_b)]
    means = [sum(level) / len(level) for level in levels]
    bounds = survival.shift_interval(levels[0], levels[1], 1 - alpha)
    return [
        Finding(
            verdict=probed.verdict(p, means[0] - means[1], alpha),
            where="counting",
            n=_seeds(of_a, of_b),
            sentence=f"trained on n up to {learnt}, {a} is right up to n = {reaches[0]} by seed, "
            f"{b} up to {reaches[1]} (p = {p:.3g}).",
            effect=2 ** (means[0] - means[1]),
            interval=None if bounds is None else (2 ** bounds[0], 2 ** bounds[1]),
            link="chart-beyond-counting",
        )
    ]


def unlearnt(probes: Probes) -> list[str]:
    """A sentence for each problem that no variant learnt: nothing follows from it."""
    known = [report for report in probes.values() if report.probes]
    sentences = []
    for name in dict.fromkeys(name for report in known for name in report.probes):
        problems = [report.probes[name] for report in known if name in report.probes]
        if not any(any(problem.longest_by_seed) for problem in problems):
            first = problems[0]
            sentences.append(
                f"{first.title}: no variant learnt {first.asked[0]} {first.length_means} in "
                f"{probed.budget(known, name)}; nothing follows from it. Raise the updates or ask "
                "for less."
            )
    return sentences


def difference_of_shares(x: int, n: int, y: int, m: int, level: float) -> Interval:
    """Newcombe's interval (1998, method 10) of x/n - y/m, from Wilson's of each."""
    from scipy import stats

    a, b = (
        stats.binomtest(k, of).proportion_ci(level, method="wilson") for k, of in ((x, n), (y, m))
    )
    p, q = x / n, y / m
    low = math.hypot(p - a.low, b.high - q)
    high = math.hypot(a.high - p, q - b.low)
    return p - q - low, p - q + high


def _stopped(*problems: Problem) -> str:
    """Says where runs did not have the whole budget, being no better than chance."""
    runs = [run for one in problems for length in one.lengths for run in length.runs]
    futile = [run.updates for run in runs if run.futile]
    if not futile:
        return ""
    return f" {len(futile)} runs were stopped as futile, after {min(futile):,} updates or more."


def _deciding(a: Problem, b: Problem) -> int:
    """The length at which shares solved lie farthest apart, the shortest of equal ones."""
    return max(
        a.asked,
        key=lambda length: abs(_solved(a, length) / _count(a) - _solved(b, length) / _count(b)),
    )


def _solved(problem: Problem, length: int) -> int:
    return sum(longest >= length for longest in problem.longest_by_seed)


def _count(problem: Problem) -> int:
    return len(problem.longest_by_seed)


def _seeds(a: Problem, b: Problem) -> int:
    return min(_count(a), _count(b))
