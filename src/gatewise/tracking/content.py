"""What MLflow should hold for a run: plain data made from the run's folder, no MLflow needed.

Live tracking and the mirror both write this and nothing else, so they cannot drift apart.
"""

from __future__ import annotations

import functools
import math
import statistics
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from gatewise.artifacts import runs
from gatewise.artifacts.prepared import CARD
from gatewise.artifacts.runs import RunRecord
from gatewise.config.metrics import METRICS
from gatewise.config.objectives import objective_class, objective_kinds
from gatewise.files import digest, read_json
from gatewise.tracking import mistakes, names, notes, pictures, run_notes, tables

KEY = "gatewise.key"
CONTENT = "gatewise.content"
KIND = "gatewise.kind"
CURRENT = "gatewise.current"
"""Tag: `true` for runs that the last mirror found in the study, `false` for earlier ones."""
PARENT = "mlflow.parentRunId"
# What MLflow keeps of longer texts.
PARAM_LENGTH = 6000

# Columns of `curves.csv` beside `epoch`.
CURVES = (
    "learning_rate",
    "gradient_norm",
    "train_loss",
    "validation_loss",
    *(f"validation_{name}" for name in METRICS),
)
# Record fields known before a run starts. What of them is given is logged as parameters, and
# `run.json` holds the same, so a run looks alike whichever side wrote it.
SETTINGS = (
    "task",
    "variant",
    "seed",
    "plan_sha256",
    "software_sha256",
    "config",
    "budget",
    "kernel",
    "parameters",
    "recurrent_parameters",
    "macs_per_step",
    "train",
    "split",
    "augment",
    "metric",
    "threads",
    "instructions",
    "processes",
    "accelerator",
    "precision",
    "compile",
    "data",
    "versions",
)
# Those that belong to a seed, or follow from the rest. `data` tells held-out groups, which may
# change with the seed.
_OF_A_SEED = (
    "seed",
    "budget",
    "kernel",
    "parameters",
    "recurrent_parameters",
    "macs_per_step",
    "data",
)
# Those that follow from the settings and the data: a variant's parameters unless its seeds differ.
CONSTANTS = ("parameters", "recurrent_parameters", "macs_per_step")
# What the seeds of one parent run share: all others, so that nothing new can be forgotten here.
SHARED = tuple(name for name in SETTINGS if name not in _OF_A_SEED)

MetricKey = tuple[str, int]
"""Name and step."""


@dataclass(frozen=True)
class Content:
    """What one MLflow run should hold."""

    key: str
    """Identity: a second run with the same key is never made."""
    name: str
    task: str
    kind: str
    """`run` for one seed, `variant` for the parent of its seeds."""
    params: dict[str, str] = field(default_factory=dict)
    metrics: dict[MetricKey, float] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    data_digest: str | None = None
    data_examples: dict[str, int] = field(default_factory=dict)
    """Examples per split."""
    notes: str = ""
    """Its description, a template of `gatewise.tracking.notes`."""
    artifacts: Mapping[str, Callable[[], bytes]] = field(default_factory=dict)
    """Files by path, made when they are needed."""
    extras: Mapping[str, Callable[[], bytes]] = field(default_factory=dict)
    """Files that only machines with the raw data can add; a run is whole without them."""
    files_digest: str = ""
    """Digest of files that do not follow from the rest (a report)."""

    @property
    def seal(self) -> str:
        """Digest of what can be read back only with effort: the proof that it was written.

        Tags are left out: they are compared one by one.
        """
        metrics = sorted((name, step, repr(value)) for (name, step), value in self.metrics.items())
        files = [sorted(self.artifacts), self.files_digest]
        return digest([self.key, self.params, metrics, self.data_digest, files])


