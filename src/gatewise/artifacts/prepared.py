"""Reading a prepared task: `data/prepared/<task>/`.

`sequences.npy` holds all sequences end to end, `index.parquet` says where each one lies and
whose it is, `task.json` (the card) says everything that inference needs. A target that is a class
stands in the index; all others lie end to end in `targets.npy`, and the index says where.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import Field

from gatewise.artifacts import objectives
from gatewise.artifacts.document import Part, read_model
from gatewise.artifacts.objectives import Objective
from gatewise.config import SPLITS
from gatewise.config.objectives import DEFAULT, TargetKind
from gatewise.errors import GatewiseError
from gatewise.files import reading, write_json

if TYPE_CHECKING:
    import pandas as pd
    import pandera.pandas as pa

CARD, INDEX, SEQUENCES = "task.json", "index.parquet", "sequences.npy"
"""Files of a prepared task."""
TARGETS = "targets.npy"
"""One more, where targets are no classes."""
TOKENIZER = "tokenizer.json"
"""One more, for text."""
DRAWN = "drawn"
"""What the index says in `split` where each seed draws its own."""
REMEDY = "run `dvc repro -f prepare`"
WHITE = 255
"""The brightest value of a stored pixel."""
INDEX_COLUMNS = ["id", "label", "group", "split", "start", "length"]
TARGET_COLUMNS = ["target_start", "target_length"]
"""Two more, where targets are no classes."""


class Target(Part):
    """What a model is to give."""

    kind: TargetKind = "class"
    """One class; a sequence of symbols or of tokens; or so many values."""
    outputs: int | None = None
    """Numbers that a model gives; as many as there are labels if left out."""
    per_step: bool = False
    """Whether it gives them at every step."""


class TaskCard(Part):
    """What a model must know about its task; written to `task.json`."""

    task: str
    modality: Literal["audio", "frames", "text", "series", "image"]
    """What a user hands in: a waveform, feature frames, a string, values, or an image."""
    title: str
    """One honest line for people: what the data are, and synthetic if they are."""
    synthetic: bool
    licence: str
    labels: list[str]
    """Names of what targets are made of, classes or symbols, in the order of their numbers; none
    where targets are values."""
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
    objective: dict[str, Any] = Field(default_factory=lambda: {"kind": DEFAULT})
    """What is asked of a model, with its settings (the task's `objective`)."""
    target: Target = Target()
    digest: str
    """sha256 over sequences, index and everything above: equal digests, equal data."""

    @property
    def asks(self) -> Objective:
        """The objective."""
        return objectives.of(self.objective, self.labels)

    @property
    def classes(self) -> list[str]:
        """Names of classes; none where targets are something else."""
        return self.labels if self.target.kind == "class" else []

    def named(self, labels: np.ndarray) -> np.ndarray:
        """Names of the index's labels `(examples,)`; empty where targets are no classes."""
        names: np.ndarray = np.array(self.classes or [""], dtype=object)[labels]
        return names

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

    `sequences`: float32 `(steps, features)`, int32 `(steps,)`, or of images uint8 `(steps,
    features)`, which models see as shares of 255 (`values`);
    `index`: one row a sequence, columns `id, label, group, split, start, length` with `label`
    an integer class, and where targets are none, `label` 0 and `target_start, target_length`;
    `targets`: those others, `(steps, ...)`, end to end.
    """

    card: TaskCard
    sequences: np.ndarray
    index: pd.DataFrame
    targets: np.ndarray | None = None
    folder: Path | None = None
    """Where it was opened."""

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
            targets = None
            if card.target.kind != "class":
                with reading(folder / TARGETS, REMEDY):
                    targets = np.load(folder / TARGETS, mmap_mode="r")
            with reading(folder / INDEX, REMEDY):
                index = pd.read_parquet(folder / INDEX)
                absent = {*index_columns(card)} - set(index.columns)
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
        if targets is not None:
            reached = int((index["target_start"] + index["target_length"]).max())
            if reached > len(targets):
                raise GatewiseError(
                    f"{folder / INDEX} reaches step {reached}, but {TARGETS} has only "
                    f"{len(targets)}; run `dvc repro -f prepare` to make them anew"
                )
        return cls(card, sequences, index, targets, folder)

    def write(self, folder: str | Path) -> None:
        """Write all but the sequences, which `prepare` streams to disk itself."""
        folder = Path(folder)
        names, targets = index_columns(self.card), self.card.target.kind != "class"
        schema = index_schema(1 if targets else len(self.card.labels), names[len(INDEX_COLUMNS) :])
        index = schema.validate(self.index[names])
        index.to_parquet(folder / INDEX, index=False)
        if self.targets is not None:
            np.save(folder / TARGETS, self.targets)
        write_json(folder / CARD, self.card.model_dump(mode="json"))


class Targets:
    """Targets of a prepared task, by rows of its index."""

    def __init__(self, prepared: Prepared) -> None:
        index, self._values = prepared.index, prepared.targets
        self._labels = index["label"].to_numpy(np.int64)
        if self._values is not None:
            self._starts, self._lengths = (
                index[column].to_numpy(np.int64) for column in TARGET_COLUMNS
            )

    def of(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        """Targets of some rows, and their lengths: none for classes `(rows,)`."""
        if self._values is None:
            return self._labels[rows], None
        lengths = self._lengths[rows]
        padded = pad(self._values, self._starts[rows], lengths)
        return padded.astype(np.int64) if padded.dtype == np.int32 else padded, lengths


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
        `(examples, longest, ...)`, as `values` has them.
    """
    steps = np.arange(lengths.max())
    # Past the array's end its last step comes again; it is overwritten as all padding is.
    padded: np.ndarray = sequences.take(starts[:, None] + steps, axis=0, mode="clip")
    padded[steps >= lengths[:, None]] = 0
    return values(padded)


def values(stored: np.ndarray) -> np.ndarray:
    """What models see of stored steps: pixels as float32 from 0 to 1, all else as it is."""
    if stored.dtype != np.uint8:
        return stored
    shares: np.ndarray = np.multiply(stored, np.float32(1 / WHITE), dtype=np.float32)
    return shares


def index_columns(card: TaskCard) -> list[str]:
    """Columns of a task's index."""
    return INDEX_COLUMNS + (TARGET_COLUMNS if card.target.kind != "class" else [])


def index_schema(classes: int, more: Sequence[str] = ()) -> pa.DataFrameSchema:
    """What every index must satisfy; sequences lie end to end without gaps.

    Args:
        classes: how many there are; 1 where targets are none.
        more: columns beside the usual ones, which say where targets lie.
    """
    import pandera.pandas as pa

    places = {name: pa.Column(int, pa.Check.ge(0)) for name in more}
    return pa.DataFrameSchema(
        {
            "id": pa.Column(str, unique=True),
            "label": pa.Column(int, pa.Check.in_range(0, classes - 1)),
            "group": pa.Column(str, pa.Check.str_length(min_value=1)),
            "split": pa.Column(str, pa.Check.isin([*SPLITS, DRAWN])),
            "start": pa.Column(int, pa.Check.ge(0)),
            "length": pa.Column(int, pa.Check.ge(1)),
            **places,
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
