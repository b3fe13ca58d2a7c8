"""New recordings or documents: files that a source reads in place and DVC does not watch."""

from __future__ import annotations

from pathlib import Path

from gatewise.config import SourceOptions, Study
from gatewise.data import sources
from gatewise.errors import GatewiseError
from gatewise.files import digest, read_json, write_json

SEEN = Path(".gatewise/sources.json")
NAMED = 3  # paths that a sentence names


def changed(study: Study) -> dict[str, str]:
    """Tasks whose files look unlike those fetched last, with their path.

    Looks at names, sizes and times only; whether the content changed, fetching finds out. A
    path that is not there is left to DVC's cache.
    """
    known = _known()
    return {
        task: ", ".join(map(str, paths[:NAMED])) + (", ..." if len(paths) > NAMED else "")
        for task, paths in _paths(study).items()
        if paths[0].exists() and known.get(task) != _look(paths)
    }


def remember(study: Study, tasks: dict[str, str]) -> None:
    """Take the present files of `tasks` as fetched."""
    paths = _paths(study)
    known = _known()
    write_json(SEEN, {**known, **{task: _look(paths[task]) for task in tasks}})


def _known() -> dict[str, str]:
    try:
        return dict(read_json(SEEN))
    except (OSError, ValueError):
        return {}


def _paths(study: Study) -> dict[str, list[Path]]:
    """Files and folders that each source reads in place, where it names any."""
    paths = {task: _reads(config.source) for task, config in study.tasks.items()}
    return {task: some for task, some in paths.items() if some}


def _reads(source: SourceOptions) -> list[Path]:
    """What a source says that it reads; of others' sources `path` and `root`, if they have any."""
    try:
        return sources.reads(source) or _named(source)
    except GatewiseError:  # fetching will say what is wrong with them
        return _named(source)


def _named(source: SourceOptions) -> list[Path]:
    paths = []
    for name in ("path", "root"):
        value = getattr(source, name, None)
        if isinstance(value, str):
            paths.append(Path(value))
        elif isinstance(value, dict):
            paths += [Path(path) for path in value.values()]
    return paths


def _look(paths: list[Path]) -> str:
    files = [
        file
        for path in paths
        for file in (
            [path] if not path.is_dir() else sorted(p for p in path.rglob("*") if p.is_file())
        )
    ]
    return digest([_signs(file) for file in files])


def _signs(file: Path) -> list[str | int]:
    """What tells a file from another version of it; of one that is gone its name alone."""
    try:
        status = file.stat()
    except FileNotFoundError:
        return [file.as_posix()]
    return [file.as_posix(), status.st_size, status.st_mtime_ns]
