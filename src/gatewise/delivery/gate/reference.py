"""What candidates are compared with: the champion, a revision of the project, or a folder."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from gatewise.artifacts import checkout, runs
from gatewise.artifacts.prepared import CARD, INDEX, TOKENIZER
from gatewise.artifacts.runs import RunRecord
from gatewise.delivery.gate import snapshot
from gatewise.delivery.gate.snapshot import PREPARED, RUNS, Snapshot
from gatewise.errors import GatewiseError
from gatewise.repro import dvc
from gatewise.tracking import content
from gatewise.tracking.registry import CHAMPION, OTHERWISE, Registry
from gatewise.tracking.store import Store

if TYPE_CHECKING:
    from mlflow.entities.model_registry import ModelVersion


@dataclass(frozen=True)
class References:
    """Snapshots that candidates are compared with."""

    name: str
    """In words: `champion`, `revision 1a2b3c4`, a folder."""
    is_champion: bool
    snapshots: Mapping[str, Mapping[str, Snapshot]]
    """By task and variant; of a champion there is one variant."""
    keys: Mapping[str, str] = field(default_factory=dict)
    """Key of the very run that is champion, by task."""

    def of(self, task: str) -> Mapping[str, Snapshot]:
        """A task's references by variant; none where there are none."""
        return self.snapshots.get(task, {})


@contextmanager
def opened(
    wanted: str, tasks: list[str], store: Store | None = None, root: str | Path = "."
) -> Iterator[References]:
    """The reference that a user names, for as long as the block runs.

    Args:
        wanted: `champion`, a folder or archive, or a revision of git.
        tasks: whose references.
        store: where champions are looked up.
        root: the project.

    Raises:
        GatewiseError: there is no such reference, or a part of it is missing.
    """
    path = Path(wanted)
    with tempfile.TemporaryDirectory(prefix="gatewise-") as temporary:
        if wanted == CHAMPION:
            if store is None:
                raise GatewiseError("champions are in the MLflow registry, which is switched off")
            yield _champions(tasks, store, Path(temporary))
        elif path.is_file():
            yield _folder(snapshot.unpack(path, Path(temporary)), tasks, str(path))
        elif path.is_dir():
            yield _folder(_as_project(path, Path(temporary)), tasks, str(path))
        else:
            commit = _commit(wanted, root)
            _fetch(root, commit, Path(temporary))
            yield _folder(Path(temporary), tasks, f"revision {commit[:9]}", revision=True)


def _folder(root: Path, tasks: list[str], name: str, *, revision: bool = False) -> References:
    """References below `root`.

    A folder or archive that somebody names is named to be compared with: a task that it lacks
    would pass unseen. A revision may lack one, which is new since.
    """
    snapshots = {task: snapshot.read(root, task, name) for task in tasks}
    lacking = [task for task in tasks if not snapshots[task]]
    if lacking and (not revision or len(lacking) == len(tasks)):
        there = sorted({record.task for _, record in runs.find(root / RUNS)})
        holds = f"runs of {', '.join(there)}" if there else "no run"
        raise GatewiseError(
            f"{name}: holds {holds}, but none of {', '.join(lacking)}; name a reference that has "
            "them, or the tasks to compare with --task"
        )
    return References(name, False, snapshots)


def _as_project(path: Path, temporary: Path) -> Path:
    """A run folder or a model folder as a project of that one run; a project as it is."""
    if not (path / runs.RECORD).is_file():
        if not (path / RUNS).is_dir():
            raise GatewiseError(
                f"{path}: neither a project (it has no {RUNS}/), nor a run, nor a model folder"
            )
        return path
    record = RunRecord.read(path)
    card = path if (path / CARD).is_file() else path.resolve().parents[3] / PREPARED / record.task
    _lay_out(record, path, card, temporary)
    return temporary


