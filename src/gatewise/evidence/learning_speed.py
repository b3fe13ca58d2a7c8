"""How fast something is learnt: updates until solved, runs that never solve it being censored.

Two variants are compared by the log-rank statistic, permuted exactly over the seeds; effects are
ratios of Kaplan-Meier medians.
"""

from __future__ import annotations

from gatewise.artifacts.comparison import Finding
from gatewise.artifacts.document import Interval
from gatewise.artifacts.probes import Problem, Runs
from gatewise.evidence import probed, survival
from gatewise.evidence.findings import INCONCLUSIVE
from gatewise.evidence.probed import Probes


def learns_faster(probes: Probes, a: str | None, b: str | None, alpha: float) -> list[Finding]:
    """Whether `a` needs fewer updates than `b` for the longest length of both, by problem.

    Only where one of them solves it at all; effects are ratios of Kaplan-Meier medians.
    """
    both = probed.both(probes, a, b)
    if both is None or a is None or b is None:
        return []
    found = []
    for name in probed.HOLDING:
        of_a, of_b = (report.probes.get(name) for report in both)
        if of_a is None or of_b is None:
            continue
        shared = {one.length for one in of_a.lengths} & {one.length for one in of_b.lengths}
        for length in sorted(shared, reverse=True):
            runs = [_at(side, length) for side in (of_a, of_b)]
            finding = faster((a, runs[0]), (b, runs[1]), alpha, name, f"{length} {of_a.title}")
            if finding is not None:
                found.append(finding)
                break
    return found


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
        verdict=probed.verdict(p, ahead, alpha),
        where=where,
        n=min(len(times[0]), len(times[1])),
        sentence=f"{what}: {name_a} solves it after {updates(runs_a)} updates, {name_b} after "
        f"{updates(runs_b)} (log-rank, p = {p:.3g}).",
        effect=ratio,
        interval=interval,
        link="probes",
    )


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


def _ratio_of_medians(a: Runs, b: Runs) -> tuple[float | None, Interval | None]:
    """The ratio with the widest interval that both medians' bounds allow."""
    ratio = None if a.median is None or b.median is None else a.median / b.median
    bounds = (a.median_low, a.median_high, b.median_low, b.median_high)
    known = [bound for bound in bounds if bound is not None]
    if ratio is None or len(known) < len(bounds):
        return ratio, None
    low_a, high_a, low_b, high_b = known
    return ratio, (low_a / high_b, high_a / low_b)


def _at(problem: Problem, length: int) -> Runs:
    return next(one for one in problem.lengths if one.length == length)
