"""Who gets more seeds after a look: the stopping rule of `seeds: auto`.

A task is *open* while its choice is not known to lie within the tolerance of the best, and a
primary pair is undecided: then all contenders go on. So it ends with what to take, or, where
variants lie too near each other or too far apart for that, with every declared pair decided.

Variants that are shown not to be the best get no more seeds, whichever pairs they are in, and no
task gets more than the cap. Ending early for want of hope costs no error rate; what is decided is
decided by the spent levels of `gatewise.evidence.sequential` and `race`.
"""

from __future__ import annotations

from collections.abc import Mapping

from gatewise.artifacts.comparison import UNDECIDED, Comparison, TaskComparison


def more_seeds(comparison: Comparison) -> dict[str, dict[str, int]]:
    """Seeds that each variant of each open task is to have by the next look; empty at the end."""
    wanted = {}
    for name, task in comparison.tasks.items():
        following = next((n for n in comparison.looks or () if n > len(task.seeds)), None)
        racing = _racing(task)
        if following is not None and racing:
            wanted[name] = dict.fromkeys(racing, following)
    return wanted


def runs_saved(comparison: Comparison) -> int | None:
    """Runs that a fixed design would have taken beside these; `None` of a fixed design.

    That design has as many seeds of every variant on every task as any variant needed.
    """
    if comparison.looks is None:
        return None
    counts = [
        len(summary.seeds)
        for task in comparison.tasks.values()
        for summary in task.variants.values()
    ]
    return max(counts, default=0) * len(counts) - sum(counts)


def seeds_reached(comparison: Comparison) -> dict[str, dict[str, int]]:
    """Seeds that each variant of each task has."""
    return {
        name: {variant: len(summary.seeds) for variant, summary in task.variants.items()}
        for name, task in comparison.tasks.items()
    }


def _racing(task: TaskComparison) -> list[str]:
    """Variants that are to go on, in the study's order."""
    answer = task.answer
    if answer is None or answer.within_tolerance:
        return []
    if task.primary and all(pair.verdict != UNDECIDED for pair in task.primary):
        return []
    # One variant alone has nothing to race against.
    if len(answer.contenders) == 1:
        return []
    return [name for name in task.variants if name in answer.contenders]


def in_words(seeds: Mapping[str, Mapping[str, int]]) -> str:
    """Who goes on: `digits (lstm, gru: 12 seeds)`."""
    parts = []
    for task, by_variant in seeds.items():
        parts.append(f"{task} ({', '.join(by_variant)}: {max(by_variant.values())} seeds)")
    return "; ".join(parts)
