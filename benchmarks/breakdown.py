"""Where the time of `dvc repro` goes.

Runs a study from nothing in a clone of this checkout, with every process noting fifty times a
second what it does (`benchmarks/timeline`), and prints the seconds from the start of `dvc` to its
end, split so that they add up. Workers train beside each other: a second in which all cores do
training steps is a second of steps, and a core that finds no run left counts as idle.

    python -m benchmarks.breakdown [--study docs/studies/tiny.yaml | --quick] [--timeline FOLDER]
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from benchmarks.result import Result
from gatewise.files import cores

PROJECT = Path(__file__).parent.parent
ORDER = (
    "steps",
    "batches",
    "Lightning",
    "validation",
    "records",
    "checkpoints",
    "scoring",
    "imports",
    "set-up and results",
    "other",
)
MEANINGS = {
    "steps": "forward, backward, optimiser",
    "batches": "gathering, padding, augmentation",
    "Lightning": "the trainer around the steps",
    "validation": "the validation split after each epoch",
    "records": "curves, best weights, news for progress and MLflow",
    "checkpoints": "",
    "scoring": "predictions of the best weights on all splits",
    "imports": "",
    "set-up and results": "opening data, building models, writing run folders",
    "other": "",
    "idle": "cores without a run while the last runs of a stage end",
    "around": "before a stage's first run and after its last",
    "MLflow": "waiting for the store to have taken the rest",
}


class Sample(NamedTuple):
    """What one process did at one moment."""

    time: float
    process: str
    role: str
    activity: str


class Stage(NamedTuple):
    """One stage from the start of its command to the end."""

    name: str
    began: float
    ended: float


def repro(study: Path | None, folder: Path) -> None:
    """Run the study in a fresh clone, with timelines to `folder`."""
    with tempfile.TemporaryDirectory() as name:
        clone = Path(name, "clone")
        subprocess.run(["git", "clone", "--quiet", "--local", PROJECT, clone], check=True)
        if study is not None:
            shutil.copy(study, clone / "params.yaml")
        paths = [Path(__file__).parent / "timeline", clone / "src", clone]
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(map(str, paths)),
            "GATEWISE_TIMELINE": str(folder),
        }
        command = [str(Path(sys.executable).with_name("dvc")), "repro", "--force"]
        subprocess.run(command, cwd=clone, env=environment, check=True, stdout=sys.stderr)


def read(folder: Path) -> list[Sample]:
    """All samples in the order of time."""
    samples = []
    for path in folder.glob("*.tsv"):
        # A process that is killed may leave half a line.
        lines = [line.split("\t") for line in path.read_text().splitlines()]
        samples += [Sample(float(x[0]), path.stem, *x[1:]) for x in lines if len(x) == 3]
    return sorted(samples)


def stages(samples: list[Sample]) -> list[Stage]:
    """The stages in the order in which they ran."""
    times: dict[str, list[float]] = {}
    for sample in samples:
        if sample.role.startswith("stage "):
            times.setdefault(sample.role.removeprefix("stage "), []).append(sample.time)
    found = [Stage(name, seen[0], seen[-1]) for name, seen in times.items()]
    return sorted(found, key=lambda stage: stage.began)


def durations(samples: list[Sample]) -> Counter[str]:
    """Seconds by activity, over all processes."""
    found: Counter[str] = Counter()
    for process in {sample.process for sample in samples}:
        own = [sample for sample in samples if sample.process == process]
        # Samples come late on a busy machine; each stands for the time since the one before.
        for before, sample in itertools.pairwise(own):
            found[sample.activity] += sample.time - before.time
    return found


def train_parts(stage: Stage, samples: list[Sample], width: int) -> Counter[str]:
    """Seconds of one train stage by activity; they add up to its duration."""
    work = [s for s in samples if s.role == "worker" and stage.began <= s.time <= stage.ended]
    whole = stage.ended - stage.began
    if not work:
        return Counter({"around": whole})
    first, last = work[0].time, work[-1].time
    busy = Counter({name: seconds / width for name, seconds in durations(work).items()})
    after = [
        s for s in samples
        if s.role == "in stage" and last < s.time <= stage.ended
    ]  # fmt: skip
    delivering = durations(after)["MLflow"]
    parts = Counter(
        {
            "around": whole - (last - first) - delivering,
            "idle": max(last - first - busy.total(), 0),
            "MLflow": delivering,
        }
    )
    return parts + busy


def breakdown(samples: list[Sample], width: int) -> list[tuple[str, str, float]]:
    """Rows of part, detail and seconds; they add up to the whole."""
    own = [sample.time for sample in samples if sample.role == "dvc"]
    ran = stages(samples)
    rows = []
    train: Counter[str] = Counter()
    others: Counter[str] = Counter()
    waits: Counter[str] = Counter()
    for stage in ran:
        kind = stage.name.split()[0]
        if kind == "train":
            train += train_parts(stage, samples, width)
            continue
        inside = [
            s.time for s in samples
            if s.role == "in stage" and stage.began <= s.time <= stage.ended
        ]  # fmt: skip
        begins = inside[0] if inside else stage.began
        waits[kind] += begins - stage.began
        others[kind] += stage.ended - begins
    in_stages = sum(stage.ended - stage.began for stage in ran)
    rows.append(("dvc", "its start, hashing, caching, locks", own[-1] - own[0] - in_stages))
    rows.append(("start", "of stages other than train, until they compute", waits.total()))
    rows += [(kind, "", seconds) for kind, seconds in others.items()]
    listed = [*(name for name in ORDER if name in train), "idle", "around", "MLflow"]
    rows += [(f"train: {name}", MEANINGS[name], train[name]) for name in listed]
    return rows


def table(rows: list[tuple[str, str, float]]) -> str:
    """Markdown."""
    whole = sum(seconds for *_, seconds in rows)
    lines = [("part", "what", "seconds", "share"), ("---", "---", "---:", "---:")]
    for part, what, seconds in rows:
        lines.append((part, what, f"{seconds:.1f}", f"{seconds / whole:.1%}"))
    lines.append(("**all**", "", f"**{whole:.1f}**", ""))
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def results(rows: list[tuple[str, str, float]]) -> list[Result]:
    """For the suite: all of it, then its parts."""
    whole = sum(seconds for *_, seconds in rows)
    parts = [
        Result(f"the whole study: {part}", seconds, "s", what="share", checked=seconds / whole)
        for part, _, seconds in rows
    ]
    return [Result("the whole study", whole, "s"), *parts]


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--study", type=Path, help="a params.yaml; that of the checkout if none")
    which.add_argument("--quick", action="store_true", help="the tiny study")
    parser.add_argument("--timeline", type=Path, help="read an earlier run's, or keep it there")
    parser.add_argument("--json", type=Path, help="write the results there")
    wish = parser.parse_args()
    study = PROJECT / "docs/studies/tiny.yaml" if wish.quick else wish.study
    with tempfile.TemporaryDirectory() as scratch:
        folder = wish.timeline or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        if not any(folder.iterdir()):
            repro(study, folder.resolve())
        rows = breakdown(read(folder), cores())
    if wish.json:
        wish.json.write_text(json.dumps([result.plain() for result in results(rows)]))
    else:
        print(table(rows))


if __name__ == "__main__":
    main()
