"""Choosing settings for one variant on one task: the work of the `tune` stage.

Every variant tries the same points with the same seeds, and what does best on the validation split
is chosen; of equals the earlier point, so that declared settings stay where nothing beats them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

from gatewise.artifacts.plan import RunPlan, TuningPlan
from gatewise.artifacts.prepared import CARD, TaskCard
from gatewise.artifacts.trials import TrialRecord
from gatewise.artifacts.tuned import Choice, Trial, Tuned, declared, settle
from gatewise.artifacts.tuning_lock import tuning_digest
from gatewise.config.metrics import METRICS
from gatewise.config.tuning import FIRST_SEED, Range, Space, Value
from gatewise.errors import GatewiseError
from gatewise.evidence import prediction_counts
from gatewise.evidence.choosing import chance_of_another
from gatewise.execution import search
from gatewise.execution.dispatch import Dispatch
from gatewise.execution.trial_runs import KeptTrials, TrialRun, train_missing
from gatewise.models import budget, recurrence
from gatewise.models.complexity import Sizes, macs_per_step

SEEDS, SEEDS_WHERE_REDRAWN = 1, 4
"""Runs of each point where `seeds` is left out. Where the split is drawn anew for each seed a few
groups validate (one speaker), so one seed's choice would be theirs."""
SEEDS_APART = 1_000
"""Between the trials' seeds of one seed of the study and those of the next."""
EDGE = 0.1
"""Share of a range, at either end, that counts as its edge."""
RUNG = 3
"""Successive halving trains a point first for this part of its epochs."""


def tune_variant(
    plan: TuningPlan, prepared: Path, dispatch: Dispatch, kept: KeptTrials | None = None
) -> Tuned:
    """Try the points of the plan and choose.

    Args:
        plan: what to try.
        prepared: `data/prepared/<task>/`; its test split is not touched.
        dispatch: where trials are trained.
        kept: where finished runs of trials are kept.

    Raises:
        GatewiseError: every point diverged or was skipped, or a run failed otherwise.
    """
    run, tuning = plan.run, plan.tuning
    bare = Tuned(
        task=run.task,
        variant=run.variant,
        metric=run.metric,
        made_by=tuning_digest(tuning),
        kept=plan.kept,
    )
    if not tuning.trials or plan.kept is not None:
        return bare
    card = TaskCard.read(prepared / CARD)
    contest = _Contest(plan, prepared, card, dispatch, kept or KeptTrials())
    per_seed = tuning.per == "seed"
    choices = contest.choose(
        [_seeds(plan, contest.card, s) for s in (run.seeds if per_seed else [None])]
    )
    return bare.model_copy(
        update={
            "method": tuning.method,
            "per": tuning.per,
            "space": tuning.space,
            "seeds": contest.seeds,
            "choice": choices[0],
            "by_seed": dict(zip(run.seeds, choices, strict=True)) if per_seed else {},
        }
    )


def _seeds(plan: TuningPlan, card: TaskCard, study_seed: int | None) -> tuple[int, ...]:
    """Seeds of the trials, the same for every variant; no seed of the study is among them."""
    first = FIRST_SEED if study_seed is None else FIRST_SEED + SEEDS_APART * (1 + study_seed)
    return tuple(range(first, first + seeds_of_trials(plan, card)))


def seeds_of_trials(plan: TuningPlan, card: TaskCard) -> int:
    """How many runs each point gets."""
    if plan.tuning.seeds is not None:
        return plan.tuning.seeds
    return SEEDS_WHERE_REDRAWN if card.resample else SEEDS


@dataclass(frozen=True)
class _Point:
    number: int
    settings: dict[str, Value]
    plan: RunPlan
    refused: str = ""
    """Why the variant cannot be built with these settings."""


