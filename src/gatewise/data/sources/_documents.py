"""Writing `documents.parquet` piece by piece, so that memory holds one piece of the texts."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import Any

from gatewise.artifacts import manifest

PIECE = 1_000  # documents
PIECE_CHARACTERS = 16_000_000


def write(target: Path, rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Write the texts of `rows` and return their manifest rows.

    Args:
        target: the raw folder.
        rows: `id, text, label` and optionally `group, split`. Without a group, texts that
            are the same when normalised form one. A text longer than `LONGEST_DOCUMENT` is
            stored cut just behind it: preparation reports it.
    """
    import pyarrow
    import pyarrow.parquet

    schema = pyarrow.schema([("id", pyarrow.string()), ("text", pyarrow.string())])
    listed = []
    with pyarrow.parquet.ParquetWriter(target / manifest.DOCUMENTS, schema) as file:
        for piece in _pieces(rows):
            texts = [row["text"][: manifest.LONGEST_DOCUMENT + 1] for row in piece]
            file.write_table(
                pyarrow.table({"id": [row["id"] for row in piece], "text": texts}, schema)
            )
            for row, text in zip(piece, texts, strict=True):
                group = row.get("group")
                if group is None:
                    content = manifest.text_sha256(manifest.normalised(text))
                    group = manifest.SAME + content[:16]
                listed.append(
                    {
                        "id": row["id"],
                        "path": "",
                        "label": row["label"],
                        "group": group,
                        "split": row.get("split", ""),
                        "n_samples": len(row["text"]),
                        "sample_rate": 0,
                        "sha256": manifest.text_sha256(row["text"]),
                    }
                )
    return listed


def _pieces(rows: Iterable[dict[str, Any]]) -> Iterable[list[dict[str, Any]]]:
    rows = iter(rows)
    while True:
        piece: list[dict[str, Any]] = []
        characters = 0
        for row in islice(rows, PIECE):
            piece.append(row)
            characters += len(row["text"])
            if characters > PIECE_CHARACTERS:
                break
        if not piece:
            return
        yield piece
