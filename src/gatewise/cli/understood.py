"""What was understood of data, as a table that fits a desktop's terminal and a narrow one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table

if TYPE_CHECKING:
    from rich.console import Console

    from gatewise.data.understanding import Note, Understanding

NARROW = 72
"""Columns of a terminal below which names stand above what they name."""
BARS = "▁▂▃▄▅▆▇█"
PLAIN_BARS = ".:-=+*#%"
"""Where the terminal has no block characters."""
BINS = 24
MOST_LABELS = 6
COLOURS = {"certain": "green", "likely": "yellow", "guess": "red"}


@dataclass(frozen=True)
class Row:
    """One line of the table: what it is about, what was found, and more about it."""

    about: str
    said: str
    more: str = ""


def show(path: Path, found: Understanding, console: Console) -> None:
    """Print what was understood, how it was decided and what else it could be."""
    console.print(
        f"\n[bold]{escape(str(path))}[/]: {found.examples:,} {_what(found)}; the task will be "
        f"called [bold]{found.name}[/]\n",
        highlight=False,
    )
    _print(facts(found, plain=not _has_bars(console)), console)
    console.print()
    if console.width < NARROW:
        _print([_note_row(note) for note in found.notes], console)
    else:
        console.print(_notes(found.notes))


def _what(found: Understanding) -> str:
    """What the examples are, and what is asked of them."""
    if found.steps is not None:
        return f"series, to be forecast {found.steps.horizon} steps ahead"
    if found.said is not None:
        said = {"text": "pairs of texts", "image": "images with texts"}
        return said.get(found.kind, "sounds with a text each")
    what = {"audio": "sounds", "text": "texts", "image": "images"}[found.kind]
    return f"{what} with {len(found.labels)} labels"


def facts(found: Understanding, plain: bool = False) -> list[Row]:
    """The lines of the table; `plain` draws without block characters."""
    rows = [
        Row("examples", f"{found.examples:,}", f"{size(found.bytes)}{_sampled(found)}"),
        *([Row("labels", *_labels(found))] if found.labels else []),
        *([Row("groups", *_groups(found))] if found.steps is None else []),
        Row("splits", *_splits(found)),
        *(_images(found) if found.images else [Row("lengths", *_lengths(found, plain))]),
        *_asked(found, plain),
    ]
    if found.active_lengths is not None and len(found.active_lengths):
        low, middle, high = np.quantile(found.active_lengths, [0.05, 0.5, 0.95])
        rows.append(Row("loud part", f"{low:.2g} to {high:.2g} s for most, median {middle:.2g} s"))
    if found.rates:
        rates = ", ".join(f"{rate:,} Hz ({count:,})" for rate, count in found.rates.items())
        rows.append(Row("rates", rates))
    if found.word_counts is not None:
        rows.append(Row("vocabulary", *_vocabulary(found)))
    rows.append(Row("duplicates", f"{found.duplicates:,}", "equal contents"))
    if found.labels:
        said = "contents under several labels"
        rows.append(Row("contradictions", f"{found.contradictions:,}", said))
    if found.leaks:
        said = ", ".join(f"{count} {leak}" for leak, count in found.leaks.items())
        rows.append(Row("leaks", said, "between the published splits"))
    if found.unusable:
        said = "; ".join(f"{count} {why}" for why, count in found.unusable.items())
        rows.append(Row("unusable", said))
    rows += [Row("warning", line) for line in found.skipped]
    return rows


def size(count: int) -> str:
    """Bytes for people: `61 MB`."""
    for unit, scale in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if count >= scale:
            return f"{count / scale:.3g} {unit}"
    return f"{count} bytes"


def histogram(values: np.ndarray, plain: bool = False, bins: int = BINS) -> str:
    """How `values` are distributed up to the 99th percentile, a character a bin."""
    end = float(np.quantile(values, 0.99))
    start = float(values.min())
    if end <= start:
        return ""
    edges = np.linspace(start, end, bins + 1)
    if not (values % 1).any():  # bins of whole numbers hold as many of them each
        width = max(1, -(-int(end - start + 1) // bins))
        edges = np.arange(start - 0.5, end + width, width)
    counts, _ = np.histogram(values, bins=edges)
    levels = PLAIN_BARS if plain else BARS
    tops = np.ceil(counts / counts.max() * len(levels)).astype(int)
    return "".join(" " if not top else levels[top - 1] for top in tops)


# --- lines ---------------------------------------------------------------------------------


def _sampled(found: Understanding) -> str:
    if found.sampled is None:
        return ""
    did = "looked at" if found.images else "listened to"
    return f"; {found.sampled:,} of them, drawn, were {did}"


def _labels(found: Understanding) -> tuple[str, str]:
    names = list(found.labels)
    shown = ", ".join(f"{name} {found.labels[name]:,}" for name in names[:MOST_LABELS])
    more = ", ..." if len(names) > MOST_LABELS else ""
    most, least = found.labels[names[0]], found.labels[names[-1]]
    rarest = "all as frequent" if most == least else f"rarest: {names[-1]} {least:,}"
    share = f"always {names[0]!r} would be {most / found.examples:.1%} right"
    return f"{len(names)}: {shown}{more}", f"{rarest}; {share}"


def _groups(found: Understanding) -> tuple[str, str]:
    if found.groups is None:
        return "none named", "equal contents stay in one split"
    said = f"{found.groups:,}, the largest of {found.largest_group:,} examples"
    by_label = found.groups_by_label or {}
    fewest = min(by_label, key=lambda label: by_label[label], default="")
    return said, f"fewest for {fewest}: {by_label[fewest]}" if fewest else ""


def _asked(found: Understanding, plain: bool) -> list[Row]:
    """What is to be said or forecast, where that is no label."""
    if found.steps is not None:
        season = f"season of {found.steps.season} steps" if found.steps.season > 1 else "no season"
        return [Row("steps", f"a value every {found.steps.unit}, {season}")]
    if found.said is None:
        return []
    said = found.said
    low, middle, high = np.quantile(said.lengths, [0, 0.5, 1])
    bars = histogram(said.lengths, plain)
    several = f"; {said.several:,} examples have several" if said.several else ""
    once = int((said.counts == 1).sum())
    return [
        Row(
            "to be said",
            f"{low:.0f} to {high:,.0f} {said.unit}s, median {middle:.0f}{several}",
            f"|{bars}|" if bars else "",
        ),
        Row("symbols", f"{len(said.counts):,} different {said.unit}s", f"{once:,} stand once"),
    ]


def _splits(found: Understanding) -> tuple[str, str]:
    if found.steps is not None:
        horizon = found.steps.horizon
        return "in time", f"the last {horizon} values of each test, the {horizon} before validate"
    if found.splits == "none":
        return "none published", "they are cut here"
    parts = [f"{name} {count:,}" for name, count in found.split_sizes.items()]
    missing = "" if "validation" in found.split_sizes else "validation is cut from train"
    return f"published: {', '.join(parts)}", missing


def _images(found: Understanding) -> list[Row]:
    """How large images are."""
    sizes = found.images
    if sizes is None or not len(sizes.heights):
        return [Row("sizes", "unknown")]
    sides = [np.quantile(side, [0, 0.5, 1]) for side in (sizes.heights, sizes.widths)]
    said = [
        f"{what} {low:.0f}"
        if low == high
        else f"{what} {low:.0f} to {high:,.0f} (median {mid:.0f})"
        for what, (low, mid, high) in zip(("height", "width"), sides, strict=True)
    ]
    coloured = f"{sizes.coloured:,} of {len(sizes.heights):,} in colour"
    return [Row("sizes", f"{', '.join(said)} pixels", coloured)]


def _lengths(found: Understanding, plain: bool) -> tuple[str, str]:
    if not len(found.lengths):
        return "unknown", ""
    low, middle, late, high = np.quantile(found.lengths, [0, 0.5, 0.95, 1])
    if found.kind == "series":
        said = f"{low:.0f} to {high:,.0f} values, median {middle:.0f}"
    elif found.kind == "audio":
        said = f"{low:.2g} to {high:.3g} s, median {middle:.2g}, 95 % up to {late:.2g}"
    else:
        unit = found.script or "words"
        said = f"{low:.0f} to {high:,.0f} {unit}, median {middle:.0f}, 95 % up to {late:.0f}"
    bars = histogram(found.lengths, plain)
    end = np.quantile(found.lengths, 0.99)
    return said, f"{low:.2g} |{bars}| {end:.2g}" if bars else "all alike"


def _vocabulary(found: Understanding) -> tuple[str, str]:
    counts = found.word_counts if found.word_counts is not None else np.zeros(0)
    again = int((counts > 1).sum())
    unit = "characters" if found.script == "characters" else "words and signs"
    return (
        f"{len(counts):,} different {unit} in training texts",
        f"{again:,} of them at least twice",
    )


# --- layout --------------------------------------------------------------------------------


def _has_bars(console: Console) -> bool:
    try:
        BARS.encode(console.encoding)
    except UnicodeEncodeError:
        return False
    return True


def _print(rows: Sequence[Row], console: Console) -> None:
    if console.width < NARROW:
        for row in rows:
            console.print(f"[bold]{escape(row.about)}[/]", highlight=False)
            for line in filter(None, (row.said, row.more)):
                console.print(Padding(escape(line), (0, 0, 0, 2)), highlight=False)
        return
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="bold")
    grid.add_column(overflow="fold")
    room = console.width - max(len(row.about) for row in rows) - 6
    for row in rows:
        said, more = escape(row.said), f"[dim]{escape(row.more)}[/]"
        if len(row.said) + len(row.more) + 2 <= room:
            grid.add_row(row.about, f"{said}  {more}")
        else:
            grid.add_row(row.about, said)
            grid.add_row("", more)
    console.print(Padding(grid, (0, 0, 0, 2)))


def _notes(notes: Sequence[Note]) -> Table:
    table = Table("", "read as", "sure", "else", box=SIMPLE_HEAD, pad_edge=True)
    table.columns[1].ratio = 2
    for note in notes:
        sure = f"[{COLOURS[note.certainty]}]{note.certainty}[/]"
        table.add_row(note.about, escape(note.said), sure, escape("\n".join(note.otherwise)))
    return table


def _note_row(note: Note) -> Row:
    otherwise = f"else: {'; '.join(note.otherwise)}" if note.otherwise else ""
    return Row(f"{note.about} ({note.certainty})", note.said, otherwise)
