"""One MLflow store: finding runs by key and writing exactly what they lack.

Only `MlflowClient` is used: no active run, no autologging, no global state. Importing MLflow
takes seconds, so this module does it when a store is opened.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from gatewise.config import TrackingConfig
from gatewise.tracking import content, entries, gaps, location
from gatewise.tracking.connection import (
    TrackingError,
    address,
    explained,
    open_client,
    shown,
    shown_path,
    sqlite_path,
)
from gatewise.tracking.content import Content, MetricKey

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

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
            raise TrackingError(
                f"{shown_path(path)}: there is no store yet; `gatewise track` makes it"
            )
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
        *,
        known: Mapping[MetricKey, float] | None = None,
    ) -> tuple[str, bool]:
        """Make the stored run hold all that is wanted, and seal it as finished.

        Args:
            wanted: everything the run should hold.
            run: the stored run with this key; None makes it.
            parent: id of the parent run.
            once: as for `start`.
            known: points of its metrics, for who wrote them all; read from the store if left out.

        Returns:
            The run's id and whether anything had to be written.
        """
        if run is not None and not gaps.of_run(wanted, run, parent):
            return run.info.run_id, False
        with explained(self.uri):
            history: Mapping[MetricKey, float] = {}
            if run is None:
                run = self._create(wanted, once or {})
            else:
                history = self.history(run, wanted) if known is None else known
            run_id = run.info.run_id
            sealed = run.data.tags.get(content.CONTENT) == wanted.seal
            if not sealed:
                self.add_artifacts(run_id, wanted)
            self.add_missing(run, wanted, history, parent, seal=not sealed)
            if run.info.status != "FINISHED":
                self.client.set_terminated(run_id, status="FINISHED")
        return run_id, True

    def hidden_gaps(self, wanted: Content, run: Run) -> list[str]:
        """What a run lacks of its metrics' earlier values and its artifacts."""
        history = self.history(run, wanted)
        missing = [
            f"metric {name} at step {step}"
            for (name, step), value in wanted.metrics.items()
            if name in run.data.metrics
            and ((name, step) not in history or not content.same(history[name, step], value))
        ]
        with explained(self.uri):
            files = {item.path for item in self.client.list_artifacts(run.info.run_id)}
        return missing + [f"artifact {path}" for path in wanted.artifacts if path not in files]

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
        params = gaps.differing(run.data.params, wanted.params)
        for name in params:
            if name in run.data.params:
                raise TrackingError(
                    f"MLflow run {run_id} ({wanted.name}) holds {name} = "
                    f"{run.data.params[name]!r} where the run's folder says {params[name]!r}; "
                    "parameters cannot be changed, so delete that run in MLflow and run "
                    "`gatewise track` again"
                )
        tags = gaps.tags(wanted, parent)
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
            entries.add_dataset(self.client, run, wanted)
            entries.write(self.client, run_id, metrics, params, gaps.differing(run.data.tags, tags))

    def log_points(self, run_id: str, points: Mapping[MetricKey, float]) -> None:
        """Write metric values now, without looking at what is there."""
        with explained(self.uri):
            entries.write(self.client, run_id, points)

    def tag(self, run_id: str, tags: Mapping[str, str]) -> None:
        """Give a run tags, its description among them."""
        with explained(self.uri):
            entries.write(self.client, run_id, tags=tags)

    def mark(self, run_id: str, current: bool) -> None:
        """Say whether a run belongs to the study as it is now."""
        with explained(self.uri):
            entries.write(self.client, run_id, tags={content.CURRENT: str(current).lower()})

    def log_model_scores(self, run: Run, model_id: str, scores: Mapping[MetricKey, float]) -> None:
        """Tie a run's scores to its logged model and to the data set they were scored on."""
        with explained(self.uri):
            entries.write_model_scores(self.client, run, model_id, scores)

    def end(self, run_id: str, status: str, reason: str) -> None:
        """Mark a run as `FAILED` or `KILLED`, with the reason as a tag."""
        with explained(self.uri):
            entries.write(self.client, run_id, tags={"gatewise.reason": reason[:5000]})
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
