"""Seconds to an answer: from `gatewise repro` in a built environment to what each task comes to.

The study of the checkout is reproduced from nothing in a clone; the clock stops for a task when
its line `answer <task>: ...` is printed, and for a study that prints none at the end. Two
references do the same work in other ways: the fixed design, in which every variant has all seeds
(where `seeds: auto` may stop earlier), and a plain loop of Lightning runs, one after another
with all cores, tracked by `mlflow.pytorch.autolog` (`benchmarks.plain_lightning`). Of that loop one
run of each task and variant is measured and counted as often as there are seeds; it neither
fetches nor prepares, compares nor reports.

    python -m benchmarks.verdict [--study docs/studies/tiny.yaml | --quick]
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
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from ruamel.yaml import YAML

from benchmarks.result import Result, table
from gatewise import config
from gatewise.artifacts import plan as plans
from gatewise.config import Study
from gatewise.config.evidence import Rounds
from gatewise.files import cores
from gatewise.training import instructions

PROJECT = Path(__file__).parent.parent
TINY = PROJECT / "docs" / "studies" / "tiny.yaml"
FIRST, ALL, TIMES = 180.0, 720.0, 3.0
"""Goals on two cores: seconds to the first answer and to the last, and to the plain loop."""
_COLOURS = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_ANSWER = re.compile(r"answer ([\w.-]+):")


class Reproduced(NamedTuple):
    """When what was there, in seconds from the start."""

    answers: dict[str, float]
    """By task, in the order in which they were printed."""
    end: float


def first_answers(lines: Iterable[tuple[float, str]], tasks: Iterable[str]) -> dict[str, float]:
    """When each task's answer was printed first.

    Args:
        lines: seconds from the start and what was printed then.
        tasks: of which there are answers; a line that names another is none.
    """
    known = set(tasks)
    found: dict[str, float] = {}
    for seconds, line in lines:
        match = _ANSWER.match(_COLOURS.sub("", line).strip())
        if match and match[1] in known:
            found.setdefault(match[1], seconds)
    return found


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
    """A fresh clone of this checkout with these settings."""
    folder = holder / "project"
    subprocess.run(["git", "clone", "--quiet", "--local", PROJECT, folder], check=True)
    (folder / "params.yaml").write_text(params, encoding="utf-8")
    (folder / config.SEEDS_LOCK).write_text("reached: 0\n", encoding="utf-8")
    return folder


def reproduce(folder: Path, study: Study) -> Reproduced:
    """Run `gatewise repro` there, from nothing."""
    environment = {
        **instructions.environment("portable"),
        "PYTHONPATH": f"{folder / 'src'}{os.pathsep}{folder}",
        "PYTHONUNBUFFERED": "1",
    }
    began = time.perf_counter()
    lines = []
    with subprocess.Popen(
        [sys.executable, "-m", "gatewise.cli.main", "repro"],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            lines.append((time.perf_counter() - began, line))
    end = time.perf_counter() - began
    if process.returncode:
        raise SystemExit("".join(line for _, line in lines[-40:]))
    return Reproduced(first_answers(lines, study.tasks), end)


def plain_loop(folder: Path, study: Study) -> dict[tuple[str, str], float]:
    """Seconds of one run of each task and variant that `torch.nn` has, in a reproduced clone."""
    paths = f"{PROJECT / 'src'}{os.pathsep}{PROJECT}"
    environment = {**instructions.environment("native"), "PYTHONPATH": paths}
    threads = {name: str(cores()) for name in instructions.THREADS}
    found = {}
    for run in plans.lay_out(study):
        if run.config.cell not in ("rnn", "lstm", "gru"):
            continue
        place = plans.path(run.task, run.variant, folder / "data" / "plan")
        prepared = folder / "data" / "prepared" / run.task
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.plain_lightning", str(place), str(prepared)],
            cwd=PROJECT,
            env={**environment, **threads},
            check=True,
            capture_output=True,
            text=True,
        )
        found[run.task, run.variant] = float(json.loads(done.stdout.splitlines()[-1]))
    return found


def results(
    ours: Reproduced, fixed: Reproduced | None, loop: Mapping[tuple[str, str], float], seeds: int
) -> list[Result]:
    """Rows of the table; times of tasks that printed no answer are those of the end."""
    rows = [
        Result(f"answer {task}", at, "s") for task, at in ours.answers.items()
    ]  # in the order in which they came
    first, last = min([*ours.answers.values(), ours.end]), ours.end
    rows += [
        Result("first task answered", first, "s", what="seconds", checked=first, limit=FIRST),
        Result("the whole study", last, "s", what="seconds", checked=last, limit=ALL),
    ]
    if fixed is not None:
        ratio = fixed.end / last
        rows.append(Result("the fixed design", fixed.end, "s", what="to ours", checked=ratio))
    if loop:
        whole = seeds * sum(loop.values())
        name = f"{seeds * len(loop)} runs of plain Lightning, from {len(loop)} measured"
        rows.append(
            Result(
                name, whole, "s", what="to ours", checked=whole / last, limit=TIMES, better="higher"
            )
        )
    return rows


def measure(params: str) -> list[Result]:
    """Reproduce a study and its references, one after another."""
    fixed_params = fixed_design(params)
    fixed = None
    with tempfile.TemporaryDirectory(prefix="gatewise-verdict-") as name:
        folder = clone(params, Path(name))
        ours = reproduce(folder, config.load(folder / "params.yaml"))
        (folder / "params.yaml").write_text(fixed_params, encoding="utf-8")
        study = config.load(folder / "params.yaml")
        loop = plain_loop(folder, study)
    if fixed_params != params:
        with tempfile.TemporaryDirectory(prefix="gatewise-verdict-") as name:
            fixed = reproduce(clone(fixed_params, Path(name)), study)
    return results(ours, fixed, loop, len(study.seed_list))


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--study", type=Path, default=PROJECT / "params.yaml")
    parser.add_argument("--quick", action="store_true", help="the tiny study")
    parser.add_argument("--json", type=Path, help="write the results there")
    wish = parser.parse_args()
    study = TINY if wish.quick else wish.study
    rows = [row.plain() for row in measure(study.read_text(encoding="utf-8"))]
    if wish.json:
        wish.json.write_text(json.dumps(rows))
    else:
        print(table(rows))


if __name__ == "__main__":
    main()
