"""Folders of images: labels by folders and names, or what a table in them says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from gatewise.data.frontends.images import FOREIGN
from gatewise.data.sources import _images, _metadata, _tables
from gatewise.data.understanding import asked, folders, image_tables
from gatewise.data.understanding.record import Chosen, Note, Options
from gatewise.data.understanding.tables import LOOKED_TABLES, Table
from gatewise.errors import GatewiseError

KIND = "image-folder"
NAMED = 3


def images_among(files: Sequence[Path]) -> list[Path]:
    """The images, if they are most of the files (tables of them aside): else there are none."""
    images = [path for path in files if _images.is_image(path)]
    rest = [path for path in files if not _images.is_image(path) and not _tables.is_table(path)]
    return images if len(images) > len(rest) else []


def images(path: Path, files: Sequence[Path], given: Options) -> Chosen:
    """The source for a folder of images: a table that lists them, or folders and names.

    Args:
        path: the folder.
        files: below it, most of them images.
        given: what the user said.

    Raises:
        Ambiguous: two ways are about as likely.
        GatewiseError: nothing says a label or a text, or the images cannot be decoded.
    """
    found = images_among(files)
    _refuse_foreign(path, found)
    if given.layout is None and given.pattern is None:
        table = listing(path, files, given)
        if table is not None:
            return _by_table(path, table, given)
    chosen = folders.files(path, [one.relative_to(path).as_posix() for one in found], given, KIND)
    left = [file for file in files if not _images.is_image(file)]
    if not left:
        return chosen
    some = ", ".join(file.relative_to(path).as_posix() for file in left[:NAMED])
    more = f" and {len(left) - NAMED} more" if len(left) > NAMED else ""
    note = Note("path", f"other files are left out: {some}{more}", "likely")
    return replace(chosen, notes=(*chosen.notes, note))


def listing(path: Path, files: Sequence[Path], given: Options) -> Table | None:
    """The table in a folder that lists its images, if there is one; `metadata` goes first.

    Raises:
        GatewiseError: several do, or a `metadata` table cannot be read or lists no images.
    """
    metadata = _metadata.tables(path, files)
    if metadata:
        table = Table.look(metadata[0], given)
        if _metadata.FILE_NAME not in table.profiles:
            raise GatewiseError(
                f"{table.path}: no column {_metadata.FILE_NAME}, which such a table needs; its "
                f"columns are {', '.join(table.profiles)}"
            )
        if table.images is None:
            raise GatewiseError(
                f"{table.path}: its column {_metadata.FILE_NAME} names no images that are there; "
                "paths are taken from the table's own folder"
            )
        return table
    found = []
    tables = [file for file in files if _tables.is_table(file)]
    for file in sorted(tables, key=lambda file: len(file.parts))[:LOOKED_TABLES]:
        try:
            table = Table.look(file, given)
        except GatewiseError:
            continue  # no table that could be meant; it is left out and named
        if table.images is not None:
            found.append(table)
    if len(found) > 1:
        names = ", ".join(table.path.name for table in found[:NAMED])
        raise GatewiseError(f"{path}: {names} all list images; give the one that counts")
    return found[0] if found else None


def _by_table(path: Path, table: Table, given: Options) -> Chosen:
    objective = asked.of(table, given)
    if table.path.name in _metadata.NAMES:
        return image_tables.of_table(table, {"": table.path}, objective, given, path)
    chosen = image_tables.of_table(table, {"": table.path}, objective, given)
    said = f"{table.path.relative_to(path)} lists the images"
    return replace(
        chosen, notes=(Note("path", said, "likely", ("--layout label",)), *chosen.notes[1:])
    )


def _refuse_foreign(path: Path, found: Sequence[Path]) -> None:
    foreign = [file for file in found if file.suffix.lower() in FOREIGN]
    if len(foreign) == len(found):
        endings = ", ".join(sorted({file.suffix.lower() for file in foreign}))
        raise GatewiseError(
            f"{path}: its images ({endings}) are in formats that cannot be decoded; convert them "
            "to PNG or JPEG"
        )
