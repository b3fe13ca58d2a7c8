"""The benchmark suite: `make bench`, or `python -m benchmarks [--quick] [--publish] [name ...]`.

Each benchmark runs in a process of its own, one after another, and what it found is kept at once
in `benchmarks/results`: a suite that was cut off goes on by naming what is left. The table in
`benchmarks/results/latest.md` has the newest of each and compares with the one before. With
`--publish` the tables of docs/benchmarks.md are written, from what was measured now and, for all
that was not, from what was published before (`benchmarks/published.json`), each with its own date.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from importlib import metadata
from pathlib import Path
from typing import Any

from benchmarks import measurement
from benchmarks.measurement import Measurement
from benchmarks.result import table
from gatewise.files import cores
from gatewise.training import instructions
from gatewise.training.instructions import Instructions

NAMES = (
    "cells",
    "streaming",
    "run",
    "study",
    "portable",
    "keras_peer",
    "startup",
    "around",
    "views",
    "verdict",
)
ASKED_FOR = ("breakdown",)
"""Runs the whole study again, to say where its time goes; measured only when it is named."""
LIBRARIES = ("torch", "pytorch-lightning", "numpy", "mlflow", "dvc")
HERE = Path(__file__).parent
RESULTS = HERE / "results"
PUBLISHED = HERE / "published.json"
DOCUMENT = HERE.parent / "docs" / "benchmarks.md"


def machine() -> dict[str, Any]:
    """Where and with what."""
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        lines = info.read_text().splitlines()
        model = next((x.split(":", 1)[1].strip() for x in lines if "model name" in x), model)
    return {
        "processor": model,
        "cores": cores(),
        "system": platform.platform(),
        "python": platform.python_version(),
        **{name: metadata.version(name) for name in LIBRARIES},
    }


def measure(name: str, quick: bool, mode: Instructions) -> Measurement:
    """One benchmark, in a process that computes with `mode`."""
    began, busy, start = datetime.datetime.now(datetime.UTC), load(), time.perf_counter()
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch, "results.json")
        command = [sys.executable, "-m", f"benchmarks.{name}", "--json", str(path)]
        command += ["--quick"] if quick else []
        # What an earlier suite left of its study is no measurement of this one.
        command += ["--anew"] if name == "verdict" else []
        subprocess.run(command, check=True, env=instructions.environment(mode))
        return Measurement(
            name=name,
            time=began.isoformat(timespec="seconds"),
            load_before=round(busy, 2),
            seconds=round(time.perf_counter() - start, 1),
            quick=quick,
            instructions=mode,
            machine=machine(),
            results=json.loads(path.read_text()),
        )


def load() -> float:
    """Processes that wanted a core over the last minute; figures from a busy machine mislead."""
    return os.getloadavg()[0]


def main() -> None:
    """Measure, keep, print."""
    known = [*NAMES, *ASKED_FOR]
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("names", nargs="*", choices=[*known, []], help=f"of {', '.join(known)}")
    parser.add_argument("--quick", action="store_true", help="fewer rounds, smaller sizes")
    parser.add_argument(
        "--instructions", choices=instructions.MODES, default="native", help="what to compute with"
    )
    parser.add_argument("--publish", action="store_true", help="write docs/benchmarks.md's tables")
    wish = parser.parse_args()
    if wish.publish and wish.quick:
        parser.error("--publish takes no --quick: its figures are rough")
    before = measurement.newest(measurement.read(RESULTS), quick=wish.quick)
    measured = []
    for name in wish.names or NAMES:
        measured.append(measure(name, wish.quick, wish.instructions))
        measured[-1].write(RESULTS)
    text = latest(measured, before)
    (RESULTS / "latest.md").write_text(text + "\n", encoding="utf-8")
    print(text)
    if wish.publish:
        found = measurement.merged(PUBLISHED, measured)
        measurement.publish(DOCUMENT, [one for name in known for one in found if one.name == name])
    missed = [row["name"] for one in measured for row in one.results if row["kept"] is False]
    print(f"\n{len(missed)} limits missed" + "".join(f"\n- {name}" for name in missed))


def latest(measured: list[Measurement], before: dict[str, Measurement]) -> str:
    """What was measured now, as Markdown, beside what was measured before."""
    about = "; ".join(f"{name} {value}" for name, value in machine().items())
    parts = [about]
    for one in measured:
        old = before.get(one.name)
        compared = f"compared with {old.time}" if old else "nothing to compare with yet"
        known = {row["name"]: row["value"] for row in old.results} if old else {}
        heading = f"{one.name}, {one.time}, load {one.load_before} before, {one.instructions}"
        parts.append(f"{heading}, {one.seconds:.0f} s; {compared}\n\n{table(one.results, known)}")
    return "\n\n".join(parts)


if __name__ == "__main__":
    main()
