"""All of `params.yaml`, and how it is read."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, PrivateAttr, ValidationError, field_validator, model_validator

from gatewise.config import yaml_file
from gatewise.config.evidence import CompareConfig, Rounds
from gatewise.config.gate import GateConfig
from gatewise.config.metrics import METRICS
from gatewise.config.probes import ProbeConfig
from gatewise.config.seeds import SEEDS_LOCK, Reached, reached
from gatewise.config.strict import Seed, Seeds, Strict, suggest
from gatewise.config.tasks import TaskConfig
from gatewise.config.training import ExecutionConfig, TrackingConfig, TrainConfig
from gatewise.config.tuning import FIRST_SEED, TuningConfig
from gatewise.config.variants import VariantConfig
from gatewise.errors import GatewiseError

NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
LONGEST_NAME = 100
"""Characters; names become those of files and of MLflow's models."""
MOST_RUNS = 1_000_000
LONGEST_QUOTE = 200
"""Characters of a value that a message repeats."""


class Study(Strict):
    """All of `params.yaml`."""

    tasks: Annotated[dict[str, TaskConfig], Field(min_length=1)]
    variants: Annotated[dict[str, VariantConfig], Field(min_length=1)]
    seeds: Rounds | Seeds | Annotated[tuple[Seed, ...], Field(max_length=10_000)] = 8
    """How many (0, 1, ...), or which; `auto` adds some until every task is answered."""
    train: TrainConfig = TrainConfig()
    tuning: TuningConfig = TuningConfig()
    compare: CompareConfig = CompareConfig()
    probes: ProbeConfig = ProbeConfig()
    gate: GateConfig = GateConfig()
    execution: ExecutionConfig = ExecutionConfig()
    tracking: TrackingConfig = TrackingConfig()

    _reached: Reached = PrivateAttr(default_factory=Reached)
    """How many seeds `seeds: auto` has come to; kept in `seeds.lock`."""

    @property
    def seed_list(self) -> list[int]:
        """All seeds; where they are added in rounds, those of whichever variant has most."""
        return max((self.seeds_of_task(task) for task in self.tasks), key=len)

    def seeds_of_task(self, task: str) -> list[int]:
        """The seeds of the variant that has most on `task`."""
        return max((self.seeds_of(task, variant) for variant in self.variants), key=len)

    def seeds_of(self, task: str, variant: str) -> list[int]:
        """The seeds of one variant on one task, a run apiece; the first of them are shared."""
        if isinstance(self.seeds, Rounds):
            count = self._reached.seeds(task, variant)
            return list(range(min(max(count, self.seeds.first), self.seeds.cap)))
        return list(range(self.seeds)) if isinstance(self.seeds, int) else list(self.seeds)

    @property
    def runs(self) -> int:
        """Runs of the whole study."""
        return sum(len(self.seeds_of(task, v)) for task in self.tasks for v in self.variants)

    @property
    def looks(self) -> list[int] | None:
        """Seed counts at which results are looked at, where seeds are added in rounds."""
        return self.seeds.looks if isinstance(self.seeds, Rounds) else None

    def with_reached(self, reached: Reached) -> Study:
        """The study as it stands when `seeds: auto` has come to so many seeds."""
        study = self.model_copy()
        study._reached = reached
        return study

    def train_for(self, task: str) -> TrainConfig:
        """Training settings of `task`: the common ones with its own laid over them."""
        own = self.tasks[task].train.model_dump(exclude_none=True)
        return self.train.model_copy(update=own)

    def tuning_for(self, task: str) -> TuningConfig:
        """How `task` is tuned: the common settings with its own laid over them."""
        return self.tasks[task].tuning.over(self.tuning)

    def compare_for(self, task: str) -> CompareConfig:
        """How `task` is compared: with the region of equivalence of its metric."""
        return self.compare.by(METRICS[self.tasks[task].metric])

    def variant_for(self, task: str, variant: str) -> VariantConfig:
        """The variant with what `task` asks of all its models laid over it."""
        asked = self.tasks[task].model.model_dump(exclude_none=True)
        declared = self.variants[variant]
        if declared.match is not None:
            asked.pop("hidden", None)  # its width follows from that of the other
        return declared.model_copy(update=asked)

    @field_validator("tasks", "variants")
    @classmethod
    def _names(cls, value: dict[str, Any]) -> dict[str, Any]:
        for name in value:
            if not NAME.fullmatch(name):
                raise ValueError(
                    f"{name!r} cannot be a name: use lower-case letters, digits and single dashes"
                )
            if len(name) > LONGEST_NAME:
                raise ValueError(
                    f"{name[:20]!r}... cannot be a name: it has {len(name)} characters, at most "
                    f"{LONGEST_NAME} are taken"
                )
        return value

    @field_validator("seeds", mode="before")
    @classmethod
    def _auto(cls, value: Any) -> Any:
        return Rounds() if value == "auto" else value

    @field_validator("seeds")
    @classmethod
    def _distinct(cls, value: Rounds | int | tuple[int, ...]) -> Rounds | int | tuple[int, ...]:
        if isinstance(value, tuple):
            if not value:
                raise ValueError("the list of seeds is empty")
            if len(set(value)) != len(value):
                raise ValueError(f"a seed is listed twice in {list(value)}")
        return value

    @model_validator(mode="after")
    def _sane(self) -> Study:
        runs = len(self.tasks) * len(self.variants) * len(self.seed_list)
        if runs > MOST_RUNS:
            raise ValueError(f"{runs:,} runs; at most {MOST_RUNS:,} are taken in one study")
        return self

    @model_validator(mode="after")
    def _tuning(self) -> Study:
        for task in self.tasks:
            try:
                tuning = self.tuning_for(task)
            except ValidationError as error:
                said = error.errors(include_url=False)[0]["msg"].removeprefix("Value error, ")
                raise ValueError(f"tasks.{task}.tuning: {said}") from None
            largest = max(self.seed_list)
            if tuning.trials and largest >= FIRST_SEED:
                raise ValueError(
                    f"seeds: {largest} would also be a seed of trials, which count from "
                    f"{FIRST_SEED:,}; choose smaller ones"
                )
        return self

    @model_validator(mode="after")
    def _probed(self) -> Study:
        for name in self.probes.variants or ():
            if name not in self.variants:
                raise ValueError(
                    f"probes.variants: no variant named {name!r}{suggest(name, self.variants)}"
                )
        return self

    @model_validator(mode="after")
    def _references(self) -> Study:
        for name, variant in self.variants.items():
            if variant.match is None:
                continue
            reference = variant.match.reference
            if reference not in self.variants:
                raise ValueError(
                    f"variants.{name}.match.{variant.match.quantity}: no variant named "
                    f"{reference!r}{suggest(reference, self.variants)}"
                )
            if self.variants[reference].match is not None:
                raise ValueError(
                    f"variants.{name}.match: {reference!r} is itself matched to another variant; "
                    "name one with a width of its own"
                )
        for pair in self.compare.primary:
            for name in pair:
                if name not in self.variants:
                    raise ValueError(
                        f"compare.primary: no variant named {name!r}{suggest(name, self.variants)}"
                    )
            if pair[0] == pair[1]:
                raise ValueError(f"compare.primary: {pair[0]!r} is compared with itself")
        return self


