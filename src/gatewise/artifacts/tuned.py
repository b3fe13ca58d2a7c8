"""What tuning leaves: `data/tuned/<task>/<variant>.json`, and settings laid over a plan.

Nothing in it comes from the test split, and nothing from the clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pydantic import Field

from gatewise.artifacts.document import Document, Part
from gatewise.artifacts.plan import OwnSettings, RunPlan
from gatewise.config.tuning import TRAIN_SETTINGS, Space, Value

Settings = Mapping[str, Value]
"""Values by the names of settings."""


class Trial(Part):
    """One point that was tried, with all of its seeds."""

    number: int
    """0 is the declared point, the others count on."""
    settings: dict[str, Value]
    status: Literal["complete", "pruned", "diverged", "skipped"]
    """`pruned` after a shorter training; `skipped` where the cell has no such setting."""
    scores: tuple[float, ...] = ()
    """Primary metric on the validation split at each seed's best epoch."""
    mean: float | None = None
    """Over the seeds."""
    training_macs: float = 0.0
    """Multiply-accumulates that its training cost, all seeds and rungs together."""
    note: str = ""
    """Why it was skipped or diverged."""


class Choice(Part):
    """The trials of one choice, and what was chosen."""

    trials: tuple[Trial, ...]
    chosen: int
    """Number of the trial whose settings are used."""
    chance_of_another: float | None
    """Share of bootstrap resamples (of seeds and validation groups) that choose another one; `None`
    where one seed was judged by one group."""
    at_edge: tuple[str, ...] = ()
    """Settings whose chosen value lies at the edge of its range."""

    @property
    def settings(self) -> dict[str, Value]:
        """The chosen ones."""
        return next(trial.settings for trial in self.trials if trial.number == self.chosen)

    @property
    def declared(self) -> Trial:
        """The point that `params.yaml` declares."""
        return self.trials[0]

    @property
    def best(self) -> Trial:
        """The chosen point."""
        return next(trial for trial in self.trials if trial.number == self.chosen)


class Tuned(Document):
    """`data/tuned/<task>/<variant>.json`."""

    stage = "tune"

    task: str
    variant: str
    metric: str
    method: str = ""
    per: Literal["variant", "seed"] = "variant"
    space: Space = Field(default_factory=dict)
    """What was tried; empty where nothing was."""
    seeds: int = 0
    """Of each trial."""
    made_by: str = ""
    """Digest of the tuning settings."""
    kept: dict[str, Value] | None = None
    """Settings that a retraining kept from an earlier choice; then there are no trials."""
    choice: Choice | None = None
    """That of the variant; with `per: seed`, of its first seed's."""
    by_seed: dict[int, Choice] = Field(default_factory=dict)
    """With `per: seed`: what each seed of the study chose."""

    def settings(self, seed: int | None = None) -> Settings:
        """What the run of `seed` trains with beside its plan; nothing if nothing was tuned."""
        if self.per == "seed" and seed is not None:
            return self.by_seed[seed].settings
        if self.kept is not None:
            return self.kept
        return {} if self.choice is None else self.choice.settings


def path(task: str, variant: str, root: str | Path = "data/tuned") -> Path:
    """Where the choice of `task` and `variant` lies."""
    return Path(root) / task / f"{variant}.json"


def settle(plan: RunPlan, settings: Settings) -> RunPlan:
    """The plan with `settings` in place of what it says.

    A variant that is matched to another one gets the same settings: they leave sizes alone.
    """
    train = {name: value for name, value in settings.items() if name in TRAIN_SETTINGS}
    model = {name: value for name, value in settings.items() if name not in TRAIN_SETTINGS}
    return plan.model_copy(
        update={
            "train": plan.train.model_copy(update=train),
            "config": plan.config.model_copy(update=model),
        }
    )


def of_seed(plan: RunPlan, tuned: Tuned | None, seed: int) -> RunPlan:
    """The plan of one seed's run, with the settings that were chosen for it, if any were."""
    if tuned is None:
        return plan
    settings = tuned.settings(seed)
    settled = settle(plan, settings)
    if tuned.per != "seed":
        return settled
    own = OwnSettings(names=tuple(sorted(settings)), made_by=tuned.made_by)
    return settled.model_copy(update={"own": own})


def declared(plan: RunPlan, names: Space) -> dict[str, Value]:
    """What the plan itself says of the settings of a space; unset ones are left out."""
    values = {
        name: getattr(plan.train if name in TRAIN_SETTINGS else plan.config, name) for name in names
    }
    return {name: value for name, value in values.items() if value is not None}
