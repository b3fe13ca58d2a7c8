"""Understanding a folder or table: what reads it, and what is in it."""

from __future__ import annotations

import contextlib
import io
import re
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Literal

import pandas as pd

from gatewise.artifacts.manifest import SAME, Raw
from gatewise.config import SPLITS
from gatewise.config.objectives import objective_class
from gatewise.data import sources
from gatewise.data.sources._layout import SPLIT_NAMES
from gatewise.data.understanding import (
    facts,
    image_facts,
    image_tables,
    place,
    reading,
    refusals,
    sections,
    tables,
    unlabelled,
)
from gatewise.data.understanding.record import Ambiguous, Chosen, Note, Options, Understanding
from gatewise.errors import GatewiseError

LONGEST_NAME = 40
OF_TABLES = ("text", "label", "split", "delimiter", "encoding", "quoting", "header")
OF_FOLDERS = ("pattern", "layout")
"""Options that only one form of data takes."""
OF_WORK: dict[str, tuple[str, ...]] = {
    "classify": ("text", "label"),
    "transcribe": ("text",),
    "generate": ("source", "target", "targets"),
    "forecast": ("id", "time", "value", "horizon", "season"),
}
"""Options that only some work takes."""
KINDS: dict[str, Literal["audio", "text", "image"]] = {
    "audio": "audio",
    "text": "text",
    "image": "image",
}
"""What an example is, by the payload."""


