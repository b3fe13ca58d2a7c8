"""Splits that are designed instead of drawn, for few groups.

Where six people speak and two of them test, seeds that draw their two anew test some people often
and others never, and which variant wins follows who was drawn. A designed *round* divides all
groups into disjoint test sets, one a seed, so after each round everybody was tested equally often.
Over the rounds of a cycle those that test together change: for test sets of two and an even number
of groups, each pair of groups occurs once a cycle (the circle method of round-robin tournaments:
six people, five rounds of three pairs). Who validates is whoever validated least so far
(in the last few cycles).

Which group stands where in a cycle, and the order of its rounds, are drawn, so rounds are
exchangeable.
"""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from itertools import combinations, product

import numpy as np
import numpy.typing as npt

from gatewise import streams
from gatewise.config import SplitConfig

FEW_GROUPS = 10
"""Below this many groups, splits are balanced unless told otherwise."""
STARTS, SEARCHED = 5, 16
"""Divisions that a search for the most even one starts from, and the most groups it is worth it
for: of many, few ever meet twice."""

ERA = 8
"""Cycles over which it is evened out who validates; so a round far out is found as fast as the
first (seeds of trials count from a million)."""

Members = npt.NDArray[np.int64]
Division = tuple[tuple[int, ...], ...]
"""Disjoint sets of groups, by number."""


def sizes(groups: int, config: SplitConfig) -> tuple[int, int]:
    """Test and validation groups of a seed, at least one each.

    Test sets leave two groups at least, one to train on and one to validate with.
    """
    test = min(max(1, round(config.test * groups)), max(1, groups - 2))
    return test, max(1, round(config.validation * groups))


def seeds_in_round(groups: int, config: SplitConfig) -> int:
    """Seeds after which every group was tested once more."""
    return max(2, round(groups / sizes(groups, config)[0]))


def held_out(groups: int, config: SplitConfig, seed: int) -> tuple[list[int], list[int]]:
    """Who tests and who validates with one seed, by number.

    Args:
        groups: how many there are.
        config: fractions; fractions of groups are rounded to whole ones.
        seed: it is seed `seed % n` of round `seed // n`, n being the seeds of a round.
    """
    per_round = seeds_in_round(groups, config)
    test, validation = _schedule(groups, per_round, sizes(groups, config)[1], seed // per_round)
    place = seed % per_round
    return list(test[place]), list(validation[place])


@lru_cache(maxsize=64)
def _schedule(
    groups: int, per_round: int, validating: int, number: int
) -> tuple[Division, Division]:
    """Test and validation sets of one round; who validates follows from the rounds before."""
    validated: Counter[int] = Counter()
    era = ERA * (groups - 1)
    for earlier in range(number - number % era, number + 1):
        cycle, place = divmod(earlier, groups - 1)
        tests = _divisions(groups, per_round, cycle)[place]
        chosen = []
        for which, tested in enumerate(tests):
            # Ties go by a draw of this seed's own.
            order = streams.generator(earlier * per_round + which, "split", 2).permutation(groups)
            free = [int(g) for g in order if g not in tested]
            least = sorted(free, key=lambda g: validated[g])[: min(validating, len(free) - 1)]
            validated.update(least)
            chosen.append(tuple(least))
    return tests, tuple(chosen)


@lru_cache(maxsize=64)
def _divisions(groups: int, per_round: int, cycle: int) -> tuple[Division, ...]:
    """The rounds of one cycle, one fewer than there are groups."""
    rng, rounds = streams.generator(cycle, "split", 3), groups - 1
    if groups == 2 * per_round:
        divisions = [_circle(groups, number) for number in range(rounds)]
    else:
        divisions = _even(groups, per_round, rounds, rng)
    names = rng.permutation(groups)
    renamed = [
        tuple(tuple(sorted(int(names[g]) for g in part)) for part in division)
        for division in divisions
    ]
    return tuple(renamed[i] for i in rng.permutation(rounds))


def _circle(groups: int, number: int) -> Division:
    """One round of a round-robin tournament: the last stays, the others move around it."""
    turning = groups - 1
    pairs = [(number % turning, turning)]
    pairs += [((number + k) % turning, (number - k) % turning) for k in range(1, groups // 2)]
    return tuple(pairs)


def _even(groups: int, parts: int, rounds: int, rng: np.random.Generator) -> list[Division]:
    """Divisions in which those that stood together least stand together next."""
    together = np.zeros((groups, groups), dtype=int)
    starts = STARTS if groups <= SEARCHED else 1
    divisions = []
    for _ in range(rounds):
        drawn = [np.array_split(rng.permutation(groups), parts) for _ in range(starts)]
        searched = [_swapped(d, together) for d in drawn] if starts > 1 else drawn
        best = min(searched, key=lambda division: _met(division, together))
        for part in best:
            together[np.ix_(part, part)] += 1
        divisions.append(tuple(tuple(int(g) for g in part) for part in best))
    return divisions


def _swapped(division: list[Members], together: Members) -> list[Members]:
    """The division after every swap of two groups that lowers how often its sets have met."""
    best, met = division, _met(division, together)
    improved = True
    while improved:
        improved = False
        for i, j in combinations(range(len(best)), 2):
            for a, b in product(range(len(best[i])), range(len(best[j]))):
                trial = [part.copy() for part in best]
                trial[i][a], trial[j][b] = best[j][b], best[i][a]
                now = _met(trial, together)
                if now < met:
                    best, met, improved = trial, now, True
    return best


def _met(division: list[Members], together: Members) -> int:
    """How often those that stand together did before; often is worse than twice once."""
    return int(sum((together[np.ix_(part, part)] ** 2).sum() for part in division))
