"""Candidate and reference on the same test examples, or a refusal.

Stored predictions are used for examples that both were tested on. Examples that the reference
was never tested on are put to its weights now, as a user would put them, and the report says
so; those it was trained on are left out, for both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gatewise.artifacts import runs
from gatewise.artifacts.manifest import DOCUMENTS, FRAMES, Raw
from gatewise.artifacts.prepared import TOKENIZER, Prepared, Targets
from gatewise.data.preparation import series
from gatewise.data.preparation.images import Reader
from gatewise.delivery.gate.interval import PairedSeed
from gatewise.delivery.gate.snapshot import PREPARED, RAW, Snapshot
from gatewise.errors import GatewiseError
from gatewise.files import DamagedError, reading
from gatewise.serving.predictor import Asked, Item, Predictor

FETCH = "run `dvc repro -f fetch`"


@dataclass
class Paired:
    """What candidate and reference say about the same examples."""

    seeds: list[PairedSeed]
    labels: list[str]
    """Class names, the candidate's."""
    notes: list[str] = field(default_factory=list)
    """How like was brought to like, where it took more than reading."""
    evaluated: int = 0
    """Examples, over all seeds, that the reference was put to now."""


def pair(candidate: Snapshot, reference: Snapshot) -> Paired:
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
    paired = Paired([], list(candidate.card.classes))
    missing = sorted(reference.members.keys() - candidate.members.keys())
    if missing and not lone:
        paired.notes.append(f"seeds {_listed(missing)} of the reference have no counterpart")
    evaluator = _Evaluator(candidate, reference)
    seen = gone = 0
    for seed in seeds:
        of_reference = next(iter(reference.members)) if lone else seed
        one, left_out, lost = _one(candidate, seed, reference, of_reference, evaluator)
        seen, gone = seen + left_out, gone + lost
        if len(one.label):
            paired.seeds.append(one)
    paired.evaluated = evaluator.asked
    if not paired.seeds:
        raise GatewiseError(
            f"{candidate.task}/{candidate.variant}: no test example that {reference.origin} was "
            "not trained on; they cannot be compared"
        )
    paired.notes += _notes(paired, reference, seen, gone)
    return paired


def _one(
    candidate: Snapshot, seed: int, reference: Snapshot, of_reference: int, evaluator: _Evaluator
) -> tuple[PairedSeed, int, int]:
    """One seed; also how many examples the reference had seen, and how many are gone."""
    now = _predictions(candidate, seed)
    then = _predictions(reference, of_reference).set_index("id")
    # A bare model has no predictions, so what can be judged of them is still to come.
    stored = then.reindex(now["id"]).reset_index().reindex(columns=now.columns)
    known = (
        now["id"].isin(then.index).to_numpy()
        & (stored["truth"].to_numpy() == now["truth"].to_numpy())
        & _same_content(candidate, reference, now["id"])
    )
    usable = known | ~_trained_on(reference, of_reference, now)
    asked = np.flatnonzero(usable & ~known)
    if len(asked):
        stored = stored.astype(object)
        for name, values in evaluator(of_reference, now.iloc[asked]).items():
            stored[name] = _put(stored[name], asked, values)
    names, objective = candidate.card.labels, candidate.card.asks
    now, stored = now[usable].reset_index(drop=True), stored[usable].reset_index(drop=True)
    own = objective.judged(now, names)
    number = {name: place for place, name in enumerate(candidate.card.classes)}
    one = PairedSeed(
        seed=seed,
        ids=now["id"].to_numpy(dtype=object),
        groups=now["group"].to_numpy(dtype=object),
        label=np.array([number.get(name, 0) for name in now["truth"]], dtype=np.int64),
        candidate=own,
        reference=objective.judged(stored, names),
        length=evaluator.lengths(now["id"]),
        known=known[usable],
    )
    gone = int((~then.index.isin(now["id"])).sum())
    return one, int((~usable).sum()), gone


def _put(column: pd.Series[Any], places: np.ndarray, values: Sequence[Any]) -> pd.Series[Any]:
    """The column with other values at some places."""
    filled = column.to_numpy(dtype=object).copy()
    for place, value in zip(places, values, strict=True):
        filled[place] = value
    return pd.Series(filled)


def _predictions(snapshot: Snapshot, seed: int) -> pd.DataFrame:
    """One run's test predictions: `id, group` and what can be judged of them."""
    folder = snapshot.members[seed]
    path = folder / runs.PREDICTIONS
    if not path.is_file() and (folder / runs.WEIGHTS).is_file():
        return pd.DataFrame(columns=["id", "group", "truth"])  # a bare model
    if not path.is_file():
        name = snapshot.records[seed].name
        raise GatewiseError(f"{snapshot.origin}: {path.name} of {name} is missing")
    try:
        runs.check_predictions(folder, snapshot.records[seed], snapshot.remedy)
        found = runs.read_predictions(folder)
    except DamagedError as error:
        raise GatewiseError(f"{snapshot.origin}: {error}") from None
    judgeable = found.kind.judgeable(found.columns, snapshot.card.labels)
    return pd.DataFrame({"id": found.ids, "group": found.group.to_pylist(), **judgeable})


