from itertools import chain
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest

from gatewise.artifacts import manifest
from gatewise.artifacts.manifest import Example, Raw, SourceCard
from gatewise.data.preparation import documents
from gatewise.errors import GatewiseError

TEXTS = [f"text {number}" for number in range(25)]


@pytest.fixture
def raw(tmp_path: Path) -> Raw:
    """Documents in row groups of ten, the last of them short."""
    table = pyarrow.table({"id": [str(number) for number in range(25)], "text": TEXTS})
    pyarrow.parquet.write_table(table, tmp_path / manifest.DOCUMENTS, row_group_size=10)
    rows = [
        Example(
            id=str(number),
            label="ab"[number % 2],
            group=str(number),
            n_samples=len(text),
            sha256=manifest.text_sha256(text),
        )
        for number, text in enumerate(TEXTS)
    ]
    manifest.write(tmp_path, SourceCard(payload="text", title="t", licence="none"), rows)
    return Raw.open(tmp_path)


def test_documents_come_in_order_and_by_row(raw: Raw) -> None:
    assert list(chain.from_iterable(documents.read(raw))) == TEXTS
    text_of = documents.reader(raw)
    for row in (0, 9, 10, 24, 19, 3):  # both sides of every border, and back again
        assert text_of(row) == TEXTS[row]


def test_missing_documents_are_named(raw: Raw) -> None:
    (raw.folder / manifest.DOCUMENTS).unlink()
    with pytest.raises(GatewiseError, match=r"documents\.parquet: missing; run `dvc repro"):
        list(documents.read(raw))
