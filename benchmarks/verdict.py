"""Seconds to an answer: from `gatewise repro` in a built environment to what each task comes to.

A study is reproduced from nothing in a clone of what is committed, with no seed known beforehand.
What numba compiles once on a machine belongs to building the environment (`make env`) and is
compiled before the clock starts. For a task the clock stops when its line `answer <task>: ...` is
printed first, for the study at the end of the command, the MLflow mirror included.

Two references do the same work in other ways. Neither is run whole: that would take an hour.

- The *fixed design* gives every variant on every task all seeds, where `seeds: auto` stops earlier.
  What the seeds that ours left out would have taken follows from ours: each stage of training is
  measured, and a seed counts as much as one of that task and variant took. All else would have
  been done once, so it is at least this much.
- A *plain loop* of Lightning runs, one after another with all cores, tracked by
  `mlflow.pytorch.autolog` (`benchmarks.plain_lightning`). Runs of each task and variant that it can
  train are measured, each at least once and in turns for as long as there is time, and their mean
  counts as often as ours trained that variant: seeds and, as whole runs, trials. The loop neither
  fetches nor prepares, compares nor reports, and its imports are not counted.

The figures in brackets are those sums over the fastest and over the slowest that was measured of
each task and variant. All that is measured is kept in a folder (`.gatewise/verdict`): the clone,
`study.log`, `loop.jsonl`. Started again, what is there is not measured again; with more `--minutes`
the loop goes on.

    python -m benchmarks.verdict [--study docs/studies/tiny.yaml | --quick] [--minutes 4]
        [--keep FOLDER] [--anew] [--log FILE] [--only study | loop]
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks import study_log
from benchmarks.result import Result, table
from benchmarks.study_log import Batch, Line, Run
from gatewise import config
from gatewise.config.evidence import Rounds
from gatewise.files import cores, digest, replacing
from gatewise.training import instructions

PROJECT = Path(__file__).parent.parent
TINY = PROJECT / "docs" / "studies" / "tiny.yaml"
KEEP = PROJECT / ".gatewise" / "verdict"
LOG, LOOP, MADE_OF = "study.log", "loop.jsonl", "made-of.json"
FIRST, ALL, TIMES = 180.0, 720.0, 3.0
"""Goals on two cores: seconds to the first answer and to the last, and to the plain loop."""
MINUTES = 4.0
"""What the plain loop may take; each of its runs is measured once, whatever that takes."""
BUILT = "import pipeline, gatewise.models.cells.compiled, gatewise.training.augmentation"
"""What building the environment compiles, as in the Makefile."""


class Sum(NamedTuple):
    """Seconds of many trainings, from those that were measured."""

    seconds: float
    """By the means."""
    low: float
    """By the fastest measured of each task and variant."""
    high: float
    """By the slowest."""
    trainings: int
    measured: int


def total(seconds: Mapping[Run, Sequence[float]], counts: Mapping[Run, int]) -> Sum:
    """What as many trainings as `counts` says would take.

    Args:
        seconds: measured, by task and variant; those not among them are left out.
        counts: how many there are of each.
    """
    known = {run: count for run, count in counts.items() if seconds.get(run)}
    return Sum(
        sum(count * sum(seconds[run]) / len(seconds[run]) for run, count in known.items()),
        sum(count * min(seconds[run]) for run, count in known.items()),
        sum(count * max(seconds[run]) for run, count in known.items()),
        sum(known.values()),
        sum(len(seconds[run]) for run in known),
    )


def left_out(batches: Sequence[Batch], seeds: int) -> Sum:
    """What the seeds that a race did not train would have taken, trained as the others were.

    Args:
        batches: what ours trained.
        seeds: how many each variant of each task would have.
    """
    trained = study_log.trainings(batches)
    missing = {run: max(0, seeds - counts["seed"]) for run, counts in trained.items()}
    paces: dict[Run, list[float]] = {}
    for batch in batches:
        if batch.unit == "seed":
            paces.setdefault(batch.run, []).append(batch.seconds / batch.count)
    return total(paces, missing)


def results(
    lines: Sequence[Line], study: config.Study, loop: Mapping[Run, Sequence[float]]
) -> list[Result]:
    """Rows of the table.

    Args:
        lines: of our study's log; where a task printed no answer, the end stands for it.
        study: what was reproduced.
        loop: seconds of the plain loop's runs by task and variant; empty if it was not run.
    """
    batches, last = study_log.batches(lines), lines[-1].seconds
    answered = study_log.answers(lines, study.tasks)
    first = min([*answered.values(), last])
    rows = [
        *(Result(f"answer {task}", at, "s") for task, at in answered.items()),
        Result("first task answered", first, "s", what="seconds", checked=first, limit=FIRST),
        Result("the whole study", last, "s", what="seconds", checked=last, limit=ALL),
    ]
    rows += [
        Result(f"the whole study: {kind}", took, "s", what="share", checked=took / last)
        for kind, took in study_log.by_kind(lines).items()
    ]
    more = left_out(batches, study.seeds.cap) if isinstance(study.seeds, Rounds) else None
    if more is not None:
        rows.append(
            Result(
                f"the fixed design, {more.trainings} more runs, from {more.measured} stages' pace",
                last + more.seconds, "s", last + more.low, last + more.high,
                what="to ours, at least", checked=(last + more.seconds) / last, better="higher",
            )
        )  # fmt: skip
    if loop:
        rows += _loop_rows(loop, batches, last, study)
    return rows


def _loop_rows(
    loop: Mapping[Run, Sequence[float]], batches: Sequence[Batch], last: float, study: config.Study
) -> list[Result]:
    trained = study_log.trainings(batches)
    same = {run: sum(counts.values()) for run, counts in trained.items()}
    whole = total(loop, same)
    name = f"these {whole.trainings} trainings in plain Lightning, from {whole.measured} measured"
    if without := sum(same.values()) - whole.trainings:
        name += f" ({without} of ours it has none for)"
    rows = [_against(name, whole, last, TIMES)]
    if isinstance(study.seeds, Rounds):
        every = {run: study.seeds.cap + counts["trial"] for run, counts in trained.items()}
        all_seeds = total(loop, every)
        name = f"the fixed design's {all_seeds.trainings} trainings in plain Lightning"
        rows.append(_against(name, all_seeds, last, None))
    return rows


def _against(name: str, found: Sum, last: float, limit: float | None) -> Result:
    return Result(
        name, found.seconds, "s", found.low, found.high,
        what="to ours", checked=found.seconds / last, limit=limit, better="higher",
    )  # fmt: skip


def clone(params: str, folder: Path) -> None:
    """A fresh clone of this checkout with these settings, its environment built."""
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run(["git", "clone", "--quiet", "--local", PROJECT, folder], check=True)
    (folder / "params.yaml").write_text(params, encoding="utf-8")
    (folder / config.SEEDS_LOCK).write_text("reached: 0\n", encoding="utf-8")
    subprocess.run([sys.executable, "-c", BUILT], cwd=folder, env=_environment(folder), check=True)


def _environment(folder: Path) -> dict[str, str]:
    return {
        **instructions.environment("portable"),
        "PYTHONPATH": f"{folder / 'src'}{os.pathsep}{folder}",
        "PYTHONUNBUFFERED": "1",
        "PYTHONDONTWRITEBYTECODE": "",
    }


def reproduce(folder: Path, log: Path) -> None:
    """Run `gatewise repro` there and write its log, which is there only once it has ended well.

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
        for text in process.stdout:
            lines.append(Line(time.perf_counter() - began, text))
    if process.returncode:
        raise SystemExit("".join(line.text for line in lines[-40:]))
    lines.append(Line(time.perf_counter() - began, "the end"))
    with replacing(log) as temporary:
        temporary.write_text("".join(map(study_log.written, lines)), encoding="utf-8")


