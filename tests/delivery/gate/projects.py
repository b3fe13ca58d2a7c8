"""Small projects with runs of chosen skill: what a study leaves, without training it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from gatewise.artifacts import runs
from gatewise.artifacts.objectives.classify import Objective
from gatewise.artifacts.prepared import Prepared
from gatewise.config import VariantConfig, metrics
from gatewise.files import digest, write_json
from tests.evidence_runs import record
from tests.records import name_files
from tests.tasks import write_task

SEEDS = 4


def params(
    folder: Path,
    *,
    variants: tuple[str, ...] = ("gru",),
    seeds: int = SEEDS,
    metric: str = "accuracy",
    **keys,
) -> None:
    """A study of the task `toy`."""
    task = {"source": {"kind": "digits"}, "features": {"kind": "frames"}, "metric": metric}
    study = {
        "tasks": {"toy": task},
        "variants": {name: {"cell": "gru", "hidden": 8} for name in variants},
        "seeds": seeds,
        "tracking": {"enabled": False},
        **keys,
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "params.yaml").write_text(yaml.safe_dump(study, sort_keys=False))


def project(
    folder: Path,
    *,
    skill: float = 0.9,
    weak_class: float = 0.0,
    examples: int = 600,
    variants: dict[str, dict] | None = None,
    seeds: int = SEEDS,
    luck: int = 0,
    noise: float = 0.5,
    sure: float = 0.9,
    metric: str = "accuracy",
    **keys,
) -> Path:
    """A project whose runs get the share `skill` of test examples right.

    Args:
        folder: where.
        skill: accuracy.
        weak_class: how much lower the accuracy of class 0 is.
        examples: of the task, a fifth of them in the test split.
        variants: changes of the run record by variant; `skill` among them counts for it.
        seeds: how many.
        luck: another number gives other runs of the same skill.
        noise: of the data.
        sure: probability of the label that is predicted.
        metric: the primary one.
        keys: more of `params.yaml`.
    """
    variants = variants or {"gru": {}}
    params(folder, variants=tuple(variants), seeds=seeds, metric=metric, **keys)
    prepared = write_task(folder / "data/prepared/toy", examples=examples, noise=noise)
    write_json(folder / "reports/data/toy.json", {"certified": True})
    for variant, given in variants.items():
        changes = dict(given)
        own = changes.pop("skill", skill)
        for seed in range(seeds):
            target = folder / "runs" / "toy" / variant / f"seed-{seed}"
            write_run(prepared, target, variant, seed, own, weak_class, luck, sure, **changes)
    return folder


def write_run(
    prepared: Prepared,
    target: Path,
    variant: str,
    seed: int,
    skill: float,
    weak_class: float = 0.0,
    luck: int = 0,
    sure: float = 0.9,
    **changes,
) -> None:
    """One run folder with untrained weights and drawn predictions."""
    import torch
    from safetensors.torch import save_file

    from gatewise.models.classifier import SequenceClassifier
    from gatewise.models.complexity import Sizes

    target.mkdir(parents=True)
    test = prepared.index[prepared.index["split"] == "test"]
    label = test["label"].to_numpy()
    # The same examples are hard for all runs; each run has a little luck of its own.
    hard = np.random.default_rng(99).random(len(test))
    own = np.random.default_rng([seed, luck]).normal(0, 0.02, len(test))
    right = hard + own < skill - weak_class * (label == 0)
    classes = len(prepared.card.labels)
    predicted = np.where(right, label, (label + 1) % classes)
    probabilities = np.full((len(test), classes), (1 - sure) / (classes - 1), dtype=np.float32)
    probabilities[np.arange(len(test)), predicted] = sure
    pd.DataFrame(
        {
            "id": test["id"].to_numpy(),
            "group": test["group"].to_numpy(),
            "label": label.astype(np.int32),
            "predicted": predicted.astype(np.int32),
            "probabilities": list(probabilities),
        }
    ).to_parquet(target / runs.PREDICTIONS, index=False)
    counts = metrics.count(label, probabilities)[0]
    scores = {one.name: float(one.from_counts(counts)) for one in Objective.registered()}
    scores["loss"] = scores["log_loss"]
    model = VariantConfig(cell="gru", hidden=changes.pop("hidden", 8), embedding=4)
    torch.manual_seed(seed)
    sizes = Sizes.of(prepared.card)
    save_file(SequenceClassifier(model, sizes).state_dict(), target / runs.WEIGHTS)
    (target / runs.CURVES).write_text(
        "epoch,learning_rate,gradient_norm,train_loss,validation_loss,validation_accuracy,"
        f"validation_macro_f1\n1,0.01,1.0,0.5,0.6,{right.mean()},{right.mean()}\n"
    )
    record(
        "toy",
        variant,
        seed,
        float(right.mean()),
        metrics=dict.fromkeys(("train", "validation", "test"), scores),
        config=model,
        key=digest(["toy", variant, seed, luck, skill, sure, prepared.card.digest]),
        data={"digest": prepared.card.digest},
        best_epoch=1,
        epochs_run=1,
        **changes,
    ).write(target)
    name_files(target)


def drop(folder: Path, name: str) -> None:
    """Remove a file from every run below `folder`."""
    for path in folder.glob(f"runs/*/*/*/{name}"):
        path.unlink()


def copied(source: Path, target: Path) -> Path:
    """A copy of a project."""
    shutil.copytree(source, target)
    return target


STAGES = {
    "prepare": {"cmd": "true", "outs": ["data/prepared/toy"]},
    "train": {"cmd": "true", "deps": ["data/prepared/toy"], "outs": ["runs/toy/gru"]},
    "report": {"cmd": "true", "deps": ["runs/toy/gru"], "outs": ["reports/data/toy.json"]},
}


def tracked(folder: Path) -> Path:
    """Put a project's data and runs under DVC, with a remote beside it, and commit."""
    (folder / ".dvc").mkdir()
    (folder / ".dvc/config").write_text(
        f"[core]\nremote = shared\nanalytics = false\nsite_cache_dir = {folder.parent}/site\n"
        f"['remote \"shared\"']\nurl = {folder.parent}/remote\n"
    )
    (folder / ".gitignore").write_text(
        "/.dvc/cache\n/.dvc/tmp\n/.gatewise\n/data\n/runs\n/reports\n"
    )
    (folder / "dvc.yaml").write_text(yaml.safe_dump({"stages": STAGES}))
    git(folder, "init", "-q")
    return committed(folder)


def committed(folder: Path) -> Path:
    """Take what lies there as what the stages made, and commit."""
    command(folder, sys.executable, "-m", "dvc", "commit", "--force", "--quiet")
    git(folder, "add", "-A")
    git(folder, "-c", "user.name=x", "-c", "user.email=x", "commit", "-qm", "x")
    return folder


def git(folder: Path, *arguments: str) -> str:
    """What git says."""
    return command(folder, "git", *arguments)


def command(folder: Path, *words: str) -> str:
    """What a command prints; it must not fail."""
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout
