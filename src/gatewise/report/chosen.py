"""Predictions of the runs that speak for their variants where single examples are shown."""

from __future__ import annotations

from pathlib import Path

from gatewise.artifacts import runs, shown_examples
from gatewise.artifacts.predictions import Predictions
from gatewise.evidence.task_evidence import TaskEvidence


def first_seeds(task: str, known: TaskEvidence, root: Path) -> dict[str, Predictions]:
    """Predictions of the first seed that all variants have, by variant."""
    seed = shown_examples.shared_seed(known.records)
    if seed is None:
        return {}
    variants = dict.fromkeys(record.variant for record in known.records)
    folders = {variant: root / task / variant / f"seed-{seed}" for variant in variants}
    return {variant: runs.read_predictions(folder) for variant, folder in folders.items()}
