"""What the probes say about two variants' memory: can they hold it, how fast do they learn to.

Two questions, never mixed: whether a length is *held* (solved within the budget of updates, at the
best of the starts and rates that all variants may choose from), and how many updates it takes,
runs that never solve it being censored. Tests are exact permutations of the seeds over the two
sides (`gatewise.evidence.survival`), two-sided at `compare.alpha` and uncorrected. Where no variant
learns a problem, nothing follows from it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from gatewise.artifacts.comparison import Finding
from gatewise.artifacts.document import Interval
from gatewise.artifacts.probes import GradientDecay, ProbeReport, Problem, Runs
from gatewise.evidence import survival
from gatewise.evidence.findings import INCONCLUSIVE, REFUTED, SUPPORTED, Verdict

Probes = Mapping[str, ProbeReport]
"""By variant."""
HOLDING = ("adding", "copy", "order", "recall", "digits")
"""Problems whose length is a time that something has to be held for."""
VANISHED = -2.0
"""log10 of the share of a gradient that counts as nothing left of it: a hundredth."""


def holds(probes: Probes, a: str | None, b: str | None, alpha: float) -> list[Finding]:
    """Whether `a` holds longer lengths than `b`, a finding a problem."""
    both = _both(probes, a, b)
    if both is None or a is None or b is None:
        return []
    return [
        _holds(name, a, b, both, alpha)
        for name in HOLDING
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
            f"{of_a.length_means} in {budget(both)}; nothing follows.",
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
        verdict=_verdict(p, sum(levels[0]) / n - sum(levels[1]) / m, alpha),
        where=name,
        n=seeds,
        sentence=f"{shares}, within {budget(both)} (p = {p:.3g}).",
        effect=x / n - y / m,
        interval=difference_of_shares(x, n, y, m, 1 - alpha),
        link=link,
    )


def learns_faster(probes: Probes, a: str | None, b: str | None, alpha: float) -> list[Finding]:
    """Whether `a` needs fewer updates than `b`, a finding a problem, at the longest length of both.

    Only where one of them solves it at all; effects are ratios of Kaplan-Meier medians.
    """
    both = _both(probes, a, b)
    if both is None or a is None or b is None:
        return []
    found = []
    for name in both[0].probes:
        of_a, of_b = both[0].probes[name], both[1].probes.get(name)
        if of_b is None:
            continue
        shared = {one.length for one in of_a.lengths} & {one.length for one in of_b.lengths}
        for length in sorted(shared, reverse=True):
            runs = [_at(side, length) for side in (of_a, of_b)]
            finding = faster((a, runs[0]), (b, runs[1]), alpha, name, f"{length} {of_a.title}")
            if finding is not None:
                found.append(finding)
                break
    return found


def faster(
    a: tuple[str, Runs], b: tuple[str, Runs], alpha: float, where: str, what: str
) -> Finding | None:
    """Whether `a` takes fewer updates than `b`; `None` where nobody solved it."""
    (name_a, runs_a), (name_b, runs_b) = a, b
    times = [times_of(runs) for runs in (runs_a, runs_b)]
    p = survival.log_rank(*times)
    if p is None:
        return None
    scores = survival.log_rank_scores(
        times[0].updates + times[1].updates, times[0].solved + times[1].solved
    )
    ahead = sum(scores[: len(times[0])])  # the higher the sooner
    ratio, interval = _ratio_of_medians(runs_a, runs_b)
    return Finding(
        verdict=_verdict(p, ahead, alpha),
        where=where,
        n=min(len(times[0]), len(times[1])),
        sentence=f"{what}: {name_a} solves it after {updates(runs_a)} updates, {name_b} after "
        f"{updates(runs_b)} (log-rank, p = {p:.3g}).",
        effect=ratio,
        interval=interval,
        link="probes",
    )


def _ratio_of_medians(a: Runs, b: Runs) -> tuple[float | None, Interval | None]:
    """The ratio with the widest interval that both medians' bounds allow."""
    ratio = None if a.median is None or b.median is None else a.median / b.median
    bounds = (a.median_low, a.median_high, b.median_low, b.median_high)
    known = [bound for bound in bounds if bound is not None]
    if ratio is None or len(known) < len(bounds):
        return ratio, None
    low_a, high_a, low_b, high_b = known
    return ratio, (low_a / high_b, high_a / low_b)


