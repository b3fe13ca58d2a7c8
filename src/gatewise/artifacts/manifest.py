"""The raw folder `data/raw/<task>/`: what a source leaves and preparation reads.

`manifest.parquet` has one row an example, `source.json` says what the data are, and the
payload is one of five kinds: `audio` (one sound file a row, at `path`), `frames`
(`frames.npy`, float32 `(steps, features)`, all examples end to end in manifest order), `text`
(`documents.parquet`: `id, text`, in manifest order), `series` (`series.npy`, float64 `(values,)`,
all series end to end in manifest order) or `image` (an image file a row, at `path`, used where it
lies; or `images.npy`, uint8 `(rows, height, width, channels)`, where a source makes thousands of
small ones, of which as many files would cost more than their pixels).
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from gatewise import files
from gatewise.artifacts.document import Part, read_model
from gatewise.config import SPLITS
from gatewise.errors import GatewiseError
from gatewise.files import sha256, write_json

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd
    import pandera.pandas as pa

MANIFEST = "manifest.parquet"
CARD = "source.json"
FRAMES = "frames.npy"
SERIES = "series.npy"
IMAGES = "images.npy"
DOCUMENTS = "documents.parquet"
LONGEST_DOCUMENT = 1_000_000  # characters; a longer one is listed, but not used
SAME = "content:"
"""Begins the group of an example whose source names none: its content, so that copies stay
together."""
COLUMNS = ["id", "path", "label", "group", "split", "n_samples", "sample_rate", "sha256"]


class SourceCard(Part):
    """`source.json`: what a set of data is, for people and for preparation."""

    payload: Literal["audio", "frames", "text", "series", "image"]
    title: str
    """One honest line; says so if the data are synthetic."""
    synthetic: bool = False
    licence: str
    citation: str = ""
    homepage: str = ""
    root: str | None = None
    """Folder that `path` is relative to, for files used in place; left out: the raw folder."""
    step_seconds: float | None = None
    """Duration of one step of ready-made frames."""
    skipped: dict[str, int] = Field(default_factory=dict)
    """Examples left out by the source, counted by reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One row of the manifest."""

    id: str
    """Names the example, and stays its name when other data are added."""
    label: str
    group: str
    """What must not cross splits: a speaker, a film, or the content itself (`content_group`)."""
    n_samples: int
    """Samples, frames, characters, values or pixels; 0 for a file that cannot be read."""
    sha256: str
    """Of the file, the frames, the text or the pixels."""
    path: str = ""
    """Of the sound or image file, below the raw folder or the card's `root`."""
    split: str = ""
    """Where the source publishes one: train, validation or test."""
    sample_rate: int = 0
    """Hz; 0 where there is none."""


@dataclass(frozen=True)
class Raw:
    """A fetched set of data; `manifest` has a row for each `Example`, its fields as columns."""

    folder: Path
    card: SourceCard
    manifest: pd.DataFrame

    @classmethod
    def open(cls, folder: str | Path) -> Raw:
        """Read and check `folder`.

        Raises:
            GatewiseError: a file is missing or the manifest breaks its schema.
        """
        import pandas as pd

        folder = Path(folder)
        card = read_model(SourceCard, folder / CARD, "fetch")
        try:
            with files.reading(folder / MANIFEST, "run `dvc repro -f fetch`"):
                manifest = pd.read_parquet(folder / MANIFEST)
        except FileNotFoundError as error:
            raise GatewiseError(
                f"{error.filename}: missing; run `dvc repro fetch` to make it"
            ) from None
        return cls(folder, card, check(manifest, str(folder / MANIFEST)))

    def locate(self, path: str) -> Path:
        """Where a file of the manifest lies.

        Files used in place lie below the card's `root`; what a source wrote itself lies in
        the raw folder.
        """
        own = self.folder / path
        return own if self.card.root is None or own.exists() else Path(self.card.root) / path


def digest(folder: str | Path) -> str:
    """Digest of the raw folder: its card and its manifest, which has that of every example.

    Raises:
        GatewiseError: there is none.
    """
    try:
        return files.digest([sha256(Path(folder, name)) for name in (CARD, MANIFEST)])
    except FileNotFoundError as error:
        raise GatewiseError(
            f"{error.filename}: missing; run `dvc repro fetch` to make it"
        ) from None


def write(folder: Path, card: SourceCard, rows: pd.DataFrame | Iterable[Example]) -> None:
    """Check `rows` and write them with `card` into the existing `folder`.

    Raises:
        GatewiseError: there is no row, or one breaks the schema.
    """
    import pandas as pd

    if not isinstance(rows, pd.DataFrame):
        values = ([getattr(row, column) for column in COLUMNS] for row in rows)
        rows = pd.DataFrame(list(values), columns=COLUMNS)
    frame = rows
    if frame.empty:
        raise GatewiseError(f"{card.title}: no example at all; there is nothing to learn from")
    check(frame, f"{card.title}: manifest")[COLUMNS].to_parquet(folder / MANIFEST, index=False)
    write_json(folder / CARD, card.model_dump(mode="json"))


def check(manifest: pd.DataFrame, origin: str) -> pd.DataFrame:
    """Check a manifest against its schema; `origin` names it in errors.

    Raises:
        GatewiseError: naming the column and the first row that breaks the schema.
    """
    import pandera.errors

    try:
        return schema().validate(manifest, lazy=True)
    except pandera.errors.SchemaErrors as error:
        raise GatewiseError(f"{origin}: {describe(error.failure_cases)}") from None


def schema() -> pa.DataFrameSchema:
    """What every manifest must satisfy."""
    import pandera.pandas as pa

    filled = pa.Check.str_length(min_value=1, error="is empty")
    return pa.DataFrameSchema(
        {
            "id": pa.Column(str, filled, unique=True),
            "path": pa.Column(str),
            "label": pa.Column(str, filled),
            "group": pa.Column(str, filled),
            "split": pa.Column(str, pa.Check.isin(["", *SPLITS])),
            "n_samples": pa.Column(int, pa.Check.ge(0)),
            "sample_rate": pa.Column(int, pa.Check.ge(0)),
            "sha256": pa.Column(str, pa.Check.str_matches(r"^[0-9a-f]{64}$")),
        },
        coerce=True,
        strict=True,
    )


def describe(failures: pd.DataFrame) -> str:
    """The first of pandera's failure cases as a sentence, and how many more there are."""
    first = failures.iloc[0]
    if first["check"] == "column_in_dataframe":
        return f"column {first['failure_case']!r} is missing"
    if first["check"] == "column_in_schema":
        return f"column {first['failure_case']!r} is not known; remove it"
    value = first["failure_case"]
    value = value.item() if hasattr(value, "item") else value
    more = f" (and {len(failures) - 1} more)" if len(failures) > 1 else ""
    return (
        f"row {first['index']}, column {first['column']!r}: {value!r} fails {first['check']}{more}"
    )


def content_group(sha256: str) -> str:
    """The group of an example whose source names none, by the digest of its content."""
    return SAME + sha256[:16]


def text_sha256(text: str) -> str:
    """Digest of a document."""
    return hashlib.sha256(text.encode()).hexdigest()


def normalised(text: str) -> str:
    """What counts as the same text: case, spacing and punctuation do not."""
    words = re.findall(r"\w+", unicodedata.normalize("NFKC", text).casefold())
    return " ".join(words) or text
