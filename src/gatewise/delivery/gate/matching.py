"""Candidate and reference on the same test examples, or a refusal.

Stored predictions are used for examples that both were tested on. Examples that the reference
was never tested on are put to its weights now, as a user would put them, and the report says
so; those it was trained on are left out, for both.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gatewise.artifacts import runs
from gatewise.artifacts.manifest import DOCUMENTS, FRAMES, Raw
from gatewise.artifacts.prepared import TOKENIZER, Prepared
from gatewise.delivery.gate.interval import PairedSeed
from gatewise.delivery.gate.snapshot import PREPARED, RAW, Side
from gatewise.errors import GatewiseError
from gatewise.serving.predictor import Predictor, gather


@dataclass
class Paired:
    """What both sides say about the same examples."""

    seeds: list[PairedSeed]
    labels: list[str]
    """Class names, the candidate's."""
    notes: list[str] = field(default_factory=list)
    """How like was brought to like, where it took more than reading."""
    evaluated: int = 0
    """Examples, over all seeds, that the reference was put to now."""


def pair(candidate: Side, reference: Side) -> Paired:
    """Bring both to the same test examples, seed by seed.

    A reference with a single run stands against every seed of the candidate that it can.

    Raises:
        GatewiseError: they share no seed, no example, or the reference cannot be asked about
            examples that are new to it.
    """
    shared = sorted(candidate.members.keys() & reference.members.keys())
    lone = len(reference.members) == 1
    seeds = sorted(candidate.members) if lone else shared
    if not seeds:
        raise GatewiseError(
            f"{candidate.task}/{candidate.variant}: candidate (seeds "
            f"{_listed(candidate.members)}) and {reference.origin} (seeds "
            f"{_listed(reference.members)}) share no seed"
        )
    found = Paired([], list(candidate.card.labels))
    missing = sorted(reference.members.keys() - candidate.members.keys())
    if missing and not lone:
        found.notes.append(f"seeds {_listed(missing)} of the reference have no counterpart")
    evaluator = _Evaluator(candidate, reference)
    seen = gone = 0
    for seed in seeds:
        of_reference = next(iter(reference.members)) if lone else seed
        one, left_out, lost = _one(candidate, seed, reference, of_reference, evaluator)
        seen, gone = seen + left_out, gone + lost
        if len(one.label):
            found.seeds.append(one)
    found.evaluated = evaluator.asked
    if not found.seeds:
        raise GatewiseError(
            f"{candidate.task}/{candidate.variant}: no test example that {reference.origin} was "
            "not trained on; they cannot be compared"
        )
    found.notes += _notes(found, reference, seen, gone)
    return found


def _one(
    candidate: Side, seed: int, reference: Side, of_reference: int, evaluator: _Evaluator
) -> tuple[PairedSeed, int, int]:
    """One seed; also how many examples the reference had seen, and how many are gone."""
    mine = _predictions(candidate, seed)
    theirs = _predictions(reference, of_reference).set_index("id")
    known = mine["id"].isin(theirs.index).to_numpy()
    same = known.copy()
    stored = theirs.reindex(mine["id"])
    same &= (stored["label"].to_numpy() == mine["label"].to_numpy()) & _same_content(
        candidate, reference, mine["id"]
    )
    predicted = stored["predicted"].to_numpy(dtype=object).copy()
    usable = same | ~_trained_on(reference, of_reference, mine)
    asked = np.flatnonzero(usable & ~same)
    if len(asked):
        predicted[asked] = evaluator(of_reference, mine["id"].iloc[asked].tolist())
    names = {name: number for number, name in enumerate(candidate.card.labels)}
    number = np.array([names.get(name, -1) for name in predicted], dtype=np.int64)
    lengths = evaluator.lengths(mine["id"])
    one = PairedSeed(
        seed=seed,
        ids=mine["id"].to_numpy(dtype=object),
        groups=mine["group"].to_numpy(dtype=object),
        label=np.array([names[name] for name in mine["label"]], dtype=np.int64),
        candidate=np.array([names[name] for name in mine["predicted"]], dtype=np.int64),
        reference=number,
        length=lengths,
        known=same,
    )
    gone = int((~theirs.index.isin(mine["id"])).sum())
    return one.where(usable), int((~usable).sum()), gone


def _predictions(side: Side, seed: int) -> pd.DataFrame:
    """`id, group, label, predicted` of one run, classes by name."""
    path = side.members[seed] / runs.PREDICTIONS
    if not path.is_file() and (side.members[seed] / runs.WEIGHTS).is_file():
        return pd.DataFrame(columns=["id", "group", "label", "predicted"])  # a bare model
    if not path.is_file():
        raise GatewiseError(f"{side.origin}: {path.name} of {side.records[seed].name} is missing")
    try:
        table = pd.read_parquet(path, columns=["id", "group", "label", "predicted"])
    except ValueError as error:  # pyarrow's own errors are such
        reason = " ".join(str(error).split())[:200]
        raise GatewiseError(f"{side.origin}: {path} is damaged ({reason})") from None
    names = np.array(side.card.labels, dtype=object)
    return table.assign(
        label=names[table["label"].to_numpy()], predicted=names[table["predicted"].to_numpy()]
    )


