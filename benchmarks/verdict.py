"""Seconds to an answer: from `gatewise repro` in a built environment to what each task comes to.

A study is reproduced from nothing in a clone, with no seed known beforehand. What numba compiles
once on a machine belongs to building the environment (`make env`) and is compiled before the clock
starts. For a task the clock stops when its line `answer <task>: ...` is printed first, for the
study at the end of the command, the MLflow mirror included.

Two references do the same work in other ways:

- The *fixed design* gives every variant all seeds, where `seeds: auto` may stop earlier. The same
  clone is reproduced again with that many seeds; what its `train` stages take is counted beside
  the seconds of ours, since all else would have been done once. So it is at least this much.
- A *plain loop* of Lightning runs, one after another with all cores, tracked by
  `mlflow.pytorch.autolog` (`benchmarks.plain_lightning`). One run of each task and variant that
  `torch.nn` has is measured, and counted as often as ours trained that variant: seeds and, as
  whole runs, trials. The loop neither fetches nor prepares, compares nor reports, and its imports
  are not counted.

    python -m benchmarks.verdict [--study docs/studies/tiny.yaml | --quick] [--no-fixed]
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from ruamel.yaml import YAML

from benchmarks.result import Result, table
from gatewise import config
from gatewise.artifacts import plan as plans
from gatewise.artifacts import runs, tuned
from gatewise.artifacts.tuned import Tuned
from gatewise.config import Study
from gatewise.config.evidence import Rounds
from gatewise.files import cores
from gatewise.training import instructions

PROJECT = Path(__file__).parent.parent
TINY = PROJECT / "docs" / "studies" / "tiny.yaml"
FIRST, ALL, TIMES = 180.0, 720.0, 3.0
"""Goals on two cores: seconds to the first answer and to the last, and to the plain loop."""
PLAIN_CELLS = ("rnn", "lstm", "gru")
"""Cells that `torch.nn` has."""
BUILT = "import pipeline, gatewise.models.cells.compiled, gatewise.training.augmentation"
"""What building the environment compiles, as in the Makefile."""
_COLOURS = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_ANSWER = re.compile(r"answer ([\w.-]+):")
_STAGE = re.compile(r"Running stage '([\w.@-]+)':")

Run = tuple[str, str]
"""A task and a variant."""


class Line(NamedTuple):
    """Something that a command printed."""

    seconds: float
    """From its start."""
    text: str


class Reproduced(NamedTuple):
    """When what was there, in seconds from the start."""

    answers: dict[str, float]
    """By task, in the order in which they were printed."""
    end: float


class Loop(NamedTuple):
    """The plain loop over runs of one task and variant."""

    seconds: float
    """Of one run."""
    runs: int
    """How many there would be."""


def first_answers(lines: Iterable[tuple[float, str]], tasks: Iterable[str]) -> dict[str, float]:
    """When each task's answer was printed first.

    Args:
        lines: seconds from the start and what was printed then.
        tasks: of which there are answers; a line that names another is none.
    """
    known = set(tasks)
    found: dict[str, float] = {}
    for seconds, line in lines:
        match = _ANSWER.match(_plain(line))
        if match and match[1] in known:
            found.setdefault(match[1], seconds)
    return found


def stage_seconds(lines: Sequence[tuple[float, str]], stage: str) -> float:
    """What all items of a stage took together, each until the next stage was begun.

    Args:
        lines: seconds from the start and what was printed then, to the end.
        stage: its name, as in `dvc.yaml`.
    """
    total, name, began = 0.0, "", 0.0
    for seconds, line in [*lines, (lines[-1][0] if lines else 0.0, "Running stage 'end':")]:
        if match := _STAGE.match(_plain(line)):
            total += (seconds - began) * (name == stage)
            name, began = match[1].partition("@")[0], seconds
    return total


def _plain(line: str) -> str:
    return _COLOURS.sub("", line).strip()


def fixed_design(params: str) -> str:
    """The text of a study with the number of seeds at which `seeds: auto` would stop at last."""
    yaml = YAML()
    content = yaml.load(params)
    with tempfile.TemporaryDirectory() as name:
        path = Path(name, "params.yaml")
        path.write_text(params, encoding="utf-8")
        seeds = config.load(path).seeds
        if not isinstance(seeds, Rounds):
            return params
        content["seeds"] = seeds.cap
        yaml.dump(content, path)
        return path.read_text(encoding="utf-8")


def clone(params: str, holder: Path) -> Path:
    """A fresh clone of this checkout with these settings, its environment built."""
    folder = holder / "project"
    subprocess.run(["git", "clone", "--quiet", "--local", PROJECT, folder], check=True)
    (folder / "params.yaml").write_text(params, encoding="utf-8")
    (folder / config.SEEDS_LOCK).write_text("reached: 0\n", encoding="utf-8")
    subprocess.run([sys.executable, "-c", BUILT], cwd=folder, env=_environment(folder), check=True)
    return folder


def _environment(folder: Path) -> dict[str, str]:
    return {
        **instructions.environment("portable"),
        "PYTHONPATH": f"{folder / 'src'}{os.pathsep}{folder}",
        "PYTHONUNBUFFERED": "1",
        "PYTHONDONTWRITEBYTECODE": "",
    }


def reproduce(folder: Path) -> list[Line]:
    """Run `gatewise repro` there; what it printed and when, the last line at its end.

    Raises:
        SystemExit: it failed; with the end of what it printed.
    """
    began = time.perf_counter()
    lines = []
    with subprocess.Popen(
        [sys.executable, "-m", "gatewise.cli.main", "repro"],
        cwd=folder,
        env=_environment(folder),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            lines.append(Line(time.perf_counter() - began, line))
    lines.append(Line(time.perf_counter() - began, ""))
    if process.returncode:
        raise SystemExit("".join(line.text for line in lines[-40:]))
    return lines


def trained(folder: Path, study: Study) -> dict[Run, int]:
    """How many trainings a reproduced study is made of, trials among them."""
    found: dict[Run, int] = {}
    for _, record in runs.find(folder / "runs"):
        found[record.task, record.variant] = found.get((record.task, record.variant), 0) + 1
    for task in study.tasks:
        for variant in study.variants:
            made = Tuned.read(tuned.path(task, variant, folder / "data" / "tuned"))
            choices = made.by_seed.values() if made.by_seed else [made.choice]
            tried = sum(len(one.scores) for choice in choices if choice for one in choice.trials)
            found[task, variant] = found.get((task, variant), 0) + tried
    return found


def plain_loop(folder: Path, study: Study) -> dict[Run, Loop]:
    """One run of each task and variant that `torch.nn` has, in a reproduced clone.

    Raises:
        SystemExit: one failed; with the end of what it said.
    """
    counts = trained(folder, study)
    environment = {
        **instructions.environment("native"),
        **{name: str(cores()) for name in instructions.THREADS},
        "PYTHONPATH": f"{PROJECT / 'src'}{os.pathsep}{PROJECT}",
    }
    found = {}
    for run in plans.lay_out(study):
        if run.config.cell not in PLAIN_CELLS:
            continue
        place = plans.path(run.task, run.variant, folder / "data" / "plan")
        prepared = folder / "data" / "prepared" / run.task
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.plain_lightning", str(place), str(prepared)],
            cwd=PROJECT,
            env=environment,
            check=False,
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise SystemExit(f"plain loop, {run.task}/{run.variant}:\n{done.stderr[-2000:]}")
        seconds = float(json.loads(done.stdout.splitlines()[-1]))
        found[run.task, run.variant] = Loop(seconds, counts[run.task, run.variant])
    return found


def results(
    ours: Reproduced, fixed: float | None, loop: Mapping[Run, Loop], left_out: int = 0
) -> list[Result]:
    """Rows of the table.

    Args:
        ours: the study; the time of tasks that printed no answer is that of the end.
        fixed: seconds of the fixed design, at least.
        loop: the plain loop by task and variant.
        left_out: trainings of ours that the loop has none for.
    """
    rows = [Result(f"answer {task}", at, "s") for task, at in ours.answers.items()]
    first, last = min([*ours.answers.values(), ours.end]), ours.end
    rows += [
        Result("first task answered", first, "s", what="seconds", checked=first, limit=FIRST),
        Result("the whole study", last, "s", what="seconds", checked=last, limit=ALL),
    ]
    if fixed is not None:
        name = "the fixed design, at least"
        rows.append(Result(name, fixed, "s", what="to ours", checked=fixed / last))
    if loop:
        whole = sum(one.seconds * one.runs for one in loop.values())
        count = sum(one.runs for one in loop.values())
        name = f"{count} runs of plain Lightning, from {len(loop)} measured"
        if left_out:
            name += f" ({left_out} of ours it has none for)"
        ratio = whole / last
        rows.append(
            Result(name, whole, "s", what="to ours", checked=ratio, limit=TIMES, better="higher")
        )
    return rows


def measure(params: str, *, with_fixed: bool = True) -> list[Result]:
    """Reproduce a study and its references, one after another in one clone."""
    with tempfile.TemporaryDirectory(prefix="gatewise-verdict-") as name:
        folder = clone(params, Path(name))
        study = config.load(folder / "params.yaml")
        lines = reproduce(folder)
        ours = Reproduced(first_answers(lines, study.tasks), lines[-1].seconds)
        loop = plain_loop(folder, study)
        left_out = sum(n for run, n in trained(folder, study).items() if run not in loop)
        fixed = None
        fixed_params = fixed_design(params)
        if with_fixed and fixed_params != params:
            (folder / "params.yaml").write_text(fixed_params, encoding="utf-8")
            fixed = ours.end + stage_seconds(reproduce(folder), "train")
    return results(ours, fixed, loop, left_out)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--study", type=Path, default=PROJECT / "params.yaml")
    parser.add_argument("--quick", action="store_true", help="the tiny study")
    parser.add_argument("--no-fixed", action="store_true", help="without the fixed design")
    parser.add_argument("--json", type=Path, help="write the results there")
    wish = parser.parse_args()
    study = TINY if wish.quick else wish.study
    found = measure(study.read_text(encoding="utf-8"), with_fixed=not wish.no_fixed)
    rows = [row.plain() for row in found]
    if wish.json:
        wish.json.write_text(json.dumps(rows))
    else:
        print(table(rows))


if __name__ == "__main__":
    main()
