"""A soak that anybody can run: `python -m benchmarks.hardening [--files N] [--requests N] ...`.

A small study is reproduced once. Then every file that the pipeline writes is damaged in every way
(or a random choice of those), a server is asked hostile and heavy things, and `dvc` is killed at
random moments. Nothing may be lost: no traceback, no hang, no other number in place of the right
one. Exit status 1 if something was.
"""

from __future__ import annotations

import argparse
import os
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
    parser.add_argument("--files", type=int, default=60, help="damaged files; 0 for all of them")
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
        said = project.run(base, "dvc", "repro", seconds=900)
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
    print(f"\n{time.monotonic() - began:.0f} s")
    return int(any(tally.counts[LOST] for tally in tallies))


def _tried(base: Path, scratch: Path, chosen: argparse.Namespace) -> Iterator[Tally]:
    if chosen.requests:
        yield from hostile.tried(base, chosen.requests, chosen.seed)
    yield from files.tried(base, scratch, chosen.files, chosen.seed, _warm())
    if chosen.kills:
        yield kills.killed(base, scratch, chosen.kills, chosen.seed)
    if chosen.full:
        yield kills.full(base, scratch, chosen.full, chosen.seed)


def _warm() -> dict[str, str]:
    """One process that all stages of all copies are forked from: their imports are paid once."""
    from gatewise.execution import warm
    from pipeline import WARM_MODULES

    return {warm.ADDRESS: warm.ensure(os.getpid(), WARM_MODULES)}


if __name__ == "__main__":
    sys.exit(main())
