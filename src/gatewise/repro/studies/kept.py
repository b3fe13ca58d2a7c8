"""Studies side by side: the present one stands in the project's folder, the others in `studies/`.

    params.yaml, dvc.lock, seeds.lock, tuning.lock    of the present study
    studies/present                                   its name, once it has one
    studies/<name>/                                   the same four files of each study that is kept

They lie in a folder of their own, not under `docs/`, because they are the user's and are committed
with their results as the present study is. What a study computed needs no copy: DVC's cache has it
by `dvc.lock`, and finished runs are found under their keys.

Nothing is ever lost: a study that makes room is put away first, under its name or one that is made
from its tasks. A kill at any moment leaves all of it: files are written beside their place and
renamed, the name of a study that is on its way stands in `studies/present` with that of the one
that left, and the next command brings it in the rest of the way.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from gatewise.artifacts import tuning_lock
from gatewise.config import SEEDS_LOCK, suggest, yaml_file
from gatewise.config.study import LONGEST_NAME, NAME
from gatewise.errors import GatewiseError
from gatewise.files import replacing, try_lock
from gatewise.repro import leftovers

PARAMS, DVC_LOCK = "params.yaml", "dvc.lock"
FILES = (PARAMS, DVC_LOCK, SEEDS_LOCK, tuning_lock.FILE)
"""What a study is, beside what it computed."""
FOLDER = "studies"
PRESENT = "present"
_FRESH = {SEEDS_LOCK: "reached: 0\n", tuning_lock.FILE: f"{tuning_lock.HEADER}kept: {{}}\n"}
"""Locks of a study that has not run yet; the `plan` stage needs the files."""
_UNFINISHED = re.compile(r"(\S+) instead of (\S+)")


@dataclass(frozen=True)
class Kept:
    """A study of the project."""

    name: str
    tasks: tuple[str, ...]
    present: bool


def listing(root: str | Path = ".") -> list[Kept]:
    """All named studies by name, the present one among them."""
    root = Path(root)
    here = present(root)
    names = sorted({*_names(root), *([here] if here else [])})
    return [
        Kept(name, _tasks(root if name == here else root / FOLDER / name), name == here)
        for name in names
    ]


def present(root: str | Path = ".") -> str | None:
    """Name of the present study; `None` while it has none."""
    return _read_present(Path(root))[0]


def use(name: str, keep_as: str | None = None, root: str | Path = ".") -> str | None:
    """Put the present study away and bring another one back.

    Args:
        name: of the study that is wanted.
        keep_as: under which name the present one is kept; its own, or one made from its tasks,
            where that is left out.
        root: the project's folder.

    Returns:
        The name under which the study that was there is kept; `None` if `name` is there already.

    Raises:
        GatewiseError: there is no study `name`, another one has the name `keep_as`, or DVC is at
            work.
    """
    root = Path(root)
    with _alone(root):
        if name == present(root):
            return None
        if name not in _names(root):
            raise GatewiseError(f"no study is kept as {name!r}{_nearest(name, _names(root))}")
        left = _put_away(root, keep_as)
        _bring_in(root, name, left)
        return left


def begin(
    name: str, params: str, keep_as: str | None = None, root: str | Path = "."
) -> tuple[str, str | None]:
    """Put the present study away and let a new one take its place.

    Args:
        name: of the new study; a number is added where it is taken.
        params: the text of its `params.yaml`.
        keep_as: as for `use`.
        root: the project's folder.

    Returns:
        The new study's name, and the name under which the one that was there is kept; `None` for
        the latter if that is the same study already.

    Raises:
        GatewiseError: another study has the name `keep_as`, or DVC is at work.
    """
    root = Path(root)
    with _alone(root):
        here = present(root)
        if here and (root / PARAMS).read_text(encoding="utf-8") == params:
            return here, None
        left = _put_away(root, keep_as)
        name = _free(name, {*_names(root), left})
        with replacing(root / FOLDER / name) as folder:
            folder.mkdir()
            (folder / PARAMS).write_text(params, encoding="utf-8")
            for lock, text in _FRESH.items():
                (folder / lock).write_text(text, encoding="utf-8")
        _bring_in(root, name, left)
        return name, left


@contextmanager
def _alone(root: Path) -> Iterator[None]:
    """One change at a time, after any that was cut off has been brought to its end."""
    for needed in ("dvc.yaml", PARAMS):
        if not (root / needed).is_file():
            raise GatewiseError(f"{needed}: no such file; run from the project's folder")
    leftovers.require_idle(root)
    lock = try_lock(root / ".gatewise" / "studies.lock")
    if lock is None:
        raise GatewiseError("another process changes the present study; try again in a moment")
    with lock:
        _finish(root)
        yield


# --- putting away and bringing in ----------------------------------------------------------------


def _put_away(root: Path, keep_as: str | None) -> str:
    """Keep the present study; gives its name."""
    own = present(root)
    name = keep_as or own or _free("-".join(_tasks(root)) or "study", _names(root))
    if not NAME.fullmatch(name) or len(name) > LONGEST_NAME or name == PRESENT:
        raise GatewiseError(
            f"{name!r} cannot be a study's name: use lower-case letters, digits and single dashes"
        )
    if name != own and name in _names(root):
        raise GatewiseError(f"there is another study {name!r} already; keep this one as another")
    files = {file: root / file for file in FILES if (root / file).is_file()}
    with replacing(root / FOLDER / name) as folder:
        folder.mkdir()
        for file, path in files.items():
            (folder / file).write_bytes(path.read_bytes())
    return name


def _bring_in(root: Path, name: str, left: str) -> None:
    _write_present(root, f"{name} instead of {left}")
    _finish(root)


def _finish(root: Path) -> None:
    """Bring a study that is on its way in, if there is one.

    A file that is neither that of the study that left nor absent was changed since, and stays.
    """
    name, left = _read_present(root)
    if name is None or left is None:
        return
    for file in FILES:
        here = root / file
        if not here.exists() or _same(here, root / FOLDER / left / file):
            _copy(root / FOLDER / name / file, here)
    _write_present(root, name)


def _copy(source: Path, target: Path) -> None:
    """Make `target` what `source` is, absent included; locks that a stage needs are empty then."""
    if source.is_file():
        content = source.read_bytes()
    elif target.name in _FRESH:
        content = _FRESH[target.name].encode()
    else:
        target.unlink(missing_ok=True)
        return
    with replacing(target) as temporary:
        temporary.write_bytes(content)


def _same(one: Path, other: Path) -> bool:
    return other.is_file() and one.read_bytes() == other.read_bytes()


# --- names ---------------------------------------------------------------------------------------


def _names(root: Path) -> list[str]:
    folder = root / FOLDER
    if not folder.is_dir():
        return []
    return sorted(
        path.name
        for path in folder.iterdir()
        if NAME.fullmatch(path.name) and (path / PARAMS).is_file()
    )


def _read_present(root: Path) -> tuple[str | None, str | None]:
    """Name of the present study, and of the one that it is about to take the place of."""
    try:
        said = (root / FOLDER / PRESENT).read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return None, None
    unfinished = _UNFINISHED.fullmatch(said)
    name, left = unfinished.groups() if unfinished else (said, None)
    if not NAME.fullmatch(name) or (left is not None and not NAME.fullmatch(left)):
        raise GatewiseError(
            f"{FOLDER}/{PRESENT}: expected the name of the present study; remove the file, and "
            "the study is named anew when it is put away"
        )
    return name, left


def _write_present(root: Path, said: str) -> None:
    with replacing(root / FOLDER / PRESENT) as temporary:
        temporary.write_text(f"{said}\n", encoding="utf-8")


def _tasks(folder: Path) -> tuple[str, ...]:
    """Names of a study's tasks; none where they cannot be read, which is no reason to lose it."""
    try:
        said = yaml_file.read(folder / PARAMS)
        return tuple(str(task) for task in said["tasks"])
    except (FileNotFoundError, GatewiseError, KeyError, TypeError):
        return ()


def _free(wanted: str, taken: Iterable[str]) -> str:
    """`wanted`, shortened to a name, with a number behind it where it is taken."""
    cleaned = "-".join(re.findall(r"[a-z0-9]+", wanted.lower()))[: LONGEST_NAME - 5].strip("-")
    base = cleaned if cleaned and cleaned != PRESENT else "study"
    names, number, name = set(taken), 1, base
    while name in names:
        number += 1
        name = f"{base}-{number}"
    return name


def _nearest(name: str, names: list[str]) -> str:
    return suggest(name, names) if names else "; no study is kept"
