"""The rules behind `gatewise new` beside settings made by hand, and their constants held out.

Each set is put into the form that a user has, understood and given a study by the rules; an LSTM
and a GRU are trained with it, and with the settings made by hand for the set, on the same split
and seeds. With `--grid` the same is done for constants of the rules that differ, so that each set
can be held out while the others choose them. Nothing is tuned, and no run is shortened: what
`--minutes` leaves of trials and epochs hangs on the machine.

    python -m benchmarks.rules [--seeds 3] [--grid 3] [--only reviews] [--folder PATH]
        [--real PATH]

Finished runs are kept in the folder, so that a broken run goes on where it stood.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.rules import sets, settings, table
from benchmarks.rules.runs import Runs, Score
from benchmarks.rules.settings import GRID, RULES
from benchmarks.rules.table import BY_HAND, SetScores
from gatewise.config import Study
from gatewise.data.understanding import understand

FOLDER = Path(tempfile.gettempdir()) / "gatewise-rules"
REAL = sets.PROJECT.parent / "shared" / "data"

Studies = Mapping[str, Mapping[str, Study]]
"""By set, and by the name of the settings: `BY_HAND` and points."""


def studies(folder: Path, real: Path, only: Sequence[str]) -> dict[str, dict[str, Study]]:
    """What is tried on each set that is here."""
    found: dict[str, dict[str, Study]] = {}
    for one in sets.all_sets():
        if only and one.name not in only:
            continue
        place = one.place(folder, real)
        if place is None:
            print(f"{one.name}: left out, since {real} has no such data", file=sys.stderr)
            continue
        data = understand(place, one.options)
        found[one.name] = {BY_HAND: settings.by_hand(data, one.hand)}
        found[one.name] |= {point.name: settings.by_rules(data, point) for point in GRID}
    return found


def train(runs: Runs, there: Studies, names: Sequence[str], seeds: int) -> list[SetScores]:
    """Scores of all sets; seed by seed, so that where it breaks off all have the same."""
    scores: dict[str, dict[str, list[Score]]] = {name: {} for name in there}
    for seed in range(seeds):
        for setting in names:
            for name, by_settings in there.items():
                found = runs.scores(by_settings[setting], seed)
                scores[name].setdefault(setting, []).extend(found)
                said = ", ".join(f"{one.cell} {100 * one.test:.1f}" for one in found)
                print(f"seed {seed}, {setting}, {name}: {said}", file=sys.stderr, flush=True)
    return [
        SetScores(name, by_settings, runs.linear(there[name][RULES.name], 0))
        for name, by_settings in scores.items()
    ]


def main() -> None:
    """Train what is missing, print the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=3, help="of the rules and by hand")
    parser.add_argument("--grid", type=int, default=0, help="seeds of other constants")
    parser.add_argument("--only", action="append", help="name of a set (repeatable)")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="keeps data and scores")
    parser.add_argument("--real", type=Path, default=REAL, help="real data, where they are")
    wish = parser.parse_args()
    wish.folder.mkdir(parents=True, exist_ok=True)
    runs, there = Runs(wish.folder), studies(wish.folder, wish.real, wish.only or ())
    beside = train(runs, there, (BY_HAND, RULES.name), wish.seeds)
    print(table.markdown(table.beside_hand(beside, RULES.name)))
    if wish.grid and len(there) > 1:
        points = [point.name for point in GRID]
        tried = train(runs, there, (BY_HAND, *points), wish.grid)
        print(f"\n{table.markdown(table.by_point(tried, points))}")
        print(f"\n{table.markdown(table.held_out(tried, points))}")


if __name__ == "__main__":
    main()
