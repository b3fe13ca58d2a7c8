"""The benchmark suite: `make bench`, or `python -m benchmarks [--quick] [name ...]`.

Each benchmark runs in a process of its own, one after another. Results go to
`benchmarks/results/<time>.json`, which keeps the history, and as a table to
`benchmarks/results/latest.md`; the last column compares with the measurement before.
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
from importlib import metadata
from pathlib import Path
from typing import Any

from benchmarks.result import table
from gatewise.files import cores, write_json

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
    "breakdown",
    "verdict",
)
LIBRARIES = ("torch", "pytorch-lightning", "numpy", "mlflow", "dvc")
RESULTS = Path(__file__).parent / "results"


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


def measure(name: str, quick: bool) -> list[dict[str, Any]]:
    """Results of one benchmark."""
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch, "results.json")
        command = [sys.executable, "-m", f"benchmarks.{name}", "--json", str(path)]
        subprocess.run([*command, *(["--quick"] if quick else [])], check=True)
        found: list[dict[str, Any]] = json.loads(path.read_text())
        return found


def last(quick: bool) -> dict[str, Any] | None:
    """The newest measurement of the same kind."""
    for path in sorted(RESULTS.glob("*.json"), reverse=True):
        found: dict[str, Any] = json.loads(path.read_text())
        if found["quick"] == quick:
            return found
    return None


def load() -> float:
    """Processes that wanted a core over the last minute; figures from a busy machine mislead."""
    return os.getloadavg()[0]


def main() -> None:
    """Measure, keep, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("names", nargs="*", choices=[*NAMES, []], help=f"of {', '.join(NAMES)}")
    parser.add_argument("--quick", action="store_true", help="fewer rounds, smaller sizes")
    wish = parser.parse_args()
    began, before, busy = datetime.datetime.now(datetime.UTC), last(wish.quick), load()
    results = [row for name in wish.names or NAMES for row in measure(name, wish.quick)]
    known = before["results"] if before else []
    content = {
        "time": began.isoformat(timespec="seconds"),
        "quick": wish.quick,
        "load_before": round(busy, 2),
        "machine": machine(),
        "results": results,
    }
    write_json(RESULTS / f"{began:%Y%m%dT%H%M%S}.json", content)
    about = "; ".join(f"{name} {value}" for name, value in content["machine"].items())
    compared = f"compared with {before['time']}" if before else "nothing to compare with yet"
    text = f"{content['time']}, load {busy:.1f} before; {about}; {compared}\n\n" + table(
        results, {row["name"]: row["value"] for row in known}
    )
    (RESULTS / "latest.md").write_text(text + "\n", encoding="utf-8")
    print(text)
    missed = [row["name"] for row in results if row["kept"] is False]
    print(f"\n{len(missed)} limits missed" + "".join(f"\n- {name}" for name in missed))


if __name__ == "__main__":
    main()