def _lay_out(record: RunRecord, run: Path, card: Path, temporary: Path) -> None:
    """Copy one run and its task's card to where a project has them."""
    target, prepared = temporary / RUNS / record.name, temporary / PREPARED / record.task
    target.mkdir(parents=True)
    prepared.mkdir(parents=True)
    for name in (runs.RECORD, runs.WEIGHTS, runs.PREDICTIONS):
        if (run / name).is_file():
            shutil.copy(run / name, target / name)
    for name in (CARD, TOKENIZER, INDEX):
        if (card / name).is_file():
            shutil.copy(card / name, prepared / name)
    if not (prepared / CARD).is_file():
        raise GatewiseError(f"{run}: its task's {CARD} is neither there nor in {card}")


# --- champions ---------------------------------------------------------------------------


def _champions(tasks: list[str], store: Store, temporary: Path) -> References:
    snapshots: dict[str, Mapping[str, Snapshot]] = {}
    keys = {}
    for task in tasks:
        registry = Registry(store, task)
        version = registry.version(CHAMPION)
        if version is None:
            continue
        snapshots[task] = _champion(registry, version, temporary)
        keys[task] = str(version.tags.get(content.KEY, ""))
    return References(CHAMPION, True, snapshots, keys)


def _champion(registry: Registry, version: ModelVersion, temporary: Path) -> dict[str, Snapshot]:
    """All seeds of a champion's variant, from the archive it carries; its model alone if none."""
    name = f"champion {registry.name} version {version.version}"
    folder = temporary / registry.task
    archive = registry.attached(version, temporary)
    if archive is not None:
        snapshot.unpack(archive, folder)
    else:
        address = f"models:/{registry.name}/{version.version}"
        data = registry.download(address, temporary / f"{registry.task}-model") / "data" / "model"
        if not (data / CARD).is_file():
            raise GatewiseError(
                f"{name}: its model is missing from the artifact store, or is no model of "
                f"gatewise; {OTHERWISE}"
            )
        _lay_out(RunRecord.read(data), data, data, folder)
    read = snapshot.read(folder, registry.task, name)
    if not read:
        raise GatewiseError(f"{name}: the archive it carries holds no run of {registry.task}")
    return read


def promote(
    registry: Registry,
    candidate: Snapshot,
    record: RunRecord,
    evidence: Mapping[str, str],
    reason: str,
) -> str:
    """Register a run with all that a later gate needs, and make it champion.

    Doing it twice changes nothing.

    Args:
        registry: of the task.
        candidate: the variant's runs, all of which the version carries.
        record: the one to register.
        evidence: tags.
        reason: why.

    Returns:
        The version.
    """
    version = registry.offer(record, evidence)
    attach(registry, version, candidate)
    champion = registry.version(CHAMPION)
    if champion is None or champion.version != version.version:
        registry.promote(version, reason)
    return str(version.version)


def attach(registry: Registry, version: ModelVersion, candidate: Snapshot) -> None:
    """Let a version carry all seeds of its variant, so that a later gate can compare them all."""
    with tempfile.TemporaryDirectory() as temporary:
        registry.attach(version, snapshot.pack(candidate, Path(temporary, "reference.zip")))


# --- revisions ---------------------------------------------------------------------------


def _commit(wanted: str, root: str | Path) -> str:
    commit = checkout.commit(root, wanted)
    if commit is not None:
        return commit
    shallow = checkout.shallow(root)
    if shallow:
        raise GatewiseError(
            f"{wanted}: not in this clone, which is shallow; fetch the whole history "
            "(`git fetch --unshallow`, or fetch-depth: 0 in CI)"
        )
    if shallow is None:
        raise GatewiseError(f"{wanted}: no such file or folder, and this is no git repository")
    raise GatewiseError(f"{wanted}: neither champion, nor a file or folder, nor a git revision")


def _fetch(root: str | Path, commit: str, target: Path) -> None:
    """Bring runs and prepared data of a revision, from DVC's cache or remote."""
    for what in (RUNS, PREPARED):
        (target / what).parent.mkdir(parents=True, exist_ok=True)
        try:
            dvc.get(Path(root).resolve(), what, commit, target / what)
        except dvc.DvcError as error:
            raise GatewiseError(
                f"revision {commit[:9]}: {what} cannot be had ({error}); `dvc push` it from where "
                "it is, or gate against a folder"
            ) from None
