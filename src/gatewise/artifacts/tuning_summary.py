"""What the comparison says of a task's tuning: `tasks.<task>.tuning` of `comparison.json`.

Scores are those of the validation split, in the metric's own value, but for `test_score`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from gatewise.artifacts.document import Part
from gatewise.artifacts.tuned import Trial
from gatewise.config.tuning import Range, Space, Value

Lead = Literal["a", "b", "neither"]
"""Which of a pair is better by more than the region of practical equivalence."""


class BudgetPoint(Part):
    """What tuning with so many trials would give, over the luck of which points they are."""

    trials: int
    """The declared settings are the first."""
    expected: float
    """Expected best validation score."""
    low: float
    """Tenth percentile of the best score; the worse end, whichever way the metric goes."""
    high: float
    """Ninetieth percentile."""


class Edge(Part):
    """A chosen value at the edge of its range: the best may lie beyond."""

    variant: str
    setting: str
    value: float
    range: Range
    """What was tried."""
    wider: Range
    """What to try."""


class VariantTuning(Part):
    """The trials of one variant and what came of them."""

    trials: tuple[Trial, ...]
    """With `per: seed`, a point's scores by all seeds of the study together."""
    best: tuple[int, ...]
    """Numbers of the trials that came to an end, best first."""
    chosen: Mapping[str, Value]
    """The settings that the study trained with; with `per: seed`, those of the first seed."""
    chosen_by_seed: Mapping[str, Mapping[str, Value]] = Field(default_factory=dict)
    """With `per: seed`: what each seed of the study chose."""
    declared_score: float | None
    """Mean validation score of the trials at the declared settings; `None` if they diverged."""
    tuned_score: float
    """Mean validation score of the trials at the chosen settings: a best of several, so too good
    by the luck of choosing."""
    test_score: float | None
    """Mean test score of the study's runs, which train with the chosen settings; `None` where there
    is none."""
    chance_of_another: float | None
    """Share of resamples of seeds and validation groups that choose another point; `None` where one
    seed was judged by one group."""
    budget: tuple[BudgetPoint, ...]
    """Score against the number of trials."""
    training_macs: float
    """Multiply-accumulates of all trials."""
    saved_macs: float | None
    """What training every point in full at once would have cost beyond that, less than nothing
    where halving cost more; `None` where nothing was pruned."""

    @property
    def saved(self) -> float | None:
        """Share of the work of whole trials that pruning saved."""
        if self.saved_macs is None:
            return None
        return self.saved_macs / (self.training_macs + self.saved_macs)

    @property
    def counts(self) -> dict[str, int]:
        """Trials by what became of them."""
        status = [trial.status for trial in self.trials]
        return {name: status.count(name) for name in dict.fromkeys(status)}


class PairTuning(Part):
    """Two variants on the validation split, before and after tuning."""

    a: str
    b: str
    declared: float | None
    """`a - b` at the declared settings; `None` where one of them diverged."""
    tuned: float
    """`a - b` at the chosen settings."""
    declared_lead: Lead | None
    tuned_lead: Lead

    @property
    def disagree(self) -> bool:
        """Whether common settings and tuned ones name different variants."""
        return self.declared_lead is not None and self.declared_lead != self.tuned_lead


class TaskTuning(Part):
    """How a task's settings were chosen and what that changed."""

    space: Space
    """What was tried, by setting."""
    trials: int
    """Points that each variant tried; with equal arithmetic, the most that one did."""
    seeds: int
    """Runs of each point."""
    method: str
    per: Literal["variant", "seed"]
    chosen: Mapping[str, Mapping[str, Value]]
    """The settings that the study trained with, by variant."""
    at_edge: tuple[Edge, ...]
    variants: Mapping[str, VariantTuning]
    declared_leader: str | None
    """The best variant at the declared settings; `None` where all of them diverged."""
    tuned_leader: str
    """The best variant at the settings that each chose."""
    sentence: str | None
    """Where declared and chosen settings disagree about which variant leads: how."""
    pairs: tuple[PairTuning, ...]
    """The pairs of the comparison that were tuned, primary ones first."""
    importance: Mapping[str, float] = Field(default_factory=dict)
    """Share of each setting in what sets the best points apart (PED-ANOVA), largest first; empty
    with one setting, or too few trials to tell."""
