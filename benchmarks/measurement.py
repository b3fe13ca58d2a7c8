"""What one benchmark measured, when, where and with what; and the page that shows it.

Each benchmark's measurement stands for itself, so a part of the suite can be measured again: the
newest of each is shown, with its own date, load and machine.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.result import cells
from gatewise.files import replacing

BEGIN = "<!-- written by `python -m benchmarks --publish` -->"
END = "<!-- to here -->"


@dataclass(frozen=True)
class Measurement:
    """One benchmark, measured once."""

    name: str
    """Of the benchmark."""
    time: str
    """When it was begun, UTC."""
    load_before: float
    """Processes that wanted a core in the minute before; above 0.5 or so no figure is good."""
    seconds: float
    """What measuring took."""
    quick: bool
    instructions: str
    """What ours, and references in the same process, computed with."""
    machine: Mapping[str, Any]
    """Processor, cores and versions."""
    results: Sequence[dict[str, Any]]
    """Rows, as `benchmarks.result.Result.plain` gives them."""

    def write(self, folder: Path) -> None:
        """Keep it as a file of its own."""
        folder.mkdir(parents=True, exist_ok=True)
        stamp = self.time.replace("-", "").replace(":", "")
        path = folder / f"{stamp}-{self.name}.json"
        path.write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")


def read(folder: Path) -> list[Measurement]:
    """All that a folder keeps, the oldest first."""
    found = []
    for path in folder.glob("*-*.json"):
        found.append(Measurement(**json.loads(path.read_text(encoding="utf-8"))))
    return sorted(found, key=lambda one: one.time)


def newest(found: Iterable[Measurement], *, quick: bool) -> dict[str, Measurement]:
    """The last of each benchmark, of those that were (not) quick."""
    by_time = sorted((one for one in found if one.quick == quick), key=lambda one: one.time)
    return {one.name: one for one in by_time}


def merged(path: Path, new: Iterable[Measurement]) -> list[Measurement]:
    """What was published before, but for what was measured again since; written to `path`.

    Args:
        path: file of what is published; there may be none yet.
        new: measurements, none of them quick.
    """
    before: list[Measurement] = []
    if path.is_file():
        rows = json.loads(path.read_text(encoding="utf-8"))
        before = [Measurement(**row) for row in rows]
    found = list(newest([*before, *new], quick=False).values())
    with replacing(path) as temporary:
        text = json.dumps([asdict(one) for one in found], indent=1)
        temporary.write_text(text + "\n", encoding="utf-8")
    return found


def page(measurements: Sequence[Measurement]) -> str:
    """Markdown: when and where each was measured, then all rows."""
    when = [
        [
            f"`{one.name}`",
            one.time[:10],
            one.load_before,
            f"{one.seconds / 60:.1f}",
            one.instructions,
            _machine(one),
        ]
        for one in measurements
    ]
    titles = ["benchmark", "measured", "load before", "minutes", "instructions", "where"]
    first = _table(titles, "lrrrll", when)
    rows = [[f"`{one.name}`", *cells(row)] for one in measurements for row in one.results]
    titles = ["", "what", "median (quartiles)", "checked", "", "limit", "kept"]
    return f"{first}\n\n{_table(titles, 'llrlrrl', rows)}"


def publish(document: Path, measurements: Sequence[Measurement]) -> None:
    """Write the page's tables anew.

    Raises:
        SystemExit: it has no place for them.
    """
    text = document.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise SystemExit(f"{document}: no lines {BEGIN} and {END} to write the tables between")
    with replacing(document) as temporary:
        whole = f"{before}{BEGIN}\n\n{page(measurements)}\n\n{END}{after}"
        temporary.write_text(whole, encoding="utf-8")


def _machine(one: Measurement) -> str:
    known = one.machine
    return f"{known['cores']} cores, {known['processor']}; torch {known['torch']}"


def _table(titles: Sequence[str], sides: str, rows: Iterable[Sequence[Any]]) -> str:
    rule = [{"l": "---", "r": "---:"}[side] for side in sides]
    lines = [titles, rule, *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)