def prepare(folder: Path, study: config.Study) -> None:
    """Have the study's prepared tasks in a clone, if they are not there."""
    if all((folder / "data/prepared" / task / "task.json").is_file() for task in study.tasks):
        return
    command = [sys.executable, "-m", "dvc", "repro", "--quiet", "prepare"]
    subprocess.run(command, cwd=folder, env=_environment(folder), check=True)


def run_loop(folder: Path, into: Path, minutes: float) -> None:
    """Measure runs of the plain loop in a process with all cores; they are added to `into`."""
    environment = {
        **instructions.environment("native"),
        **{name: str(cores()) for name in instructions.THREADS},
        "PYTHONPATH": f"{PROJECT / 'src'}{os.pathsep}{PROJECT}",
    }
    wish = [str(folder), "--into", str(into), "--minutes", str(minutes)]
    command = [sys.executable, "-m", "benchmarks.plain_lightning", *wish]
    subprocess.run(command, cwd=PROJECT, env=environment, check=True)


def loop_seconds(path: Path) -> dict[Run, list[float]]:
    """Seconds of the plain loop's runs that were measured, by task and variant."""
    found: dict[Run, list[float]] = {}
    if path.is_file():
        for line in path.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            found.setdefault((row["task"], row["variant"]), []).append(float(row["seconds"]))
    return found


