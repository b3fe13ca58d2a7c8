"""What tuning changed: the trials of all variants of one task side by side.

A verdict holds for the settings under which it was found: searching one corner of a space can show
J better than K, and another corner the opposite (Cooper et al. 2021). So the comparison says what
was tried, what was chosen, and what common settings would have said.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean

from gatewise.artifacts.comparison import PairMeasurement, VariantSummary
from gatewise.artifacts.tuned import Choice, Trial, Tuned
from gatewise.artifacts.tuning_summary import Lead, PairTuning, TaskTuning, VariantTuning
from gatewise.config.metrics import METRICS, Metric
from gatewise.config.tuning import show
from gatewise.evidence import edges
from gatewise.evidence.importance import importance
from gatewise.evidence.leaders import leaders
from gatewise.evidence.search_value import budget_curve

CALLED_DIFFERENT = 0.14
"""Share of studies that call two equal variants different at 5 % after choosing by one trial seed,
as simulated in `tests/evidence/test_tuning_calibration.py`."""


def summarise(
    tuned: Mapping[str, Tuned],
    pairs: Iterable[PairMeasurement],
    tested: Mapping[str, VariantSummary],
    rope: float,
) -> TaskTuning | None:
    """The task's entry in the comparison.

    Args:
        tuned: what the `tune` stage left, by variant.
        pairs: the pairs of the comparison, in its order.
        tested: what the study's own runs scored, by variant.
        rope: differences within +-rope are practically none.

    Returns:
        `None` where nothing was tuned, or where settings were kept from an earlier choice.
    """
    tried = {name: one for name, one in tuned.items() if one.choice is not None}
    if not tried:
        return None
    first = next(iter(tried.values()))
    metric = METRICS[first.metric]
    variants = {name: _variant(one, metric, tested.get(name)) for name, one in tried.items()}
    compared = [
        _pair(pair.a, pair.b, variants, metric, rope)
        for pair in pairs
        if pair.a in variants and pair.b in variants
    ]
    lead = leaders(variants, metric, rope)
    return TaskTuning(
        space=first.space,
        trials=max(len(choice.trials) for one in tried.values() for choice in choices(one)),
        seeds=first.seeds,
        method=first.method,
        per=first.per,
        chosen={name: one.chosen for name, one in variants.items()},
        at_edge=tuple(
            edge
            for name, one in tried.items()
            for edge in edges.edges(name, one.space, choices(one))
        ),
        variants=variants,
        declared_leader=lead.declared,
        tuned_leader=lead.tuned,
        sentence=lead.sentence,
        pairs=tuple(compared),
        importance=importance(first.space, [one.trials for one in variants.values()], metric),
    )


def warnings(task: str, tuned: Mapping[str, Tuned], found: TaskTuning | None) -> list[str]:
    """What a reader should know before believing the settings, a sentence each."""
    kept = {
        name: ", ".join(f"{setting} {show(value)}" for setting, value in one.kept.items())
        for name, one in tuned.items()
        if one.kept is not None
    }
    return [
        *edges.warnings(task, found.at_edge if found else ()),
        *([_one_seed(task)] if found is not None and _by_one_seed(found) else []),
        *(
            f"{task}/{name}: trained with {settings}, kept from tuning on earlier data; "
            "`gatewise retrain --tune` chooses anew."
            for name, settings in kept.items()
        ),
    ]


def _by_one_seed(found: TaskTuning) -> bool:
    """Whether each point was tried with one seed, and chosen once for all seeds of the study."""
    return found.per == "variant" and found.seeds == 1 and found.trials > 1


def _one_seed(task: str) -> str:
    return (
        f"{task}: settings were chosen by one trial seed a point, and no interval includes the "
        f"luck of that: where it is half of what a wrong setting costs, {CALLED_DIFFERENT:.0%} of "
        "equal variants tuned so are called different at 5 % (docs/tuning.md). Where a verdict is "
        "near, raise tuning.seeds or set tuning.per: seed."
    ).replace("% of ", " % of ")


def choices(tuned: Tuned) -> list[Choice]:
    """All choices of a variant: one, or one a seed of the study."""
    return list(tuned.by_seed.values()) or ([tuned.choice] if tuned.choice else [])


def _variant(tuned: Tuned, metric: Metric, tested: VariantSummary | None) -> VariantTuning:
    made = choices(tuned)
    trials = pooled(made)
    declared = [choice.declared.mean for choice in made]
    known = [mean for mean in declared if mean is not None]
    chances = [one.chance_of_another for one in made if one.chance_of_another is not None]
    return VariantTuning(
        trials=trials,
        best=_best_first(trials, metric),
        chosen=made[0].settings,
        chosen_by_seed={str(seed): choice.settings for seed, choice in tuned.by_seed.items()},
        declared_score=fmean(known) if len(known) == len(declared) else None,
        tuned_score=fmean(choice.best.mean or 0.0 for choice in made),
        test_score=None if tested is None else tested.mean,
        chance_of_another=fmean(chances) if len(chances) == len(made) else None,
        budget=budget_curve(made, metric, adaptive=tuned.method == "tpe"),
        training_macs=sum(trial.training_macs for trial in trials),
        saved_macs=_saved_macs(made),
    )


def pooled(made: Sequence[Choice]) -> tuple[Trial, ...]:
    """The trials of a choice; of several choices, each point once with the scores of all of them.

    A point that was trained in full for one seed of the study and pruned for another counts with
    its whole trainings.
    """
    if len(made) == 1:
        return made[0].trials
    by_point: dict[tuple[object, ...], list[Trial]] = {}
    for choice in made:
        for trial in choice.trials:
            point = (trial.number == 0, *sorted(trial.settings.items()))
            by_point.setdefault(point, []).append(trial)
    return tuple(_together(number, same) for number, same in enumerate(by_point.values()))


def _together(number: int, same: Sequence[Trial]) -> Trial:
    order = ("complete", "pruned", "diverged", "skipped")
    status = min((trial.status for trial in same), key=order.index)
    scores = tuple(score for trial in same if trial.status == status for score in trial.scores)
    return Trial(
        number=number,
        settings=same[0].settings,
        status=status,
        scores=scores,
        mean=fmean(scores) if scores else None,
        training_macs=sum(trial.training_macs for trial in same),
        note=same[0].note,
    )


def _best_first(trials: Sequence[Trial], metric: Metric) -> tuple[int, ...]:
    ended = [trial for trial in trials if trial.status == "complete"]
    ended.sort(key=lambda trial: (-metric.gain(trial.mean or 0.0), trial.number))
    return tuple(trial.number for trial in ended)


def _saved_macs(made: Sequence[Choice]) -> float | None:
    """The work that pruning saved, against every point trained in full at once.

    What a rung costs is known from pruned trials; complete ones cost that and a whole training.
    """
    trials = [trial for choice in made for trial in choice.trials if trial.scores]
    pruned = [trial.training_macs for trial in trials if trial.status == "pruned"]
    complete = [trial.training_macs for trial in trials if trial.status == "complete"]
    if not pruned or not complete:
        return None
    whole = (fmean(complete) - fmean(pruned)) * len(trials)
    return whole - sum(pruned) - sum(complete)


def _pair(
    a: str, b: str, variants: Mapping[str, VariantTuning], metric: Metric, rope: float
) -> PairTuning:
    of_a, of_b = variants[a], variants[b]
    declared = None
    if of_a.declared_score is not None and of_b.declared_score is not None:
        declared = of_a.declared_score - of_b.declared_score
    tuned = of_a.tuned_score - of_b.tuned_score
    return PairTuning(
        a=a,
        b=b,
        declared=declared,
        tuned=tuned,
        declared_lead=None if declared is None else _lead(metric.gain(declared), rope),
        tuned_lead=_lead(metric.gain(tuned), rope),
    )


def _lead(gain: float, rope: float) -> Lead:
    if abs(gain) <= rope:
        return "neither"
    return "a" if gain > 0 else "b"