def understand(
    path: str | Path,
    options: Options | None = None,
    test: str | Path | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> Understanding:
    """Find out what lies at `path`, how to read it, and what is in it.

    Nothing is written. The data are read by the source that will read them in the study, and
    judged by the functions of preparation.

    Args:
        path: a folder of sounds, images or texts, a table of texts, sounds or images, or a folder
            of tables.
        options: what the user said; the rest is found out.
        test: data of the same form that stay apart, as the test split.
        say: told in a few words what is being done.

    Returns:
        What is understood, with how sure that is.

    Raises:
        Ambiguous: the data can be read in two ways that are about as likely.
        GatewiseError: no study can be made of them; the message says why.
    """
    given = options or Options()
    path = Path(path)
    place.require(path)
    if test is not None:
        place.require(Path(test))
    say(f"looking at {path}")
    given, chosen = _read(path, given)
    _applies(path, given, chosen)
    if test is not None:
        chosen = reading.with_test(chosen, Path(test))
    if given.without and chosen.objective == "classify":
        chosen = replace(chosen, source={**chosen.source, "without": list(given.without)})
    with tempfile.TemporaryDirectory(prefix="gatewise-") as scratch:
        chosen, raw, warnings = _fetch(chosen, Path(scratch), given, say)
        if chosen.objective != "classify":
            say(f"reading {len(raw.manifest):,} examples")
            name = given.name or name_of(path)
            with contextlib.redirect_stderr(io.StringIO()):
                return unlabelled.understanding(path, name, given, chosen, raw, warnings)
        labels = {str(label): int(n) for label, n in raw.manifest["label"].value_counts().items()}
        refusals.unfit(str(path), labels)
        facts.require_examples(raw)
        with contextlib.redirect_stderr(io.StringIO()):
            say(f"reading {len(raw.manifest):,} examples")
            found = _facts(raw, chosen)
        return _understanding(path, given, chosen, raw, labels, found, warnings)


def _applies(path: Path, given: Options, chosen: Chosen) -> None:
    """Refuse options that were given and say nothing about data of this form.

    Raises:
        GatewiseError: naming the first of them.
    """
    idle: tuple[str, ...] = OF_FOLDERS if chosen.by_table else OF_TABLES
    if chosen.source["kind"] == "text-folder":
        idle = tuple(option for option in idle if option != "encoding")
    if chosen.source["kind"] == "speech-commands":
        idle = (*idle, "group")
    takes = OF_WORK[chosen.objective]
    if chosen.source["kind"] == image_tables.KIND:
        takes = ("text", "label")
    others = [option for options in OF_WORK.values() for option in options if option not in takes]
    for option in others:
        if getattr(given, option) is not None:
            raise GatewiseError(
                f"{path}: --{option} says nothing here, since this is understood as "
                f"{objective_class(chosen.objective).title}; leave it out, or say --objective"
            )
    for option in idle:
        if getattr(given, option) is not None:
            raise GatewiseError(
                f"{path}: --{option} says nothing here, since this is read as "
                f"{chosen.source['kind']} by "
                f"{'a table' if chosen.by_table else 'folders and names'}; leave it out"
            )


def _read(path: Path, given: Options) -> tuple[Options, Chosen]:
    """The source, and the options with what was settled by taking the likelier reading."""
    settled: list[Note] = []
    while True:
        try:
            chosen = reading.find(path, given)
        except Ambiguous as question:
            if not given.likelier:
                raise
            first, *others = question.readings
            about = " ".join(first.choice)
            said = f"{first.said} ({first.flags}), the likelier of {len(others) + 1}"
            otherwise = tuple(f"{other.said} ({other.flags})" for other in others)
            settled.append(Note(about, said, "guess", otherwise))
            given = replace(given, **first.choice)
        else:
            return given, replace(chosen, notes=(*settled, *chosen.notes))


def _fetch(
    chosen: Chosen, scratch: Path, given: Options, say: Callable[[str], None]
) -> tuple[Chosen, Raw, list[str]]:
    """Read the data as the study will; quotes that turn out to be ordinary are taken as such."""
    say("reading it as the study will")
    try:
        raw, warnings = _fetched(chosen, scratch / "raw")
    except GatewiseError as error:
        if tables.QUOTES not in str(error) or given.quoting is not None:
            raise
        plain = {**chosen.source, "quoting": "none"}
        chosen = replace(chosen, source=plain, notes=(*chosen.notes, tables.quotes_note(error)))
        try:
            raw, warnings = _fetched(chosen, scratch / "plain")
        except GatewiseError:
            raise error from None
    return chosen, raw, warnings


def _fetched(chosen: Chosen, target: Path) -> tuple[Raw, list[str]]:
    said = io.StringIO()
    with contextlib.redirect_stderr(said):
        raw = sources.fetch(sections.parse(chosen.source), target)
    lines = said.getvalue().splitlines()
    return raw, [line.removeprefix("warning: ") for line in lines if line.startswith("warning: ")]


def _facts(raw: Raw, chosen: Chosen) -> facts.Facts:
    if raw.card.payload == "audio":
        return facts.of_sounds(raw)
    if raw.card.payload == "image":
        return image_facts.of_images(raw)
    return facts.of_texts(raw, sum(map(_size, sources.reads(sections.parse(chosen.source)))))


def _size(path: Path) -> int:
    """Bytes of a file, or of all files in a folder."""
    if path.is_dir():
        return sum(map(_size, path.iterdir()))
    return path.stat().st_size


def _understanding(
    path: Path,
    given: Options,
    chosen: Chosen,
    raw: Raw,
    labels: dict[str, int],
    found: facts.Facts,
    warnings: list[str],
) -> Understanding:
    rows = raw.manifest
    published = bool((rows["split"] != "").any())
    sizes = rows["split"].value_counts()
    groups = _groups(rows)
    return Understanding(
        name=given.name or name_of(path),
        kind=KINDS[raw.card.payload],
        source=chosen.source,
        splits="published" if published else "none",
        split_sizes={split: int(sizes[split]) for split in SPLITS if split in sizes}
        if published
        else {"train": len(rows)},
        labels=labels,
        groups=None if groups is None else int(groups["group"].nunique()),
        largest_group=None if groups is None else int(groups["group"].value_counts().iloc[0]),
        groups_by_label=None
        if groups is None
        else {
            label: int(groups.loc[groups["label"] == label, "group"].nunique()) for label in labels
        },
        lengths=found.lengths,
        active_lengths=found.active_lengths,
        rates=found.rates,
        word_counts=found.word_counts,
        script=found.script,
        duplicates=found.duplicates,
        contradictions=found.contradictions,
        leaks=found.leaks,
        unusable=found.unusable,
        bytes=found.bytes,
        sampled=found.sampled,
        skipped=[line.removeprefix(f"{path}: ") for line in warnings],
        notes=chosen.notes,
        images=found.images,
    )


def _groups(rows: pd.DataFrame) -> pd.DataFrame | None:
    """The rows, where their groups have names; those made from the content are none."""
    named = ~rows["group"].str.startswith(SAME)
    return rows if named.any() else None


def name_of(path: Path) -> str:
    """A name for the task, from that of the folder or file."""
    general = {"data", "dataset", "datasets", "metadata", "labels", "all", "audio", "wav", "clips"}
    general |= {"images", "pictures", "photos", "img"}
    for part in (path.resolve(), *path.resolve().parents):
        stem = part.name if part.is_dir() else part.name.split(".")[0]
        words = [word for word in re.split(r"[^a-z0-9]+", stem.casefold()) if word]
        if not set(words) <= general | SPLIT_NAMES.keys():
            return "-".join(words)[:LONGEST_NAME].strip("-")
    return "mine"