def claim(keep: Path, params: str) -> None:
    """Make `keep` the folder of this study at this commit.

    Raises:
        SystemExit: it holds what another one took.
    """
    head = ["git", "rev-parse", "HEAD"]
    commit = subprocess.run(head, cwd=PROJECT, check=True, capture_output=True, text=True)
    made_of = {"commit": commit.stdout.strip(), "params": digest(params), "cores": cores()}
    path = keep / MADE_OF
    if path.is_file() and json.loads(path.read_text(encoding="utf-8")) != made_of:
        raise SystemExit(
            f"{keep} holds what another study or commit took; remove it to measure anew, or name "
            "another folder with --keep"
        )
    keep.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(made_of), encoding="utf-8")


def measure(
    params: str, keep: Path, *, log: Path | None = None, minutes: float = MINUTES, only: str = ""
) -> list[Result]:
    """Reproduce a study and measure runs of the plain loop; what `keep` has is not measured again.

    Args:
        params: text of the study's `params.yaml`.
        keep: folder for what is measured.
        log: of the same study, measured before.
        minutes: for the loop in all; each of its runs is measured once, whatever that takes.
        only: `study` or `loop` leaves the other one out.

    Raises:
        SystemExit: something failed, or `keep` is another study's.
    """
    claim(keep, params)
    folder = keep / "project"
    own = log or keep / LOG
    if log is None and only != "loop" and not own.is_file():
        clone(params, folder)
        reproduce(folder, own)
    if not (folder / "params.yaml").is_file():
        clone(params, folder)
    study = config.load(folder / "params.yaml")
    if only != "study":
        prepare(folder, study)
        run_loop(folder, keep / LOOP, minutes)
    if not own.is_file():
        return []
    return results(study_log.read(own), study, loop_seconds(keep / LOOP))


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--study", type=Path, default=PROJECT / "params.yaml")
    parser.add_argument("--quick", action="store_true", help="the tiny study")
    parser.add_argument("--keep", type=Path, default=KEEP, help="folder for what is measured")
    parser.add_argument("--anew", action="store_true", help="forget what is there")
    parser.add_argument("--log", type=Path, help="of this study, measured before")
    parser.add_argument(
        "--minutes", type=float, default=MINUTES, help="for the plain loop's runs (%(default)s)"
    )
    parser.add_argument("--only", choices=["study", "loop"], default="", help="leave the other out")
    parser.add_argument("--json", type=Path, help="write the results there")
    wish = parser.parse_args()
    study = TINY if wish.quick else wish.study
    keep = (wish.keep.with_name("verdict-quick") if wish.quick else wish.keep).absolute()
    if wish.anew and (keep / MADE_OF).is_file():
        shutil.rmtree(keep)
    found = measure(
        study.read_text(encoding="utf-8"),
        keep,
        log=wish.log,
        minutes=0.0 if wish.quick else wish.minutes,
        only=wish.only,
    )
    rows = [row.plain() for row in found]
    if wish.json:
        wish.json.write_text(json.dumps(rows))
    else:
        print(table(rows))


if __name__ == "__main__":
    main()
