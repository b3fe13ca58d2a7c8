"""What the prepared data are, for people: the report that goes with a prepared task."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from gatewise.artifacts.data_report import (
    Check,
    DataReport,
    Examples,
    Part,
    Quantiles,
    Stratification,
)
from gatewise.artifacts.manifest import Raw
from gatewise.artifacts.prepared import TaskCard
from gatewise.config import SPLITS
from gatewise.data.preparation import documents
from gatewise.data.preparation.certificate import Finding, refused
from gatewise.data.preparation.transformed import Transformed

NAMED = 10  # examples named for each flaw
LABELS_SHOWN = 12  # labels that the report shows examples of


def describe(
    card: TaskCard,
    raw: Raw,
    rows: pd.DataFrame,
    done: Transformed,
    findings: Sequence[Finding],
    allow: Mapping[str, str],
) -> DataReport:
    """Sum a prepared task up.

    Args:
        card: of the prepared task.
        raw: what it was made of.
        rows: `id, label, group, split, content, length` of the examples that are used, under
            their rows in the manifest.
        done: what came of the payload.
        findings: the checks of the certificate.
        allow: leaks that the study accepts, each with the reason.
    """
    ids = raw.manifest["id"]
    unusable = [f"{ids[row]}: {why}" for row, why in done.unusable.items()]
    certificate = {finding.leak: finding.check(allow) for finding in findings}
    return DataReport(
        title=card.title,
        synthetic=card.synthetic,
        licence=card.licence,
        digest=card.digest,
        examples=len(rows),
        groups=rows["group"].nunique(),
        labels=len(card.classes),
        duplicates=rows["content"].duplicated().sum(),
        contradictions=(rows.groupby("content")["label"].nunique() > 1).sum(),
        contradicting=_contradicting(rows) or None,
        skipped_by_source=raw.card.skipped,
        unusable=Examples(count=len(unusable), examples=unusable[:NAMED]),
        flaws={
            flaw: Examples(count=len(flawed), examples=ids[flawed[:NAMED]].tolist())
            for flaw, flawed in sorted(done.flaws.items())
        },
        steps=_quantiles(rows["length"]),
        seconds=_durations(raw, rows),
        **{name: round(value, 5) for name, value in done.figures.items()},
        vocabulary=card.vocabulary,
        **_splits(card, rows),
        samples=_samples(raw, rows) if 0 < len(card.classes) <= LABELS_SHOWN else None,
        certificate=certificate | {"normalisation": _normalisation(card)},
        certified=not refused(findings, allow),
    )


def _contradicting(rows: pd.DataFrame) -> list[str]:
    """Sentences on the first contents that stand under more than one label."""
    several = rows.groupby("content")["label"].transform("nunique") > 1
    return [
        " = ".join(f"{name} ({_line(label)})" for name, label in _one_each(same))
        for _, same in itertools.islice(rows[several].groupby("content", sort=False), NAMED)
    ]


def _line(label: str) -> str:
    """A label in one line; texts that are all right have a line each."""
    return label.replace("\n", " | ")


def _one_each(same: pd.DataFrame) -> list[tuple[str, str]]:
    first = same.drop_duplicates("label")
    return list(zip(first["id"], first["label"], strict=True))


def _durations(raw: Raw, rows: pd.DataFrame) -> Quantiles | None:
    if raw.card.payload != "audio":
        return None
    manifest = raw.manifest.loc[rows.index]
    seconds = manifest["n_samples"] / manifest["sample_rate"]
    return _quantiles(seconds, total=round(float(seconds.sum()), 1))


def _splits(card: TaskCard, rows: pd.DataFrame) -> dict[str, Any]:
    if card.resample:
        return {
            "split": f"{_how(card)} {rows['group'].nunique()} groups",
            "label_counts": _label_counts(rows) if card.classes else None,
        }
    classes = card.target.kind == "class"
    return {
        "splits": {name: _part(rows[rows["split"] == name], classes) for name in SPLITS},
        "stratification": _stratification(rows) if classes else None,
    }


def _how(card: TaskCard) -> str:
    if card.split["resample"] == "balanced":
        return "balanced over seeds, from"
    return "drawn for each seed from"


def _label_counts(rows: pd.DataFrame) -> dict[str, int]:
    return {str(label): int(n) for label, n in rows["label"].value_counts().sort_index().items()}


def _part(rows: pd.DataFrame, classes: bool) -> Part:
    return Part(
        examples=len(rows),
        groups=rows["group"].nunique(),
        label_counts=_label_counts(rows) if classes else {},
    )


def _stratification(rows: pd.DataFrame) -> Stratification:
    overall = rows["label"].value_counts(normalize=True)
    shares = pd.crosstab(rows["label"], rows["split"], normalize="columns")
    apart = shares.sub(overall, axis=0).abs()
    place, column = divmod(int(apart.to_numpy().argmax()), apart.shape[1])
    return Stratification(
        largest_difference=round(float(apart.to_numpy().max()), 4),
        label=str(apart.index[place]),
        split=str(apart.columns[column]),
        fractions={name: round(float((rows["split"] == name).mean()), 4) for name in SPLITS},
    )


def _samples(raw: Raw, rows: pd.DataFrame) -> dict[str, list[str]]:
    """Two examples of each label: the beginning of a text, the name of a clip."""
    chosen = rows.groupby("label").head(2)
    if raw.card.payload == "text":
        text_of = documents.reader(raw)
        shown = [text_of(row)[:80] for row in chosen.index]
    else:
        shown = chosen["id"].tolist()
    samples: dict[str, list[str]] = {}
    for label, example in zip(chosen["label"], shown, strict=True):
        samples.setdefault(label, []).append(example)
    return dict(sorted(samples.items()))


def _normalisation(card: TaskCard) -> Check:
    how = {
        "none": "none",
        "clip": "each clip by its own mean; no other clip is looked at",
        "train": "mean and deviation of the training split, computed by each run",
    }
    return Check(claim="no test example touches normalisation", how=how[card.normalise])


def _quantiles(values: pd.Series[Any], total: float | None = None) -> Quantiles:
    points = {"min": 0, "q05": 0.05, "median": 0.5, "q95": 0.95, "max": 1}
    at = {name: round(float(values.quantile(point)), 3) for name, point in points.items()}
    return Quantiles(**at, total=total)
