"""The study laid out in small files, one for each thing that can change by itself.

Stages read these files instead of `params.yaml`, so a change reruns exactly what it concerns: a
wider LSTM reruns the LSTM and whatever is matched to it, not the rest; a default written out
reruns nothing.

    <task>/source.json               what `fetch` brings in, a `SourcePlan`
    <task>/sequences.json            what `prepare` makes of it, a `SequencesPlan`
    <task>/baseline.json             what `baseline` scores, a `BaselinePlan`
    <task>/costs.json                what `profile` measures, a `CostsPlan`
    <task>/tuning/<variant>.json     what `tune` tries, a `TuningPlan`
    <task>/variants/<variant>.json   what `train` needs, a `RunPlan`
    <task>/context.json              what `context` asks of finished runs, a `ContextPlan`
    probes/<variant>.json            what `probe` needs, a `ProbePlan`
    compare.json                     what `compare` weighs, a `ComparePlan`

How wide to compute and where to log changes no result, so it is in none of them.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, SerializeAsAny, field_validator

from gatewise.artifacts.document import read_model
from gatewise.config import (
    Augment,
    ModelOverrides,
    ProbeConfig,
    Reached,
    SourceOptions,
    SplitConfig,
    Strict,
    Study,
    TaskConfig,
    Tokens,
    TrainConfig,
    TrainOverrides,
    TuningConfig,
    TuningOverrides,
    VariantConfig,
    parse,
    source_class,
)
from gatewise.config.objectives import DEFAULT
from gatewise.config.tuning import Value
from gatewise.files import digest, replacing, write_json

WITHOUT_EVIDENCE = ("tracking", "execution", "gate")
"""Sections of `params.yaml` that change no evidence."""


class _Plan(Strict):
    @classmethod
    def read(cls, path: str | Path) -> Self:
        """Read one plan file.

        Raises:
            GatewiseError: it is missing or was written by another version.
        """
        return read_model(cls, path, "plan")

    def write(self, path: str | Path) -> None:
        """Write the plan file."""
        write_json(path, self.model_dump(mode="json"))


class SourcePlan(_Plan):
    """What fetching a task's data needs."""

    task: str
    source: SerializeAsAny[SourceOptions]

    @field_validator("source", mode="plain")
    @classmethod
    def _of_its_kind(cls, value: Any) -> SourceOptions:
        if isinstance(value, SourceOptions):
            return value
        return source_class(str(value["kind"])).model_validate(value)


class SequencesPlan(_Plan):
    """What turning a task's data into sequences needs."""

    task: str
    settings: TaskConfig
    """Those of the task; what concerns training alone is left at its defaults."""
    instructions: Literal["portable", "native"] = "portable"
    """As `execution.instructions`; a stage that computes otherwise has to run again."""


class BaselinePlan(_Plan):
    """What scoring a task without recurrence needs."""

    task: str
    metric: str
    fraction: float
    """Share of the training split that the networks train on, and so do the baselines."""
    alpha: float
    """One minus the intervals' level."""
    resamples: int
    """Of the bootstrap."""
    objective: str = Field(DEFAULT, exclude_if=lambda kind: kind == DEFAULT)
    """Name of the task's objective; the usual one goes without saying."""
    seeds: tuple[int, ...]
    """All of them where the examples change with the seed; the first stands for all elsewhere."""
    instructions: Literal["portable", "native"] = "portable"
    """As `execution.instructions`."""


class _OfVariant(_Plan):
    variant: str
    config: VariantConfig
    """The variant as written; its width may still have to be solved."""
    reference: VariantConfig | None
    """The variant whose budget is matched."""

    @property
    def cells(self) -> set[str]:
        """Names of the cells that the result depends on."""
        return {config.cell for config in (self.config, self.reference) if config is not None}


class OwnSettings(Strict):
    """What a seed chose for itself (`tuning.per: seed`): all else it shares with the others."""

    names: tuple[str, ...]
    """Settings, whose values stand in the plan."""
    made_by: str
    """Digest of the tuning settings, which all seeds share."""