def _same_content(candidate: Side, reference: Side, ids: pd.Series[str]) -> np.ndarray:
    """Whether an example is what it was; taken as so where nobody wrote it down."""
    now, then = candidate.contents, reference.contents
    if not now or not then:
        return np.ones(len(ids), dtype=bool)
    return np.array([now.get(i) == then.get(i, now.get(i)) for i in ids])


def _trained_on(reference: Side, seed: int, mine: pd.DataFrame) -> np.ndarray:
    """Examples that the reference chose its weights by: their own id, or their group's."""
    split = reference.split(seed)
    if split is None or reference.index is None:
        # Without an index only fixed splits are known not to move.
        if reference.card.resample:
            return np.ones(len(mine), dtype=bool)
        return np.zeros(len(mine), dtype=bool)
    seen = reference.index["id"][split.to_numpy() != "test"]
    groups = reference.index["group"][split.to_numpy() != "test"]
    return (mine["id"].isin(seen) | mine["group"].isin(groups)).to_numpy()


def _notes(found: Paired, reference: Side, seen: int, gone: int) -> list[str]:
    notes = []
    if found.evaluated:
        notes.append(
            f"the test data changed: {reference.origin} was evaluated on "
            f"{found.evaluated} examples that are new to it"
        )
    if gone:
        notes.append(f"{gone} test examples of the reference are not tested any more")
    if seen:
        notes.append(f"{seen} test examples are left out: the reference was trained on them")
    return notes


def _listed(seeds: Sequence[int] | dict[int, Path]) -> str:
    return ", ".join(map(str, sorted(seeds))) or "none"


class _Evaluator:
    """Puts examples of the candidate's data to the reference's weights."""

    def __init__(self, candidate: Side, reference: Side) -> None:
        self.candidate, self.reference = candidate, reference
        self.asked = 0
        self._prepared: Prepared | None = None
        self._rows: pd.DataFrame | None = None

    def lengths(self, ids: pd.Series[str]) -> np.ndarray:
        """Steps of each example's sequence."""
        index = self.candidate.index
        if index is None:
            raise GatewiseError(
                f"{self.candidate.prepared}: missing; run `dvc pull` or `dvc repro prepare`"
            )
        return index.set_index("id")["length"].loc[ids].to_numpy(np.int64)

    def __call__(self, seed: int, ids: list[str]) -> list[str]:
        """Label names that the reference's run of `seed` predicts."""
        folder, reference = self.reference.members[seed], self.reference
        if not (folder / runs.WEIGHTS).is_file():
            raise GatewiseError(
                f"{reference.origin}: its test data differ from the candidate's and its weights "
                "are missing, so like cannot be compared with like"
            )
        self.asked += len(ids)
        with tempfile.TemporaryDirectory() as holder:
            gather(folder, reference.root / PREPARED, holder)
            predictor = Predictor.load(holder)
        if self._alike():
            sequences = self._from_prepared(ids)
        else:
            sequences = [predictor.sequence(item) for item in self._items(ids)]
        chosen = predictor.probabilities(sequences).argmax(axis=1)
        return [reference.card.labels[k] for k in chosen]

    def _alike(self) -> bool:
        """Whether both front ends make the same sequences, so that prepared ones will do."""
        mine, theirs = self.candidate, self.reference
        if mine.card.front_end != theirs.card.front_end:
            return False
        if mine.card.modality != "text":
            return True
        files = [side.prepared / TOKENIZER for side in (mine, theirs)]
        return files[0].read_bytes() == files[1].read_bytes()

    def _from_prepared(self, ids: list[str]) -> list[np.ndarray]:
        if self._prepared is None:
            self._prepared = Prepared.open(self.candidate.prepared)
            self._rows = self._prepared.index.set_index("id")
        assert self._rows is not None  # noqa: S101
        rows = self._rows.loc[ids]
        return [
            np.asarray(self._prepared.sequences[start : start + length])
            for start, length in zip(rows["start"], rows["length"], strict=True)
        ]

    def _items(self, ids: list[str]) -> list[dict[str, Any]]:
        """The examples as a user has them."""
        folder = self.candidate.root / RAW / self.candidate.task
        if not folder.is_dir():
            raise GatewiseError(
                f"{folder}: missing, and the front end changed, so the reference cannot be "
                "evaluated on new examples; run `dvc pull` or `dvc repro fetch`"
            )
        raw = Raw.open(folder)
        rows = raw.manifest.reset_index(drop=True)
        places = pd.Series(rows.index, index=rows["id"]).loc[ids].to_numpy()
        if raw.card.payload == "text":
            texts = pd.read_parquet(raw.folder / DOCUMENTS, columns=["text"])["text"]
            return [{"text": text} for text in texts.iloc[places]]
        if raw.card.payload == "frames":
            frames = np.load(raw.folder / FRAMES, mmap_mode="r")
            ends = rows["n_samples"].cumsum().to_numpy()
            sizes = rows["n_samples"].to_numpy()
            return [{"frames": frames[ends[p] - sizes[p] : ends[p]]} for p in places]
        return [{"audio": raw.locate(rows["path"].iloc[p]).read_bytes()} for p in places]
