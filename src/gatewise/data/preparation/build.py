"""From a raw folder to `data/prepared/<task>/`: sequences, index and card, and a report.

The report holds the leakage certificate; data that leak are not prepared.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from gatewise import files
from gatewise.artifacts import objectives, splits
from gatewise.artifacts.data_report import DataReport
from gatewise.artifacts.manifest import Raw
from gatewise.artifacts.prepared import (
    DRAWN,
    INDEX_COLUMNS,
    SEQUENCES,
    TARGET_COLUMNS,
    TARGETS,
    Prepared,
    TaskCard,
)
from gatewise.config import Frames, Pixels, Series, TaskConfig, Tokens
from gatewise.data.frontends import text
from gatewise.data.preparation import (
    certificate,
    clips,
    documents,
    frames,
    images,
    joined_groups,
    near_duplicates,
    series,
    series_certificate,
    targets,
)
from gatewise.data.preparation.description import describe
from gatewise.data.preparation.joined_groups import Division
from gatewise.data.preparation.series import Cut
from gatewise.data.preparation.transformed import Transformed
from gatewise.errors import GatewiseError


def prepare(
    task: str,
    config: TaskConfig,
    raw_folder: str | Path,
    target: str | Path,
    workers: int | None = None,
) -> tuple[Prepared, DataReport]:
    """Prepare one task.

    Args:
        task: its name.
        config: its settings.
        raw_folder: what its source left.
        target: folder to make; replaced as a whole.
        workers: processes; one per core when left out. Does not change the result.

    Returns:
        The prepared task and its report.

    Raises:
        LeakError: a leak that `config.allow` does not name; it carries the report.
        GatewiseError: source and features do not fit, an example is unusable and
            `config.on_bad` is `fail`, or a split is empty.
    """
    raw = Raw.open(raw_folder)
    _fits(task, raw, config)
    texts = _Texts.read(raw) if raw.card.payload == "text" else None
    config = _settled(raw, config)
    if isinstance(config.features, Series):
        raw = series.expand(raw, Cut.of(config.features, config.objective))
    division = _divide(task, raw.manifest, config, texts)
    with files.replacing(target) as folder:
        folder.mkdir()
        done = _transform(raw, config, division.split, folder, workers or files.cores())
        labels = raw.manifest["label"].tolist()
        names = targets.write(labels, division.split, done, config.objective, folder)
        _bad(task, raw, done, config)
        rows = raw.manifest[["id", "label"]].assign(
            group=division.groups, split=division.split, content=done.contents
        )
        rows["length"] = done.lengths
        rows["start"] = rows["length"].cumsum() - rows["length"]
        if config.objective.target != "class":
            rows["target_length"] = done.target_lengths
            rows["target_start"] = rows["target_length"].cumsum() - rows["target_length"]
        rows = rows.drop(index=list(done.unusable))
        _still_split(task, rows, config)
        card = _write(task, config, raw, done, rows, names, folder)
        findings = _certify(raw, rows, config, done, texts, division.joined)
        allow = {str(leak): reason for leak, reason in config.allow.items()}
        report = describe(card, raw, rows, done, findings, allow)
        leaks = certificate.refused(findings, allow)
        if leaks:
            raise certificate.LeakError(certificate.refusal(task, leaks), report, leaks)
    return Prepared.open(target), report


def _fits(task: str, raw: Raw, config: TaskConfig) -> None:
    needs = {
        "tokens": "text",
        "frames": "frames",
        "log-mel": "audio",
        "mfcc": "audio",
        "series": "series",
        "image": "image",
    }
    kind, payload = config.features.kind, raw.card.payload
    if needs[kind] != payload:
        fitting = [kind for kind, needed in needs.items() if needed == payload]
        raise GatewiseError(
            f"tasks.{task}.features.kind: {kind} needs {needs[kind]}, but the source "
            f"{config.source.kind} gives {payload}; use {' or '.join(fitting)}"
        )


def _settled(raw: Raw, config: TaskConfig) -> TaskConfig:
    """The settings with the kind of split settled that suits so many groups."""
    published, groups = raw.manifest["split"].tolist(), raw.manifest["group"].tolist()
    fixed = isinstance(config.features, Tokens | Series)
    split = splits.resolve(config.split, published, groups, fixed)
    return config.model_copy(update={"split": split})


@dataclass(frozen=True)
class _Texts:
    """What finding near-duplicates needs."""

    keys: np.ndarray
    """Of `near_duplicates.band_keys`."""
    usable: np.ndarray
    """bool `(texts,)`."""
    text_of: Callable[[int], str]
    """A text by its row."""

    @classmethod
    def read(cls, raw: Raw) -> _Texts:
        texts = itertools.chain.from_iterable(documents.read(raw))
        usable: list[bool] = []

        def noted() -> Iterator[str]:
            for one in texts:
                usable.append(text.problem(one) is None)
                yield one

        keys = near_duplicates.band_keys(noted())
        return cls(keys, np.array(usable, dtype=bool), documents.reader(raw))


def _divide(
    task: str, manifest: pd.DataFrame, config: TaskConfig, texts: _Texts | None
) -> Division:
    """Group and split of every row, found before the work: a hopeless one is refused early."""
    groups, published = manifest["group"].tolist(), manifest["split"].tolist()
    try:
        if config.split.resample:
            splits.assign(groups, config.split, seed=0)  # refuses too few groups
            return Division(np.asarray(groups, dtype=object), np.full(len(manifest), DRAWN))
        if texts is None:
            split = splits.complete(published, groups, config.split)
            return Division(np.asarray(groups, dtype=object), split)
        return joined_groups.divide(
            published, groups, config.split, texts.keys, texts.usable, texts.text_of
        )
    except GatewiseError as error:
        raise GatewiseError(f"tasks.{task}: {error}") from None


def _still_split(task: str, rows: pd.DataFrame, config: TaskConfig) -> None:
    if config.objective.target == "class" and rows["label"].nunique() < 2:
        only = ", ".join(rows["label"].unique())
        raise GatewiseError(f"tasks.{task}: one label ({only}) leaves nothing to tell apart")
    if not config.split.resample:
        splits.require_all(rows["split"].to_numpy(), rows["group"].nunique())


def _transform(
    raw: Raw, config: TaskConfig, split: np.ndarray, folder: Path, workers: int
) -> Transformed:
    if isinstance(config.features, Tokens):
        return documents.transform(raw, config.features, split, folder)
    if isinstance(config.features, Frames):
        return frames.transform(raw, folder)
    if isinstance(config.features, Series):
        return series.transform(raw, Cut.of(config.features, config.objective), folder)
    if isinstance(config.features, Pixels):
        return images.transform(raw, config.features, folder, workers)
    return clips.transform(raw, config.features, folder, workers)


def _bad(task: str, raw: Raw, done: Transformed, config: TaskConfig) -> None:
    """Refuse unusable examples, or say that they are skipped."""
    if not done.unusable:
        return
    row, reason = next(iter(done.unusable.items()))
    more = f" (and {len(done.unusable) - 1} more)" if len(done.unusable) > 1 else ""
    named = f"{raw.manifest['id'].iloc[row]}: {reason}{more}"
    if config.on_bad == "fail":
        raise GatewiseError(
            f"{named}; mend or remove it, or set tasks.{task}.on_bad: skip to leave such "
            "examples out"
        )
    if len(done.unusable) == len(raw.manifest):
        raise GatewiseError(f"{named}; no usable example is left")
    labels = raw.manifest["label"]
    lost = set(labels) - set(labels.drop(labels.index[list(done.unusable)]))
    if (
        lost and config.objective.target == "class"
    ):  # one class fewer is another task, which nobody asked for
        first = next(row for row in done.unusable if labels.iloc[row] in lost)
        raise GatewiseError(
            f"no usable example is left of {', '.join(sorted(lost))}, e.g. "
            f"{raw.manifest['id'].iloc[first]}: {done.unusable[first]}; mend them, or take the "
            "label out of the data"
        )
    print(f"warning: {task}: skipped {len(done.unusable)}: {named}", file=sys.stderr)


def _write(
    task: str,
    config: TaskConfig,
    raw: Raw,
    done: Transformed,
    rows: pd.DataFrame,
    names: list[str],
    folder: Path,
) -> TaskCard:
    objective = objectives.of(config.objective.model_dump())
    labels = sorted(rows["label"].unique()) if objective.target == "class" else names
    number = {name: i for i, name in enumerate(labels)}
    classes = objective.target == "class"
    index = rows.assign(label=[number[name] if classes else 0 for name in rows["label"]])
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
        "resample": bool(config.split.resample),
        "split": config.split.model_dump(mode="json"),
        "metric": config.metric,
    }
    if not objective.usual:
        facts["objective"] = objective.model_dump(mode="json")
        facts["target"] = {
            "kind": objective.target,
            "outputs": objective.outputs(labels),
            "per_step": objective.per_step,
        }
    columns = INDEX_COLUMNS if objective.target == "class" else [*INDEX_COLUMNS, *TARGET_COLUMNS]
    contents = {
        **facts,
        "sequences": files.sha256(folder / SEQUENCES),
        "index": {column: index[column].tolist() for column in columns},
    }
    if objective.target != "class":
        contents["targets"] = files.sha256(folder / TARGETS)
    card = TaskCard(**facts, digest=files.digest(contents))
    Prepared(card, np.load(folder / SEQUENCES, mmap_mode="r"), index).write(folder)
    return card


def _certify(
    raw: Raw,
    rows: pd.DataFrame,
    config: TaskConfig,
    done: Transformed,
    texts: _Texts | None,
    joined: int,
) -> list[certificate.Finding]:
    if isinstance(config.features, Series):
        cut = Cut.of(config.features, config.objective)
        return series_certificate.certify(rows, raw, cut)
    resample = bool(config.split.resample)
    said = targets.learnt(rows, done, resample, config.objective)
    if texts is None:
        return certificate.certify(rows, resample, labels=said)
    places = rows.index.to_numpy()
    return certificate.certify(
        rows,
        resample,
        texts.keys[places],
        lambda place: texts.text_of(int(places[place])),
        done.unlearned,
        joined,
        said,
    )