class RunPlan(_OfVariant):
    """What the runs of one variant on one task have in common, and their seeds."""

    task: str
    train: TrainConfig
    """Training settings with the task's overrides laid over the common ones."""
    split: SplitConfig
    augment: Augment | None
    metric: str
    objective: str = Field(DEFAULT, exclude_if=lambda kind: kind == DEFAULT)
    """Name of the task's objective; the usual one goes without saying."""
    seeds: tuple[int, ...]
    threads: int
    instructions: Literal["portable", "native"] = "portable"
    """As `execution.instructions`."""
    accelerator: str
    precision: str
    compile: bool = False
    own: OwnSettings | None = None
    """Laid over the plan of a seed that chose settings for itself."""

    @property
    def sha256(self) -> str:
        """Digest of all but the seeds: what they have in common."""
        return digest(self.model_dump(mode="json", exclude={"seeds"}))


class TuningPlan(_Plan):
    """What choosing the settings of one variant on one task needs."""

    run: RunPlan
    """As declared; its seeds are the study's where each chooses for itself, and none elsewhere."""
    tuning: TuningConfig
    kept: dict[str, Value] | None = None
    """Settings that are taken over in place of tuning anew."""
    others: dict[str, RunPlan] = Field(default_factory=dict)
    """The task's variants where the multiply-accumulates of all are to be equal."""


class CostsPlan(_Plan):
    """What measuring the costs of a task's variants needs."""

    task: str
    runs: dict[str, RunPlan]
    """The plan of each variant, without seeds: another seed costs the same."""


class ContextPlan(_Plan):
    """What asking a task's finished runs about their context needs."""

    task: str
    variants: dict[str, tuple[str, ...]]
    """By name, the cells that it depends on."""
    metric: str
    objective: str = Field(DEFAULT, exclude_if=lambda kind: kind == DEFAULT)
    """Name of the task's objective; the usual one goes without saying."""
    instructions: Literal["portable", "native"] = "portable"
    """As `execution.instructions`; a stage that computes otherwise has to run again."""

    @property
    def cells(self) -> set[str]:
        """Names of the cells that the result depends on."""
        return {cell for cells in self.variants.values() for cell in cells}


class ProbePlan(_OfVariant):
    """What probing one variant's memory needs."""

    probes: ProbeConfig
    instructions: Literal["portable", "native"] = "portable"
    """As `execution.instructions`; a stage that computes otherwise has to run again."""


class ComparePlan(_Plan):
    """What weighing the evidence needs: the study as declared."""

    declared: dict[str, Any]
    """All sections of `params.yaml` that bear on evidence, checked again when they are read."""
    seeds: dict[str, dict[str, int]]
    """How many seeds each variant of each task has; how far `seeds: auto` has come."""

    def study(self) -> Study:
        """The study, with defaults where a section bears on no evidence."""
        study = parse(self.declared, origin="data/plan/compare.json")
        return study.with_reached(Reached(self.seeds))


def path(task: str, variant: str, root: str | Path = "data/plan") -> Path:
    """Where the plan of `task` and `variant` lies."""
    return Path(root) / task / "variants" / f"{variant}.json"


def tuning_path(task: str, variant: str, root: str | Path = "data/plan") -> Path:
    """Where the plan of tuning `variant` on `task` lies."""
    return Path(root) / task / "tuning" / f"{variant}.json"


def lay_out(study: Study) -> list[RunPlan]:
    """The plans of all tasks and variants, in the order of `params.yaml`."""
    return [_plan(study, task, variant) for task in study.tasks for variant in study.variants]


Kept = Callable[[str, str, TuningConfig], dict[str, Value] | None]
"""Settings that a variant keeps on a task, or `None` if it is to be tuned."""


