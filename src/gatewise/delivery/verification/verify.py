"""Executing runs again and saying how near the claimed results they come."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from gatewise import config
from gatewise.artifacts import plan, runs, tuned
from gatewise.artifacts.manifest import Raw
from gatewise.artifacts.plan import RunPlan
from gatewise.artifacts.prepared import Prepared
from gatewise.artifacts.runs import RunRecord
from gatewise.artifacts.tuned import Tuned, of_seed
from gatewise.config import Study
from gatewise.delivery.verification import excuses, locked_files, rerun
from gatewise.delivery.verification.committed_lock import present_stages
from gatewise.errors import GatewiseError
from gatewise.files import DamagedError, write_json
from gatewise.tracking import origin
from gatewise.training import instructions
from gatewise.training.instructions import Instructions

EXACT, NEAR, SPREAD, DIFFERENT = (
    "bit-exact",
    "within tolerance",
    "within the spread of seeds",
    "different",
)
LEVELS = (EXACT, NEAR, SPREAD, DIFFERENT)
METRIC_TOLERANCE = 0.005
"""Largest difference of a metric between two machines' results that counts as the same."""
SAME_ANSWERS = 0.99
"""Least share of test examples that must get the same answer."""


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
    orphans: list[str] = field(default_factory=list)
    """Stages in `dvc.lock` that the pipeline no longer has; nothing rests on them."""

    @property
    def exit_code(self) -> int:
        """1 where something is different without an excuse or forged, else 0."""
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
        exact: count anything less than the very bits as different.
        say: called with a sentence on what goes on.

    Raises:
        GatewiseError: there is nothing to verify, or a run cannot be executed.
    """
    study = config.load()
    mine = {
        record.name: (folder, record)
        for folder, record in runs.find("runs")
        if record.task in study.tasks
        and record.variant in study.variants
        and record.seed in study.seeds_of(record.task, record.variant)
    }
    if not mine:
        raise GatewiseError("runs/: no finished run of this study; run `dvc pull` or `dvc repro`")
    present, orphans = _present()
    forged = list(_claims(mine, present))
    for sentence in forged:
        say(f"forged or damaged: {sentence}")
    if orphans:
        say(
            f"not of this pipeline any more, and not looked at: {', '.join(orphans)}; "
            "`gatewise verify --drop-orphans` takes them out of dvc.lock"
        )
    names = list(chosen) or random.SystemRandom().sample(sorted(mine), min(sample, len(mine)))
    for name in names:
        if name not in mine:
            raise GatewiseError(f"{name}: no run of this study{config.suggest(name, mine)}")
    records = [record for _, record in mine.values()]
    spreads = {name: _spread(study, mine[name][1], records) for name in names}
    verified = _execute(study, [mine[name] for name in names], spreads, prepare, say)
    levels = [one.level for one in verified]
    if forged or (exact and any(level != EXACT for level in levels)):
        levels.append(DIFFERENT)
    level = max(levels, key=LEVELS.index, default=EXACT)
    return Outcome(level, verified, forged, len(mine), orphans)


def write(outcome: Outcome, path: str | Path = "reports/verify.json") -> None:
    """Write the outcome."""
    write_json(path, outcome.as_json())


def _present() -> tuple[dict[str, Any], list[str]]:
    """Stages of `dvc.lock` that the pipeline has now, and the names of those it has no more."""
    locked, names = origin.locked_stages(), present_stages()
    if names is None:
        return locked, []
    present = {name: stage for name, stage in locked.items() if name in names}
    return present, sorted(set(locked) - set(present))


def _claims(mine: dict[str, tuple[Path, RunRecord]], stages: Mapping[str, Any]) -> Iterator[str]:
    if stages:
        yield from locked_files.lock(stages)
    else:
        yield "dvc.lock: missing or empty, so nothing vouches for the outputs"
    for folder, record in mine.values():
        yield from locked_files.run(folder, record)


def _spread(study: Study, record: RunRecord, records: Sequence[RunRecord]) -> float:
    """How far the other seeds of the run's variant lie apart in the primary test metric.

    Without the run itself: a claim must not widen what is allowed to it.
    """
    scores = [
        other.metrics["test"][study.tasks[other.task].metric]
        for other in records
        if (other.task, other.variant) == (record.task, record.variant)
        and other.seed != record.seed
    ]
    return max(scores) - min(scores) if scores else 0.0


@dataclass(frozen=True)
class _PreparedAgain:
    """A task's data to train on, and what is wrong with what its card claims of them."""

    folder: Path
    differs: str = ""


def _execute(
    study: Study,
    members: list[tuple[Path, RunRecord]],
    spreads: Mapping[str, float],
    prepare: bool,
    say: Callable[[str], None],
) -> list[Verified]:
    if not members:
        return []
    with tempfile.TemporaryDirectory(prefix="gatewise-verify-") as holder:
        folder = Path(holder)
        prepared = {
            task: _prepared(study, task, folder, prepare, say)
            for task in sorted({record.task for _, record in members})
        }

        def train_again(mode: Instructions, some: list[tuple[Path, RunRecord]]) -> Path:
            processes = some[0][1].processes
            target = folder / (mode if processes == 1 else f"{mode}-{processes}")
            target.mkdir(exist_ok=True)
            names = ", ".join(record.name for _, record in some)
            say(f"executing {names} in {target}, {mode}")
            _rerun(study, some, prepared, target, mode)
            return target

        verified = []
        for claimed, processes in sorted({_kind(record) for _, record in members}):
            some = [member for member in members if _kind(member[1]) == (claimed, processes)]
            excuses_here = excuses.of_machine(claimed)
            target = train_again(excuses.computable(claimed), some)
            for original, record in some:
                spread = spreads[record.name]
                one = compare(original, record, target / record.name, excuses_here, spread)
                if one.level != EXACT and _may_be_portable(record):
                    again = train_again("portable", [(original, record)])
                    other = compare(original, record, again / record.name, excuses_here, spread)
                    one = _portable_instead(one, other)
                verified.append(_with_data(one, prepared[record.task].differs, excuses_here))
        return verified


