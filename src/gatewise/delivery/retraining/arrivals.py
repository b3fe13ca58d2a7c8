"""New recordings or documents: files that a source reads in place and DVC does not watch."""

from __future__ import annotations

from pathlib import Path

from gatewise.config import Study
from gatewise.files import digest, read_json, write_json

SEEN = Path(".gatewise/sources.json")


def changed(study: Study) -> dict[str, str]:
    """Tasks whose files look unlike those fetched last, with their path.

    Looks at names, sizes and times only; whether the content changed, fetching finds out. A
    path that is not there is left to DVC's cache.
    """
    known = _known()
    return {
        task: ", ".join(map(str, paths))
        for task, paths in _paths(study).items()
        if all(path.exists() for path in paths) and known.get(task) != _look(paths)
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
    paths = {}
    for task, config in study.tasks.items():
        path = getattr(config.source, "path", None)
        if isinstance(path, str):
            paths[task] = [Path(path)]
        elif isinstance(path, dict):
            paths[task] = [Path(name) for name in path.values()]
    return paths


def _look(paths: list[Path]) -> str:
    files = [
        file
        for path in paths
        for file in (
            [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file())
        )
    ]
    return digest([[p.as_posix(), p.stat().st_size, p.stat().st_mtime_ns] for p in files])