def write(study: Study, root: str | Path = "data/plan", kept: Kept = lambda *_: None) -> None:
    """Write all plan files, replacing those of an earlier study.

    Args:
        study: what is planned.
        root: where the files go.
        kept: choices of settings that are not made anew.
    """
    with replacing(root) as folder:
        for task in study.tasks:
            _write_task(study, task, folder, kept)
        for variant in study.variants:
            _probe_plan(study, variant).write(folder / "probes" / f"{variant}.json")
        ComparePlan(
            declared=study.model_dump(mode="json", exclude=set(WITHOUT_EVIDENCE)),
            seeds={
                task: {variant: len(study.seeds_of(task, variant)) for variant in study.variants}
                for task in study.tasks
            },
        ).write(folder / "compare.json")


def _write_task(study: Study, task: str, root: Path, kept: Kept) -> None:
    folder, settings = root / task, study.tasks[task]
    SourcePlan(task=task, source=settings.source).write(folder / "source.json")
    bare = {
        "augment": None,
        "train": TrainOverrides(),
        "model": ModelOverrides(),
        "tuning": TuningOverrides(),
        "work": None,
    }
    sequences = SequencesPlan(
        task=task,
        settings=settings.model_copy(update=bare),
        instructions=study.execution.instructions,
    )
    sequences.write(folder / "sequences.json")
    runs = {variant: _plan(study, task, variant) for variant in study.variants}
    for variant, plan in runs.items():
        plan.write(path(task, variant, root))
        _tuning_plan(study, runs, plan, kept).write(tuning_path(task, variant, root))
    costs = {name: plan.model_copy(update={"seeds": ()}) for name, plan in runs.items()}
    CostsPlan(task=task, runs=costs).write(folder / "costs.json")
    _baseline_plan(study, task).write(folder / "baseline.json")
    ContextPlan(
        task=task,
        variants={name: tuple(sorted(plan.cells)) for name, plan in runs.items()},
        metric=settings.metric,
        objective=settings.objective.kind,
        instructions=study.execution.instructions,
    ).write(folder / "context.json")


def _tuning_plan(study: Study, runs: dict[str, RunPlan], own: RunPlan, kept: Kept) -> TuningPlan:
    tuning = study.tuning_for(own.task)
    seedless = {name: plan.model_copy(update={"seeds": ()}) for name, plan in runs.items()}
    if not tuning.trials:
        # Nothing else bears on a choice that is not made.
        return TuningPlan(run=seedless[own.variant], tuning=TuningConfig())
    return TuningPlan(
        run=own if tuning.per == "seed" else seedless[own.variant],
        tuning=tuning,
        kept=kept(own.task, own.variant, tuning),
        others=seedless if tuning.budget == "macs" else {},
    )


def _baseline_plan(study: Study, task: str) -> BaselinePlan:
    fraction = study.train_for(task).fraction
    settings = study.tasks[task]
    # Left open, it is settled when the groups are known; text keeps one split in any case.
    fixed = settings.split.resample is False or isinstance(settings.features, Tokens)
    by_seed = not fixed or fraction < 1
    return BaselinePlan(
        task=task,
        metric=study.tasks[task].metric,
        objective=study.tasks[task].objective.kind,
        fraction=fraction,
        alpha=study.compare.alpha,
        resamples=study.compare.resamples,
        seeds=tuple(study.seeds_of_task(task)[: None if by_seed else 1]),
        instructions=study.execution.instructions,
    )


def _probe_plan(study: Study, variant: str) -> ProbePlan:
    config = study.variants[variant]
    return ProbePlan(
        variant=variant,
        config=config,
        reference=study.variants[config.match.reference] if config.match else None,
        probes=study.probes,
        instructions=study.execution.instructions,
    )


def _plan(study: Study, task: str, variant: str) -> RunPlan:
    config = study.variant_for(task, variant)
    settings = study.tasks[task]
    return RunPlan(
        task=task,
        variant=variant,
        config=config,
        reference=study.variant_for(task, config.match.reference) if config.match else None,
        train=study.train_for(task),
        split=settings.split,
        augment=settings.augment,
        metric=settings.metric,
        objective=settings.objective.kind,
        seeds=tuple(study.seeds_of(task, variant)),
        threads=study.execution.threads_per_run,
        instructions=study.execution.instructions,
        accelerator=study.execution.accelerator,
        precision=study.execution.precision,
        compile=study.execution.compile,
    )
