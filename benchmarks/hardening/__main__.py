"""A soak that anybody can run: `python -m benchmarks.hardening [--files N] [--requests N] ...`.

A small study is reproduced once. Then a server is asked hostile and heavy things, every kind of
file that the pipeline writes is damaged in every way and given to the commands that read it, some
damage goes through a whole `gatewise repro`, and `dvc` is killed at random moments. Nothing may be
lost: no traceback, no hang, no other number in place of the right one. Exit status 1 if something
was.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.hardening import files, hostile, kills, project
from benchmarks.hardening.table import LOST, Tally, table


def main() -> int:
    """Run the soak and print its table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.hardening", description=__doc__)
    parser.add_argument(
        "--files", type=int, default=0, help="damaged files; 0 for every kind of file and damage"
    )
    parser.add_argument(
        "--every", action="store_true", help="every file, also those of other seeds and variants"
    )
    parser.add_argument("--whole", type=int, default=6, help="of them through a whole repro")
    parser.add_argument("--requests", type=int, default=50, help="requests of each kind")
    parser.add_argument("--kills", type=int, default=3)
    parser.add_argument("--full", type=int, default=2, help="runs without room on the disk")
    parser.add_argument("--seed", type=int, default=0, help="of all that is drawn")
    chosen = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="gatewise-hardening-") as holder:
        scratch = Path(holder)
        base = scratch / "base"
        project.make(base)
        said = project.run(base, "dvc", "repro", seconds=3600)
        if said.status != 0:
            sys.exit(f"the study itself fails:\n{said.output[-3000:]}")
        project.run(base, "gatewise.cli.main", "gate", "--keep", "kept")
        print(f"reproduced in {time.monotonic() - began:.0f} s", flush=True)
        tallies = []
        try:
            for tally in _tried(base, scratch, chosen):
                tallies.append(tally)
        except KeyboardInterrupt:
            print("interrupted; what was tried until then:", flush=True)
    print(table(tallies))
    load = os.getloadavg()[2]
    print(f"\n{time.monotonic() - began:.0f} s; {platform.platform()}; load {load:.0f}")
    return int(any(tally.counts[LOST] for tally in tallies))


def _tried(base: Path, scratch: Path, chosen: argparse.Namespace) -> Iterator[Tally]:
    if chosen.requests:
        yield from hostile.tried(base, chosen.requests, chosen.seed)
    count = None if chosen.every else chosen.files
    yield from files.tried(base, scratch, count, chosen.whole, chosen.seed)
    if chosen.kills:
        yield kills.killed(base, scratch, chosen.kills, chosen.seed)
    if chosen.full:
        yield kills.full(base, scratch, chosen.full, chosen.seed)


if __name__ == "__main__":
    sys.exit(main())