def load(path: str | Path = "params.yaml") -> Study:
    """Read and check a study.

    Raises:
        GatewiseError: the file is missing, is not YAML, or says something that is not
            allowed; the message names the key's path.
    """
    path = Path(path)
    try:
        raw = yaml_file.read(path)
    except FileNotFoundError:
        raise GatewiseError(f"{path}: no such file; run from the project's folder") from None
    if not isinstance(raw, dict):
        raise GatewiseError(f"{path}: expected a mapping with tasks, variants, ...")
    study = parse(raw, origin=str(path))
    if study.looks is None:
        return study
    return study.with_reached(reached(path.with_name(SEEDS_LOCK)))


def load_operation(path: str | Path = "params.yaml") -> tuple[ExecutionConfig, TrackingConfig]:
    """How wide to compute, on what, and where to log: what a stage reads beside its plan.

    Neither section changes a result (what of `execution` does is in the plans), so no stage
    depends on them.

    Raises:
        GatewiseError: as `load`.
    """
    study = load(path)
    return study.execution, study.tracking


def parse(raw: dict[str, Any], origin: str = "params") -> Study:
    """Check a study given as plain data; `origin` names it in errors."""
    try:
        return Study.model_validate(raw)
    except ValidationError as error:
        raise GatewiseError(explain(error, origin)) from None


def explain(error: ValidationError, origin: str) -> str:
    """One line per mistake: file, key path, what is wrong, what is allowed."""
    lines = []
    for item in error.errors(include_url=False):
        message = item["msg"].removeprefix("Value error, ")
        if item["type"] not in ("value_error", "missing"):
            message = f"{message} (got {_short(item['input'])})"
        where = ".".join(str(part) for part in item["loc"] if not _is_tag(part))
        lines.append(": ".join(filter(None, (origin, where, message))))
    return "\n".join(dict.fromkeys(lines))


def _short(value: Any) -> str:
    try:
        text = repr(value)
    except ValueError:  # a number of thousands of digits
        return "a number of thousands of digits"
    return text if len(text) <= LONGEST_QUOTE else f"{text[:LONGEST_QUOTE]}..."


_TAGS = {"log-mel", "mfcc", "frames", "tokens", "series", "image", "int", "tuple"}


def _is_tag(part: int | str) -> bool:
    """Pydantic puts a union's chosen branch into the path; users never wrote it."""
    text = str(part)
    return text in _TAGS or text.startswith(("literal[", "tuple[", "constrained", "function-"))
