"""From a raw folder to `data/prepared/<task>/`: sequences, index and card, and a report.

The report holds the leakage certificate; data that leak are not prepared.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gatewise import files
from gatewise.artifacts import splits
from gatewise.artifacts.manifest import DOCUMENTS, Raw
from gatewise.artifacts.prepared import DRAWN, INDEX_COLUMNS, SEQUENCES, Prepared, TaskCard
from gatewise.config import SPLITS, Frames, TaskConfig, Tokens
from gatewise.data.preparation import certificate, near_duplicates, transforms
from gatewise.data.preparation.transforms import Transformed
from gatewise.errors import GatewiseError

NAMED = 10  # examples named for each flaw
LABELS_SHOWN = 12  # labels that the report shows examples of


def prepare(
    task: str,
    config: TaskConfig,
    raw_folder: str | Path,
    target: str | Path,
    workers: int | None = None,
) -> tuple[Prepared, dict[str, Any]]:
    """Prepare one task.

    Args:
        task: its name.
        config: its settings.
        raw_folder: what its source left.
        target: folder to make; replaced as a whole.
        workers: processes; one per core when left out. Does not change the result.

    Returns:
        The prepared task and its report (plain data).

    Raises:
        LeakError: a leak that `config.allow` does not name; it carries the report.
        GatewiseError: source and features do not fit, an example is unusable and
            `config.on_bad` is `fail`, or a split is empty.
    """
    raw = Raw.open(raw_folder)
    _fits(task, raw, config)
    split = _split(task, raw.manifest, config)
    with files.replacing(target) as folder:
        folder.mkdir()
        done = _transform(raw, config, split, folder, workers or files.cores())
        _bad(task, raw, done, config.on_bad)
        rows = raw.manifest[["id", "label", "group"]].assign(split=split, content=done.contents)
        rows["length"] = done.lengths
        rows["start"] = rows["length"].cumsum() - rows["length"]
        rows = rows.drop(index=list(done.unusable))
        _still_split(task, rows, config)
        card = _write(task, config, raw, done, rows, folder)
        findings = _certify(raw, rows, config, done)
        allow = {str(leak): reason for leak, reason in config.allow.items()}
        report = describe(card, raw, rows, done)
        report["certificate"] = {finding.leak: finding.entry(allow) for finding in findings} | {
            "normalisation": _normalisation(card)
        }
        leaks = certificate.refused(findings, allow)
        report["certified"] = not leaks
        if leaks:
            raise certificate.LeakError(certificate.refusal(task, leaks), report)
    return Prepared.open(target), report


def _fits(task: str, raw: Raw, config: TaskConfig) -> None:
    needs = {"tokens": "text", "frames": "frames", "log-mel": "audio", "mfcc": "audio"}
    kind, payload = config.features.kind, raw.card.payload
    if needs[kind] != payload:
        fitting = [kind for kind, needed in needs.items() if needed == payload]
        raise GatewiseError(
            f"tasks.{task}.features.kind: {kind} needs {needs[kind]}, but the source "
            f"{config.source.kind} gives {payload}; use {' or '.join(fitting)}"
        )


def _split(task: str, manifest: pd.DataFrame, config: TaskConfig) -> np.ndarray:
    """The split of every row, found before the work so that a hopeless one is refused early."""
    groups = manifest["group"].tolist()
    try:
        if config.split.resample:
            splits.assign(groups, config.split, seed=0)  # refuses too few groups
            return np.full(len(manifest), DRAWN)
        return splits.complete(manifest["split"].tolist(), groups, config.split)
    except GatewiseError as error:
        raise GatewiseError(f"tasks.{task}: {error}") from None


def _still_split(task: str, rows: pd.DataFrame, config: TaskConfig) -> None:
    if rows["label"].nunique() < 2:
        only = ", ".join(rows["label"].unique())
        raise GatewiseError(f"tasks.{task}: one label ({only}) leaves nothing to tell apart")
    if not config.split.resample:
        splits.require_all(rows["split"].to_numpy(), rows["group"].nunique())


def _transform(
    raw: Raw, config: TaskConfig, split: np.ndarray, folder: Path, workers: int
) -> Transformed:
    if isinstance(config.features, Tokens):
        return transforms.tokens(raw, config.features, split, folder)
    if isinstance(config.features, Frames):
        return transforms.frames(raw, folder)
    return transforms.spectra(raw, config.features, folder, workers)


def _bad(task: str, raw: Raw, done: Transformed, on_bad: str) -> None:
    """Refuse unusable examples, or say that they are skipped."""
    if not done.unusable:
        return
    row, reason = next(iter(done.unusable.items()))
    more = f" (and {len(done.unusable) - 1} more)" if len(done.unusable) > 1 else ""
    named = f"{raw.manifest['id'].iloc[row]}: {reason}{more}"
    if on_bad == "fail":
        raise GatewiseError(
            f"{named}; mend or remove it, or set tasks.{task}.on_bad: skip to leave such "
            "examples out"
        )
    if len(done.unusable) == len(raw.manifest):
        raise GatewiseError(f"{named}; no usable example is left")
    print(f"warning: {task}: skipped {len(done.unusable)}: {named}", file=sys.stderr)


def _write(
    task: str,
    config: TaskConfig,
    raw: Raw,
    done: Transformed,
    rows: pd.DataFrame,
    folder: Path,
) -> TaskCard:
    labels = sorted(rows["label"].unique())
    index = rows.assign(label=rows["label"].map({name: i for i, name in enumerate(labels)}))
    facts = {
        "task": task,
        "modality": raw.card.payload,
        "title": raw.card.title,
        "synthetic": raw.card.synthetic,
        "licence": raw.card.licence,
        "labels": labels,
        "features": done.features,
        "vocabulary": done.vocabulary,
        "normalise": getattr(config.features, "normalise", "none"),
        "front_end": config.features.model_dump(mode="json"),
        "step_seconds": done.step_seconds,
        "resample": config.split.resample,
        "split": config.split.model_dump(mode="json"),
        "metric": config.metric,
    }
    contents = {
        **facts,
        "sequences": files.sha256(folder / SEQUENCES),
        "index": {column: index[column].tolist() for column in INDEX_COLUMNS},
    }
    card = TaskCard(**facts, digest=files.digest(contents))
    Prepared(card, np.load(folder / SEQUENCES, mmap_mode="r"), index).write(folder)
    return card


def _certify(
    raw: Raw, rows: pd.DataFrame, config: TaskConfig, done: Transformed
) -> list[certificate.Finding]:
    keys, text_of, unlearned = None, None, None
    if raw.card.payload == "text":
        texts = (text for batch in transforms.documents(raw) for text in batch)
        places = rows.index.to_numpy()
        keys = near_duplicates.band_keys(texts)[places]
        read = _reader(raw)
        text_of = lambda row: read(int(places[row]))  # noqa: E731
        unlearned = done.unlearned
    return certificate.certify(rows, config.split.resample, keys, text_of, unlearned)


def _reader(raw: Raw) -> Callable[[int], str]:
    """Random access to documents without holding them all."""
    import pyarrow.parquet

    file = pyarrow.parquet.ParquetFile(raw.folder / DOCUMENTS)
    sizes = [file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)]
    ends = np.cumsum(sizes)

    @functools.lru_cache(maxsize=8)
    def group(number: int) -> Any:
        return file.read_row_group(number, columns=["text"]).column(0)

    def read(row: int) -> str:
        number = int(np.searchsorted(ends, row, side="right"))
        return str(group(number)[row - int(ends[number]) + sizes[number]].as_py())

    return read


# --- report ------------------------------------------------------------------------------


def describe(card: TaskCard, raw: Raw, rows: pd.DataFrame, done: Transformed) -> dict[str, Any]:
    """Counts that let a person judge the data; a DVC metric."""
    ids = raw.manifest["id"]
    report: dict[str, Any] = {
        "title": card.title,
        "synthetic": card.synthetic,
        "licence": card.licence,
        "digest": card.digest,
        "examples": len(rows),
        "groups": int(rows["group"].nunique()),
        "labels": len(card.labels),
        "duplicates": int(rows["content"].duplicated().sum()),
        "contradictions": int((rows.groupby("content")["label"].nunique() > 1).sum()),
        "skipped_by_source": raw.card.skipped,
        "unusable": {
            "count": len(done.unusable),
            "examples": [f"{ids[row]}: {why}" for row, why in [*done.unusable.items()][:NAMED]],
        },
        "flaws": {
            flaw: {"count": len(found), "examples": ids[found[:NAMED]].tolist()}
            for flaw, found in sorted(done.flaws.items())
        },
        "steps": _quantiles(rows["length"]),
    }
    if raw.card.payload == "audio":
        manifest = raw.manifest.loc[rows.index]
        seconds = manifest["n_samples"] / manifest["sample_rate"]
        report["seconds"] = {**_quantiles(seconds), "total": round(float(seconds.sum()), 1)}
    report |= {key: round(value, 5) for key, value in done.figures.items()}
    if card.vocabulary is not None:
        report["vocabulary"] = card.vocabulary
    counts = rows["label"].value_counts().sort_index()
    if card.resample:
        report["split"] = f"drawn for each seed from {report['groups']} groups"
        report["label_counts"] = counts.to_dict()
    else:
        report["splits"] = {name: _part(rows[rows["split"] == name]) for name in SPLITS}
        report["stratification"] = _stratification(rows)
    if len(card.labels) <= LABELS_SHOWN:
        report["samples"] = _samples(raw, rows)
    return report


def _part(rows: pd.DataFrame) -> dict[str, Any]:
    return {
        "examples": len(rows),
        "groups": int(rows["group"].nunique()),
        "label_counts": rows["label"].value_counts().sort_index().to_dict(),
    }


def _stratification(rows: pd.DataFrame) -> dict[str, Any]:
    """How far the share of any label in a split lies from its share overall."""
    overall = rows["label"].value_counts(normalize=True)
    shares = pd.crosstab(rows["label"], rows["split"], normalize="columns")
    apart = shares.sub(overall, axis=0).abs()
    place, column = divmod(int(apart.to_numpy().argmax()), apart.shape[1])
    return {
        "largest_difference": round(float(apart.to_numpy().max()), 4),
        "label": str(apart.index[place]),
        "split": str(apart.columns[column]),
        "fractions": {name: round(float((rows["split"] == name).mean()), 4) for name in SPLITS},
    }


def _samples(raw: Raw, rows: pd.DataFrame) -> dict[str, list[str]]:
    """Two examples of each label: the beginning of a text, the name of a clip."""
    chosen = rows.groupby("label").head(2)
    if raw.card.payload == "text":
        read = _reader(raw)
        said = [read(row)[:80] for row in chosen.index]
    else:
        said = chosen["id"].tolist()
    samples: dict[str, list[str]] = {}
    for label, what in zip(chosen["label"], said, strict=True):
        samples.setdefault(label, []).append(what)
    return dict(sorted(samples.items()))


def _normalisation(card: TaskCard) -> dict[str, str]:
    said = {
        "none": "none",
        "clip": "each clip by its own mean; no other clip is looked at",
        "train": "mean and deviation of the training split, computed by each run",
    }
    return {"claim": "no test example touches normalisation", "how": said[card.normalise]}


def _quantiles(values: pd.Series[Any]) -> dict[str, float]:
    points = {"min": 0, "q05": 0.05, "median": 0.5, "q95": 0.95, "max": 1}
    return {name: round(float(values.quantile(point)), 3) for name, point in points.items()}
