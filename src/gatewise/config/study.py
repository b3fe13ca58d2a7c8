"""All of `params.yaml`, and how it is read."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import Field, PrivateAttr, ValidationError, field_validator, model_validator

from gatewise.config.evidence import CompareConfig, ProbeConfig, Rounds
from gatewise.config.gate import GateConfig
from gatewise.config.strict import Count, Strict, suggest
from gatewise.config.tasks import TaskConfig
from gatewise.config.training import ExecutionConfig, TrackingConfig, TrainConfig
from gatewise.config.tuning import FIRST_SEED, TuningConfig
from gatewise.config.variants import VariantConfig
from gatewise.errors import GatewiseError

NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
SEEDS_LOCK = "seeds.lock"


class Study(Strict):
    """All of `params.yaml`."""

    tasks: Annotated[dict[str, TaskConfig], Field(min_length=1)]
    variants: Annotated[dict[str, VariantConfig], Field(min_length=1)]
    seeds: Rounds | Count | tuple[Annotated[int, Field(ge=0)], ...] = 8
    """How many (0, 1, ...), or which; `auto` adds some until every primary pair is decided."""
    train: TrainConfig = TrainConfig()
    tuning: TuningConfig = TuningConfig()
    compare: CompareConfig = CompareConfig()
    probes: ProbeConfig = ProbeConfig()
    gate: GateConfig = GateConfig()
    execution: ExecutionConfig = ExecutionConfig()
    tracking: TrackingConfig = TrackingConfig()

    _reached: int = PrivateAttr(default=0)
    """How many seeds `seeds: auto` has come to; kept in `seeds.lock`."""

    @property
    def seed_list(self) -> list[int]:
        """The seeds, one run of each variant apiece."""
        if isinstance(self.seeds, Rounds):
            return list(range(min(max(self._reached, self.seeds.first), self.seeds.cap)))
        return list(range(self.seeds)) if isinstance(self.seeds, int) else list(self.seeds)

    @property
    def looks(self) -> list[int] | None:
        """Seed counts at which results are looked at, where seeds are added in rounds."""
        return self.seeds.looks if isinstance(self.seeds, Rounds) else None

    def with_reached(self, reached: int) -> Study:
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

    def variant_for(self, task: str, variant: str) -> VariantConfig:
        """The variant with what `task` asks of all its models laid over it."""
        asked = self.tasks[task].model.model_dump(exclude_none=True)
        return self.variants[variant].model_copy(update=asked)

    @field_validator("tasks", "variants")
    @classmethod
    def _names(cls, value: dict[str, Any]) -> dict[str, Any]:
        for name in value:
            if not NAME.fullmatch(name):
                raise ValueError(
                    f"{name!r} cannot be a name: use lower-case letters, digits and single dashes"
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
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise GatewiseError(f"{path}: no such file; run from the project's folder") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise GatewiseError(f"{path}: not readable as YAML: {error}") from None
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


def reached(path: str | Path) -> int:
    """How many seeds `seeds: auto` has come to, by its lock file; 0 before the first round.

    Raises:
        GatewiseError: the file says something else.
    """
    try:
        found = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return 0
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise GatewiseError(f"{path}: not readable as YAML: {error}") from None
    count = found.get("reached") if isinstance(found, dict) else None
    if not isinstance(count, int) or count < 0:
        raise GatewiseError(f"{path}: expected `reached: <number of seeds>`; put 0 to start anew")
    return count


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
            message = f"{message} (got {item['input']!r})"
        where = ".".join(str(part) for part in item["loc"] if not _is_tag(part))
        lines.append(": ".join(filter(None, (origin, where, message))))
    return "\n".join(dict.fromkeys(lines))


_TAGS = {"log-mel", "mfcc", "frames", "tokens", "int", "tuple"}


def _is_tag(part: int | str) -> bool:
    """Pydantic puts a union's chosen branch into the path; users never wrote it."""
    text = str(part)
    return text in _TAGS or text.startswith(("literal[", "tuple[", "constrained", "function-"))