@dataclass(frozen=True)
class _Contest:
    """The trials of one variant."""

    plan: TuningPlan
    prepared: Path
    card: TaskCard
    dispatch: Dispatch
    kept: KeptTrials

    @property
    def seeds(self) -> int:
        return seeds_of_trials(self.plan, self.card)

    def choose(self, contests: Sequence[tuple[int, ...]]) -> list[Choice]:
        """A choice for each tuple of seeds."""
        if self.plan.tuning.method == "tpe":
            return [self._choice(self._one_by_one(seeds), seeds) for seeds in contests]
        count = equal_trials(self.plan, self.card)
        after = search.points(self.plan.tuning, count - 1)
        points = [self._point(k, settings) for k, settings in enumerate([self._declared, *after])]
        halving = self.plan.tuning.prune == "halving"
        # Those of all contests at once, so that no core waits for the end of each.
        self._folders(self._runs(points, [s for seeds in contests for s in seeds], halving))
        trials = self._halved if halving else self._trials
        return [self._choice(trials(points, seeds), seeds) for seeds in contests]

    @property
    def _declared(self) -> dict[str, Value]:
        return declared(self.plan.run, self.plan.tuning.space)

    def _point(self, number: int, settings: dict[str, Value]) -> _Point:
        run = settle(self.plan.run, settings).model_copy(update={"seeds": ()})
        try:
            recurrence.check(run.config)
        except GatewiseError as error:
            return _Point(number, settings, run, str(error))
        return _Point(number, settings, run)

    def _one_by_one(self, seeds: tuple[int, ...]) -> list[Trial]:
        trials: list[Trial] = []
        for number in range(equal_trials(self.plan, self.card)):
            settings = self._declared
            if number:
                settings = search.suggest(self.plan.tuning, self.plan.run.metric, trials)
            trials += self._trials([self._point(number, settings)], seeds)
        return trials

    def _halved(self, points: Sequence[_Point], seeds: tuple[int, ...]) -> list[Trial]:
        """The better half of the points and the declared one trained in full, the others as far."""
        first = self._trials(points, seeds, rung=True)
        gain = METRICS[self.plan.run.metric].gain
        ranked = sorted(
            (trial for trial in first if trial.mean is not None),
            key=lambda trial: (-gain(trial.mean or 0.0), trial.number),
        )
        promoted = {0, *(trial.number for trial in ranked[: math.ceil(len(points) / 2)])}
        going_on = [point for point in points if point.number in promoted]
        whole = {trial.number: trial for trial in self._trials(going_on, seeds)}
        return [
            _with_rung(whole[trial.number], trial)
            if trial.number in whole
            else trial.model_copy(update={"status": "pruned"} if trial.scores else {})
            for trial in first
        ]

    def _runs(self, points: Iterable[_Point], seeds: Iterable[int], rung: bool) -> list[TrialRun]:
        return [
            TrialRun(point.number, _on_rung(point.plan) if rung else point.plan, seed)
            for point in points
            if not point.refused
            for seed in seeds
        ]

    def _folders(self, runs: list[TrialRun]) -> dict[TrialRun, Path]:
        title = f"tune {self.plan.run.task}/{self.plan.run.variant}"
        return train_missing(runs, self.prepared, self.card.digest, self.dispatch, self.kept, title)

    def _trials(
        self, points: Sequence[_Point], seeds: tuple[int, ...], rung: bool = False
    ) -> list[Trial]:
        """What becomes of points, after training what is missing."""
        folders = self._folders(self._runs(points, seeds, rung))
        return [
            self._trial(
                point,
                [
                    TrialRecord.read(folder)
                    for run, folder in folders.items()
                    if run.trial == point.number
                ],
            )
            for point in points
        ]

    def _trial(self, point: _Point, records: Sequence[TrialRecord]) -> Trial:
        settings, number = point.settings, point.number
        if point.refused:
            return Trial(number=number, settings=settings, status="skipped", note=point.refused)
        macs = sum(record.training_macs for record in records)
        diverged = next((record.diverged for record in records if record.diverged), "")
        if diverged:
            return Trial(
                number=number,
                settings=settings,
                status="diverged",
                training_macs=macs,
                note=diverged,
            )
        scores = tuple(record.metrics[self.plan.run.metric] for record in records)
        return Trial(
            number=number,
            settings=settings,
            status="complete",
            scores=scores,
            mean=mean(scores),
            training_macs=macs,
        )

    def _choice(self, trials: list[Trial], seeds: tuple[int, ...]) -> Choice:
        complete = [trial for trial in trials if trial.status == "complete"]
        name = f"{self.plan.run.task}/{self.plan.run.variant}"
        if not complete:
            notes = "; ".join(sorted({trial.note for trial in trials if trial.note}))
            raise GatewiseError(
                f"tune {name}: none of {len(trials)} trials came to an end ({notes}); narrow "
                "tuning.space, or lower train.learning_rate"
            )
        metric = METRICS[self.plan.run.metric]
        best = max(complete, key=lambda trial: (metric.gain(trial.mean or 0.0), -trial.number))
        points = [self._point(trial.number, trial.settings) for trial in complete]
        folders = self._folders(self._runs(points, seeds, rung=False))
        counted: dict[int, list[prediction_counts.PredictionCounts]] = {}
        for run, folder in folders.items():
            counted.setdefault(run.trial, []).append(prediction_counts.read(folder))
        chance = chance_of_another(list(counted.values()), metric, list(counted).index(best.number))
        return Choice(
            trials=tuple(trials),
            chosen=best.number,
            chance_of_another=chance,
            at_edge=at_edge(self.plan.tuning.space, best.settings),
        )


def at_edge(space: Space, settings: dict[str, Value]) -> tuple[str, ...]:
    """Settings that lie at the edge of their range, or beyond it."""
    return tuple(
        name
        for name, values in space.items()
        if isinstance(values, Range)
        and isinstance(value := settings.get(name), int | float)
        and not EDGE <= values.position(value) <= 1 - EDGE
    )


def equal_trials(plan: TuningPlan, card: TaskCard) -> int:
    """Points that the variant tries; more than `trials` where a dearer one's arithmetic is met."""
    trials = plan.tuning.trials
    if plan.tuning.budget == "trials" or not plan.others:
        return trials
    sizes = Sizes.of(card)

    def cost(run: RunPlan) -> float:
        solved = budget.resolve(run.config, run.reference, sizes)
        return macs_per_step(solved.variant, sizes) * solved.epochs_factor

    dearest = max(cost(run) for run in plan.others.values())
    return int(trials * dearest / cost(plan.run) + 1e-9)


def _on_rung(run: RunPlan) -> RunPlan:
    """A whole, shorter training: its schedule is fitted to it."""
    epochs = max(1, math.ceil(run.train.epochs / RUNG))
    return run.model_copy(update={"train": run.train.model_copy(update={"epochs": epochs})})


def _with_rung(trial: Trial, rung: Trial) -> Trial:
    return trial.model_copy(update={"training_macs": trial.training_macs + rung.training_macs})
