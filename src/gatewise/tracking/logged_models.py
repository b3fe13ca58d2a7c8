"""Models in MLflow: each variant's best seed as a logged model that can be asked anywhere."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from gatewise.artifacts.runs import RunRecord
from gatewise.config.metrics import METRICS
from gatewise.serving import predictor
from gatewise.tracking import content, names
from gatewise.tracking.connection import explained
from gatewise.tracking.store import Store

if TYPE_CHECKING:
    from mlflow.entities import LoggedModel, Run


def best(members: Iterable[tuple[Path, RunRecord]], metric: str) -> tuple[Path, RunRecord]:
    """The seed that scores best on validation (never on test); the first of equal ones."""
    ordered = sorted(members, key=lambda member: member[1].seed)
    gain = METRICS[metric].gain
    return max(ordered, key=lambda member: gain(member[1].metrics["validation"][metric]))


def find(store: Store, record: RunRecord) -> LoggedModel | None:
    """The run's logged model."""
    # A filter by status finds nothing in SQL stores, which keep it as a number.
    return next((model for model in _logged(store, record) if str(model.status) == "READY"), None)


def _logged(store: Store, record: RunRecord) -> list[LoggedModel]:
    with explained(store.uri):
        return list(
            store.client.search_logged_models(
                experiment_ids=[store.experiment(record.task)],
                filter_string=f"tags.`{content.KEY}` = '{record.key}'",
            )
        )


def log(store: Store, run: Run, folder: Path, record: RunRecord, prepared: Path) -> LoggedModel:
    """Log the run of `folder` as a model, outputs of the stored `run`.

    Raises:
        GatewiseError: weights or the prepared task's card are missing.
        TrackingError: the store refuses.
    """
    from mlflow.entities import LoggedModelOutput
    from mlflow.models import Model

    from gatewise.serving import pyfunc

    with tempfile.TemporaryDirectory() as holder:
        predictor.gather(folder, prepared, holder)  # before anything is written to the store
    for left in _logged(store, record):  # half of a model, from a mirror that was killed
        with explained(store.uri):
            store.client.delete_logged_model(left.model_id)
    with explained(store.uri), tempfile.TemporaryDirectory() as holder:
        target = Path(holder, "model")
        logged = store.client.create_logged_model(
            store.experiment(record.task),
            name=f"{record.task}-{record.variant}",
            source_run_id=run.info.run_id,
            tags={
                content.KEY: record.key,
                "gatewise.task": record.task,
                "gatewise.variant": record.variant,
                "gatewise.seed": str(record.seed),
            },
            params={"parameters": str(record.parameters), "cell": record.config.cell},
        )
        description = Model(
            run_id=run.info.run_id,
            artifact_path=logged.artifact_location,
            model_id=logged.model_id,
        )
        try:
            pyfunc.save(folder, prepared, target, description)
            store.client.log_model_artifacts(logged.model_id, str(target))
        except BaseException:
            store.client.finalize_logged_model(logged.model_id, "FAILED")
            raise
        store.log_model_scores(run, logged.model_id, _scores(record))
        store.client.log_outputs(
            run.info.run_id, [LoggedModelOutput(logged.model_id, record.best_epoch)]
        )
        return store.client.finalize_logged_model(logged.model_id, "READY")


def _scores(record: RunRecord) -> dict[content.MetricKey, float]:
    """What the model scores, under the names and at the step that its run has it."""
    scores = {
        names.final(split, name): float(value)
        for split, values in record.metrics.items()
        for name, value in values.items()
    }
    return {(name, 0): value for name, value in scores.items()}
