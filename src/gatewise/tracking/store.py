"""One MLflow store: finding runs by key and writing exactly what they lack.

Only `MlflowClient` is used: no active run, no autologging, no global state. Importing MLflow
takes seconds, so this module does it when a store is opened.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from gatewise.config import TrackingConfig
from gatewise.tracking import content, location, names, notes
from gatewise.tracking.connection import (
    TrackingError,
    address,
    explained,
    open_client,
    shown,
    sqlite_path,
)
from gatewise.tracking.content import Content, MetricKey

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Dataset, Metric, Param, Run, RunTag

# One request may hold 1,000 entities in all, 100 of them parameters and 100 tags.
ENTITIES_PER_BATCH = 1000
PARAMS_AND_TAGS_PER_BATCH = 100
DIGEST_LENGTH = 36
DATASET_ATTEMPTS = 5
RUNS_PER_PAGE = 1000


class Store:
    """An open store; one instance is used by one thread."""

    def __init__(self, config: TrackingConfig, *, create: bool = True) -> None:
        """Open the store.

        Args:
            config: which.
            create: make a SQLite store, and experiments, that are not there yet.

        Raises:
            TrackingError: it cannot be reached, read or written.
        """
        self.uri = address(config)
        self.prefix = config.experiment_prefix
        self.create = create
        self.doubles: list[Run] = []
        """Runs whose key another, older run has; filled by `all_runs`."""
        self._experiments: dict[str, str] = {}
        path = sqlite_path(self.uri)
        if not create and path is not None and not path.exists():
            raise TrackingError(f"{path}: there is no store yet; `gatewise track` makes it")
        with explained(self.uri):
            self.client: MlflowClient = open_client(self.uri)
            self.client.search_experiments(max_results=1)

    def experiment(self, task: str) -> str:
        """Id of the task's experiment, made if need be.

        Raises:
            TrackingError: somebody deleted it, or the store refuses.
        """
        if task not in self._experiments:
            with explained(self.uri):
                self._experiments[task] = self._experiment(self.prefix + task)
        return self._experiments[task]

    def find(self, task: str, key: str) -> Run | None:
        """The run with this key, the oldest if there are several."""
        with explained(self.uri):
            found = self.client.search_runs(
                [self.experiment(task)],
                filter_string=f"tags.`{content.KEY}` = '{key}'",
                order_by=["attributes.start_time ASC"],
                max_results=1,
            )
        return found[0] if found else None

    def all_runs(self, task: str) -> dict[str, Run]:
        """All runs of a task's experiment that carry a key, by key; the oldest wins."""
        runs: dict[str, Run] = {}
        self.doubles = []
        token = None
        while True:
            with explained(self.uri):
                page = self.client.search_runs(
                    [self.experiment(task)],
                    order_by=["attributes.start_time ASC"],
                    max_results=RUNS_PER_PAGE,
                    page_token=token,
                )
            for run in page:
                key = run.data.tags.get(content.KEY)
                if key is not None and runs.setdefault(key, run) is not run:
                    self.doubles.append(run)
            token = page.token
            if not token:
                return runs

    def start(self, wanted: Content, once: Mapping[str, str] | None = None) -> Run:
        """The run with the wanted key, made and filled with what is known; marked running.

        Args:
            wanted: what it should hold so far.
            once: tags set when the run is made and never compared (who, where, which commit).
        """
        run = self.find(wanted.task, wanted.key)
        with explained(self.uri):
            if run is None:
                run = self._create(wanted, once or {})
            elif run.info.status != "RUNNING" and content.CONTENT not in run.data.tags:
                self.client.update_run(run.info.run_id, status="RUNNING")
        self.add_missing(run, wanted, {})
        return run

    def update(self, wanted: Content) -> None:
        """Bring an unsealed run up to what is known now, and mark it finished.

        A seal over more than this (intervals, say) stays as long as nothing here changes.
        """
        run = self.find(wanted.task, wanted.key)
        with explained(self.uri):
            if run is None:
                run = self._create(wanted, {})
            held = self.history(run, wanted)
            self.add_missing(run, wanted, held)
            if run.info.status != "FINISHED":
                self.client.set_terminated(run.info.run_id, status="FINISHED")

    def complete(
        self,
        wanted: Content,
        run: Run | None,
        parent: str | None = None,
        once: Mapping[str, str] | None = None,
    ) -> tuple[str, bool]:
        """Make the stored run hold all that is wanted, and seal it as finished.

        Args:
            wanted: everything the run should hold.
            run: the stored run with this key; None makes it.
            parent: id of the parent run.
            once: as for `start`.

        Returns:
            The run's id and whether anything had to be written.
        """
        if run is not None and self.is_complete(wanted, run, parent):
            return run.info.run_id, False
        with explained(self.uri):
            history: dict[MetricKey, float] = {}
            if run is None:
                run = self._create(wanted, once or {})
            else:
                history = self.history(run, wanted)
            run_id = run.info.run_id
            sealed = run.data.tags.get(content.CONTENT) == wanted.seal
            if not sealed:
                self.add_artifacts(run_id, wanted)
            self.add_missing(run, wanted, history, parent, seal=not sealed)
            if run.info.status != "FINISHED":
                self.client.set_terminated(run_id, status="FINISHED")
        return run_id, True

    def is_complete(self, wanted: Content, run: Run, parent: str | None = None) -> bool:
        """Whether a run looks whole, judged without reading histories or artifacts."""
        return not self.gaps(wanted, run, parent)

    def gaps(self, wanted: Content, run: Run, parent: str | None = None) -> list[str]:
        """What a run lacks, in words, judged by what a search for runs returns.

        That shows the latest value of each metric; the seal vouches for the earlier ones.
        """
        gaps = []
        if run.info.status != "FINISHED":
            gaps.append(f"its status is {run.info.status}")
        if run.info.run_name != wanted.name:
            gaps.append(f"its name is {run.info.run_name!r}")
        if run.data.tags.get(content.CONTENT) != wanted.seal:
            gaps.append("it was not written as a whole")
        tags = _tags(wanted, parent)
        gaps += [f"tag {name}" for name in differing(run.data.tags, tags)]
        gaps += [f"parameter {name}" for name in differing(run.data.params, wanted.params)]
        latest: dict[str, tuple[int, float]] = {}
        for (name, step), value in wanted.metrics.items():
            if name not in latest or step > latest[name][0]:
                latest[name] = (step, value)
        held = run.data.metrics
        gaps += [
            f"metric {name}"
            for name, (_step, value) in latest.items()
            if name not in held or not content.same(held[name], value)
        ]
        if wanted.data_digest is not None and wanted.data_digest[:DIGEST_LENGTH] not in {
            held.digest for held in datasets(run)
        }:
            gaps.append("data set")
        return gaps

    def hidden_gaps(self, wanted: Content, run: Run) -> list[str]:
        """What a run lacks of its metrics' earlier values and its artifacts."""
        history = self.history(run, wanted)
        gaps = [
            f"metric {name} at step {step}"
            for (name, step), value in wanted.metrics.items()
            if name in run.data.metrics
            and ((name, step) not in history or not content.same(history[name, step], value))
        ]
        with explained(self.uri):
            files = {item.path for item in self.client.list_artifacts(run.info.run_id)}
        return gaps + [f"artifact {path}" for path in wanted.artifacts if path not in files]

    def add_artifacts(self, run_id: str, wanted: Content) -> None:
        """Make and upload the wanted files, whatever is there."""
        files = {**wanted.artifacts, **wanted.extras}
        if not files:
            return
        with tempfile.TemporaryDirectory() as folder:
            for path, make in files.items():
                (Path(folder) / path).parent.mkdir(exist_ok=True)
                (Path(folder) / path).write_bytes(make())
            with explained(self.uri):
                self.client.log_artifacts(run_id, folder)

    def history(self, run: Run, wanted: Content | None = None) -> dict[MetricKey, float]:
        """Stored points of the wanted metrics (or of all) by name and step.

        Of several points at one step the latest counts. Metrics wanted at one step only are
        taken from the run as found, which holds them already.
        """
        names = set(run.data.metrics)
        points: dict[MetricKey, float] = {}
        if wanted is not None:
            steps: dict[str, list[int]] = {}
            for name, step in wanted.metrics:
                steps.setdefault(name, []).append(step)
            names &= steps.keys()
            single = {name for name in names if len(steps[name]) == 1}
            points = {(name, steps[name][0]): run.data.metrics[name] for name in single}
            names -= single
        for name in sorted(names):
            with explained(self.uri):
                logged = self.client.get_metric_history(run.info.run_id, name)
            for point in sorted(logged, key=lambda point: point.timestamp):
                points[name, point.step] = point.value
        return points

    def add_missing(
        self,
        run: Run,
        wanted: Content,
        history: Mapping[MetricKey, float],
        parent: str | None = None,
        *,
        seal: bool = False,
    ) -> None:
        """Write what `run` lacks of `wanted`, but for artifacts; the seal goes last.

        Raises:
            TrackingError: a parameter holds another value, which MLflow never changes.
        """
        run_id = run.info.run_id
        params = differing(run.data.params, wanted.params)
        for name in params:
            if name in run.data.params:
                raise TrackingError(
                    f"MLflow run {run_id} ({wanted.name}) holds {name} = "
                    f"{run.data.params[name]!r} where the run's folder says {params[name]!r}; "
                    "parameters cannot be changed, so delete that run in MLflow and run "
                    "`gatewise track` again"
                )
        tags = _tags(wanted, parent)
        metrics = {
            key: value
            for key, value in wanted.metrics.items()
            if key not in history or not content.same(history[key], value)
        }
        if seal:
            tags[content.CONTENT] = wanted.seal
        with explained(self.uri):
            if run.info.run_name != wanted.name:
                self.client.update_run(run_id, name=wanted.name)
            self._add_dataset(run, wanted)
            self._log(run_id, metrics, params, differing(run.data.tags, tags))

    def log_points(self, run_id: str, points: Mapping[MetricKey, float]) -> None:
        """Write metric values now, without looking at what is there."""
        with explained(self.uri):
            self._log(run_id, points)

    def describe(self, run_id: str, text: str) -> None:
        """Give a run its description."""
        with explained(self.uri):
            self._log(run_id, tags={notes.TAG: text})

    def mark(self, run_id: str, current: bool) -> None:
        """Say whether a run belongs to the study as it is now."""
        with explained(self.uri):
            self._log(run_id, tags={content.CURRENT: str(current).lower()})

    def log_model_scores(self, run: Run, model_id: str, scores: Mapping[MetricKey, float]) -> None:
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
        with explained(self.uri):
            self.client.log_batch(run.info.run_id, points)

    def end(self, run_id: str, status: str, reason: str) -> None:
        """Mark a run as `FAILED` or `KILLED`, with the reason as a tag."""
        with explained(self.uri):
            self._log(run_id, tags={"gatewise.reason": reason[:5000]})
            self.client.set_terminated(run_id, status=status)

    # --- inner -----------------------------------------------------------------------

    def _experiment(self, name: str) -> str:
        from mlflow.exceptions import MlflowException

        experiment = self.client.get_experiment_by_name(name)
        if experiment is None and not self.create:
            raise TrackingError(
                f"{shown(self.uri)} has no experiment {name!r}; `gatewise track` makes it"
            )
        if experiment is None:
            # A remote server knows where its artifacts belong; a local store keeps them beside
            # its database.
            file = sqlite_path(self.uri)
            try:
                place = location.of_experiment(file, name) if file else None
                # The kind tells MLflow's pages to show runs and charts, not traces.
                kind = {"mlflow.experimentKind": "custom_model_development"}
                return str(self.client.create_experiment(name, place, tags=kind))
            except MlflowException:
                # Another process was quicker, or the name is taken by a deleted one.
                experiment = self.client.get_experiment_by_name(name)
                if experiment is None:
                    raise
        if experiment.lifecycle_stage == "deleted":
            raise TrackingError(
                f"the experiment {name!r} in {shown(self.uri)} was deleted; restore it with "
                f"`mlflow experiments restore --experiment-id {experiment.experiment_id}` or "
                "choose another tracking.experiment_prefix"
            )
        return str(experiment.experiment_id)

    def _create(self, wanted: Content, once: Mapping[str, str]) -> Run:
        tags = {**once, content.KEY: wanted.key, content.KIND: wanted.kind}
        return self.client.create_run(self.experiment(wanted.task), tags=tags, run_name=wanted.name)

    def _log(
        self,
        run_id: str,
        metrics: Mapping[MetricKey, float] | None = None,
        params: Mapping[str, str] | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> None:
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
            self.client.log_batch(run_id, some_points, some_params, some_tags)

    def _add_dataset(self, run: Run, wanted: Content) -> None:
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
                self.client.log_inputs(run.info.run_id, given)
                return
            except MlflowException as error:
                # The server adds a data set that it does not know yet; of two writers that do
                # so at once one fails, and finds it there the next time.
                if "uniq" not in str(error).lower() or attempt == DATASET_ATTEMPTS - 1:
                    raise


def _tags(wanted: Content, parent: str | None) -> dict[str, str]:
    return {**wanted.tags, **({content.PARENT: parent} if parent else {})}


def datasets(run: Run) -> list[Dataset]:
    """Data sets logged as inputs of a run."""
    return [given.dataset for given in run.inputs.dataset_inputs] if run.inputs else []


def differing(held: Mapping[str, str], wanted: Mapping[str, str]) -> dict[str, str]:
    """What of `wanted` is not held, or held otherwise."""
    return {name: value for name, value in wanted.items() if held.get(name) != value}