def _kind(record: RunRecord) -> tuple[str, int]:
    """What runs have to have in common to be executed again by one process, or one group."""
    return record.instructions, record.processes


def _may_be_portable(record: RunRecord) -> bool:
    """Whether a native run may have come from a machine that has nothing beyond AVX2."""
    return record.instructions == "native" and excuses.computable("portable") == "portable"


def _portable_instead(native: Verified, portable: Verified) -> Verified:
    """The better of the two ways in which a native run was executed again."""
    if LEVELS.index(portable.level) < LEVELS.index(native.level):
        return Verified(portable.name, portable.level, ["executed portably", *portable.details])
    return native


def _with_data(one: Verified, differs: str, excuses_here: list[str]) -> Verified:
    if not differs:
        return one
    level = one.level if excuses_here else DIFFERENT
    return Verified(one.name, level, [differs, *one.details])


def _rerun(
    study: Study,
    members: list[tuple[Path, RunRecord]],
    prepared: Mapping[str, _PreparedAgain],
    target: Path,
    mode: Instructions,
) -> None:
    plans = {(p.task, p.variant): p for p in plan.lay_out(study)}
    choices = {pair: Tuned.read_if_made(tuned.path(*pair)) for pair in plans}
    jobs = [
        {
            "plan": _settled(plans, choices, record).model_dump(mode="json"),
            "seed": record.seed,
            "prepared": str(prepared[record.task].folder),
            "target": record.name,
        }
        for _, record in members
    ]
    processes = members[0][1].processes
    rerun.execute(jobs, target, study.execution.threads_per_run, mode, processes)


def _settled(
    plans: Mapping[tuple[str, str], RunPlan],
    choices: Mapping[tuple[str, str], Tuned | None],
    record: RunRecord,
) -> RunPlan:
    """The plan of a run with the settings that were chosen for it."""
    pair = record.task, record.variant
    return of_seed(plans[pair], choices[pair], record.seed)


def _prepared(
    study: Study, task: str, folder: Path, wanted: bool, say: Callable[[str], None]
) -> _PreparedAgain:
    """The prepared task, made again from raw data where that can be."""
    stored = Path("data/prepared", task).resolve()
    claimed = Prepared.open(stored).card.digest
    raw = Path("data/raw", task)
    if not wanted or not raw.is_dir():
        return _PreparedAgain(stored)
    from gatewise.data.preparation.build import prepare

    Raw.open(raw)
    say(f"preparing {task} again")
    instructions.require(excuses.computable(study.execution.instructions))
    again, _report = prepare(task, study.tasks[task], raw, folder / "data" / "prepared" / task)
    if again.card.digest == claimed:
        return _PreparedAgain(folder / "data" / "prepared" / task)
    return _PreparedAgain(
        stored,
        f"prepared again, {task} has the digest {again.card.digest[:12]}, its card claims "
        f"{claimed[:12]}",
    )


def compare(
    original: Path,
    record: RunRecord,
    folder: Path,
    machine: Sequence[str] = (),
    spread: float = 0.0,
) -> Verified:
    """How near the run in `folder` comes to what `record` claims.

    Args:
        original: the claimed run's folder.
        record: the claimed run's record.
        folder: the run that was executed again.
        machine: why this machine may give other bits (see `excuses.of_machine`).
        spread: how far the study's other seeds of this variant lie apart in the primary metric;
            what another machine gives may lie as far from the claim as another seed.
    """
    again = RunRecord.read(folder)
    same = {
        "weights": again.weights_sha256 == record.weights_sha256,
        "predictions": again.predictions_sha256 == record.predictions_sha256,
        "metrics": again.metrics == record.metrics,
    }
    if all(same.values()):
        return Verified(record.name, EXACT)
    details = [f"{what} differ" for what, equal in same.items() if not equal]
    apart = _apart(record, again, tuple(record.metrics))
    details.append(f"metrics apart by at most {apart:.4f}")
    agree = _same_answers(original, folder)
    details.append(f"{100 * agree:.1f} % of test examples get the same answer")
    reasons = [*machine, *excuses.of_record(record, again)]
    if not reasons:
        return Verified(record.name, DIFFERENT, [*details, "nothing excuses that"])
    details.append(f"expected, since {' and '.join(reasons)}")
    if apart <= METRIC_TOLERANCE and agree >= SAME_ANSWERS:
        return Verified(record.name, NEAR, details)
    if _apart(record, again, ("test",)) <= max(spread, METRIC_TOLERANCE):
        details.append(f"the other seeds lie {spread:.4f} apart")
        return Verified(record.name, SPREAD, details)
    return Verified(
        record.name, DIFFERENT, [*details, f"but the other seeds lie only {spread:.4f} apart"]
    )


def _apart(record: RunRecord, again: RunRecord, splits: Sequence[str]) -> float:
    """Largest difference of any metric but the loss."""
    return max(
        abs(again.metrics[split][name] - value)
        for split in splits
        for name, value in record.metrics[split].items()
        if name != "loss"
    )


def _same_answers(original: Path, folder: Path) -> float:
    """Share of test examples that get the same answer; 1 where predictions are not at hand."""
    if not (original / runs.PREDICTIONS).is_file():
        return 1.0
    try:
        old, new = (runs.read_predictions(path) for path in (original, folder))
    except DamagedError:
        return 0.0
    if len(old.ids) != len(new.ids):
        return 0.0
    return float(np.mean(old.kind.same(old.columns, new.columns)))
