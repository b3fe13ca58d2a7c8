"""Executing runs again and saying how near the claimed results they come."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from gatewise import config
from gatewise.artifacts import plan, runs
from gatewise.artifacts.manifest import Raw
from gatewise.artifacts.prepared import Prepared
from gatewise.artifacts.runs import RunRecord
from gatewise.config import Study
from gatewise.delivery.verification import locked_files, rerun
from gatewise.errors import GatewiseError
from gatewise.files import write_json
from gatewise.tracking import origin

EXACT, NEAR, DIFFERENT = "bit-exact", "within tolerance", "different"
LEVELS = (EXACT, NEAR, DIFFERENT)
METRIC_TOLERANCE = 0.005
"""Largest difference of a metric between two machines' results that counts as the same."""
SAME_LABELS = 0.99
"""Least share of test examples that must get the same label."""


@dataclass
class Verified:
    """One run, executed again."""

    name: str
    level: str
    details: list[str] = field(default_factory=list)


@dataclass
class Outcome:
    """A verification."""

    level: str
    runs: list[Verified]
    forged: list[str]
    """Claims of `dvc.lock` and `run.json` that the files do not bear out."""
    checked: int
    """Runs whose files were checked."""

    @property
    def exit_code(self) -> int:
        """0 where all is bit-exact or within tolerance, else 1."""
        return int(self.level == DIFFERENT)

    def as_json(self) -> dict[str, Any]:
        """Plain data for `reports/verify.json`."""
        return {**asdict(self), "exit_code": self.exit_code}


def verify(
    sample: int,
    chosen: Sequence[str] = (),
    *,
    prepare: bool = True,
    exact: bool = False,
    say: Callable[[str], None] = print,
) -> Outcome:
    """Check all claims, then execute some runs of the working directory's study again.

    Args:
        sample: how many runs to execute, drawn at random.
        chosen: execute these (`task/variant/seed-n`) instead.
        prepare: also prepare the data again from the raw folder, where it is there.
        exact: count a result within tolerance as different.
        say: told what goes on.

    Raises:
        GatewiseError: there is nothing to verify, or a run cannot be executed.
    """
    study = config.load()
    everything = {record.name: (folder, record) for folder, record in runs.find("runs")}
    mine = {
        name: found
        for name, found in everything.items()
        if found[1].task in study.tasks
        and found[1].variant in study.variants
        and found[1].seed in study.seed_list
    }
    if not mine:
        raise GatewiseError("runs/: no finished run of this study; run `dvc pull` or `dvc repro`")
    forged = list(_claims(mine))
    for sentence in forged:
        say(f"forged or damaged: {sentence}")
    names = list(chosen) or random.SystemRandom().sample(sorted(mine), min(sample, len(mine)))
    for name in names:
        if name not in mine:
            raise GatewiseError(f"{name}: no run of this study{config.suggest(name, mine)}")
    verified = _execute(study, [mine[name] for name in names], prepare, say)
    levels = [one.level for one in verified]
    if forged or (exact and NEAR in levels):
        levels.append(DIFFERENT)
    level = max(levels, key=LEVELS.index, default=EXACT)
    return Outcome(level, verified, forged, len(mine))


def write(outcome: Outcome, path: str | Path = "reports/verify.json") -> None:
    """Write the outcome."""
    write_json(path, outcome.as_json())


def _claims(mine: dict[str, tuple[Path, RunRecord]]) -> list[str]:
    stages = origin.locked_stages()
    found = []
    if stages:
        found += list(locked_files.lock(stages))
    else:
        found.append("dvc.lock: missing or empty, so nothing vouches for the outputs")
    for folder, record in mine.values():
        found += list(locked_files.run(folder, record))
    return found


def _execute(
    study: Study,
    members: list[tuple[Path, RunRecord]],
    prepare: bool,
    say: Callable[[str], None],
) -> list[Verified]:
    if not members:
        return []
    plans = {(p.task, p.variant): p for p in plan.lay_out(study)}
    with tempfile.TemporaryDirectory(prefix="gatewise-verify-") as holder:
        folder = Path(holder)
        prepared = {
            task: _prepared(study, task, folder, prepare, say)
            for task in sorted({record.task for _, record in members})
        }
        jobs = [
            {
                "plan": plans[record.task, record.variant].model_dump(mode="json"),
                "seed": record.seed,
                "prepared": str(prepared[record.task][0]),
                "target": record.name,
            }
            for _, record in members
        ]
        say(f"executing {', '.join(record.name for _, record in members)} in {folder}")
        rerun.execute(jobs, folder, study.execution.threads_per_run)
        found = []
        for original, record in members:
            one = compare(original, record, folder / record.name)
            note = prepared[record.task][1]
            if note:
                one = Verified(one.name, DIFFERENT, [note, *one.details])
            found.append(one)
        return found


def _prepared(
    study: Study, task: str, folder: Path, wanted: bool, say: Callable[[str], None]
) -> tuple[Path, str]:
    """The prepared task, made again from raw data where that can be, and what is wrong with it."""
    stored = Path("data/prepared", task).resolve()
    claimed = Prepared.open(stored).card.digest
    raw = Path("data/raw", task)
    if not wanted or not raw.is_dir():
        return stored, ""
    from gatewise.data.preparation.build import prepare

    Raw.open(raw)
    say(f"preparing {task} again")
    again, _report = prepare(task, study.tasks[task], raw, folder / "data" / "prepared" / task)
    if again.card.digest == claimed:
        return folder / "data" / "prepared" / task, ""
    return stored, (
        f"prepared again, {task} has the digest {again.card.digest[:12]}, its card claims "
        f"{claimed[:12]}"
    )


def compare(original: Path, record: RunRecord, folder: Path) -> Verified:
    """How near the run in `folder` comes to what `record` claims."""
    again = RunRecord.read(folder)
    same = {
        "weights": again.weights_sha256 == record.weights_sha256,
        "predictions": again.predictions_sha256 == record.predictions_sha256,
        "metrics": again.metrics == record.metrics,
    }
    if all(same.values()):
        return Verified(record.name, EXACT)
    details = [f"{what} differ" for what, equal in same.items() if not equal]
    apart = max(
        abs(again.metrics[split][name] - value)
        for split, values in record.metrics.items()
        for name, value in values.items()
        if name != "loss"
    )
    details.append(f"metrics apart by at most {apart:.4f}")
    near = apart <= METRIC_TOLERANCE
    if (original / runs.PREDICTIONS).is_file():
        old, new = runs.read_predictions(original), runs.read_predictions(folder)
        agree = len(old) == len(new) and float(
            np.mean(old["predicted"].to_numpy() == new["predicted"].to_numpy())
        )
        details.append(f"{100 * agree:.1f} % of test examples get the same label")
        near = near and agree >= SAME_LABELS
    if again.versions != record.versions:
        changed = [k for k in record.versions if again.versions.get(k) != record.versions[k]]
        details.append(f"other versions of {', '.join(changed) or 'some libraries'}")
    return Verified(record.name, NEAR if near else DIFFERENT, details)
