"""`gatewise repro`, `gatewise track` and `gatewise ui`: the study and its MLflow store."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
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


Host = Annotated[str, typer.Option(help="Address that the pages answer on.")]
Port = Annotated[int, typer.Option(help="Port on this machine.")]


@app.command()
def track(
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing; exit 1 if anything is missing.")
    ] = False,
    links: Annotated[
        bool, typer.Option("--links", help="Only print the address of each task's first view.")
    ] = False,
    where: Annotated[
        Path | None, typer.Option(help="Print id and address of this run folder's MLflow run.")
    ] = None,
    runs: Runs = Path("runs"),
    reports: Reports = Path("reports"),
    host: Host = "127.0.0.1",
    port: Port = 5000,
) -> None:
    """Bring the MLflow store up to what DVC holds, or check that it is."""
    from gatewise.tracking import mirror

    config = tracking_config()
    if where is not None:
        print(_address(config, where, host, port))
        return
    if not config.enabled:
        print("tracking is switched off (tracking.enabled in params.yaml)")
        return
    if links:
        _print_links(config, host, port)
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
    from gatewise.repro import ending, rounds, site_cache
    from gatewise.tracking import loading

    site_cache.settle()
    if tracking_config().enabled:
        loading.begin()
    status = rounds.reproduce(rounds.dvc_repro)
    if status:
        raise typer.Exit(status)
    from gatewise.repro import plots as page

    if not page.TEMPLATE.is_file():
        page.settle()
    track()
    config = tracking_config()
    if config.enabled:
        _print_links(config)
        print("`gatewise ui` (or `make ui`) shows these pages.")
    ending.show()


@app.command()
def ui(
    port: Port = 5000,
    host: Host = "127.0.0.1",
    browser: Annotated[
        bool | None,
        typer.Option("--open/--no-open", help="Open a browser; asked on a terminal if not said."),
    ] = None,
) -> None:
    """Review the runs in MLflow's pages; prints a link for each task."""
    from gatewise.cli import ports
    from gatewise.errors import GatewiseError
    from gatewise.tracking import location
    from gatewise.tracking.connection import address, shown, shown_path, sqlite_path
    from gatewise.tracking.links import is_server

    config = tracking_config()
    uri = address(config)
    if is_server(uri):
        print(f"the store is a server already: {shown(uri)}")
        _open(browser, _print_links(config), wait=None)
        return
    path = sqlite_path(uri)
    if path is not None and not path.exists():
        raise GatewiseError(f"{shown_path(path)}: there is no store yet; run `gatewise track`")
    if path is not None:
        location.mend(path)
    ports.require_free(host, port)
    found = _print_links(config, host, port)
    print(f"http://{host}:{port} (Ctrl-C ends it)", flush=True)
    _open(browser, found, wait=f"http://{host}:{port}/health")
    # What of MLflow is not for these runs and can be switched off: usage statistics, the workers
    # behind jobs and scorers (seconds at the start), the gateway to language models.
    for name, value in SWITCHED_OFF.items():
        os.environ.setdefault(name, value)
    command = [sys.executable, "-m", "mlflow", "server", "--backend-store-uri", uri]
    command += ["--host", host, "--port", str(port), "--workers", "1"]
    os.execv(sys.executable, command)  # noqa: S606


@app.command()
def plots() -> None:
    """Let `dvc plots` work without a network, and `dvc exp run` in folders of its own."""
    from gatewise.repro import plots as page
    from gatewise.repro import site_cache

    print(f"dvc plots uses {page.settle()}")
    site_cache.settle()


SWITCHED_OFF = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    "MLFLOW_ENABLE_AI_GATEWAY": "false",
}


def _print_links(
    config: TrackingConfig, host: str = "127.0.0.1", port: int = 5000
) -> dict[str, str]:
    """Print where each task is reviewed; nothing, and no error, where the store is not there."""
    from gatewise.tracking import review
    from gatewise.tracking.links import base
    from gatewise.tracking.store import Store

    store = Store(config, create=False)
    found = review.addresses(store, base(store.uri, host, port))
    width = max(map(len, found), default=0)
    for name, link in found.items():
        print(f"  {name:<{width}}  {link}", flush=True)
    return found


def _open(wanted: bool | None, found: Mapping[str, str], wait: str | None) -> None:
    """Open a browser at the first link, in a process of its own once the server answers."""
    if not found:
        return
    if wanted is None:
        if not (sys.stdin.isatty() and sys.stdout.isatty()):
            return
        wanted = typer.confirm("Open a browser there?", default=True)
    if wanted:
        from gatewise.cli import browser

        browser.later(next(iter(found.values())), wait)


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


def _address(config: TrackingConfig, folder: Path, host: str, port: int) -> str:
    from gatewise.artifacts.runs import RunRecord
    from gatewise.errors import GatewiseError
    from gatewise.tracking import links
    from gatewise.tracking.store import Store

    record = RunRecord.read(folder)
    store = Store(config, create=False)
    run = store.find(record.task, record.key)
    if run is None:
        raise GatewiseError(f"{record.name} is not in the store; run `gatewise track`")
    page = links.run(run.info.experiment_id, run.info.run_id)
    return f"{run.info.run_id} {links.base(store.uri, host, port)}/{page}"


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
