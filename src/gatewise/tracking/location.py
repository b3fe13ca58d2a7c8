"""Where a local store's artifacts lie: beside its database, wherever that has been moved.

MLflow writes absolute addresses of artifacts into its database. A project that is moved or copied
takes them along, and everything would go on being written to its old place.
"""

from __future__ import annotations

import contextlib
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

from gatewise.errors import GatewiseError

ARTIFACTS = "mlartifacts"
"""Folder beside the database."""
ADDRESSES = ("location", "uri", "source", "path")
"""Parts of the names of columns that hold addresses of artifacts."""
BUSY_SECONDS = 60


def of_experiment(database: Path, name: str) -> str:
    """Address of an experiment's artifacts: below the folder of its database."""
    return (database.resolve().parent / ARTIFACTS / name).as_uri()


def mend(database: Path) -> None:
    """Let a store's artifacts lie beside its database again, and say so.

    Of a store that was never moved nothing is read but its experiments.

    Raises:
        GatewiseError: the database was copied without its artifacts.
    """
    home = database.resolve().parent
    elsewhere = [place for place in _homes(database) if place != home]
    for place in elsewhere:
        _require_artifacts(database, home, place)
        moved = _rewrite(database, place, home)
        how = "copied from" if (place / database.name).exists() else "moved from"
        print(
            f"{database} was {how} {place}: {moved} addresses of artifacts in it now point to "
            f"{home / ARTIFACTS}",
            file=sys.stderr,
        )


def _homes(database: Path) -> list[Path]:
    """Folders that the experiments' artifacts lie in, where these are as `of_experiment` says."""
    with _reading(database) as connection:
        known = "SELECT 1 FROM sqlite_master WHERE name = 'experiments'"
        if connection.execute(known).fetchone() is None:
            return []  # no store of MLflow's; whoever opens it says so
        rows = connection.execute("SELECT name, artifact_location FROM experiments").fetchall()
    homes: dict[Path, None] = {}
    for name, address in rows:
        parts = urlsplit(address or "")
        end = f"/{ARTIFACTS}/{name}"
        path = unquote(parts.path)
        if parts.scheme == "file" and path.endswith(end):
            homes[Path(path.removesuffix(end) or "/")] = None
    return list(homes)


def _require_artifacts(database: Path, home: Path, place: Path) -> None:
    if (place / ARTIFACTS).is_dir() and not (home / ARTIFACTS).is_dir():
        raise GatewiseError(
            f"{database} is a copy of {place / database.name}, whose artifacts are not here: copy "
            f"{place / ARTIFACTS} to {home / ARTIFACTS}, or remove {database} and run "
            "`gatewise track` to make a store of this project's own"
        )


def _rewrite(database: Path, place: Path, home: Path) -> int:
    """Put one folder for another in all addresses of artifacts; returns how many there were."""
    old, new = ((folder / ARTIFACTS).as_uri() + "/" for folder in (place, home))
    changed = 0
    connection = sqlite3.connect(database, timeout=BUSY_SECONDS)
    with contextlib.closing(connection), connection:  # one transaction: all of it or nothing
        connection.execute("BEGIN IMMEDIATE")
        for table, column in _address_columns(connection):
            done = connection.execute(
                f'UPDATE "{table}" SET "{column}" = ? || substr("{column}", ?) '  # noqa: S608
                f'WHERE substr("{column}", 1, ?) = ?',
                (new, len(old) + 1, len(old), old),
            )
            changed += done.rowcount
    return changed


def _address_columns(connection: sqlite3.Connection) -> list[tuple[str, str]]:
    tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    return [
        (table, str(column[1]))
        for (table,) in tables
        for column in connection.execute(f'PRAGMA table_info("{table}")').fetchall()
        if any(part in str(column[1]) for part in ADDRESSES)
    ]


@contextlib.contextmanager
def _reading(database: Path) -> Iterator[sqlite3.Connection]:
    """The database, read only."""
    address = f"{database.resolve().as_uri()}?mode=ro"
    connection = sqlite3.connect(address, uri=True, timeout=BUSY_SECONDS)
    with contextlib.closing(connection):
        yield connection