def counts(probes: Probes, a: str | None, b: str | None, alpha: float) -> list[Finding]:
    """Whether what `a` learnt on short a^n b^n holds on longer strings than what `b` did."""
    both = _both(probes, a, b)
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
                f"{budget(both)}; nothing follows.",
                link="chart-beyond-counting",
            )
        ]
    levels = [
        [math.log2(max(value, learnt / 2)) for value in side.reach_by_seed] for side in (of_a, of_b)
    ]
    p = survival.permuted(*levels)
    reaches = ["/".join(map(str, side.reach_by_seed)) for side in (of_a, of_b)]
    means = [sum(level) / len(level) for level in levels]
    return [
        Finding(
            verdict=_verdict(p, means[0] - means[1], alpha),
            where="counting",
            n=_seeds(of_a, of_b),
            sentence=f"trained on n up to {learnt}, {a} is right up to n = {reaches[0]} by seed, "
            f"{b} up to {reaches[1]} (p = {p:.3g}).",
            effect=2 ** (means[0] - means[1]),
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
                f"{budget(known)}; nothing follows from it. Raise probes.updates or ask for less."
            )
    return sentences


# --- gradients -----------------------------------------------------------------------------


def alive(probes: Probes, a: str | None, b: str | None, alpha: float) -> list[Finding]:
    """Whether more of `a`'s gradient is left at the stated distance, before and after training."""
    both = _both(probes, a, b)
    if both is None or a is None or b is None:
        return []
    gradients = [report.gradient for report in both]
    if gradients[0] is None or gradients[1] is None:
        return []
    steps = both[0].settings.gradient_reach
    moments = [gradient.moments for gradient in gradients if gradient is not None]
    return [
        _alive(f"{a} against {b}, {when}", steps, moments[0][when], moments[1][when], alpha, when)
        for when in moments[0]
    ]


def _alive(
    what: str, steps: int, a: GradientDecay, b: GradientDecay, alpha: float, when: str
) -> Finding:
    p = survival.permuted(a.left, b.left)
    means = [sum(side.left) / len(side.left) for side in (a, b)]
    return Finding(
        verdict=_verdict(p, means[0] - means[1], alpha),
        where=when,
        n=min(len(a.left), len(b.left)),
        sentence=f"{what}: {left(means[0])} of the gradient reaches {steps} steps back, against "
        f"{left(means[1])} (p = {p:.3g}).",
        effect=means[0] - means[1],
        link=f"chart-gradient-{when}",
    )


def vanishes(probes: Probes, variant: str | None, alpha: float) -> list[Finding]:
    """Whether next to nothing of a variant's gradient is left at the stated distance.

    By a t interval of the shares' logarithms, which lie about evenly around their mean.
    """
    report = probes.get(variant or "")
    if report is None or report.gradient is None:
        return []
    steps = report.settings.gradient_reach
    return [
        _vanishes(f"{variant}, {when}", steps, decay, alpha, when)
        for when, decay in report.gradient.moments.items()
    ]


def _vanishes(what: str, steps: int, decay: GradientDecay, alpha: float, when: str) -> Finding:
    mean, interval = sum(decay.left) / len(decay.left), _t_interval(decay.left, 1 - alpha)
    verdict: Verdict = INCONCLUSIVE
    bounds = ""
    if interval is not None:
        if interval[1] < VANISHED:
            verdict = SUPPORTED
        elif interval[0] > VANISHED:
            verdict = REFUTED
        bounds = f" ({left(interval[0])} to {left(interval[1])})"
    return Finding(
        verdict=verdict,
        where=when,
        n=len(decay.left),
        sentence=f"{what}: {left(mean)} of the gradient{bounds} reaches {steps} steps back.",
        effect=mean,
        interval=interval,
        link=f"chart-gradient-{when}",
    )


def _t_interval(values: Sequence[float], level: float) -> Interval | None:
    from scipy import stats

    if len(values) < 2:
        return None
    mean, error = sum(values) / len(values), float(stats.sem(values))
    if not error:
        return mean, mean
    low, high = stats.t.interval(level, len(values) - 1, mean, error)
    return float(low), float(high)


# --- starts --------------------------------------------------------------------------------


def start_against(
    probes: Probes,
    a: tuple[str | None, str],
    b: tuple[str | None, str],
    alpha: float,
) -> list[Finding]:
    """Whether one variant at one start learns the first problem in fewer updates than another.

    Args:
        probes: by variant.
        a: variant and start.
        b: what it is held against.
        alpha: level of the test.
    """
    reports = [probes.get(variant or "") for variant, _ in (a, b)]
    runs = [
        report.starts.get(start)
        for report, (_, start) in zip(reports, (a, b), strict=True)
        if report is not None
    ]
    if len(runs) < 2 or runs[0] is None or runs[1] is None or reports[0] is None:
        return []
    problem = next(iter(reports[0].probes.values()))
    names = [f"{variant} ({start})" for variant, start in (a, b)]
    what = f"{problem.asked[0]} {problem.title}"
    finding = faster((names[0], runs[0]), (names[1], runs[1]), alpha, names[0], what)
    if finding is not None:
        return [finding]
    return [
        Finding(
            verdict=INCONCLUSIVE,
            where=names[0],
            n=len(runs[0].runs),
            sentence=f"{what}: neither {names[0]} nor {names[1]} learnt it; nothing follows.",
            link="probes",
        )
    ]


# --- in common -----------------------------------------------------------------------------


def times_of(runs: Runs) -> survival.Times:
    """Updates of all runs, those that never solved it censored."""
    return survival.Times(
        tuple(run.updates for run in runs.runs), tuple(run.solved for run in runs.runs)
    )


def updates(runs: Runs) -> str:
    """`150 (125 to 200)`, or `more than 1,500` where half of the runs never solved it."""
    if runs.median is None:
        return f"more than {max(run.updates for run in runs.runs):,}"
    low, high = (
        f"{bound:,.0f}" if bound is not None else "?"
        for bound in (runs.median_low, runs.median_high)
    )
    return f"{runs.median:,.0f}" if low == "?" == high else f"{runs.median:,.0f} ({low} to {high})"


def left(log10_share: float) -> str:
    """A share of a gradient: `62 %`, or `1e-11` where next to nothing is left."""
    share = 10**log10_share
    return f"{share:.0%}".replace("%", " %") if share >= 0.01 else f"{share:.0e}"


def budget(reports: Sequence[ProbeReport]) -> str:
    """`1,500 updates of 32 examples`."""
    settings = reports[0].settings
    return f"{settings.updates:,} updates of {settings.batch_size} examples"


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


def _both(probes: Probes, a: str | None, b: str | None) -> tuple[ProbeReport, ProbeReport] | None:
    first, second = probes.get(a or ""), probes.get(b or "")
    return None if first is None or second is None else (first, second)


def _verdict(p: float, ahead: float, alpha: float) -> Verdict:
    if p > alpha or not ahead:
        return INCONCLUSIVE
    return SUPPORTED if ahead > 0 else REFUTED


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


def _at(problem: Problem, length: int) -> Runs:
    return next(one for one in problem.lengths if one.length == length)
