"""One ranking over many tasks: Friedman's test, Nemenyi's post-hoc, critical difference.

Demsar 2006, section 3.2. Tasks, not seeds, are the unit here: the question is whether a
variant tends to rank higher on a task that nobody has seen yet.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence

import numpy as np

from gatewise.artifacts.comparison import Ranking, RankPair

FEWEST_TASKS = 6
"""Below it even perfect agreement over tasks says little: 2^-5 for one pair's sign test."""


def rank(scores: Mapping[str, Mapping[str, float]], alpha: float) -> Ranking:
    """Average ranks of the variants that all tasks share.

    Args:
        scores: `{task: {variant: mean score}}`, each task's turned so that higher is better.
        alpha: level of the tests.

    Returns:
        Ranks and a sentence for people; tests only with enough tasks and variants.
    """
    tasks = [task for task, by_variant in scores.items() if by_variant]
    shared = [v for v in scores[tasks[0]] if all(v in scores[t] for t in tasks)] if tasks else []
    if len(shared) < 2:
        return _untested(len(tasks), {}, "No two variants ran on all tasks; nothing is ranked.")
    from scipy import stats

    table = np.array([[scores[task][v] for v in shared] for task in tasks])
    ranks = np.array([stats.rankdata(-row) for row in table]).mean(axis=0)
    by_variant = {v: float(r) for v, r in zip(shared, ranks, strict=True)}
    best = shared[int(ranks.argmin())]
    if len(tasks) < FEWEST_TASKS or len(shared) < 3:
        return _untested(
            len(tasks),
            by_variant,
            f"{len(tasks)} task{'s' * (len(tasks) != 1)} and {len(shared)} variants "
            f"are too few for a test over data sets (it takes {FEWEST_TASKS} and 3); {best} has "
            f"the best average rank, {ranks.min():.2f}.",
        )
    if np.ptp(table, axis=1).max() == 0:
        same = f"All variants score the same on all {len(tasks)} tasks."
        return _untested(len(tasks), by_variant, same)
    p_value = float(stats.friedmanchisquare(*table.T).pvalue)
    k, n = len(shared), len(tasks)
    spread = math.sqrt(k * (k + 1) / (6 * n))
    critical = float(stats.studentized_range.ppf(1 - alpha, k, np.inf)) / math.sqrt(2) * spread
    verdict = (
        f"the ranks differ (Friedman p = {p_value:.3g}); variants less than {critical:.2f} ranks "
        "apart are not distinguished"
        if p_value <= alpha
        else f"no variant ranks reliably above another (Friedman p = {p_value:.3g})"
    )
    return Ranking(
        tasks=n,
        average_ranks=by_variant,
        p_value=p_value,
        critical_difference=critical,
        pairs=_nemenyi(ranks, spread, shared),
        sentence=f"Over {n} tasks {verdict}. Best average rank: {best}.",
    )


def _untested(tasks: int, ranks: Mapping[str, float], sentence: str) -> Ranking:
    return Ranking(
        tasks=tasks,
        average_ranks=ranks,
        p_value=None,
        critical_difference=None,
        pairs=(),
        sentence=sentence,
    )


def _nemenyi(ranks: np.ndarray, spread: float, variants: Sequence[str]) -> tuple[RankPair, ...]:
    """Nemenyi's p-values; the tests hold them equal to scikit-posthocs', which loads slowly."""
    from scipy import stats

    def p_value(i: int, j: int) -> float:
        distance = math.sqrt(2) * abs(ranks[i] - ranks[j]) / spread
        return float(stats.studentized_range.sf(distance, len(ranks), np.inf))

    return tuple(
        RankPair(a=variants[i], b=variants[j], p_value=p_value(i, j))
        for i, j in itertools.combinations(range(len(variants)), 2)
    )
