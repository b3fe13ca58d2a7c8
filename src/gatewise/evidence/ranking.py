"""One ranking over many tasks: Friedman's test, Nemenyi's post-hoc, critical difference.

Demsar 2006, section 3.2. Tasks, not seeds, are the unit here: the question is whether a
variant tends to rank higher on a task that nobody has seen yet.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

FEWEST_TASKS = 6
"""Below it even perfect agreement over tasks says little: 2^-5 for one pair's sign test."""


def rank(means: Mapping[str, Mapping[str, float]], alpha: float) -> dict[str, Any]:
    """Average ranks of the variants that all tasks share.

    Args:
        means: `{task: {variant: mean score}}`, higher is better.
        alpha: level of the tests.

    Returns:
        `sentence` for people, `tasks`, `average_ranks` (1 is best) and, with enough tasks
        and variants, `p_value` (Friedman), `critical_difference` and `pairs` (Nemenyi).
    """
    tasks = [task for task, found in means.items() if found]
    shared = [v for v in means[tasks[0]] if all(v in means[t] for t in tasks)] if tasks else []
    result: dict[str, Any] = {
        "tasks": len(tasks),
        "average_ranks": {},
        "p_value": None,
        "critical_difference": None,
        "pairs": [],
    }
    if len(shared) < 2:
        return {**result, "sentence": "No two variants ran on all tasks; nothing is ranked."}
    from scipy import stats

    table = np.array([[means[task][v] for v in shared] for task in tasks])
    ranks = np.array([stats.rankdata(-row) for row in table]).mean(axis=0)
    result["average_ranks"] = {v: float(r) for v, r in zip(shared, ranks, strict=True)}
    best = shared[int(ranks.argmin())]
    if len(tasks) < FEWEST_TASKS or len(shared) < 3:
        return {
            **result,
            "sentence": f"{len(tasks)} task{'s' * (len(tasks) != 1)} and {len(shared)} variants "
            f"are too few for a test over data sets (it takes {FEWEST_TASKS} and 3); {best} has "
            f"the best average rank, {ranks.min():.2f}.",
        }
    k, n = len(shared), len(tasks)
    if np.ptp(table, axis=1).max() == 0:
        return {**result, "sentence": f"All variants score the same on all {n} tasks."}
    p = float(stats.friedmanchisquare(*table.T).pvalue)
    spread = math.sqrt(k * (k + 1) / (6 * n))
    critical = float(stats.studentized_range.ppf(1 - alpha, k, np.inf)) / math.sqrt(2) * spread
    result |= {
        "p_value": p,
        "critical_difference": critical,
        "pairs": _nemenyi(ranks, spread, shared),
    }
    verdict = (
        f"the ranks differ (Friedman p = {p:.3g}); variants less than {critical:.2f} ranks "
        "apart are not distinguished"
        if p <= alpha
        else f"no variant ranks reliably above another (Friedman p = {p:.3g})"
    )
    return {**result, "sentence": f"Over {n} tasks {verdict}. Best average rank: {best}."}


def _nemenyi(ranks: np.ndarray, spread: float, variants: list[str]) -> list[dict[str, Any]]:
    """Nemenyi's p-values; the tests hold them equal to scikit-posthocs', which loads slowly."""
    from scipy import stats

    return [
        {
            "a": variants[i],
            "b": variants[j],
            "p_value": float(
                stats.studentized_range.sf(
                    math.sqrt(2) * abs(ranks[i] - ranks[j]) / spread, len(ranks), np.inf
                )
            ),
        }
        for i in range(len(variants))
        for j in range(i + 1, len(variants))
    ]