def from_folder(folder: str | Path) -> Content:
    """Content of a finished run, from `run.json` and `curves.csv`.

    Raises:
        GatewiseError: the folder holds no readable run record.
    """
    folder = Path(folder)
    record = RunRecord.read(folder)
    settings = record.model_dump(mode="json")
    if settings["config"].get("match"):
        settings["config"]["match"] = None  # it is settled: `budget` tells how
    started = from_settings(record.key, settings)
    curves = read_curves(folder)
    # At step 0: MLflow would draw a line through the epochs of several seeds otherwise.
    final = {(name, 0): value for name, value in final_metrics(record).items()}
    tags = {
        "gatewise.weights_sha256": record.weights_sha256,
        "gatewise.predictions_sha256": record.predictions_sha256,
    }
    artifacts: dict[str, Callable[[], bytes]] = {
        "curves.svg": partial(_curves_picture, curves),
        runs.RECORD: (folder / runs.RECORD).read_bytes,
    }
    if _confusable([folder], record.task):
        artifacts["confusion.svg"] = partial(_confusion_picture, [folder], record.task)
    tabled = mistakes.artifacts(folder, record.task, _label_names(record.task))
    return replace(
        started,
        metrics=curves | final,
        tags={**started.tags, **tags, **tables.tag(tabled)},
        notes=_run_notes(record, "confusion.svg" in artifacts, list(tabled)),
        artifacts=artifacts | tabled,
    )


def from_settings(key: str, settings: Mapping[str, Any]) -> Content:
    """Content of a run that has only just started: its parameters and its place.

    Args:
        key: the run's key.
        settings: those fields of its record that are known already (see `SETTINGS`); `task`,
            `variant` and `seed` must be among them.
    """
    task, variant, seed = settings["task"], settings["variant"], settings["seed"]
    known = {name: settings[name] for name in SETTINGS if name in settings}
    # MLflow never lets a parameter change, so what training has yet to settle waits.
    if (known.get("config") or {}).get("match"):
        known.pop("config")
        known.pop("train", None)
    if known.get("accelerator") == "auto":
        known.pop("accelerator")
    if known.get("compile"):
        known.pop("compile")  # a cell with a fused kernel has nothing to compile
    data = settings.get("data") or {}
    return Content(
        key=key,
        name=f"{task}/{variant}/seed-{seed}",
        task=task,
        kind="run",
        params=flatten(known),
        tags=_tags(task, variant) | {"gatewise.seed": str(seed)},
        data_digest=data.get("digest"),
        data_examples=_examples(data),
    )


def parent_of(record: RunRecord) -> Content:
    """The parent run of a variant on a task, without its aggregates, from any of its seeds."""
    task, variant = record.task, record.variant
    return Content(
        key=parent_key(record),
        name=f"{task}/{variant}",
        task=task,
        kind="variant",
        params=flatten(_shared(record)),
        tags=_tags(task, variant),
        data_digest=record.data.digest,
    )


def _shared(record: RunRecord) -> dict[str, Any]:
    """Settings that all seeds of a variant have in common."""
    settings = record.model_dump(mode="json")
    shared = {name: settings[name] for name in SHARED}
    # With `init: chrono` it follows from the training split, which may change with the seed.
    shared["config"].pop("chrono_steps")
    if record.own is not None:
        del shared["plan_sha256"]
        for name in record.own.names:
            shared["train" if name in shared["train"] else "config"].pop(name, None)
    return shared


