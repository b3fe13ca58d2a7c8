"""What a candidate stands against: the champion, a revision of the project, or a folder."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from gatewise.artifacts import runs
from gatewise.artifacts.prepared import CARD, INDEX, TOKENIZER
from gatewise.artifacts.runs import RunRecord
from gatewise.delivery.gate import snapshot
from gatewise.delivery.gate.snapshot import PREPARED, RUNS, Side
from gatewise.errors import GatewiseError
from gatewise.repro import dvc
from gatewise.tracking import registry
from gatewise.tracking.registry import CHAMPION, Registry
from gatewise.tracking.store import Store

if TYPE_CHECKING:
    from mlflow.entities.model_registry import ModelVersion


@dataclass
class Against:
    """References by task."""

    name: str
    """In words: `champion`, `revision 1a2b3c4`, a folder."""
    is_champion: bool
    sides: Mapping[str, dict[str, Side]]
    """By task and variant; the champion is one variant."""
    versions: Mapping[str, str] = field(default_factory=dict)
    """Version of each task's champion."""
    keys: Mapping[str, str] = field(default_factory=dict)
    """Key of the very run that is champion, by task."""


@contextmanager
def opened(
    wanted: str, tasks: list[str], store: Store | None = None, root: str | Path = "."
) -> Iterator[Against]:
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
    with tempfile.TemporaryDirectory(prefix="gatewise-") as holder:
        if wanted == CHAMPION:
            if store is None:
                raise GatewiseError("champions are in the MLflow registry, which is switched off")
            yield _champions(tasks, store, Path(holder))
        elif path.is_file():
            yield _folder(snapshot.unpack(path, Path(holder)), tasks, str(path))
        elif path.is_dir():
            yield _folder(_as_project(path, Path(holder)), tasks, str(path))
        else:
            commit = _commit(wanted, root)
            _get(root, commit, Path(holder))
            yield _folder(Path(holder), tasks, f"revision {commit[:9]}")


def _folder(root: Path, tasks: list[str], name: str) -> Against:
    return Against(name, False, {task: snapshot.read(root, task, name) for task in tasks})


def _as_project(path: Path, holder: Path) -> Path:
    """A run folder or a model folder as a project of that one run; a project as it is."""
    if not (path / runs.RECORD).is_file():
        if not (path / RUNS).is_dir():
            raise GatewiseError(
                f"{path}: neither a project (it has no {RUNS}/), nor a run, nor a model folder"
            )
        return path
    record = RunRecord.read(path)
    card = path if (path / CARD).is_file() else path.resolve().parents[3] / PREPARED / record.task
    _lay_out(record, path, card, holder)
    return holder


def _lay_out(record: RunRecord, run: Path, card: Path, holder: Path) -> None:
    """Copy one run and its task's card to where a project has them."""
    target, prepared = holder / RUNS / record.name, holder / PREPARED / record.task
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


def _champions(tasks: list[str], store: Store, holder: Path) -> Against:
    sides: dict[str, dict[str, Side]] = {}
    versions, keys = {}, {}
    for task in tasks:
        models = Registry(store, task)
        version = models.version(CHAMPION)
        if version is None:
            sides[task] = {}
            continue
        name = f"champion {models.name} version {version.version}"
        versions[task] = str(version.version)
        keys[task] = str(version.tags.get("gatewise.key", ""))
        folder = holder / task
        archive = models.attached(version, holder)
        if archive is not None:
            snapshot.unpack(archive, folder)
        else:
            found = models.download(f"models:/{models.name}/{version.version}", holder / "model")
            data = found / "data" / "model"
            if not (data / CARD).is_file():
                raise GatewiseError(
                    f"{name}: its model is missing from the artifact store, or is no model of "
                    f"gatewise; {registry.OTHERWISE}"
                )
            _lay_out(RunRecord.read(data), data, data, folder)
        sides[task] = snapshot.read(folder, task, name)
        if not sides[task]:
            raise GatewiseError(f"{name}: the archive it carries holds no run of {task}")
    return Against(CHAMPION, True, sides, versions, keys)


def crown(
    models: Registry, candidate: Side, record: RunRecord, evidence: Mapping[str, str], reason: str
) -> str:
    """Register a run with all that a later gate needs, and make it champion.

    Doing it twice changes nothing.

    Args:
        models: the registry.
        candidate: the variant's runs, all of which the version carries.
        record: the one to register.
        evidence: tags.
        reason: why.

    Returns:
        The version.
    """
    version = models.offer(record, evidence)
    attach(models, version, candidate)
    now = models.version(CHAMPION)
    if now is None or now.version != version.version:
        models.crown(version, reason)
    return str(version.version)


def attach(models: Registry, version: ModelVersion, candidate: Side) -> None:
    """Let a version carry all seeds of its variant, so that a later gate can compare them all."""
    with tempfile.TemporaryDirectory() as holder:
        models.attach(version, snapshot.pack(candidate, Path(holder, "reference.zip")))


# --- revisions ---------------------------------------------------------------------------


def _commit(wanted: str, root: str | Path) -> str:
    done = _git(root, "rev-parse", "--verify", "--quiet", f"{wanted}^{{commit}}")
    if done.returncode == 0:
        return done.stdout.strip()
    shallow = _git(root, "rev-parse", "--is-shallow-repository")
    if shallow.stdout.strip() == "true":
        raise GatewiseError(
            f"{wanted}: not in this clone, which is shallow; fetch the whole history "
            "(`git fetch --unshallow`, or fetch-depth: 0 in CI)"
        )
    if shallow.returncode != 0:
        raise GatewiseError(f"{wanted}: no such file or folder, and this is no git repository")
    raise GatewiseError(f"{wanted}: neither champion, nor a file or folder, nor a git revision")


def _get(root: str | Path, commit: str, target: Path) -> None:
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


def _git(root: str | Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["git", "-C", str(root), *arguments], capture_output=True, text=True, check=False
    )
