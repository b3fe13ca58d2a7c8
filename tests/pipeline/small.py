"""The whole pipeline, every stage and task, on settings small enough for a test."""

from __future__ import annotations

import json
from pathlib import Path

import yaml

from tests.checkouts import checkout, run

SMALL = {
    "commands": {"source": {"kind": "synthetic-commands", "voices": 104}},
    "digits": {},
    "reviews": {"features": {"kind": "tokens", "vocabulary": 1000, "max_length": 16}},
}
"""What each task is changed to."""


def shrink(folder: Path) -> None:
    """Two variants, two seeds, two trials, one epoch, narrow models, little data."""
    path = folder / "params.yaml"
    study = yaml.safe_load(path.read_text())
    study["tasks"] = {name: {**study["tasks"][name], **SMALL[name]} for name in SMALL}
    for task in study["tasks"].values():
        task["train"] = {"epochs": 1}
    study["variants"] = {
        "lstm": {"cell": "lstm", "hidden": 8},
        "gru": {"cell": "gru", "match": {"parameters": "lstm"}},
    }
    study["tuning"]["trials"] = 2
    study["seeds"] = 2
    study["compare"]["primary"] = [["gru", "lstm"]]
    lengths = {
        "adding_lengths": [4],
        "copy_lengths": [2],
        "parity_lengths": [],
        "order_lengths": [],
        "counting_lengths": [],
        "digits_lengths": [],
    }
    few = {"updates": 5, "seeds": 1, "gradient_length": 10, "gradient_reach": 5}
    study["probes"] = {**lengths, **few}
    path.write_text(yaml.safe_dump(study, sort_keys=False))


def committed(folder: Path, message: str = "small study") -> Path:
    """Make the checkout's files its repository's first commit."""
    run(folder, "git", "init", "-q", "-b", "main")
    run(folder, "git", "config", "user.name", "x")
    run(folder, "git", "config", "user.email", "x")
    run(folder, "git", "add", ".")
    run(folder, "git", "commit", "-qm", message)
    return folder


def finish(project: Path, folder: Path) -> str:
    """Reproduce the small study in a checkout of its own; what `dvc repro` says."""
    checkout(project, folder)
    shrink(folder)
    committed(folder)
    return run(folder, "dvc", "repro")


def digests(folder: Path) -> dict[str, tuple[str, str]]:
    """Weights and predictions of every run."""
    found = {}
    for path in folder.glob("runs/*/*/seed-*/run.json"):
        record = json.loads(path.read_text())
        found[str(path.parent.relative_to(folder))] = (
            record["weights_sha256"],
            record["predictions_sha256"],
        )
    return found
