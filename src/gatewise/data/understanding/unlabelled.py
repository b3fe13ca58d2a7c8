"""What is understood of data that ask for more than a label: pairs, transcripts, series."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np

from gatewise.artifacts.manifest import SAME, Raw
from gatewise.config import SPLITS
from gatewise.data import sources
from gatewise.data.understanding import (
    facts,
    image_facts,
    refusals,
    sections,
    targets,
    time_tables,
)
from gatewise.data.understanding.facts import Facts
from gatewise.data.understanding.record import Chosen, Options, Understanding
from gatewise.data.understanding.tables import Table
from gatewise.errors import GatewiseError

FEWEST_SERIES_VALUES = 40
"""Values of all series below which nothing is learnt and tested."""


def understanding(
    path: Path, name: str, given: Options, chosen: Chosen, raw: Raw, warnings: Sequence[str]
) -> Understanding:
    """Everything that is known of fetched data.

    Args:
        path: what was looked at.
        name: for the task.
        given: what the user said.
        chosen: the source, and what was decided.
        raw: as the source gave them.
        warnings: what it said.

    Raises:
        GatewiseError: they are too few to learn and test anything.
    """
    if given.without:
        raise GatewiseError(f"{path}: --without leaves labels out, and there are none here")
    skipped = [line.removeprefix(f"{path}: ") for line in warnings]
    skipped += [f"left out: {count:,} ({why})" for why, count in raw.card.skipped.items()]
    if chosen.objective == "forecast":
        return _series(path, name, given, chosen, raw, skipped)
    refusals.few(str(path), len(raw.manifest))
    facts.require_examples(raw)
    return _texts(name, chosen, raw, skipped)


def _texts(name: str, chosen: Chosen, raw: Raw, skipped: list[str]) -> Understanding:
    """Of pairs, transcripts and images with texts."""
    audio, rows = raw.card.payload == "audio", raw.manifest
    if audio:
        found, said = facts.of_sounds(raw), targets.of_transcripts(rows)
    elif raw.card.payload == "image":
        found, said = image_facts.of_images(raw), targets.of_pairs(rows)
    else:
        found, said = _spelled(facts.of_texts(raw, _size(chosen)), raw), targets.of_pairs(rows)
    # Texts that are said are no classes: what a split lacks is a symbol, and only of transcripts.
    leaks = {leak: count for leak, count in found.leaks.items() if leak != "labels"}
    if audio and said.unheard:
        leaks["labels"] = said.unheard
    base = _base(name, chosen, raw, skipped, replace(found, leaks=leaks, contradictions=0))
    kind: Literal["image", "text"] = "image" if found.images is not None else "text"
    return replace(base, kind="audio" if audio else kind, said=said, images=found.images)


def _spelled(found: Facts, raw: Raw) -> Facts:
    """Letters are what counts where a text is a single word."""
    if found.script != "words" or not len(found.lengths) or np.median(found.lengths) > 1:
        return found
    lengths, counts = facts.counted(raw, "characters")
    ordered = np.sort(lengths).astype(np.float64)
    return replace(found, script="characters", lengths=ordered, word_counts=counts)


def _series(
    path: Path, name: str, given: Options, chosen: Chosen, raw: Raw, skipped: list[str]
) -> Understanding:
    lengths = np.sort(raw.manifest["n_samples"].to_numpy(np.float64))
    if lengths.sum() < FEWEST_SERIES_VALUES:
        raise GatewiseError(
            f"{path}: {int(lengths.sum())} values in all, too few to forecast some from the rest; "
            f"gather at least {FEWEST_SERIES_VALUES}"
        )
    steps = time_tables.steps(Table.look(path, given), chosen.source, lengths, given)
    unusable = time_tables.unusable(raw, steps)
    if sum(unusable.values()) == len(lengths):
        worst = max(unusable, key=lambda why: unusable[why])
        raise GatewiseError(
            f"{path}: none of {len(lengths):,} series can be forecast {steps.horizon} steps "
            f"({worst}); give longer ones, or a shorter --horizon or --season"
        )
    found = Facts(
        lengths=lengths,
        duplicates=int(raw.manifest["sha256"].duplicated().sum()),
        unusable=unusable,
        bytes=_size(chosen),
    )
    base = _base(name, chosen, raw, skipped, found)
    return replace(base, kind="series", steps=steps, groups=None, largest_group=None)


def _base(name: str, chosen: Chosen, raw: Raw, skipped: list[str], found: Facts) -> Understanding:
    rows = raw.manifest
    published = bool((rows["split"] != "").any())
    sizes = rows["split"].value_counts()
    grouped = bool((~rows["group"].str.startswith(SAME)).any())
    return Understanding(
        name=name,
        kind="text",
        source=chosen.source,
        splits="published" if published else "none",
        split_sizes={split: int(sizes[split]) for split in SPLITS if split in sizes}
        if published
        else {"train": len(rows)},
        labels={},
        groups=int(rows["group"].nunique()) if grouped else None,
        largest_group=int(rows["group"].value_counts().iloc[0]) if grouped else None,
        groups_by_label=None,
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
        skipped=skipped,
        notes=chosen.notes,
        objective=chosen.objective,
    )


def _size(chosen: Chosen) -> int:
    return sum(file.stat().st_size for file in sources.reads(sections.parse(chosen.source)))
