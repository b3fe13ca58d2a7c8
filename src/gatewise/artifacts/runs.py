"""The run folder `runs/<task>/<variant>/seed-<n>/`: what training leaves and evidence reads.

`weights.safetensors`, `curves.csv` (a row an epoch), `predictions.parquet` (a row a test
example: `id, group` and the columns of the task's objective) and `run.json`, the record below.
Nothing in it depends on the clock, so equal inputs give equal bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field

from gatewise.artifacts import csv_tables, digests, predictions
from gatewise.artifacts.document import Part, read_model
from gatewise.artifacts.plan import OwnSettings
from gatewise.artifacts.predictions import Predictions
from gatewise.config import Augment, Count, SplitConfig, TrainConfig, VariantConfig
from gatewise.config.strict import Threads
from gatewise.errors import GatewiseError
from gatewise.files import DamagedError, read_json, reading, write_json

if TYPE_CHECKING:
    import pandas as pd

WEIGHTS = "weights.safetensors"
CURVES = "curves.csv"
PREDICTIONS = "predictions.parquet"
RECORD = "run.json"
DIVERGED = "diverged.json"
"""Beside the seeds of a variant: those whose training diverged, each with the reason."""


class RunData(Part):
    """What a run was trained and scored on."""

    digest: str
    """Of the prepared task."""
    examples: dict[str, int] = Field(default_factory=dict)
    """Examples of each split."""
    test_groups: tuple[str, ...] = ()
    """Groups that were held out for the test, the first of them."""


class RunRecord(Part):
    """`run.json`."""

    task: str
    variant: str
    seed: int
    key: str
    """sha256 of everything that determines the run: plan, data, seed, software."""
    plan_sha256: str
    """Of the plan, which all seeds share but for `own` settings."""
    own: OwnSettings | None = None
    """Settings that this seed chose for itself (`tuning.per: seed`)."""
    software_sha256: str
    """Of the sources, libraries and kind of processor that decide the run."""
    config: VariantConfig
    """The variant with its width solved."""
    budget: str
    """How the width came about, in words."""
    kernel: str
    """What computed the recurrence: `fused` or `unrolled`."""
    parameters: int
    """Trainable parameters of the whole model."""
    recurrent_parameters: int
    """Those of the recurrence alone, which `match: {parameters: ...}` compares."""
    macs_per_step: int
    """Multiply-accumulates of the recurrence for one step of one sequence."""
    train: TrainConfig
    """Training settings as used."""
    split: SplitConfig
    """How examples were divided, where their source publishes no split."""
    augment: Augment | None
    """What was done to training clips."""
    metric: str
    """Primary metric: it chose the epoch."""
    threads: Threads
    """Of each process."""
    processes: Count = 1
    """Processes that trained it together, each on its share of every batch."""
    instructions: str = "native"
    """What computed: `portable` or `native` (also on processors that are no x86-64, whatever was
    asked for)."""
    accelerator: str
    precision: str
    compile: bool = False
    """Whether `torch.compile` fused the step of an unrolled cell."""
    epochs_run: int
    best_epoch: int
    """Epoch, counted from 1, whose weights were kept."""
    metrics: dict[str, dict[str, float]]
    """`loss` and every metric of the objective for each of `train`, `validation`, `test`."""
    weights_sha256: str
    """Over the tensors in name order; independent of how a file lays them out."""
    predictions_sha256: str
    data: RunData
    versions: dict[str, str]

    @property
    def name(self) -> str:
        """`<task>/<variant>/seed-<n>`, as folders and MLflow runs are called."""
        return f"{self.task}/{self.variant}/seed-{self.seed}"

    def write(self, folder: str | Path) -> None:
        """Write `run.json` into `folder`."""
        write_json(Path(folder) / RECORD, self.model_dump(mode="json"))

    @classmethod
    def read(cls, folder: str | Path) -> RunRecord:
        """Read `run.json` from `folder`.

        Raises:
            GatewiseError: it is missing or not a record of this version.
        """
        return read_model(cls, Path(folder) / RECORD, "train")


def find(root: str | Path = "runs", task: str = "*") -> Iterator[tuple[Path, RunRecord]]:
    """All finished runs below `root`, or those of one task, in order of task, variant, seed."""
    folders = [path.parent for path in Path(root).glob(f"{task}/*/seed-*/{RECORD}")]
    folders.sort(key=lambda f: (f.parent.parent.name, f.parent.name, int(f.name[5:])))
    for folder in folders:
        yield folder, RunRecord.read(folder)


def read_diverged(variant: str | Path) -> dict[int, str]:
    """Seeds whose training diverged, with the reason, of a folder `runs/<task>/<variant>/`."""
    try:
        return {int(seed): str(why) for seed, why in read_json(Path(variant) / DIVERGED).items()}
    except FileNotFoundError:
        return {}


def read_curves(folder: str | Path) -> pd.DataFrame:
    """Curves of one run, a row an epoch, counted from 1.

    Raises:
        DamagedError: it cannot be read.
    """
    return csv_tables.read(Path(folder) / CURVES, ["epoch"], remedy(folder))


def read_predictions(folder: str | Path) -> Predictions:
    """Test predictions of one run.

    Raises:
        DamagedError: they cannot be read.
    """
    path = Path(folder) / PREDICTIONS
    with reading(path, remedy(folder)):
        return predictions.read(path)


def check(folder: str | Path, record: RunRecord, mend: str = "") -> None:
    """See that weights and predictions are those that `record` names.

    Args:
        folder: run folder.
        record: its record.
        mend: what to do if they are not; the stage is named that makes them anew when left out.

    Raises:
        DamagedError: one of them is not, or cannot be read.
        GatewiseError: one of them is missing.
    """
    check_weights(folder, record, mend)
    check_predictions(folder, record, mend)


def check_present(folder: str | Path, record: RunRecord) -> None:
    """As `check`, of a run of which a part may be elsewhere (not pulled).

    Raises:
        DamagedError: what is there is not what the record names.
    """
    if (Path(folder) / WEIGHTS).exists():
        check_weights(folder, record)
    if (Path(folder) / PREDICTIONS).exists():
        check_predictions(folder, record)


def check_weights(folder: str | Path, record: RunRecord, mend: str = "") -> None:
    """See that the weights are those that `record` names; arguments as for `check`.

    Raises:
        DamagedError: they are not, or cannot be read.
        GatewiseError: they are missing.
    """
    from safetensors.numpy import load_file

    path = Path(folder) / WEIGHTS
    mend = mend or remedy(folder)
    with _present(path, mend), reading(path, mend):
        found = digests.of_weights(load_file(path))
    require_same(path, found, record.weights_sha256, mend)


def check_predictions(folder: str | Path, record: RunRecord, mend: str = "") -> None:
    """See that the predictions are those that `record` names; arguments as for `check`.

    Raises:
        DamagedError: they are not, or cannot be read.
        GatewiseError: they are missing.
    """
    path = Path(folder) / PREDICTIONS
    mend = mend or remedy(folder)
    with _present(path, mend), reading(path, mend):
        found = predictions.read(path).digest
    require_same(path, found, record.predictions_sha256, mend)


def require_same(path: Path, found: str, claimed: str, mend: str) -> None:
    """Refuse what is not what a record names.

    Raises:
        DamagedError: the digests differ.
    """
    if found != claimed:
        raise DamagedError(
            f"{path}: damaged: its content has the digest {found[:12]}, {RECORD} names "
            f"{claimed[:12]}; {mend}"
        )


def remedy(folder: str | Path) -> str:
    """What mends a damaged run: the stage that made it takes a sound copy, or trains it anew."""
    task, variant = Path(folder).resolve().parts[-3:-1]
    return f"`dvc repro -f train@{task}-{variant}` makes it anew"


@contextmanager
def _present(path: Path, mend: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise GatewiseError(f"{path}: missing; run `dvc pull`, or {mend}") from None
