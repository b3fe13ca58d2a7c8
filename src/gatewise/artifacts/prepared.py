"""Reading a prepared task: `data/prepared/<task>/`.

`sequences.npy` holds all sequences end to end, `index.parquet` says where each one lies and
whose it is, `task.json` (the card) says everything that inference needs.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from gatewise.artifacts.document import Part, read_model
from gatewise.config import SPLITS
from gatewise.errors import GatewiseError
from gatewise.files import reading, write_json

if TYPE_CHECKING:
    import pandas as pd
    import pandera.pandas as pa

CARD, INDEX, SEQUENCES = "task.json", "index.parquet", "sequences.npy"
"""Files of a prepared task."""
TOKENIZER = "tokenizer.json"
"""One more, for text."""
DRAWN = "drawn"
"""What the index says in `split` where each seed draws its own."""
REMEDY = "run `dvc repro -f prepare`"
INDEX_COLUMNS = ["id", "label", "group", "split", "start", "length"]


class TaskCard(Part):
    """What a model must know about its task; written to `task.json`."""

    task: str
    modality: Literal["audio", "frames", "text"]
    """What a user hands in: a waveform, ready-made feature frames, or a string."""
    title: str
    """One honest line for people: what the data are, and synthetic if they are."""
    synthetic: bool
    licence: str
    labels: list[str]
    """Class names; a label's index is its class."""
    features: int | None
    """Features per step, for sequences of vectors."""
    vocabulary: int | None
    """Number of token ids, for text; id 0 is padding."""
    normalise: Literal["none", "clip", "train"]
    """What the model does to its input (`train` statistics live in the weights)."""
    front_end: dict[str, Any]
    """Settings that turn a clip or a string into a sequence (the task's `features`)."""
    step_seconds: float | None = None
    """Duration of one step, for audio."""
    resample: bool
    """Whether splits are drawn anew for each seed."""
    split: dict[str, Any]
    """Settings of the split (the task's `split`)."""
    metric: str
    """Primary metric."""
    digest: str
    """sha256 over sequences, index and everything above: equal digests, equal data."""

    @classmethod
    def read(cls, path: str | Path) -> TaskCard:
        """Read `task.json`.

        Raises:
            GatewiseError: there is none, or it is no card of this version.
        """
        return read_model(cls, path, "prepare")


@dataclass(frozen=True)
class Prepared:
    """A prepared task, its sequences memory-mapped.

    `sequences`: float32 `(steps, features)` or int32 `(steps,)`;
    `index`: one row a sequence, columns `id, label, group, split, start, length` with `label`
    an integer class.
    """

    card: TaskCard
    sequences: np.ndarray
    index: pd.DataFrame

    @classmethod
    def open(cls, folder: str | Path) -> Prepared:
        """Open `folder`.

        Raises:
            GatewiseError: a file is missing or the index points outside the sequences.
        """
        import pandas as pd

        folder = Path(folder)
        try:
            card = TaskCard.read(folder / CARD)
            with reading(folder / SEQUENCES, REMEDY):
                sequences = np.load(folder / SEQUENCES, mmap_mode="r")
            with reading(folder / INDEX, REMEDY):
                index = pd.read_parquet(folder / INDEX)
                absent = set(INDEX_COLUMNS) - set(index.columns)
                if absent or index.empty:
                    raise ValueError(f"no {' or '.join(sorted(absent)) or 'row'}")
                begin = int(index["start"].min())
        except FileNotFoundError as error:
            raise GatewiseError(
                f"{error.filename}: missing; run `dvc repro prepare` to make it"
            ) from None
        end = int((index["start"] + index["length"]).max())
        if end > len(sequences) or begin < 0:
            raise GatewiseError(
                f"{folder / INDEX} reaches step {end}, but {SEQUENCES} has only "
                f"{len(sequences)}; run `dvc repro -f prepare` to make them anew"
            )
        return cls(card, sequences, index)

    def write(self, folder: str | Path) -> None:
        """Write all but the sequences, which `prepare` streams to disk itself."""
        folder = Path(folder)
        index = index_schema(len(self.card.labels)).validate(self.index[INDEX_COLUMNS])
        index.to_parquet(folder / INDEX, index=False)
        write_json(folder / CARD, self.card.model_dump(mode="json"))


def read_digest(folder: str | Path) -> str:
    """Digest of the task prepared in `folder`, from its card alone.

    Raises:
        GatewiseError: there is none.
    """
    return TaskCard.read(Path(folder, CARD)).digest


def pad(sequences: np.ndarray, starts: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Sequences cut out of an array that holds many end to end, padded with zeros at the end.

    Args:
        sequences: `(steps, ...)`, as `sequences.npy` holds them.
        starts: `(examples,)`, step at which each sequence begins.
        lengths: `(examples,)`, steps of each sequence.

    Returns:
        `(examples, longest, ...)` of the same type.
    """
    steps = np.arange(lengths.max())
    # Past the array's end its last step comes again; it is overwritten as all padding is.
    padded: np.ndarray = sequences.take(starts[:, None] + steps, axis=0, mode="clip")
    padded[steps >= lengths[:, None]] = 0
    return padded


def index_schema(labels: int) -> pa.DataFrameSchema:
    """What every index must satisfy; sequences lie end to end without gaps."""
    import pandera.pandas as pa

    return pa.DataFrameSchema(
        {
            "id": pa.Column(str, unique=True),
            "label": pa.Column(int, pa.Check.in_range(0, labels - 1)),
            "group": pa.Column(str, pa.Check.str_length(min_value=1)),
            "split": pa.Column(str, pa.Check.isin([*SPLITS, DRAWN])),
            "start": pa.Column(int, pa.Check.ge(0)),
            "length": pa.Column(int, pa.Check.ge(1)),
        },
        checks=pa.Check(
            lambda frame: (
                frame["start"].diff().iloc[1:] == frame["length"].shift().iloc[1:]
            ).all(),
            error="sequences overlap or leave gaps",
        ),
        coerce=True,
        strict=True,
    )
