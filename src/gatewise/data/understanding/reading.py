"""Which source reads what lies at a path, and with which options."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from gatewise.data.frontends.decoding import FOREIGN
from gatewise.data.sources import _metadata, _sounds, _tables, text_folder
from gatewise.data.sources._sounds import Found
from gatewise.data.understanding import (
    folders,
    image_folders,
    pairs,
    rows,
    spoken_texts,
    tables,
    text_folders,
)
from gatewise.data.understanding.record import Chosen, Note, Options
from gatewise.errors import GatewiseError

NAMED = 3


def find(path: Path, given: Options) -> Chosen:
    """The source that reads `path`.

    Raises:
        Ambiguous: two ways to read it are about as likely.
        GatewiseError: nothing reads it.
    """
    if not path.is_dir():
        paired = pairs.of_file(path, given)
        if paired is not None:
            return paired
        tables.refuse_odd(path)
        return rows.read({"": path}, given)
    found = _sounds.walk(path)
    if found.sounds:
        spoken = spoken_texts.of_folder(path, found.others, given)
        return _sounds_of(path, found, given) if spoken is None else spoken
    paired = pairs.of_folder(path, found.others, given)
    if paired is not None:
        return paired
    if image_folders.images_among(found.others):
        return image_folders.images(path, found.others, given)
    files = [file for file in found.others if _tables.is_table(file)]
    if files:
        return _tables_of(path, files, found.others, given)
    texts = text_folder.walk(path)
    if len(texts.texts) > len(found.others) / 2:
        return text_folders.texts(path, texts, given)
    raise GatewiseError(_nothing(path, found.others))


def _sounds_of(path: Path, found: Found, given: Options) -> Chosen:
    """A folder of sounds: by its own lists, by a table, or by folders and names."""
    _refuse_foreign(path, found.sounds)
    names = [file.relative_to(path).as_posix() for file in found.sounds]
    if given.layout is not None or given.pattern is not None:
        return folders.files(path, names, given)
    listed = folders.speech_commands(path, found.others)
    if listed is not None:
        return listed
    metadata = _metadata.tables(path, found.others)
    if metadata:
        return tables.metadata(path, metadata[0], given, splits_given=len(metadata) > 1)
    beside = [file for file in found.others if _tables.is_table(file)]
    table = tables.listing(beside, given)
    if table is not None:
        chosen = rows.read({"": table.path}, given)
        what = "labels" if chosen.objective == "classify" else "texts"
        said = f"{table.path.relative_to(path)} lists the sounds and their {what}"
        other = "the folders: --layout label"
        return replace(chosen, notes=(Note("labels", said, "likely", (other,)), *chosen.notes))
    chosen = folders.files(path, names, given)
    if any(f"{folders.NOISE}/" in f"/{name}" for name in names):
        return _without_noise(chosen, given)
    return chosen


def _without_noise(chosen: Chosen, given: Options) -> Chosen:
    """Speech Commands' folder of background noise is no label."""
    if folders.NOISE in given.without:
        return chosen
    said = f"the folder {folders.NOISE} holds noise, no examples of a label: left out"
    note = Note("labels", said, "likely")
    source = {**chosen.source, "without": [folders.NOISE]}
    return replace(chosen, source=source, notes=(*chosen.notes, note))


def _refuse_foreign(path: Path, sounds: Sequence[Path]) -> None:
    foreign = [file for file in sounds if file.suffix.lower() in FOREIGN]
    if len(foreign) == len(sounds):
        endings = ", ".join(sorted({file.suffix.lower() for file in foreign}))
        raise GatewiseError(
            f"{path}: its sounds ({endings}) are in formats that cannot be decoded; convert them "
            "to wav or flac, e.g. with ffmpeg"
        )


def _tables_of(path: Path, files: Sequence[Path], others: Sequence[Path], given: Options) -> Chosen:
    """A folder of tables of texts."""
    top = [file for file in files if file.parent == path] or list(files)
    splits = tables.as_splits(path, top)
    chosen = rows.read(splits, given)
    left = [file for file in others if file not in splits.values()]
    if not left:
        return chosen
    some = ", ".join(file.relative_to(path).as_posix() for file in left[:NAMED])
    more = f" and {len(left) - NAMED} more" if len(left) > NAMED else ""
    note = Note("path", f"other files are left out: {some}{more}", "likely")
    return replace(chosen, notes=(*chosen.notes, note))


def _nothing(path: Path, others: Sequence[Path]) -> str:
    if not others:
        return f"{path}: empty; give a folder of sounds, images or texts, or a table of texts"
    endings = Counter(file.suffix.lower() or "no ending" for file in others)
    marked = sum(endings[ending] for ending in text_folder.MARKUP)
    if marked > len(others) / 2:
        return (
            f"{path}: a folder of {marked:,} files whose texts stand among signs of their format "
            f"({endings.most_common(1)[0][0]}); save them as plain text (.txt), a folder a label"
        )
    some = ", ".join(f"{count} {ending}" for ending, count in endings.most_common(NAMED))
    odd = next((file for file in others if file.suffix.lower() in tables.ODD_ENDINGS), None)
    if odd is not None:
        tables.refuse_odd(odd)
    return (
        f"{path}: neither sounds nor images nor texts nor tables of texts in it ({some}); give "
        "the folder that has them"
    )


# --- a test set that stays apart -----------------------------------------------------------


def with_test(chosen: Chosen, test: Path) -> Chosen:
    """The source with `test` as its test split.

    Raises:
        GatewiseError: the data name a test split already, or cannot take another.
    """
    listed = ("transcripts", "captions")
    if chosen.source["kind"] in (*listed, "series") or "targets" in chosen.source:
        raise GatewiseError(
            f"{test}: --test is for labelled data and for tables of pairs; "
            + (
                "series are split in time"
                if chosen.objective == "forecast"
                else "name the split of each example in a column, or of each file in its name"
            )
        )
    source = dict(chosen.source)
    kind, path = source["kind"], source.get("path")
    named = path if isinstance(path, dict) else {"train": path}
    column = source.get("split") or source.get("columns", {}).get("split")
    in_folders = "split" in (source.get("layout") or "").split("/")
    if kind == "speech-commands" or "test" in named or column or in_folders:
        raise GatewiseError(
            f"{test}: --test, although the data name a test split already; give the training data "
            "alone"
        )
    if kind in ("text-file", "text-pairs") and test.is_dir():
        files = [file for file in sorted(test.iterdir()) if _tables.is_table(file)]
        if len(files) != 1:
            raise GatewiseError(
                f"{test}: --test: {len(files)} tables in this folder; give one of them"
            )
        test = files[0]
    source["path"] = {**named, "test": str(test)}
    note = Note("split", f"{test} stays apart as the test split")
    return replace(chosen, source=source, notes=(*chosen.notes, note))
