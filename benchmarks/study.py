"""Runs through the pipeline's pool against the same runs one after another in a plain loop.

The plain loop is `benchmarks.plain`, torch alone with a thread for every core, in one process
that is already warm. Ours are processes with one thread each, forked from a warm one, and leave
whole run folders, checkpoints on the way and predictions; the loop only trains. A second loop,
`benchmarks.run.bare`, has our loaders and cells as well, which leaves what the pool alone gains; it
has no limit to keep and is run once.
Tasks, cells, epochs and batch sizes are those of the default study; runs are counted cell by cell
and together.

    python -m benchmarks.study [--quick]
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import psutil
import torch

from benchmarks import plain, tasks
from benchmarks.result import Result, main, measured, ratios
from benchmarks.run import bare
from gatewise import files
from gatewise.artifacts.plan import RunPlan
from gatewise.artifacts.prepared import Prepared
from gatewise.execution import warm, workers
from gatewise.execution.dispatch import Dispatch
from gatewise.execution.finished_runs import FinishedRuns
from gatewise.execution.variant_runs import train_variant
from gatewise.training.job import Job

KINDS = ("clips", "frames", "text")
CELLS = ("rnn", "lstm", "gru")
HIDDEN = 64


def one_after_another(train: Callable[[int], object], seeds: Sequence[int], threads: int) -> float:
    """Seconds of a loop over `seeds` in this process."""
    torch.set_num_threads(threads)
    began = time.perf_counter()
    for seed in seeds:
        train(seed)
    return time.perf_counter() - began


def through_the_pool(plan: RunPlan, folder: Path, address: str) -> float:
    """Seconds of ours."""
    with tempfile.TemporaryDirectory() as name:
        began = time.perf_counter()
        train_variant(
            plan,
            folder,
            Path(name, "runs"),
            Dispatch(address),
            finished=FinishedRuns(Path(name, "kept", "runs")),
        )
        return time.perf_counter() - began


def memory_of_a_worker(plan: RunPlan, folder: Path, address: str) -> float:
    """Most MB (10^6 bytes) that a worker adds: its own pages and its part of shared ones."""
    most = 0.0
    with tempfile.TemporaryDirectory() as name:
        jobs = []
        for seed in plan.seeds:
            place = Path(name, str(seed))
            place.mkdir()
            jobs.append(Job(plan, seed, str(seed), folder, place, Path(name, f"{seed}.ckpt")))
        for event in workers.train_all(jobs, files.cores(), address):
            if event.kind == "epoch":
                most = max([most, *map(_proportional_mb, _forked())])
    return most


def _forked() -> list[psutil.Process]:
    """What the warm process has running."""
    warm_ones = [p for p in psutil.Process().children() if "gatewise.execution.warm" in p.cmdline()]
    return [child for process in warm_ones for child in process.children()]


def _proportional_mb(process: psutil.Process) -> float:
    try:
        return float(process.memory_full_info().pss) / 1e6
    except psutil.Error:
        return 0.0


class Times(NamedTuple):
    """Seconds of each round."""

    plain: list[float]
    ours_in_a_loop: list[float]
    """Of the first round alone."""
    pool: list[float]


def _in_turns(plan: RunPlan, folder: Path, prepared: Prepared, address: str, rounds: int) -> Times:
    times, threads = Times([], [], []), files.cores()
    loop = partial(plain.train, plan, prepared=prepared)
    ours = partial(bare, plan, prepared=prepared, on_epoch=lambda *_: None)
    for number in range(rounds):
        times.plain.append(one_after_another(loop, plan.seeds, threads))
        if number == 0:
            times.ours_in_a_loop.append(one_after_another(ours, plan.seeds, threads))
        times.pool.append(through_the_pool(plan, folder, address))
    return times


def _sums(parts: Sequence[list[float]]) -> list[float]:
    return [sum(rounds) for rounds in zip(*parts, strict=True)]


def _compared(title: str, times: Times, threads: int) -> list[Result]:
    beside = times.pool[: len(times.ours_in_a_loop)]
    return [
        measured(
            title, times.pool, "s",
            what=f"throughput to a plain loop with {threads} threads",
            checked=ratios(times.plain, times.pool), limit=1.8, better="higher",
        ),
        measured(
            f"{title}: a loop with our loaders and cells", times.ours_in_a_loop, "s",
            what="throughput to it", checked=ratios(times.ours_in_a_loop, beside), better="higher",
        ),
    ]  # fmt: skip


def measure(quick: bool) -> list[Result]:
    """As many runs of each cell as cores, in turns with the loops."""
    os.environ.pop(warm.ADDRESS, None)
    began = time.perf_counter()
    address = warm.ensure(os.getpid(), ["gatewise.training.work", __name__])
    warm.fork(address, int, []).wait()
    results = [
        Result(
            "starting a warm process", time.perf_counter() - began, "s",
            what="seconds", checked=time.perf_counter() - began, limit=40,
        )
    ]  # fmt: skip
    threads = files.cores()
    for kind in KINDS[: 1 if quick else None]:
        whole = []
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name, "task")
            prepared = tasks.write(folder, kind, 1300 if quick else 5000)
            for cell in CELLS:
                plan = tasks.plan(kind, cell=cell, hidden=HIDDEN, seeds=threads)
                times = _in_turns(plan, folder, prepared, address, rounds=1 if quick else 2)
                whole.append(times)
                results += _compared(f"{threads} runs, {kind}, {cell}-{HIDDEN}", times, threads)
            worker = memory_of_a_worker(plan, folder, address)
        together = Times(*(_sums(parts) for parts in zip(*whole, strict=True)))
        title = f"{len(CELLS) * threads} runs, {kind}, all"
        results += _compared(title, together, threads)
        results.append(
            Result(
                f"{kind}, {CELLS[-1]}-{HIDDEN}: memory of a worker", worker, "MB",
                what="MB", checked=worker, limit=400,
            )
        )  # fmt: skip
    return results


if __name__ == "__main__":
    main(measure, __doc__)