def with_aggregates(
    parent: Content,
    members: Iterable[tuple[Path, RunRecord]],
    known: Mapping[str, float] | None = None,
    described: str = "",
) -> Content:
    """`parent` with mean and standard deviation of every final metric over its seeds.

    What is the same for every seed (size, multiply-accumulates) is a parameter.

    Args:
        parent: as made by `parent_of`.
        members: folders and records of the finished seeds.
        known: metrics that follow from more than these runs: intervals, measured costs.
        described: Markdown that stands before the rest.
    """
    members = sorted(members, key=lambda member: member[1].seed)
    finals = [final_metrics(record) for _folder, record in members]
    metrics: dict[MetricKey, float] = {}
    for name in finals[0] if finals else ():
        values = [final[name] for final in finals]
        metrics[names.mean(name), 0] = statistics.fmean(values)
        scored = name not in (names.BEST_EPOCH, names.EPOCHS)
        if scored and len(values) > 1 and all(map(math.isfinite, values)):
            metrics[names.std(name), 0] = statistics.stdev(values)
    metrics |= {(name, 0): value for name, value in (known or {}).items()}
    seeds = ", ".join(str(record.seed) for _folder, record in members)
    folders = [folder for folder, _record in members if (folder / runs.PREDICTIONS).is_file()]
    artifacts: dict[str, Callable[[], bytes]] = {}
    if _confusable(folders, parent.task):
        artifacts["confusion.svg"] = partial(_confusion_picture, folders, parent.task)
        described += "\n\nAll seeds together:\n\n![confusion]({artifacts}confusion.svg)"
    heard = mistakes.sounds(folders, parent.task, _label_names(parent.task))
    if heard:
        files = [notes.file_link(Path(path).stem, path) for path in heard]
        described += f"\n\nWorst mistakes, to hear: {' · '.join(files)}"
    return replace(
        parent,
        params={**parent.params, **_constants(record for _folder, record in members)},
        metrics=metrics,
        tags={**parent.tags, "gatewise.seeds": seeds},
        notes=described.strip(),
        artifacts=artifacts,
        extras={path: clip.read_bytes for path, clip in heard.items()},
    )


def opened(wanted: Content, opening: str) -> Content:
    """`wanted` with its description begun by `opening`."""
    return replace(wanted, notes=f"{opening}\n\n{wanted.notes}".strip())


def _constants(records: Iterable[RunRecord]) -> dict[str, str]:
    """What a variant's size and cost are, where all of its seeds agree."""
    found = [{name: str(getattr(record, name)) for name in CONSTANTS} for record in records]
    agreed = {name for name in CONSTANTS if len({one[name] for one in found}) == 1}
    return {name: found[0][name] for name in CONSTANTS if name in agreed}


def final_metrics(record: RunRecord) -> dict[str, float]:
    """What the kept weights score, and when training found them."""
    metrics: dict[str, float] = {}
    for split, values in record.metrics.items():
        metrics |= {names.final(split, name): float(value) for name, value in values.items()}
    metrics[names.BEST_EPOCH] = float(record.best_epoch)
    metrics[names.EPOCHS] = float(record.epochs_run)
    return metrics


def read_curves(folder: str | Path) -> dict[MetricKey, float]:
    """All points of `curves.csv`, by metric and epoch."""
    points: dict[MetricKey, float] = {}
    for row in runs.read_curves(folder).to_dict("records"):
        epoch = int(row.pop("epoch"))
        known = {str(name): float(value) for name, value in row.items()}
        points |= {
            (names.curve(name), epoch): value
            for name, value in known.items()
            if not math.isnan(value)
        }
    return points


def parent_key(record: RunRecord) -> str:
    """Key of the parent run: a digest of all that decides the runs of a variant but the seed.

    So seeds that were trained under another plan, on other data or by other software never join
    a parent run that is there already. Seeds that chose settings for themselves share all others,
    and how they chose.
    """
    plan = record.plan_sha256
    if record.own is not None:
        plan = digest([_shared(record), record.own.made_by])
    shared = (
        plan,
        record.data.digest,
        record.software_sha256,
        record.versions,
        # What of the machine the plan leaves open.
        record.accelerator,
        record.processes,
    )
    return digest(["variant", record.task, record.variant, *shared])