def _same_content(candidate: Snapshot, reference: Snapshot, ids: pd.Series[str]) -> np.ndarray:
    """Whether an example is what it was; taken as so where nobody wrote it down."""
    now, then = candidate.contents, reference.contents
    if not now or not then:
        return np.ones(len(ids), dtype=bool)
    return np.array([now.get(i) == then.get(i, now.get(i)) for i in ids])


def _trained_on(reference: Snapshot, seed: int, tested: pd.DataFrame) -> np.ndarray:
    """Examples that the reference chose its weights by: their own id, or their group's."""
    split = reference.split(seed)
    if split is None or reference.index is None:
        # Without an index only fixed splits are known not to move.
        if reference.card.resample:
            return np.ones(len(tested), dtype=bool)
        return np.zeros(len(tested), dtype=bool)
    seen = reference.index["id"][split.to_numpy() != "test"]
    if not reference.card.asks.grouped:
        return tested["id"].isin(seen).to_numpy()
    groups = reference.index["group"][split.to_numpy() != "test"]
    return (tested["id"].isin(seen) | tested["group"].isin(groups)).to_numpy()


def _notes(paired: Paired, reference: Snapshot, seen: int, gone: int) -> list[str]:
    notes = []
    if paired.evaluated:
        notes.append(
            f"the test data changed: {reference.origin} was evaluated on "
            f"{paired.evaluated} examples that are new to it"
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

    def __init__(self, candidate: Snapshot, reference: Snapshot) -> None:
        self.candidate, self.reference = candidate, reference
        self.asked = 0
        self._prepared: Prepared | None = None

    def lengths(self, ids: pd.Series[str]) -> np.ndarray:
        """Steps of each example's sequence."""
        index = self.candidate.index
        if index is None:
            raise GatewiseError(
                f"{self.candidate.prepared}: missing; run `dvc pull` or `dvc repro prepare`"
            )
        return index.set_index("id")["length"].loc[ids].to_numpy(np.int64)

    def __call__(self, seed: int, tested: pd.DataFrame) -> dict[str, Any]:
        """What can be judged of the reference's run of `seed` on examples.

        Args:
            seed: of the reference.
            tested: `id` and `truth` of the examples.
        """
        folder, reference = self.reference.members[seed], self.reference
        if not (folder / runs.WEIGHTS).is_file():
            raise GatewiseError(
                f"{reference.origin}: its test data differ from the candidate's and its weights "
                "are missing, so like cannot be compared with like"
            )
        ids = tested["id"].tolist()
        self.asked += len(ids)
        predictor = Predictor.from_run(folder, reference.root / PREPARED)
        if self._alike():
            asked = self._from_prepared(ids)
        else:
            asked = [predictor.asked(item) for item in self._items(ids)]
        names = reference.card.labels
        return predictor.objective.judge(predictor.answered(asked), tested["truth"].tolist(), names)

    def _alike(self) -> bool:
        """Whether both front ends make the same sequences, so that prepared ones will do."""
        now, then = self.candidate, self.reference
        if now.card.front_end != then.card.front_end:
            return False
        if now.card.modality != "text":
            return True
        new, old = (snapshot.prepared / TOKENIZER for snapshot in (now, then))
        return new.read_bytes() == old.read_bytes()

    def _from_prepared(self, ids: list[str]) -> list[Asked]:
        if self._prepared is None:
            self._prepared = Prepared.open(self.candidate.prepared)
        prepared = self._prepared
        places = pd.Series(range(len(prepared.index)), index=prepared.index["id"]).loc[ids]
        targets = Targets(prepared)
        asked = []
        for place in places.to_numpy():
            start, length = (
                prepared.index["start"].iloc[place],
                prepared.index["length"].iloc[place],
            )
            sequence = np.asarray(prepared.sequences[start : start + length])
            (target,), lengths = targets.of(np.array([place]))
            asked.append(Asked(sequence, None if lengths is None else target))
        return asked

    def _items(self, ids: list[str]) -> list[Item]:
        """The examples as a user has them."""
        folder = self.candidate.root / RAW / self.candidate.task
        if not folder.is_dir():
            raise GatewiseError(
                f"{folder}: missing, and the front end changed, so the reference cannot be "
                "evaluated on new examples; run `dvc pull` or `dvc repro fetch`"
            )
        raw = Raw.open(folder)
        rows = raw.manifest.reset_index(drop=True)
        if raw.card.payload == "series":
            return [{"series": values} for values in series.histories(raw, ids)]
        places = pd.Series(rows.index, index=rows["id"]).loc[ids].to_numpy()
        if raw.card.payload == "text":
            with reading(raw.folder / DOCUMENTS, FETCH):
                texts = pd.read_parquet(raw.folder / DOCUMENTS, columns=["text"])["text"]
            return [{"text": text} for text in texts.iloc[places]]
        if raw.card.payload == "image":
            return [{"pixels": picture.pixels} for picture in Reader(raw).pictures(places)]
        if raw.card.payload == "frames":
            with reading(raw.folder / FRAMES, FETCH):
                frames = np.load(raw.folder / FRAMES, mmap_mode="r")
            ends = rows["n_samples"].cumsum().to_numpy()
            sizes = rows["n_samples"].to_numpy()
            return [{"frames": frames[ends[p] - sizes[p] : ends[p]]} for p in places]
        return [{"audio": raw.locate(rows["path"].iloc[p]).read_bytes()} for p in places]
