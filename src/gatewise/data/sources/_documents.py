"""Writing `documents.parquet` piece by piece, so that memory holds one piece of the texts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from gatewise.artifacts import manifest
from gatewise.artifacts.manifest import Example

PIECE = 1_000  # documents
PIECE_CHARACTERS = 16_000_000


@dataclass(frozen=True, slots=True)
class Document:
    """What a source knows of a text."""

    id: str
    text: str
    label: str
    group: str | None = None
    """Left out: texts that are the same when normalised form a group."""
    split: str = ""


def write(target: Path, documents: Iterable[Document]) -> list[Example]:
    """Write texts into the raw folder `target` and return their manifest rows.

    A text longer than `LONGEST_DOCUMENT` is stored cut just behind it: preparation reports it.
    """
    import pyarrow
    import pyarrow.parquet

    schema = pyarrow.schema([("id", pyarrow.string()), ("text", pyarrow.string())])
    examples: list[Example] = []
    with pyarrow.parquet.ParquetWriter(target / manifest.DOCUMENTS, schema) as file:
        for piece in _pieces(documents):
            texts = [document.text[: manifest.LONGEST_DOCUMENT + 1] for document in piece]
            ids = [document.id for document in piece]
            file.write_table(pyarrow.table({"id": ids, "text": texts}, schema))
            examples += map(_example, piece, texts)
    return examples


def _example(document: Document, stored: str) -> Example:
    group = document.group
    if group is None:
        group = manifest.content_group(manifest.text_sha256(manifest.normalised(stored)))
    return Example(
        id=document.id,
        label=document.label,
        group=group,
        split=document.split,
        n_samples=len(document.text),
        sha256=manifest.text_sha256(document.text),
    )


def _pieces(documents: Iterable[Document]) -> Iterator[list[Document]]:
    documents = iter(documents)
    while True:
        piece: list[Document] = []
        characters = 0
        for document in islice(documents, PIECE):
            piece.append(document)
            characters += len(document.text)
            if characters > PIECE_CHARACTERS:
                break
        if not piece:
            return
        yield piece
