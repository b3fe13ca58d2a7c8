"""A small project of sounds and texts, reproduced once, and what its commands do to copies."""

from __future__ import annotations

import hashlib
import os
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import yaml

ROOT = Path(__file__).parents[2]
STUDY = {
    "tasks": {
        "sounds": {
            "source": {"kind": "audio-folder", "path": "mine/sounds", "group": "/([^_]+)_"},
            "features": {"kind": "log-mel", "sample_rate": 8000, "n_fft": 256, "n_mels": 16},
            "split": {"validation": 0.25, "test": 0.25},
        },
        "texts": {
            "source": {"kind": "text-file", "path": "mine/texts.csv"},
            "features": {"kind": "tokens", "min_frequency": 1},
            "split": {"validation": 0.25, "test": 0.25},
        },
    },
    "variants": {
        "lstm": {"cell": "lstm", "hidden": 6, "embedding": 4},
        "gru": {"cell": "gru", "hidden": 6, "embedding": 4},
    },
    "seeds": 2,
    "train": {"epochs": 2},
    "tuning": {"trials": 2, "space": {"learning_rate": {"low": 0.003, "high": 0.02}}},
    "compare": {"primary": [["gru", "lstm"]], "resamples": 200},
    "probes": {
        **{"adding_lengths": [4], "copy_lengths": [2], "parity_lengths": []},
        **{"order_lengths": [], "counting_lengths": []},
        **{"starts": ["torch"], "learning_rates": [0.01], "updates": 5, "seeds": 1},
        **{"gradient_length": 10, "gradient_reach": 5},
    },
    "tracking": {"enabled": False},
}
MOST_MEMORY = 24 * 2**30
"""Bytes of address space of each command: one that reads without end is ended by it."""


@dataclass(frozen=True)
class Said:
    """How a command ended."""

    status: int | None
    """None: it did not end in time."""
    output: str

    @property
    def in_words(self) -> bool:
        """Whether a failure was told in a sentence."""
        sentence = "error: " in self.output or "ERROR: " in self.output
        return self.status not in (0, None) and sentence and "Traceback" not in self.output


def make(folder: Path) -> None:
    """Write a checkout of this project with the small study and its data into `folder`."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    for name in filter(None, listed.stdout.split("\0")):
        wanted = name.startswith(("src/", "pipeline/", ".dvc/", "data/")) or name in (
            *("dvc.yaml", ".dvcignore", ".gitignore", "seeds.lock", "tuning.lock"),
        )
        if wanted and (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    (folder / "params.yaml").write_text(yaml.safe_dump(STUDY, sort_keys=False))
    _write_data(folder / "mine")
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)


def _write_data(folder: Path) -> None:
    import soundfile

    chance = np.random.default_rng(0)
    for label, pitch in (("low", 300), ("high", 900)):
        (folder / "sounds" / label).mkdir(parents=True)
        for speaker in range(24):
            for take in range(2):
                times = np.arange(2000 + 200 * take) / 8000
                wave = 0.3 * np.sin(2 * np.pi * (pitch + 20 * speaker) * times)
                wave += chance.normal(0, 0.05, len(times))
                soundfile.write(folder / "sounds" / label / f"s{speaker}_{take}.wav", wave, 8000)
    words = {"good": "fine bright warm clever", "bad": "dull flat cold empty"}
    letters = np.array(list("abcdefghijklmnopqrstuvwxyz"))
    others = ["".join(chance.choice(letters, 7)) for _ in range(300)]
    lines = ["text,label"]
    for number in range(80):
        label = ("good", "bad")[number % 2]
        said = [*chance.choice(words[label].split(), 2), *chance.choice(others, 6)]
        lines.append(f"{' '.join(said)},{label}")
    (folder / "texts.csv").write_text("\n".join(lines) + "\n")


def environment(folder: Path, more: Mapping[str, str] | None = None) -> dict[str, str]:
    """This environment's programs, and the checkout's own package and stages."""
    ours = {k: v for k, v in os.environ.items() if not k.startswith(("MLFLOW", "GATEWISE"))}
    return {
        **ours,
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), ours["PATH"]]),
        "PYTHONPATH": os.pathsep.join([str(folder / "src"), str(folder)]),
        "DVC_NO_ANALYTICS": "1",
        "DVC_SITE_CACHE_DIR": str(folder / ".gatewise" / "dvc-site"),
        **(more or {}),
    }


def run(
    folder: Path,
    *command: str,
    variables: Mapping[str, str] | None = None,
    seconds: float = 120.0,
    largest_file: int | None = None,
    kill_after: float | None = None,
) -> Said:
    """Run a Python module's command in `folder`.

    Args:
        folder: a project.
        command: module and arguments.
        variables: further environment variables.
        seconds: after which it counts as hanging.
        largest_file: bytes that it may write into one file; what a full disk does, without one.
        kill_after: seconds after which it is killed with all that it started.
    """

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
        if largest_file is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file, largest_file))

    process = subprocess.Popen(
        [sys.executable, "-m", *command],
        cwd=folder,
        env=environment(folder, variables),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
        preexec_fn=limit,  # noqa: PLW1509  # this program has one thread here
    )
    try:
        output, _ = process.communicate(timeout=kill_after or seconds)
    except subprocess.TimeoutExpired:
        # The first process alone, as the system does; the others are to end by themselves.
        os.kill(process.pid, signal.SIGKILL)
        output, _ = process.communicate()
        return Said(None, output)
    return Said(process.returncode, output)


def results(folder: Path) -> dict[str, str]:
    """Digest of everything that a study comes to, but for what reads the clock."""
    kept = [*folder.glob("runs/*/*/*/*"), *folder.glob("data/prepared/*/*")]
    kept += (folder / "reports").glob("data/*.json")
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in kept
        if path.is_file()
    }
