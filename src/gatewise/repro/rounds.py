"""`seeds: auto`: reproduce the study, add seeds while tasks are unanswered, and again.

Which seeds there are is a fact that a rerun elsewhere must know, so it is kept in `seeds.lock`,
on which the `plan` stage depends and which is committed as `dvc.lock` is. Runs that are finished
are found under their keys, so a round trains its new seeds alone. Who gets more seeds stands in
`gatewise.evidence.allocation`.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import yaml

from gatewise import config
from gatewise.artifacts.comparison import Comparison
from gatewise.evidence import allocation
from gatewise.execution import ahead, warm
from gatewise.files import replacing
from gatewise.repro import course, dvc, leftovers

HEADER = "# How many seeds `seeds: auto` has come to. Written by `gatewise repro`; commit it.\n"


def reproduce(
    repro: Callable[[], int],
    say: Callable[[str], None] = print,
    clock: Callable[[], float] = time.monotonic,
) -> int:
    """Run `dvc repro` until every task is answered, or the cap or the time is met.

    Where the number of seeds is fixed, that is once.

    Args:
        repro: runs `dvc repro` and gives its exit status.
        say: called with a sentence on what comes next.
        clock: seconds that have passed since some moment.

    Returns:
        Exit status of the last `dvc repro`.
    """
    began = clock()
    while True:
        started = clock()
        status = repro()
        if status:
            return status
        seeds = config.load().seeds
        if not isinstance(seeds, config.Rounds):
            return 0
        comparison = Comparison.read("reports/comparison.json")
        wanted = allocation.more_seeds(comparison)
        if not wanted:
            _say_saved(comparison, say)
            return 0
        now = clock()
        if seeds.minutes is not None and (now - began) + (now - started) > 60 * seeds.minutes:
            say(
                f"\nanother round would end after the {seeds.minutes:g} minutes that seeds.minutes "
                f"allows; still open: {allocation.in_words(wanted)}"
            )
            _say_saved(comparison, say)
            return 0
        say(f"\nnot answered yet, so there are more seeds for {allocation.in_words(wanted)}")
        before = allocation.seeds_reached(comparison)
        write({task: {**by_variant, **wanted.get(task, {})} for task, by_variant in before.items()})


def write(seeds: Mapping[str, Mapping[str, int]], path: str | Path = config.SEEDS_LOCK) -> None:
    """Note how many seeds each variant of each task has come to."""
    plain = {task: dict(by_variant) for task, by_variant in seeds.items()}
    text = yaml.safe_dump({"seeds": plain}, sort_keys=False, default_flow_style=None)
    with replacing(path) as temporary:
        temporary.write_text(HEADER + text, encoding="utf-8")


def _say_saved(comparison: Comparison, say: Callable[[str], None]) -> None:
    saved = allocation.runs_saved(comparison)
    if saved:
        say(f"\n{saved} runs saved against as many seeds of every variant on every task")


def dvc_repro() -> int:
    """`dvc repro` with this environment's own DVC, at this terminal; its exit status."""
    leftovers.mend_rwlock()
    leftovers.require_regular()
    with course.shown(config.load()) as output:
        environment = {**dvc.environment(), **course.environment()}
        # One warm process for all rounds: its imports take a core a quarter of a minute.
        environment.setdefault(warm.OWNER, str(os.getpid()))
        if config.load_operation()[0].ahead:
            environment[ahead.WANTED] = "1"
        command = [sys.executable, "-m", "dvc", "repro"]
        process = subprocess.Popen(command, env=environment, stdout=output)
        # Ctrl-C reaches dvc by itself; it must be given the time to end its stage.
        while True:
            try:
                return process.wait()
            except KeyboardInterrupt:
                continue
