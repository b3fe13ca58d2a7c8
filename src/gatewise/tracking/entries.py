"""Writing what a run holds: metrics, parameters and tags in requests that MLflow takes; data sets.

Callers turn what MLflow raises into sentences (`connection.explained`).
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from gatewise.tracking import names
from gatewise.tracking.content import Content, MetricKey

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Dataset, Metric, Param, Run, RunTag

# One request may hold 1,000 entities in all, 100 of them parameters and 100 tags.
ENTITIES_PER_BATCH = 1000
PARAMS_AND_TAGS_PER_BATCH = 100
DIGEST_LENGTH = 36
"""Characters that MLflow keeps of a data set's digest."""
DATASET_ATTEMPTS = 5


def write(
    client: MlflowClient,
    run_id: str,
    metrics: Mapping[MetricKey, float] | None = None,
    params: Mapping[str, str] | None = None,
    tags: Mapping[str, str] | None = None,
) -> None:
    """Write all of it, in as few requests as MLflow allows."""
    from mlflow.entities import Metric, Param, RunTag

    now = int(time.time() * 1000)
    points: list[Metric] = [
        Metric(name, value, now, step)
        for (name, step), value in sorted(
            (metrics or {}).items(), key=lambda item: names.importance(item[0][0])
        )
    ]
    settings: list[Param] = [Param(name, value) for name, value in (params or {}).items()]
    labels: list[RunTag] = [RunTag(name, value) for name, value in (tags or {}).items()]
    # Tags in the last request, for the seal among them vouches for the rest.
    while points or settings or labels:
        room = ENTITIES_PER_BATCH - 2 * PARAMS_AND_TAGS_PER_BATCH
        some_params = settings[:PARAMS_AND_TAGS_PER_BATCH]
        some_points = points[:room]
        del settings[: len(some_params)], points[:room]
        last = not settings and not points
        some_tags = labels[:PARAMS_AND_TAGS_PER_BATCH] if last else []
        del labels[: len(some_tags)]
        client.log_batch(run_id, some_points, some_params, some_tags)


def add_dataset(client: MlflowClient, run: Run, wanted: Content) -> None:
    """Name the data set that a run used, unless it is named already."""
    from mlflow.entities import Dataset, DatasetInput, InputTag
    from mlflow.exceptions import MlflowException

    if wanted.data_digest is None:
        return
    short = wanted.data_digest[:DIGEST_LENGTH]
    if any(held.digest == short for held in datasets(run)):
        return
    dataset = Dataset(
        name=wanted.task,
        digest=short,
        source_type="local",
        source=f'{{"uri": "data/prepared/{wanted.task}"}}',
    )
    # MLflow keeps one row per name and digest, so what differs by seed goes into tags.
    counts = {f"examples.{k}": str(v) for k, v in sorted(wanted.data_examples.items())}
    counts["mlflow.data.context"] = "training"
    tags = [InputTag(key, value) for key, value in counts.items()]
    given = [DatasetInput(dataset, tags)]
    for attempt in range(DATASET_ATTEMPTS):
        try:
            client.log_inputs(run.info.run_id, given)
            return
        except MlflowException as error:
            # The server adds a data set that it does not know yet; of two writers that do
            # so at once one fails, and finds it there the next time.
            if "uniq" not in str(error).lower() or attempt == DATASET_ATTEMPTS - 1:
                raise


def datasets(run: Run) -> list[Dataset]:
    """Data sets logged as inputs of a run."""
    return [given.dataset for given in run.inputs.dataset_inputs] if run.inputs else []


def write_model_scores(
    client: MlflowClient, run: Run, model_id: str, scores: Mapping[MetricKey, float]
) -> None:
    """Tie a run's scores to its logged model and to the data set they were scored on."""
    from mlflow.entities import Metric

    now, held = int(time.time() * 1000), datasets(run)
    on: Dataset | None = held[0] if held else None
    points = [
        Metric(
            name,
            value,
            now,
            step,
            model_id=model_id,
            dataset_name=on.name if on else None,
            dataset_digest=on.digest if on else None,
            run_id=run.info.run_id,
        )
        for (name, step), value in scores.items()
    ]
    client.log_batch(run.info.run_id, points)