def flatten(values: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Nested settings as `a.b: text`; what is not set is left out."""
    flat: dict[str, str] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            flat |= flatten(value, f"{prefix}{name}.")
        elif value is not None:
            flat[f"{prefix}{name}"] = _text(value)
    return flat


def same(a: float, b: float) -> bool:
    """Whether a stored value stands for the wanted one.

    Live values may carry more digits than `curves.csv`, and SQL stores hold the largest
    double in place of infinity.
    """
    if math.isnan(a) or math.isnan(b):
        return math.isnan(a) and math.isnan(b)
    largest = 1.7976931348623157e308
    a, b = (max(-largest, min(largest, value)) for value in (a, b))
    return math.isclose(a, b, rel_tol=1e-6, abs_tol=1e-12)


def _run_notes(record: RunRecord, confusion: bool, tabled: Sequence[str]) -> str:
    test = ", ".join(f"{k} {v:.4f}" for k, v in record.metrics.get("test", {}).items())
    width = record.config.hidden
    lines = [
        f"**{record.config.cell}**, {width} units ({record.budget}); "
        f"{record.parameters:,} parameters, seed {record.seed}.",
        "",
        f"Test, with the weights of epoch {record.best_epoch}: {test}.",
        "",
        run_notes.tables(tabled),
        "",
        "![learning curves]({artifacts}curves.svg)",
    ]
    return "\n".join(lines + ["", "![confusion]({artifacts}confusion.svg)"] * confusion)


def _curves_picture(points: Mapping[MetricKey, float]) -> bytes:
    lines: dict[str, list[tuple[int, float]]] = {}
    for (name, step), value in sorted(points.items()):
        lines.setdefault(name, []).append((step, value))
    panels = {
        "loss": {"training": "train/loss", "validation": "validation/loss"},
        "validation": {METRICS[name].title: f"validation/{name}" for name in _curved()},
    }
    return pictures.curves(
        {
            title: {label: lines[name] for label, name in columns.items() if name in lines}
            for title, columns in panels.items()
        }
    ).encode()


def _curved() -> Iterator[str]:
    """Metrics whose curves are drawn: the first two of each objective."""
    for kind in objective_kinds():
        yield from objective_class(kind).metrics[:2]


def _confusable(folders: Sequence[Path], task: str) -> bool:
    """Whether runs left predictions, and of names that can be taken for each other."""
    kept = [folder for folder in folders if (folder / runs.PREDICTIONS).is_file()]
    if not kept:
        return False
    kind = mistakes.objective_of(kept[0])
    few = len(_label_names(task)) <= kind.most_confused
    return mistakes.CONFUSION in kind.pictures and few


def _confusion_picture(folders: Iterable[Path], task: str) -> bytes:
    from gatewise.evidence import prediction_counts

    names = _label_names(task)
    counted = [
        prediction_counts.read(folder, RunRecord.read(folder).predictions_sha256)
        for folder in folders
    ]
    confusion = prediction_counts.confusion(counted, len(names))
    assert confusion is not None  # noqa: S101  # `_confusable` has looked
    counts = confusion.tolist()
    return pictures.confusion(counts, names or [str(i) for i in range(len(counts))]).encode()


@functools.cache
def _label_names(task: str, prepared: str = "data/prepared") -> list[str]:
    card = Path(prepared, task, CARD)
    return list(read_json(card)["labels"]) if card.is_file() else []


def _tags(task: str, variant: str) -> dict[str, str]:
    return {
        CURRENT: "true",
        "gatewise.task": task,
        "gatewise.variant": variant,
        "dvc.stage": f"train@{task}-{variant}",
    }


def _examples(data: Mapping[str, Any]) -> dict[str, int]:
    counts = data.get("examples")
    return {k: int(v) for k, v in counts.items()} if isinstance(counts, Mapping) else {}


def _text(value: Any) -> str:
    text = ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
    return text[:PARAM_LENGTH]


def tagged(wanted: Content, tags: Mapping[str, str]) -> Content:
    """`wanted` with more tags."""
    return replace(wanted, tags={**wanted.tags, **tags})
