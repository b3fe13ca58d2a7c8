"""The study laid out in small files, one for each thing that can change by itself.

Stages depend on these files instead of on `params.yaml`, so a change reruns exactly what it
concerns: a wider LSTM reruns the LSTM and whatever is matched to it, not the rest; a default
written out reruns nothing.

    <task>/source.json               what `fetch` brings in
    <task>/sequences.json            what `prepare` makes of it
    <task>/variants/<variant>.json   what `train` and `profile` need, a `RunPlan`
    compare.json                     what `compare` weighs
    probes/<variant>.json            what `probe` needs, a `ProbePlan`
"""

from __future__ import annotations

from pathlib import Path
from typing import Self

from pydantic import ValidationError

from gatewise.config import (
    Augment,
    ProbeConfig,
    SplitConfig,
    Strict,
    Study,
    TrainConfig,
    VariantConfig,
)
from gatewise.errors import GatewiseError
from gatewise.files import read_json, replacing, write_json


class _Plan(Strict):
    @classmethod
    def read(cls, path: str | Path) -> Self:
        """Read one plan file.

        Raises:
            GatewiseError: it is missing or was written by another version.
        """
        try:
            return cls.model_validate(read_json(path))
        except FileNotFoundError:
            raise GatewiseError(f"{path}: missing; run `dvc repro plan`") from None
        except ValidationError as error:
            raise GatewiseError(f"{path}: not a plan of this version: {error}") from None


class RunPlan(_Plan):
    """What the runs of one variant on one task have in common, and their seeds."""

    task: str
    variant: str
    model: VariantConfig
    """The variant as written; its width may still have to be solved."""
    reference: VariantConfig | None
    """The variant whose budget is matched."""
    train: TrainConfig
    """Training settings with the task's overrides laid over the common ones."""
    split: SplitConfig
    augment: Augment | None
    metric: str
    seeds: tuple[int, ...]
    threads: int
    accelerator: str
    precision: str
    compile: bool = False


class ProbePlan(_Plan):
    """What probing one variant's memory needs."""

    variant: str
    model: VariantConfig
    reference: VariantConfig | None
    probes: ProbeConfig


def path(task: str, variant: str, root: str | Path = "data/plan") -> Path:
    """Where the plan of `task` and `variant` lies."""
    return Path(root) / task / "variants" / f"{variant}.json"


def lay_out(study: Study) -> list[RunPlan]:
    """The plans of all tasks and variants, in the order of `params.yaml`."""
    return [_plan(study, task, variant) for task in study.tasks for variant in study.variants]


def write(study: Study, root: str | Path = "data/plan") -> None:
    """Write all plan files, replacing those of an earlier study."""
    with replacing(root) as folder:
        for name, task in study.tasks.items():
            settings = task.model_dump(mode="json")
            write_json(folder / name / "source.json", settings["source"])
            kept = ("split", "features", "metric", "on_bad", "allow")
            sequences = {key: settings[key] for key in kept}
            write_json(folder / name / "sequences.json", sequences)
        for plan in lay_out(study):
            write_json(path(plan.task, plan.variant, folder), plan.model_dump(mode="json"))
        compared = study.model_dump(mode="json", include={"compare"})
        compared |= {"tasks": list(study.tasks), "variants": list(study.variants)}
        compared |= {"seeds": study.seed_list, "looks": study.looks}
        compared |= {"fractions": {task: study.train_for(task).fraction for task in study.tasks}}
        write_json(folder / "compare.json", compared)
        for name, model in study.variants.items():
            probed = ProbePlan(
                variant=name,
                model=model,
                reference=study.variants[model.match.reference] if model.match else None,
                probes=study.probes,
            )
            write_json(folder / "probes" / f"{name}.json", probed.model_dump(mode="json"))


def _plan(study: Study, task: str, variant: str) -> RunPlan:
    model = study.variant_for(task, variant)
    settings = study.tasks[task]
    return RunPlan(
        task=task,
        variant=variant,
        model=model,
        reference=study.variant_for(task, model.match.reference) if model.match else None,
        train=study.train_for(task),
        split=settings.split,
        augment=settings.augment,
        metric=settings.metric,
        seeds=tuple(study.seed_list),
        threads=study.execution.threads_per_run,
        accelerator=study.execution.accelerator,
        precision=study.execution.precision,
        compile=study.execution.compile,
    )
