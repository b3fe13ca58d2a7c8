"""What the gate compares: a variant's finished runs and the prepared task they belong to.

The candidate is read from the project's own folder. A reference is read from any folder laid
out like one (another checkout, a revision fetched into a temporary folder, the archive that a
champion carries), which need not hold the sequences: a summary of the training data will do.
"""

from __future__ import annotations

import functools
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from gatewise.artifacts import runs, splits
from gatewise.artifacts.manifest import MANIFEST
from gatewise.artifacts.prepared import CARD, INDEX, SEQUENCES, TOKENIZER, Prepared, TaskCard
from gatewise.artifacts.runs import RunRecord
from gatewise.delivery.gate import archives, data_summary
from gatewise.errors import GatewiseError
from gatewise.files import reading, replacing
from gatewise.tracking import logged_models

RUNS, PREPARED, RAW, SUMMARY = "runs", "data/prepared", "data/raw", "data/summary"


@dataclass(frozen=True)
class Snapshot:
    """A variant's runs on a task, with what is known of their data."""

    origin: str
    """Where they come from, in words."""
    root: Path
    task: str
    variant: str
    members: dict[int, Path]
    """Run folders by seed."""

    @functools.cached_property
    def card(self) -> TaskCard:
        """The prepared task's card."""
        path = self.prepared / CARD
        if not path.is_file():
            raise GatewiseError(f"{self.origin}: {path.name} of {self.task} is missing")
        return TaskCard.read(path)

    @property
    def remedy(self) -> str:
        """What to do about a damaged file; empty for this study's own, which says so itself."""
        return "" if self.root == Path() else "take it again from where it was made"

    @functools.cached_property
    def records(self) -> dict[int, RunRecord]:
        """Run records by seed."""
        return {seed: RunRecord.read(folder) for seed, folder in self.members.items()}

    @property
    def prepared(self) -> Path:
        """The prepared task, perhaps without its sequences."""
        return self.root / PREPARED / self.task

    @functools.cached_property
    def index(self) -> pd.DataFrame | None:
        """The prepared task's index, with labels by name."""
        path = self.prepared / INDEX
        if not path.is_file():
            return None
        with reading(path, self.remedy or "run `dvc repro -f prepare`"):
            index = pd.read_parquet(path)
        return index.assign(label=self.card.named(index["label"].to_numpy()))

    @functools.cached_property
    def contents(self) -> dict[str, str]:
        """Digest of each example's raw content by id; empty where it is not known."""
        path = self.root / RAW / self.task / MANIFEST
        if not path.is_file():
            return {}
        with reading(path, self.remedy or "run `dvc repro -f fetch`"):
            table = pd.read_parquet(path, columns=["id", "sha256"])
        return dict(zip(table["id"], table["sha256"], strict=True))

    @functools.cached_property
    def summary(self) -> pd.DataFrame | None:
        """A few numbers of each training sequence, for tests of drift."""
        kept = self.root / SUMMARY / f"{self.task}.parquet"
        if kept.is_file():
            with reading(kept, self.remedy):
                return pd.read_parquet(kept)
        if (self.prepared / SEQUENCES).is_file():
            return data_summary.summarise(Prepared.open(self.prepared))
        return None

    @property
    def record(self) -> RunRecord:
        """Any of the records, for what is the same for all seeds."""
        return next(iter(self.records.values()))

    def best(self, metric: str) -> RunRecord:
        """The seed that scores best on validation."""
        members = [(folder, self.records[seed]) for seed, folder in self.members.items()]
        return logged_models.best(members, metric)[1]

    def split(self, seed: int) -> pd.Series[str] | None:
        """Split of each example by id, as the run of `seed` had it."""
        if self.index is None:
            return None
        return pd.Series(splits.of(self.card, self.index, seed), index=self.index["id"])


def read(root: str | Path, task: str, origin: str) -> dict[str, Snapshot]:
    """All variants of a task below `root`.

    Raises:
        GatewiseError: a run record is unreadable.
    """
    root = Path(root)
    folders: dict[str, dict[int, Path]] = {}
    for folder, record in runs.find(root / RUNS):
        if record.task == task:
            folders.setdefault(record.variant, {})[record.seed] = folder
    return {
        variant: Snapshot(origin, root, task, variant, members)
        for variant, members in folders.items()
    }


def pack(snapshot: Snapshot, target: str | Path) -> Path:
    """Write what a later gate needs of `snapshot` into one archive: all seeds, no sequences.

    Equal snapshots give equal bytes.

    Raises:
        GatewiseError: a file is missing, or not what its run's record names.
    """
    for seed, folder in snapshot.members.items():
        runs.check(folder, snapshot.records[seed], snapshot.remedy)
    target = Path(target)
    with replacing(target) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for folder in snapshot.members.values():
            for name in (runs.RECORD, runs.WEIGHTS, runs.PREDICTIONS):
                _add(archive, snapshot.root, folder / name)
        for name in (CARD, INDEX, TOKENIZER):
            if (snapshot.prepared / name).is_file():
                _add(archive, snapshot.root, snapshot.prepared / name)
        manifest = snapshot.root / RAW / snapshot.task / MANIFEST
        if manifest.is_file():
            _add(archive, snapshot.root, manifest)
        if snapshot.summary is not None:
            entry = zipfile.ZipInfo(f"{SUMMARY}/{snapshot.task}.parquet")
            archive.writestr(entry, snapshot.summary.to_parquet(index=False))
    return target


def unpack(archive: str | Path, folder: Path) -> Path:
    """Lay out in `folder` what `pack` packed; returns `folder`.

    Raises:
        GatewiseError: it is damaged, no such archive, or holds what no archive of runs does.
    """
    archives.unpack(archive, folder)
    return folder


def _add(archive: zipfile.ZipFile, root: Path, path: Path) -> None:
    entry = zipfile.ZipInfo(path.relative_to(root).as_posix())  # of no date
    entry.compress_type = zipfile.ZIP_DEFLATED
    try:
        archive.writestr(entry, path.read_bytes())
    except FileNotFoundError:
        raise GatewiseError(f"{path}: missing; run `dvc pull` or `dvc repro`") from None
