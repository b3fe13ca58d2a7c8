"""What the same bits on every processor cost: `portable` against `native`.

A training step of an LSTM, a GRU and an RNN at the sizes of the default study (128 clips of 50
frames, 64 units). Each mode has processes of its own, since libraries settle as they load what they
compute with. Modes take turns, and who begins changes.

    python -m benchmarks.portable [--quick]
    python -m benchmarks.portable --study [--rounds 3]   the whole study, from raw data, in turns
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from benchmarks import result
from benchmarks.result import Result, measured, ratios
from gatewise.training import instructions
from gatewise.training.instructions import Instructions

CELLS = ("lstm", "gru", "rnn")
LIMIT = 1.10
"""Most that a `portable` study may take of a `native` one's time."""
PROJECT = Path(__file__).parent.parent
T = TypeVar("T")


def steps(cell: str, count: int) -> float:
    """Median seconds of a training step in this process; what each child measures."""
    import torch
    from torch.nn import functional

    from benchmarks import tasks
    from gatewise.models.building import build
    from gatewise.models.complexity import Sizes
    from gatewise.training.datamodule import TaskData

    torch.set_num_threads(1)
    plan = tasks.plan("clips", cell=cell)
    with tempfile.TemporaryDirectory() as name:
        prepared = tasks.write(Path(name, "task"), "clips", 1200)
        data = TaskData(prepared, 0, plan.train.batch_size, None)
        batch = next(iter(data.train_dataloader()))
        model = build(plan.config, Sizes.of(prepared.card))
    optimiser = torch.optim.AdamW(model.parameters(), fused=True)
    seconds = []
    for _ in range(count):
        began = time.thread_time()
        optimiser.zero_grad()
        loss = functional.cross_entropy(model(batch.inputs, batch.lengths), batch.targets)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), plan.train.clip_norm)
        optimiser.step()
        seconds.append(time.thread_time() - began)
    return statistics.median(seconds[count // 5 :])


def in_turns(
    modes: Sequence[Instructions], rounds: int, once: Callable[[Instructions], T]
) -> dict[Instructions, list[T]]:
    """What `once` gives for each mode and round; modes in turns, in another order each round."""
    seconds: dict[Instructions, list[T]] = {mode: [] for mode in modes}
    for number in range(rounds):
        for mode in list(modes)[:: -1 if number % 2 else 1]:
            seconds[mode].append(once(mode))
    return seconds


def in_a_process(count: int, mode: Instructions) -> dict[str, float]:
    """`steps` of each cell in a process that computes with `mode`."""
    command = [sys.executable, "-m", "benchmarks.portable", "--steps", str(count)]
    done = subprocess.run(
        command,
        env={**instructions.environment(mode), "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""},
        cwd=PROJECT,
        check=True,
        capture_output=True,
        text=True,
    )
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def measure(quick: bool) -> list[Result]:
    """Training steps; the promise is about a whole study, so these have no limit of their own."""
    count = 20 if quick else 100
    found = in_turns(instructions.MODES, 2 if quick else 6, lambda mode: in_a_process(count, mode))
    return [
        row
        for cell in CELLS
        for row in _rows(
            f"step, {cell}-64",
            {mode: [one[cell] for one in rounds] for mode, rounds in found.items()},
            1e3, "ms", None,
        )
    ]  # fmt: skip


def study(rounds: int) -> list[Result]:
    """The default study from raw data that is there, in clones of the committed state."""
    seconds = in_turns(("native", "portable"), rounds, _repro)
    return _rows("whole study", seconds, 1, "s", LIMIT)


def _repro(mode: Instructions) -> float:
    """Seconds of `gatewise repro` in a clone whose study asks for `mode`."""
    with tempfile.TemporaryDirectory(prefix="gatewise-portable-") as holder:
        clone = Path(holder, "project")
        subprocess.run(["git", "clone", "-q", "--local", str(PROJECT), str(clone)], check=True)
        if (PROJECT / "data" / "raw").is_dir():
            shutil.copytree(PROJECT / "data" / "raw", clone / "data" / "raw")
        params = clone / "params.yaml"
        text = params.read_text(encoding="utf-8")
        wanted = text.replace("execution:\n", f"execution:\n  instructions: {mode}\n")
        params.write_text(wanted, encoding="utf-8")
        environment = {**instructions.environment(mode), "PYTHONPATH": f"{clone}/src:{clone}"}
        began = time.perf_counter()
        with Path(holder, "log").open("w") as log:
            subprocess.run(
                [sys.executable, "-m", "gatewise.cli.main", "repro"],
                cwd=clone,
                env=environment,
                check=True,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        return time.perf_counter() - began


def _rows(
    name: str,
    seconds: dict[Instructions, list[float]],
    scale: float,
    unit: str,
    limit: float | None,
) -> list[Result]:
    return [
        measured(
            f"{name}: {mode}",
            [value * scale for value in values],
            unit,
            what="" if mode == "native" else "to native",
            checked=None if mode == "native" else ratios(values, seconds["native"]),
            limit=limit if mode == "portable" else None,
        )
        for mode, values in seconds.items()
    ]


def main() -> None:
    """Command line: a child that measures, the study, or what the suite asks for."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--steps", type=int)
    parser.add_argument("--study", action="store_true")
    parser.add_argument("--rounds", type=int, default=3)
    wish, rest = parser.parse_known_args()
    if wish.steps:
        instructions.require(_mode())
        print(json.dumps({cell: steps(cell, wish.steps) for cell in CELLS}))
    elif wish.study:
        print(result.table([row.plain() for row in study(wish.rounds)]))
    else:
        sys.argv[1:] = rest
        result.main(measure, __doc__)


def _mode() -> Instructions:
    return next(mode for mode in instructions.MODES if mode == os.environ[instructions.MODE])


if __name__ == "__main__":
    main()
