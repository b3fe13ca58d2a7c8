"""DVC's caches of file states, for experiments in folders of their own as well.

`.dvc/config` keeps them in the checkout by a relative path, which DVC takes as relative to the
working directory. `dvc exp run --temp` and `--queue` go on in a folder of their own and then no
longer find what they opened. DVC hands them the local configuration, so the absolute path goes
there.
"""

from __future__ import annotations

from configparser import RawConfigParser
from pathlib import Path

from gatewise.repro import dvc

FOLDER = Path(".gatewise/dvc-site")
KEY = "core.site_cache_dir"


def settle() -> None:
    """Write the absolute path; a place that somebody chose stays."""
    here = str(FOLDER.resolve())
    shared, local = (_chosen(Path(".dvc", name)) for name in ("config", "config.local"))
    if shared != FOLDER.as_posix() or local == here:
        return
    if local is not None and not local.endswith(f"/{FOLDER.as_posix()}"):
        return
    # None yet, or that of the place that this checkout was moved or copied from.
    dvc.call("config", "--local", KEY, here, quiet=True)


def _chosen(file: Path) -> str | None:
    """The place that a configuration file of DVC's names."""
    known = RawConfigParser(strict=False)
    known.read(file, encoding="utf-8")
    section, option = KEY.split(".")
    return known.get(section, option, fallback=None)
