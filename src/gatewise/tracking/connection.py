"""Reaching an MLflow store: its address, opening or creating it, and what goes wrong in words."""

from __future__ import annotations

import contextlib
import logging
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout

from gatewise import files
from gatewise.config import TrackingConfig
from gatewise.errors import GatewiseError
from gatewise.tracking import location

if TYPE_CHECKING:
    from mlflow import MlflowClient

CREATION_SECONDS = 120
_SQLITE = re.compile(r"sqlite(?:\+\w+)?:///(?:file:)?(?P<path>[^?]+)")


class TrackingError(GatewiseError):
    """The store cannot be used; the message says why in one sentence."""


def address(config: TrackingConfig) -> str:
    """The store's address: `MLFLOW_TRACKING_URI` if set, else the study's.

    That of a SQLite file is absolute: MLflow keeps one store a process for each address, so
    `sqlite:///mlflow.db` of a second folder would be the first one's.
    """
    uri = os.environ.get("MLFLOW_TRACKING_URI") or config.uri
    match, here = _SQLITE.match(uri), str(Path.cwd())
    if match is None or match["path"].startswith(("/", ":memory:")) or "?" in here:
        return uri
    return f"{uri[: match.start('path')]}{here}/{uri[match.start('path') :]}"


def sqlite_path(uri: str) -> Path | None:
    """File of a SQLite store, or None for any other address."""
    match = _SQLITE.match(uri)
    return Path(match["path"]) if match else None


@contextlib.contextmanager
def explained(uri: str) -> Iterator[None]:
    """Turn whatever MLflow, SQL or the network raises into one `TrackingError`."""
    try:
        yield
    except GatewiseError:
        raise
    except Exception as error:  # MLflow lets its parts' own exceptions through
        raise TrackingError(_sentence(uri, error)) from error


@contextlib.contextmanager
def _creating(path: Path) -> Iterator[None]:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(f"{path}.lock", timeout=CREATION_SECONDS)
        with lock:
            yield
    except Timeout:
        raise TrackingError(
            f"{shown_path(path)}: another process has been creating the store for "
            f"{CREATION_SECONDS} s; if none is, remove {shown_path(path)}.lock"
        ) from None


def _require_file(path: Path | None) -> None:
    """Refuse a pipe or a folder in a SQLite file's place: SQLite would wait for the pipe for ever.

    Raises:
        TrackingError: naming it.
    """
    try:
        if path is not None:
            files.require_regular(path)
    except FileNotFoundError:
        if path is not None and path.is_symlink():
            raise TrackingError(
                f"{path}: a link to {path.readlink()}, which does not exist; remove it"
            ) from None
    except GatewiseError as error:
        raise TrackingError(str(error)) from None


def settle_environment() -> None:
    """Tell MLflow how to behave here, which it reads when it is imported."""
    # Fail within seconds: the mirror delivers later what cannot be delivered now.
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "20")
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")


def open_client(uri: str) -> MlflowClient:
    """A client of the store; a SQLite file that is not there yet is created whole.

    Of one that was moved or copied with its project the addresses of artifacts are mended first.
    """
    settle_environment()
    from mlflow import MlflowClient

    for name in ("mlflow", "alembic", "urllib3"):  # after the import, which sets its own
        logging.getLogger(name).setLevel(logging.ERROR)
    path = sqlite_path(uri)
    _require_file(path)
    if path is not None and not path.exists():
        with _creating(path):
            if not path.exists():
                # Migrations take seconds; a store killed halfway must not be left behind.
                fresh = path.with_name(f"{path.name}.new")
                fresh.unlink(missing_ok=True)
                MlflowClient(f"sqlite:///{fresh}").search_experiments(max_results=1)
                fresh.replace(path)
    if path is not None:
        try:
            location.mend(path)
        except GatewiseError as error:
            raise TrackingError(str(error)) from None
    return MlflowClient(uri, registry_uri=uri)


@contextlib.contextmanager
def pointing_at(uri: str) -> Iterator[None]:
    """Let MLflow's own functions use this store; some ignore the address they are given.

    Through the environment: what is set through MLflow's functions cannot be unset.
    """
    names = ("MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI")
    before = {name: os.environ.get(name) for name in names}
    os.environ.update(dict.fromkeys(names, uri))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def shown(uri: str) -> str:
    """An address fit to print: without a password; of a file here, as the study names it."""
    path = sqlite_path(uri)
    if path is not None:
        return uri.replace(str(path), shown_path(path))
    return re.sub(r"(://[^/@:]*):[^/@]*@", r"\1:...@", uri)


def shown_path(path: Path) -> str:
    """A path fit to print: relative to the working directory where it lies below it."""
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


def _sentence(uri: str, error: Exception) -> str:
    text = " ".join(str(error).split())
    where = f"the MLflow store {shown(uri)}"
    known: list[tuple[str, str]] = [
        ("out-of-date database schema", "is of an older version of MLflow; back it up and run "
         f"`mlflow db upgrade {shown(uri)}`"),
        ("Can't locate revision", "was written by a newer version of MLflow than this one"),
        ("readonly database", "is read-only; make the file writable or set MLFLOW_TRACKING_URI"),
        ("Permission denied", "cannot be written; mend its permissions or set MLFLOW_TRACKING_URI"),
        ("unable to open database file", "cannot be opened; its folder is missing or not writable"),
        ("database or disk is full", "has no disk space left; free some and run `gatewise track`"),
        ("No space left on device", "has no disk space left; free some and run `gatewise track`"),
        ("database is locked", "is locked by another program; try again when that has finished"),
        ("file is not a database", "is not a database; move that file away"),
        ("image is malformed", "is damaged; put a copy of it back, or move it away: `gatewise "
         "track` then writes all runs anew, and champions must be promoted again"),
        ("error code 401", "wants MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD"),
        ("UNAUTHENTICATED", "wants MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD"),
        ("error code 403", "does not permit this to the user given"),
        ("PERMISSION_DENIED", "does not permit this to the user given"),
        ("Max retries exceeded", "does not answer"),
        ("Connection refused", "does not answer"),
        ("timed out", "does not answer in time"),
    ]  # fmt: skip
    for sign, meaning in known:
        if sign in text:
            return f"{where} {meaning}"
    return f"{where} failed: {type(error).__name__}: {text[:300]}"


def version(uri: str) -> str:
    """Version of the MLflow whose pages show the store: the server's, or the one installed.

    Raises:
        TrackingError: the server does not say.
    """
    import mlflow

    if not uri.startswith("http"):
        return str(mlflow.__version__)
    from mlflow.utils import credentials, rest_utils

    server: Any = credentials
    with explained(uri):
        host = server.get_default_host_creds(uri)
        call: Any = rest_utils.http_request
        answer = call(host, "/version", "GET")
        return str(answer.text.strip()) if answer.status_code == 200 else ""
