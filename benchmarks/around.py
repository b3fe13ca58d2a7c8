"""What stands around training: preparation, the mirror, compare and report.

Short forms of `benchmarks.preparation`, `benchmarks.mirror` and `benchmarks.report_speed`, which
say more when run by themselves.

    python -m benchmarks.around [--quick]
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch

from benchmarks import mirror as mirroring
from benchmarks import preparation
from benchmarks.result import Result, main, measured, ratios
from gatewise.config import TrackingConfig
from gatewise.tracking.mirror import mirror
from gatewise.tracking.store import Store

PROJECT = Path(__file__).parent.parent


def prepared(clips: int, rounds: int) -> list[Result]:
    """Clips a second, ours in turns with a plain loop of soundfile and torchaudio."""
    torch.set_num_threads(1)
    runs = {"one": preparation.ours(1), "two": preparation.ours(2), "loop": preparation.plain_loop}
    with tempfile.TemporaryDirectory() as name:
        raw = preparation.generate(Path(name, "raw"), clips)
        seconds = preparation.in_turns(runs, raw, Path(name), rounds)
    return [
        measured(
            f"preparation, {who} worker{'s' * (who == 'two')}",
            [clips / s for s in seconds[who]], "clips/s",
            what="time to a plain loop's", checked=ratios(seconds[who], seconds["loop"]),
            limit=limit,
        )
        for who, limit in (("one", 1.0), ("two", 0.7))
    ]  # fmt: skip


def tokenised(count: int, rounds: int) -> list[Result]:
    """Documents a second, ours in turns with a plain loop of the same tokenizers.

    Ours reads them twice, piece by piece, and checks what it reads: memory does not grow.
    """
    runs = {"ours": preparation.tokenise, "loop": preparation.plain_tokens}
    with tempfile.TemporaryDirectory() as name:
        raw = preparation.write_documents(Path(name, "raw"), count)
        seconds = preparation.in_turns(runs, raw, Path(name), rounds)
    return [
        measured(
            "preparation, documents of 40 words",
            [count / s for s in seconds["ours"]], "documents/s",
            what="time to a plain loop's", checked=ratios(seconds["ours"], seconds["loop"]),
            limit=2.0,
        )
    ]  # fmt: skip


def mirrored(count: int, epochs: int) -> list[Result]:
    """Runs mirrored into a fresh SQLite store, against three minutes for 1,000 of 50 epochs."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        mirroring.make(folder / "runs", count, epochs)
        config = TrackingConfig(uri=f"sqlite:///{folder}/mlflow.db")
        Store(config)
        began = time.perf_counter()
        mirror(config, folder / "runs", folder, lock=folder / "lock")
        took = time.perf_counter() - began
    return [
        Result(
            f"mirror, {count} runs of {epochs} epochs", took, "s",
            what="seconds", checked=took, limit=180 if count == 1000 else None,
        )
    ]  # fmt: skip


def reported(sizes: list[int]) -> list[Result]:
    """Compare and report; the limits are those of the largest study."""
    script = [sys.executable, "benchmarks/report_speed.py", *map(str, sizes)]
    done = subprocess.run(script, cwd=PROJECT, capture_output=True, text=True, check=False)
    if not done.stdout.strip():
        raise RuntimeError(done.stderr)
    figures = json.loads(done.stdout.strip().splitlines()[-1])
    seconds = figures["compare_seconds"] + figures["report_seconds"]
    title = "compare + report, {} tasks x {} variants x {} seeds, {} examples".format(*sizes)
    return [
        Result(title, seconds, "s", what="seconds", checked=seconds, limit=60),
        Result(f"{title}: memory", figures["peak_mib"], "MiB", what="MiB",
               checked=figures["peak_mib"], limit=1024),
    ]  # fmt: skip


def measure(quick: bool) -> list[Result]:
    """All of it."""
    return [
        *prepared(400 if quick else 2000, 2 if quick else 5),
        *tokenised(2000 if quick else 20_000, 2 if quick else 5),
        *mirrored(*((50, 10) if quick else (1000, 50))),
        *reported([2, 4, 8, 500] if quick else [10, 10, 20, 5000]),
    ]


if __name__ == "__main__":
    main(measure, __doc__)
