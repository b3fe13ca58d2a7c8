"""A real study small enough to retrain many times: made-up reviews in a table that grows."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import yaml

from tests.checkouts import checkout, environment, run

LABELS = ("dull", "fine", "odd")
AUTHORS = 60
KEPT_STAGES = ("plan", "fetch", "prepare", "tune", "train", "compare")
"""Stages of the pipeline that matter here; the others only cost time."""
FORKED = """
import os, sys
from gatewise.execution import warm
from pipeline import module
child = warm.fork(os.environ["GATEWISE_WARM"], module, ["gatewise.cli.main", sys.argv[1:]])
sys.exit(child.wait())
"""
"""`python -m gatewise.cli.main`, forked from a process that has imported what is dear."""
LEFT_OUT = ("reports/baselines", "reports/context", "reports/cost", "reports/probes")


def documents(first: int, count: int, clear: float = 0.95) -> list[tuple[str, str, str]]:
    """Rows `(text, label, author)`; one word tells the label, most of the time.

    A row depends on its number alone, so a longer table begins as a shorter one does.
    """
    rows = []
    for number in range(first, first + count):
        draws = np.random.default_rng([7, number])
        label = LABELS[int(draws.integers(3))]
        said = label if draws.random() < clear else LABELS[int(draws.integers(3))]
        letters = draws.integers(97, 123, size=(9, 5))
        words = ["".join(map(chr, word)) for word in letters]
        words.insert(int(draws.integers(9)), f"{said}{int(draws.integers(4))}")
        rows.append((" ".join(words), label, f"author-{number % AUTHORS}"))
    return rows


def write_table(folder: Path, rows: list[tuple[str, str, str]]) -> None:
    """Write `reviews.csv`, where the source reads it in place."""
    lines = ["text,label,who", *(",".join(row) for row in rows)]
    (folder / "reviews.csv").write_text("\n".join(lines) + "\n")


class SmallStudy:
    """A checkout of its own with one task, a DVC remote and a store."""

    def __init__(self, project: Path, folder: Path, store: str, warm: str | None = None) -> None:
        self.folder = checkout(project, folder)
        self.environment = environment(self.folder)
        self.environment["MLFLOW_TRACKING_URI"] = store
        if warm is not None:
            self.environment["GATEWISE_WARM"] = warm
        self._shrink()
        self.git("init", "-q")
        self.call("dvc", "remote", "add", "--default", "shared", str(folder.parent / "remote"))
        # What DVC remembers of the remote is this machine's: another one starts without it.
        self.call("dvc", "config", "core.site_cache_dir", str(folder.parent / "site"))
        self.commit("a small study")

    def _shrink(self) -> None:
        study = {
            "tasks": {
                "mine": {
                    "source": {"kind": "text-file", "path": "reviews.csv", "group": "who"},
                    "features": {"kind": "tokens", "min_frequency": 2, "max_length": 12},
                    "split": {"validation": 0.2, "test": 0.35},
                }
            },
            "variants": {"gru": {"cell": "gru", "hidden": 8, "embedding": 8}},
            "seeds": 4,
            "train": {"epochs": 8, "batch_size": 16, "learning_rate": 0.03},
            "gate": {"margin": 0.08, "resamples": 200, "slices": {"margin": 0.2}},
            "tracking": {"live": False},
        }
        self.write_params(study)
        path = self.folder / "dvc.yaml"
        pipeline = yaml.safe_load(path.read_text())
        stages = {name: pipeline["stages"][name] for name in KEPT_STAGES}
        deps = stages["compare"]["deps"]
        stages["compare"]["deps"] = [dep for dep in deps if dep not in LEFT_OUT]
        path.write_text(yaml.safe_dump({"stages": stages}, sort_keys=False))

    def write_params(self, study: dict) -> None:
        (self.folder / "params.yaml").write_text(yaml.safe_dump(study, sort_keys=False))

    def params(self) -> dict:
        return yaml.safe_load((self.folder / "params.yaml").read_text())

    def commit(self, message: str) -> None:
        self.git("add", "-A")
        self.git("-c", "user.name=x", "-c", "user.email=x", "commit", "-qm", message)

    def git(self, *arguments: str) -> str:
        return self.call("git", *arguments)

    def call(self, *command: str, status: int | None = 0) -> str:
        return run(self.folder, *command, status=status, variables=self.environment)

    def gatewise(self, *arguments: str, status: int | None = 0) -> str:
        return self.call(*self._command(), *arguments, status=status)

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """The command in the background, for killing."""
        with (self.folder.parent / "background.log").open("ab") as log:
            return subprocess.Popen(
                [*self._command(), *arguments],
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def _command(self) -> list[str]:
        run = ["-c", FORKED] if "GATEWISE_WARM" in self.environment else ["-m", "gatewise.cli.main"]
        return [sys.executable, *run]

    def result(self) -> dict:
        return json.loads((self.folder / "reports/retrain.json").read_text())

    def digests(self) -> dict[str, tuple[str, str]]:
        """Weights and predictions of every run."""
        found = {}
        for path in sorted(self.folder.glob("runs/*/*/seed-*/run.json")):
            record = json.loads(path.read_text())
            name = str(path.parent.relative_to(self.folder))
            found[name] = (record["weights_sha256"], record["predictions_sha256"])
        return found
