"""`gatewise repro`, `gatewise track` and `gatewise ui`: the study and its MLflow store."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from gatewise.config import GateConfig, TrackingConfig
    from gatewise.tracking.mirror import Progress

app = typer.Typer()

Runs = Annotated[Path, typer.Option(help="Folder of run folders.")]
Reports = Annotated[Path, typer.Option(help="Folder of comparison.json and the report.")]


@app.command()
def track(
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing; exit 1 if anything is missing.")
    ] = False,
    where: Annotated[
        Path | None, typer.Option(help="Print id and address of this run folder's MLflow run.")
    ] = None,
    runs: Runs = Path("runs"),
    reports: Reports = Path("reports"),
) -> None:
    """Bring the MLflow store up to what DVC holds, or check that it is."""
    from gatewise.tracking import mirror

    config = tracking_config()
    if where is not None:
        print(_address(config, where))
        return
    if not config.enabled:
        print("tracking is switched off (tracking.enabled in params.yaml)")
        return
    with _progress() as progress:
        if not check:
            outcome = mirror.mirror(config, runs, reports, progress=progress)
        else:
            found = mirror.check(config, runs, reports, progress=progress)
    if not check:
        for note in outcome.notes:
            print(note, file=sys.stderr)
        print(f"MLflow: {outcome.sentence}")
        return
    for difference in found:
        print(difference)
    if found:
        print(f"{len(found)} runs differ; `gatewise track` adds what is missing", file=sys.stderr)
        raise typer.Exit(1)
    print("MLflow holds all of it")


@app.command()
def repro() -> None:
    """`dvc repro`, with more seeds while `seeds: auto` wants them, then `track`."""
    from gatewise.repro import rounds

    status = rounds.reproduce(rounds.dvc_repro)
    if status:
        raise typer.Exit(status)
    track()


@app.command()
def ui(
    port: Annotated[int, typer.Option(help="Port on this machine.")] = 5000,
) -> None:
    """Review the runs in MLflow's pages, on this machine only."""
    from gatewise.errors import GatewiseError
    from gatewise.tracking import location
    from gatewise.tracking.connection import address, sqlite_path

    uri = address(tracking_config())
    if uri.startswith("http"):
        print(f"the store is a server already: {uri}")
        return
    path = sqlite_path(uri)
    if path is not None and not path.exists():
        raise GatewiseError(f"{path}: there is no store yet; run `gatewise track`")
    if path is not None:
        location.mend(path)
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    # Its job workers take seconds to start and serve features that are not used here.
    os.environ.setdefault("MLFLOW_SERVER_ENABLE_JOB_EXECUTION", "false")
    print(f"http://127.0.0.1:{port} (Ctrl-C ends it)", flush=True)
    command = [sys.executable, "-m", "mlflow", "server", "--backend-store-uri", uri]
    command += ["--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    os.execv(sys.executable, command)  # noqa: S606


def tracking_config() -> TrackingConfig:
    """The study's store; the default one outside a project."""
    from gatewise import config

    if Path("params.yaml").exists():
        return config.load().tracking
    return config.TrackingConfig()


def gate_config() -> GateConfig:
    """The study's gate; the default one outside a project."""
    from gatewise import config

    if Path("params.yaml").exists():
        return config.load().gate
    return config.GateConfig()


def _address(config: TrackingConfig, folder: Path) -> str:
    from gatewise.artifacts.runs import RunRecord
    from gatewise.errors import GatewiseError
    from gatewise.tracking.connection import run_url
    from gatewise.tracking.store import Store

    record = RunRecord.read(folder)
    store = Store(config, create=False)
    run = store.find(record.task, record.key)
    if run is None:
        raise GatewiseError(f"{record.name} is not in the store; run `gatewise track`")
    return f"{run.info.run_id} {run_url(store.uri, run)}"


@contextmanager
def _progress() -> Iterator[Progress]:
    """A progress bar that leaves nothing behind, on terminals only."""
    from rich.console import Console
    from rich.progress import Progress as Bar

    with Bar(transient=True, console=Console(stderr=True)) as bar:
        line = bar.add_task("MLflow", total=None)

        def step(name: str, total: int) -> None:
            bar.update(line, advance=1, total=total, description=name)

        yield step
