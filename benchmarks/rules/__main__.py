"""The rules behind `gatewise new` beside settings made by hand, and their constants held out.

Each set is put into the form that a user has, understood and given a study by the rules; an LSTM
and a GRU are trained with it, and with the settings made by hand for the set, on the same split
and seeds. With `--grid` the same is done for constants of the rules that differ, so that each set
can be held out while the others choose them. Nothing is tuned, and no run is shortened: what
`--minutes` leaves of trials and epochs hangs on the machine.

    python -m benchmarks.rules [--grid] [--seeds 3] [--only reviews] [--folder PATH]
        [--real PATH]

Finished runs are kept in the folder, so that a broken run goes on where it stood.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.rules import sets, settings, table
from benchmarks.rules.runs import Runs, Score
from benchmarks.rules.settings import GRID, RULES, Point
from gatewise.config import Study
from gatewise.data.understanding import understand

FOLDER = Path(tempfile.gettempdir()) / "gatewise-rules"
REAL = sets.PROJECT.parent / "shared" / "data"


def studies(one: sets.DataSet, place: Path, points: Sequence[Point]) -> dict[str, Study]:
    """The studies of a set: by hand, and of each point."""
    data = understand(place, one.options)
    return {
        table.BY_HAND: settings.by_hand(data, one.hand),
        **{point.name: settings.by_rules(data, point) for point in points},
    }


def main() -> None:
    """Train what is missing, print the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--grid", action="store_true", help="other constants as well")
    parser.add_argument("--seeds", type=int, default=3, help="0, 1, ... so many")
    parser.add_argument("--only", action="append", help="name of a set (repeatable)")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="keeps data and scores")
    parser.add_argument("--real", type=Path, default=REAL, help="real data, where they are")
    wish = parser.parse_args()
    wish.folder.mkdir(parents=True, exist_ok=True)
    runs, points = Runs(wish.folder), GRID if wish.grid else (RULES,)
    there: dict[str, dict[str, Study]] = {}
    for one in sets.all_sets():
        place = (
            one.place(wish.folder, wish.real) if not wish.only or one.name in wish.only else None
        )
        if place is None:
            print(f"{one.name}: left out", file=sys.stderr)
        else:
            there[one.name] = studies(one, place, points)
    scores: dict[str, dict[str, list[Score]]] = {name: {} for name in there}
    # Seed by seed: wherever this is broken off, all settings have been tried with the same.
    for seed in range(wish.seeds):
        for point in (table.BY_HAND, *(point.name for point in points)):
            for name, by_settings in there.items():
                found = runs.scores(by_settings[point], seed)
                scores[name].setdefault(point, []).extend(found)
                said = ", ".join(f"{one.cell} {100 * one.test:.1f}" for one in found)
                print(f"seed {seed}, {point}, {name}: {said}", file=sys.stderr, flush=True)
    found_sets = [
        table.SetScores(name, scores[name], runs.linear(there[name][RULES.name], 0))
        for name in there
    ]
    _show(found_sets, [point.name for point in points])


def _show(found: Sequence[table.SetScores], points: Sequence[str]) -> None:
    print(table.markdown(table.beside_hand(found, RULES.name)))
    if len(points) > 1 and len(found) > 1:
        print(f"\n{table.markdown(table.by_point(found, points))}")
        print(f"\n{table.markdown(table.held_out(found, points))}")


if __name__ == "__main__":
    main()
