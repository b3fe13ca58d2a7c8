"""`gatewise serve`, `promote`, `rollback`, `champion`: models from the shell."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gatewise.cli.tracking import gate_config, tracking_config
from gatewise.errors import GatewiseError

if TYPE_CHECKING:
    from gatewise.serving.predictor import Predictor
    from gatewise.tracking.registry import Registry
    from gatewise.tracking.store import Store

app = typer.Typer()

Model = Annotated[
    str,
    typer.Argument(
        help="A run folder (runs/commands/gru/seed-0), a model folder, a task (its champion), "
        "or an MLflow address (models:/...)."
    ),
]
Task = Annotated[str, typer.Argument(help="Name of the task.")]
Prepared = Annotated[Path, typer.Option(help="Folder of prepared tasks.")]


@app.command()
def serve(
    model: Model,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.", min=0, max=65535)] = 5001,
    prepared: Prepared = Path("data/prepared"),
    allow_host: Annotated[
        list[str] | None, typer.Option(help="Another name that requests may give as their host.")
    ] = None,
) -> None:
    """Answer over HTTP, on this machine only unless `--host` says otherwise.

    With GATEWISE_TOKEN set, requests must carry it (`Authorization: Bearer ...`).
    """
    from gatewise.cli import ports

    ports.require_free(host, port)
    predictor = load(model, prepared)
    from gatewise.serving import guard, server
    from gatewise.serving.http import application

    token = os.environ.get(guard.TOKEN, "")
    local = guard.is_local(host)
    if not local:
        keeper = "only with the token" if token else f"without a token (set {guard.TOKEN})"
        print(
            f"warning: {host} can be reached from other machines: whoever can may ask, {keeper}, "
            "and nothing is encrypted",
            file=sys.stderr,
        )

    takes = {
        "audio": "--data-binary @clip.wav -H 'content-type: audio/wav'",
        "image": "--data-binary @image.png -H 'content-type: image/png'",
    }.get(predictor.card.modality, "-d @item.json -H 'content-type: application/json'")
    print(f"{predictor.record.name} on http://{host}:{port}; try:", flush=True)
    print(f"  curl {takes} http://{host}:{port}/predict", flush=True)
    hosts = guard.allowed_hosts(host, allow_host or ())
    app = guard.Guard(application(predictor, model), hosts, addresses=not local, token=token)
    server.serve(app, host, port)


@app.command()
def promote(
    task: Task,
    variant: Annotated[
        str | None, typer.Option(help="Variant to offer; the answer's choice when left out.")
    ] = None,
    force: Annotated[
        str | None,
        typer.Option(help="Promote without evidence, for this reason, which is written down."),
    ] = None,
    reports: Annotated[Path, typer.Option(help="Folder of comparison.json.")] = Path("reports"),
) -> None:
    """Offer a variant's best seed as challenger; make it champion if the comparison says so.

    Exit code: 0 it is champion, 1 it is not.
    """
    from gatewise.artifacts import runs
    from gatewise.artifacts.comparison import FILE, Comparison
    from gatewise.delivery.gate import promotion, reference, snapshot
    from gatewise.tracking import content, registry

    comparison = Comparison.read(reports / FILE).task(task)
    chosen = variant or comparison.to_take
    if variant is None:
        print(f"{task}: {promotion.why(comparison, chosen)}")
    if chosen not in comparison.variants:
        raise GatewiseError(
            f"{task} has no compared variant {chosen!r}; it has {', '.join(comparison.variants)}"
        )
    candidates = snapshot.read(".", task, "this study")
    if chosen not in candidates:
        raise GatewiseError(f"runs/{task}/{chosen}: no finished run; see `dvc repro train`")
    for seed, folder in candidates[chosen].members.items():
        runs.check_present(folder, candidates[chosen].records[seed])
    record = candidates[chosen].best(comparison.metric.name)
    models = _registry(task)
    champion = models.version(registry.CHAMPION)
    key = champion.tags.get(content.KEY) if champion else None
    version = models.offer(record, registry.evidence(comparison, record))
    print(f"{models.name} version {version.version} ({record.name}) is the challenger")
    try:
        reference.attach(models, version, candidates[chosen])
    except GatewiseError as error:
        print(f"a later gate can ask this version's weights alone: {error}", file=sys.stderr)
    if key == record.key:
        print("and the champion already")
        return
    decision = promotion.by_comparison(
        task,
        comparison,
        chosen,
        champion.tags.get(registry.VARIANT) if champion else None,
        gate_config(),
        compared=key in {r.key for one in candidates.values() for r in one.records.values()},
    )
    if not decision.promote and force is None:
        print(f"it does not replace the champion: {decision.reason}", file=sys.stderr)
        raise typer.Exit(1)
    reason = decision.reason if decision.promote else f"forced: {force} ({decision.reason})"
    models.promote(version, reason)
    print(f"and the champion: {reason}")
    _refresh(reports)


@app.command()
def rollback(task: Task) -> None:
    """Give the champion's alias back to the champion before it."""
    models = _registry(task)
    now, before = models.rollback()
    print(f"{models.name}: champion is version {before.version} again, not {now.version}")
    _refresh()


def _refresh(reports: Path = Path("reports")) -> None:
    """The experiment's page names the champion."""
    from gatewise.cli.tracking import tracking_config
    from gatewise.tracking import experiments

    experiments.refresh(tracking_config(), reports=reports)


@app.command()
def champion(task: Task) -> None:
    """Show the champion and the evidence that it rests on."""
    from gatewise.tracking import registry

    models = _registry(task)
    version = models.version(registry.CHAMPION)
    if version is None:
        raise GatewiseError(f"{models.name} has no champion; `gatewise promote {task}` makes one")
    print(f"models:/{models.name}@{registry.CHAMPION}: version {version.version}")
    for name in sorted(version.tags):
        print(f"  {name.removeprefix('gatewise.'):22} {version.tags[name]}")


def load(model: str, prepared: Path = Path("data/prepared")) -> Predictor:
    """The model that a user names; see `Model`.

    Raises:
        GatewiseError: there is no such model.
    """
    from gatewise.artifacts.prepared import CARD
    from gatewise.serving.predictor import Predictor

    path = Path(model)
    if (path / CARD).is_file():
        return Predictor.load(path)
    if (path / "data" / "model" / CARD).is_file():
        return Predictor.load(path / "data" / "model")
    if path.is_dir():
        return Predictor.from_run(path, prepared)
    if not re.match(r"(models|runs|mlflow-artifacts|s3|file):/", model):
        if not re.fullmatch(r"[a-z0-9-]+", model):
            raise GatewiseError(f"{model}: no such folder")
        model = f"models:/{_registry(model).name}@champion"
    return _download(model)


def _download(address: str) -> Predictor:
    import tempfile

    from gatewise.serving.predictor import Predictor
    from gatewise.tracking.connection import explained, pointing_at

    store = _store()
    import mlflow

    with explained(store.uri), pointing_at(store.uri), tempfile.TemporaryDirectory() as folder:
        try:
            downloaded = mlflow.artifacts.download_artifacts(address, dst_path=folder)
        except mlflow.MlflowException as error:
            raise GatewiseError(f"{address}: {' '.join(str(error).split())[:300]}") from None
        return Predictor.load(Path(downloaded, "data", "model"))


def _store() -> Store:
    from gatewise.tracking.store import Store

    return Store(tracking_config(), create=False)


def _registry(task: str) -> Registry:
    from gatewise.tracking.registry import Registry

    return Registry(_store(), task)
