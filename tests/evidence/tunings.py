"""Tuned variants with chosen scores, as the `tune` stage would leave them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean

from gatewise.artifacts.tuned import Choice, Trial, Tuned
from gatewise.config.tuning import Range, Space, Value

RATES: Space = {"learning_rate": Range(low=1e-3, high=1e-1)}


def trial(number: int, score: float | Sequence[float] | None, status="complete", **settings):
    scores = (score,) if isinstance(score, float) else tuple(score or ())
    return Trial(
        number=number,
        settings=settings or {"learning_rate": round(0.001 * 2**number, 6)},
        status=status,
        scores=scores,
        mean=fmean(scores) if scores else None,
        training_macs=9e6 if status == "complete" else 3e6,
    )


def choice(
    trials: Sequence[Trial],
    at_edge: tuple[str, ...] = (),
    sign: float = 1,
    chance: float | None = 0.25,
) -> Choice:
    complete = [one for one in trials if one.status == "complete"]
    best = max(complete, key=lambda one: (sign * (one.mean or 0.0), -one.number))
    return Choice(
        trials=tuple(trials), chosen=best.number, chance_of_another=chance, at_edge=at_edge
    )


def tuned(variant: str, made: Choice | Mapping[int, Choice], space: Space = RATES, **keys) -> Tuned:
    by_seed = dict(made) if isinstance(made, Mapping) else {}
    return Tuned(
        **{
            "task": "toy",
            "variant": variant,
            "metric": "accuracy",
            "method": "quasi-random",
            "per": "seed" if by_seed else "variant",
            "space": space,
            "seeds": 2,
            "choice": made if isinstance(made, Choice) else by_seed[min(by_seed)],
            "by_seed": by_seed,
            **keys,
        }
    )


def of_scores(variant: str, *scores: float, **keys: Value) -> Tuned:
    """Complete trials with these scores, the declared settings' first."""
    return tuned(variant, choice([trial(i, score) for i, score in enumerate(scores)]), **keys)
