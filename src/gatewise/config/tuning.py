"""Tuning: which settings every variant of a task may choose, and by how many trials."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, field_validator, model_validator

from gatewise.config.strict import Strict, suggest
from gatewise.config.training import TrainConfig
from gatewise.config.variants import VariantConfig

Value = bool | int | float | str
"""What a setting can be."""

TRAIN_SETTINGS = frozenset(TrainConfig.model_fields) - {"fraction"}
MODEL_SETTINGS = frozenset(
    {
        "pooling",
        "embeddings",
        "word_dropout",
        "dropout",
        "input_dropout",
        "init",
        "forget_bias",
        "chrono_steps",
    }
)
"""Of the model, those that leave its size alone: budgets are matched before anything is tuned."""
TUNABLE = tuple(sorted(TRAIN_SETTINGS | MODEL_SETTINGS))

FIRST_SEED = 1_000_000
"""Seeds of trials count from here, out of reach of a study's."""
SIGNIFICANT_DIGITS = 4
"""Of values drawn from a range: as exact as anybody could tell them apart, and to be read."""


class Range(Strict):
    """A setting between two bounds."""

    low: float
    high: float
    scale: Literal["log", "linear"] = "log"
    """Whether ratios or differences count; a learning rate wants `log`."""

    @model_validator(mode="after")
    def _is_one(self) -> Range:
        if not self.low < self.high:
            raise ValueError(f"the range from {self.low} to {self.high} is empty; low goes first")
        if self.scale == "log" and self.low <= 0:
            raise ValueError(f"low is {self.low}: a range with scale: log begins above 0")
        return self

    def at(self, position: float) -> float:
        """The value at `position` in [0, 1], rounded to what can be told apart."""
        low, high = self._scaled(self.low), self._scaled(self.high)
        value = low + position * (high - low)
        value = math.exp(value) if self.scale == "log" else value
        return float(f"{value:.{SIGNIFICANT_DIGITS}g}")

    def position(self, value: float) -> float:
        """Where `value` lies: 0 at `low`, 1 at `high`, beyond them outside of the range."""
        if self.scale == "log" and value <= 0:
            return -math.inf
        low, high = self._scaled(self.low), self._scaled(self.high)
        return (self._scaled(value) - low) / (high - low)

    def _scaled(self, value: float) -> float:
        return math.log(value) if self.scale == "log" else value


Choices = Annotated[tuple[Value, ...], Field(min_length=1)]
Space = dict[str, Range | Choices]


def _default_space() -> Space:
    return {"learning_rate": Range(low=1e-3, high=3e-2)}


class TuningConfig(Strict):
    """How settings are chosen for each variant before the study's seeds are trained.

    Every variant of a task gets the same points of one space, on the same splits and draws. What
    does best on the validation split is what the study then trains with; the test split is not
    touched before.
    """

    trials: Annotated[int, Field(ge=0, le=10_000)] = 0
    """Points that each variant tries, the declared settings first; with 0 nothing is tuned."""
    seeds: Annotated[int, Field(ge=1, le=1000)] | None = None
    """Runs of each point; left out: 1, or 4 where the split is drawn anew for each seed."""
    space: Space = Field(default_factory=_default_space)
    """What is tried: for each setting a range `{low, high, scale}` or a list of values."""
    method: Literal["quasi-random", "random", "grid", "tpe"] = "quasi-random"
    """Points that fill the space evenly (scrambled Sobol) or by chance, the corners of a grid, or
    what earlier trials of the variant suggest (Optuna's TPE, one point after another)."""
    budget: Literal["trials", "macs"] = "trials"
    """What is equal for all variants: the number of points, or the multiply-accumulates of
    training, so that a cheaper variant tries more points than the dearest one's `trials`."""
    prune: Literal["none", "halving"] = "none"
    """Successive halving: all points train a third of the epochs with the schedule fitted to them,
    the better half the whole; the declared settings always do."""
    per: Literal["variant", "seed"] = "variant"
    """Choose once for all seeds, or let every seed of the study choose by trials of its own."""

    @field_validator("space")
    @classmethod
    def _known_settings(cls, value: Space) -> Space:
        if not value:
            raise ValueError("nothing to try: name a setting, or set trials to 0")
        for name, choices in value.items():
            _check_setting(name, choices)
        return value

    @model_validator(mode="after")
    def _consistent(self) -> TuningConfig:
        if self.trials == 1:
            raise ValueError("trials is 1, the declared settings alone; give 2 or more, or 0")
        if self.prune == "halving" and self.method == "tpe":
            raise ValueError("prune: halving needs all points at once, method: tpe has one by one")
        if self.prune == "halving" and "epochs" in self.space:
            raise ValueError("prune: halving cuts epochs, so the space cannot hold them")
        return self


class TuningOverrides(Strict):
    """What one task changes about tuning, for all of its variants alike."""

    trials: Annotated[int, Field(ge=0, le=10_000)] | None = None
    seeds: Annotated[int, Field(ge=1, le=1000)] | None = None
    space: Space | None = None
    """Laid over the common space, setting by setting."""

    @field_validator("space")
    @classmethod
    def _known_settings(cls, value: Space | None) -> Space | None:
        for name, choices in (value or {}).items():
            _check_setting(name, choices)
        return value

    def over(self, common: TuningConfig) -> TuningConfig:
        """The common settings with these laid over them."""
        own = self.model_dump(exclude_none=True, exclude={"space"})
        space = {**common.space, **(self.space or {})}
        return TuningConfig.model_validate({**common.model_dump(), **own, "space": space})


def show(setting: Value) -> str:
    """A setting's value for people: `0.00713`, `true`."""
    if isinstance(setting, bool):
        return str(setting).lower()
    return f"{setting:.4g}" if isinstance(setting, float) else str(setting)


def show_tried(values: Range | Choices) -> str:
    """`0.001 to 0.03 (log)`, or the values that a setting could take."""
    if isinstance(values, Range):
        return f"{show(values.low)} to {show(values.high)} ({values.scale})"
    return " or ".join(map(show, values))


def integral(setting: str) -> bool:
    """Whether a setting takes whole numbers."""
    owner = TrainConfig if setting in TRAIN_SETTINGS else VariantConfig
    return "int" in str(owner.model_fields[setting].annotation)


def _check_setting(name: str, choices: Range | Choices) -> None:
    if name not in TUNABLE:
        raise ValueError(f"{name!r} cannot be tuned{suggest(name, TUNABLE)}")
    values: tuple[Any, ...] = choices if isinstance(choices, tuple) else (choices.low, choices.high)
    if isinstance(choices, Range) and integral(name):
        values = tuple(round(value) for value in values)
    if len(set(values)) != len(values):
        raise ValueError(f"{name}: a value is listed twice in {list(values)}")
    for value in values:
        _check_value(name, value)


def _check_value(name: str, value: Value) -> None:
    try:
        if name in TRAIN_SETTINGS:
            TrainConfig.model_validate({name: value})
        else:
            needed = {"init": "chrono"} if name == "chrono_steps" else {}
            VariantConfig.model_validate({"cell": "gru", "hidden": 1, **needed, name: value})
    except ValidationError as error:
        said = error.errors(include_url=False)[0]["msg"].removeprefix("Value error, ")
        raise ValueError(f"{name}: {value!r} is not allowed: {said}") from None
