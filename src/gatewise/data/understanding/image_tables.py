"""Images that a table lists: with texts to be said of them, or with labels."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gatewise.data.sources._metadata import FILE_NAME
from gatewise.data.understanding import beside_files, words
from gatewise.data.understanding.beside_files import OTHER, names
from gatewise.data.understanding.columns import NO_GROUP, could_be_label
from gatewise.data.understanding.record import Ambiguous, Chosen, Note, Objective, Options, Reading
from gatewise.data.understanding.tables import Table
from gatewise.errors import GatewiseError

KIND = "captions"


def is_meant(table: Table, given: Options) -> bool:
    """Whether a table is one of images: it lists some that are there, and no sounds.

    Who names the text and asks for classes means the text, whatever pictures are beside it.
    """
    texts = given.text is not None and (given.objective == "classify" or given.label is not None)
    return not texts and table.sounds is None and table.images is not None


def of_table(
    table: Table,
    files: Mapping[str, Path],
    objective: Objective,
    given: Options,
    root: Path | None = None,
) -> Chosen:
    """Options of `captions` for a table of images.

    Args:
        table: that was looked at.
        files: by split; `{"": table}` for one alone.
        objective: what is asked.
        given: what the user said.
        root: the folder in which it is a `metadata` table.

    Raises:
        Ambiguous: several columns could be the text or the label.
        GatewiseError: none is, or what is asked cannot be asked of images.
    """
    if objective not in ("classify", "generate"):
        raise GatewiseError(
            f"{table.path}: lists images, which are labelled (--objective classify) or said "
            "something of (--objective generate)"
        )
    if len(files) > 1:
        raise GatewiseError(
            f"{table.path}: lists images, and one table of all splits is read; join the tables "
            "into one with a column split"
        )
    _refuse_without(table.path, given)
    image = FILE_NAME if root is not None else str(table.images)
    columns = {"path": image}
    about, notes = _label(table, given) if objective == "classify" else _text(table, given)
    columns["text"] = about
    if objective == "classify":
        _once(table, image)
    more, said = _others(table, columns, given)
    source: dict[str, Any] = {
        "kind": KIND,
        "path": str(root or table.path),
        "columns": columns | more,
        **table.how.options,
    }
    if objective == "classify":
        source["lowercase"] = False  # labels stay as they are
    listed = f"{table.path.name} lists the images, in column {image!r}"
    notes = [Note("path", listed), *table.how.notes, *notes, *said]
    return Chosen(source, tuple(notes), by_table=True, objective=objective)


def _refuse_without(path: Path, given: Options) -> None:
    if given.without:
        raise GatewiseError(
            f"{path}: --without is for folders of images, not for a table of them; take the rows "
            "out of the table"
        )


def _text(table: Table, given: Options) -> tuple[str, list[Note]]:
    """The column that says what is seen."""
    if given.text is not None:
        _require(table, "text", given.text)
        return given.text, []
    or_else = ", or the labels' with --label"
    return beside_files.text(table, "what is in an image", "what is seen", or_else)


def _label(table: Table, given: Options) -> tuple[str, list[Note]]:
    """The column of the label."""
    if given.label is not None:
        _require(table, "label", given.label)
        return given.label, []
    found = [p for p in table.profiles.values() if could_be_label(p)]
    found = [p for p in found if not words.means(p.name, words.GROUP)] or found
    named = [p for p in found if words.means(p.name, words.LABEL)]
    if not found:
        raise GatewiseError(
            f"{table.path}: lists images, and no column has values that stand there again and "
            f"again, as labels do; its columns are {names(table.profiles)}; name it with --label"
        )
    if len(named) == 1:
        found = [named[0], *(p for p in found if p is not named[0])]
    elif len(found) > 1:
        raise Ambiguous(
            f"{table.path}: several columns could be the label",
            [Reading(f"{p.name!r} is", {"label": p.name}) for p in (named or found)[:OTHER]],
        )
    others = tuple(f"--label {p.name}" for p in found[1:OTHER])
    said = f"column {found[0].name!r}: {found[0].distinct} values"
    return found[0].name, [Note("labels", said, "likely" if others else "certain", others)]


def _once(table: Table, image: str) -> None:
    """Refuse tables that label an image twice: it would have both labels as one."""
    seen: set[str] = set()
    for number, row in enumerate(table.rows, 1):
        if row[image] in seen:
            raise GatewiseError(
                f"{table.path}, row {number}: {row[image]} stands in an earlier row as well, and "
                "an image has one label; take one of them out"
            )
        seen.add(row[image])


def _others(
    table: Table, taken: Mapping[str, str], given: Options
) -> tuple[dict[str, str], list[Note]]:
    """Columns of the group and the split."""
    columns: dict[str, str] = {}
    notes: list[Note] = []
    for role in ("group", "split"):
        name = getattr(given, role)
        if name is not None and name != NO_GROUP:
            _require(table, role, name)
            columns[role] = name
    used = {*taken.values(), *columns.values()}
    free = [p for p in table.profiles.values() if p.name not in used and not p.is_images]
    if "split" not in columns:
        split = next((p for p in free if p.is_splits and words.means(p.name, words.SPLIT)), None)
        if split is not None:
            columns["split"] = split.name
            notes.append(Note("split", f"published, in column {split.name!r}"))
    if given.group is None:
        more, note = beside_files.group(
            [p for p in free if not p.is_splits], "which images belong together"
        )
        columns |= more
        notes.append(note)
    return columns, notes


def _require(table: Table, role: str, name: str) -> None:
    if name not in table.profiles:
        raise GatewiseError(
            f"{table.path}: --{role}: no column {name!r}; there are {names(table.profiles)}"
        )
