"""One MLflow store: finding runs by key and writing exactly what they lack.

Only `MlflowClient` is used: no active run, no autologging, no global state. Importing MLflow
takes seconds, so this module does it when a store is opened.
"""

from __future__ import annotations

import contextlib
import os
import re
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout

from gatewise.config import TrackingConfig
from gatewise.errors import GatewiseError
from gatewise.tracking import content
from gatewise.tracking.content import Content, MetricKey

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Dataset, Metric, Param, Run, RunTag

METRICS_PER_BATCH = 1000
PARAMS_AND_TAGS_PER_BATCH = 100
DIGEST_LENGTH = 36
RUNS_PER_PAGE = 1000
CREATION_SECONDS = 120


class TrackingError(GatewiseError):
    """The store cannot be used; the message says why in one sentence."""


def address(config: TrackingConfig) -> str:
    """The store's address: `MLFLOW_TRACKING_URI` if set, else the study's."""
    return os.environ.get("MLFLOW_TRACKING_URI") or config.uri


def sqlite_path(uri: str) -> Path | None:
    """File of a SQLite store, or None for any other address."""
    found = re.match(r"sqlite(?:\+\w+)?:///(?P<path>.+)", uri)
    return Path(found["path"]) if found else None


@contextlib.contextmanager
def explained(uri: str) -> Iterator[None]:
    """Turn whatever MLflow, SQL or the network raises into one `TrackingError`."""
    try:
        yield
    except GatewiseError:
        raise
    except Exception as error:  # MLflow lets its parts' own exceptions through
        raise TrackingError(_sentence(uri, error)) from error


class Store:
    """An open store; one instance is used by one thread."""

    def __init__(self, config: TrackingConfig) -> None:
        """Open the store, creating a SQLite one that is not there yet.

        Raises:
            TrackingError: it cannot be reached, read or written.
        """
        self.uri = address(config)
        self.prefix = config.experiment_prefix
        # Fail within seconds: the mirror delivers later what cannot be delivered now.
        os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
        os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "20")
        self._experiments: dict[str, str] = {}
        with explained(self.uri):
            self.client: MlflowClient = _open(self.uri)
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
                if key is not None:
                    runs.setdefault(key, run)
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
            held = self.history(run, {name for name, _step in wanted.metrics})
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
        with explained(self.uri):
            history: dict[MetricKey, float] = {}
            if run is None:
                run = self._create(wanted, once or {})
            else:
                history = self.history(run, {name for name, _step in wanted.metrics})
            tags = {content.PARENT: parent} if parent else {}
            changed = self.add_missing(run, wanted, history, extra_tags=tags)
            seal = {content.CONTENT: wanted.digest}
            if changed or run.info.status != "FINISHED" or differing(run.data.tags, seal):
                self._log(run.info.run_id, tags=seal)
                self.client.set_terminated(run.info.run_id, status="FINISHED")
                changed = True
        return run.info.run_id, changed

    def is_complete(self, wanted: Content, run: Run | None, parent: str | None = None) -> bool:
        """Whether a run looks whole, judged without reading its metrics' histories."""
        if run is None or run.info.status != "FINISHED":
            return False
        tags = wanted.tags | {content.CONTENT: wanted.digest}
        if parent:
            tags |= {content.PARENT: parent}
        latest: dict[str, tuple[int, float]] = {}
        for (name, step), value in wanted.metrics.items():
            if name not in latest or step > latest[name][0]:
                latest[name] = (step, value)
        held = run.data.metrics
        return (
            run.info.run_name == wanted.name
            and not differing(run.data.tags, tags)
            and not differing(run.data.params, wanted.params)
            and all(
                name in held and content.same(held[name], value)
                for name, (_step, value) in latest.items()
            )
            and (
                wanted.data_digest is None
                or wanted.data_digest[:DIGEST_LENGTH] in {held.digest for held in datasets(run)}
            )
        )

    def history(self, run: Run, names: set[str]) -> dict[MetricKey, float]:
        """All stored points of these metrics; of several at one step the latest counts."""
        points: dict[MetricKey, float] = {}
        for name in sorted(names & set(run.data.metrics)):
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
        extra_tags: Mapping[str, str] | None = None,
    ) -> bool:
        """Write what `run` lacks of `wanted`; True if anything was written.

        Raises:
            TrackingError: a parameter holds another value, which MLflow never changes.
        """
        run_id = run.info.run_id
        conflicts = {
            name: run.data.params[name]
            for name in differing(run.data.params, wanted.params)
            if name in run.data.params
        }
        if conflicts:
            name, held = next(iter(conflicts.items()))
            raise TrackingError(
                f"MLflow run {run_id} ({wanted.name}) holds {name} = {held!r} where the run's "
                f"folder says {wanted.params[name]!r}; parameters cannot be changed, so delete "
                "that run in MLflow and run `gatewise track` again"
            )
        params = differing(run.data.params, wanted.params)
        tags = differing(run.data.tags, wanted.tags | dict(extra_tags or {}))
        metrics = {
            key: value
            for key, value in wanted.metrics.items()
            if key not in history or not content.same(history[key], value)
        }
        with explained(self.uri):
            self._log(run_id, metrics, params, tags)
            renamed = run.info.run_name != wanted.name
            if renamed:
                self.client.update_run(run_id, name=wanted.name)
            described = self._add_dataset(run, wanted)
        return bool(params or tags or metrics or renamed or described)

    def log_points(self, run_id: str, points: Mapping[MetricKey, float]) -> None:
        """Write metric values now, without looking at what is there."""
        with explained(self.uri):
            self._log(run_id, points)

    def end(self, run_id: str, status: str, reason: str) -> None:
        """Mark a run as `FAILED` or `KILLED`, with the reason as a tag."""
        with explained(self.uri):
            self._log(run_id, tags={"gatewise.reason": reason[:5000]})
            self.client.set_terminated(run_id, status=status)

    # --- inner -----------------------------------------------------------------------

    def _experiment(self, name: str) -> str:
        from mlflow.exceptions import MlflowException

        found = self.client.get_experiment_by_name(name)
        if found is None:
            # A remote server knows where its artifacts belong; a local store keeps them beside
            # its database.
            file = sqlite_path(self.uri)
            folder = file.resolve().parent / "mlartifacts" / name if file else None
            try:
                location = folder.as_uri() if folder else None
                return str(self.client.create_experiment(name, artifact_location=location))
            except MlflowException:
                # Another process was quicker, or the name is taken by a deleted one.
                found = self.client.get_experiment_by_name(name)
                if found is None:
                    raise
        if found.lifecycle_stage == "deleted":
            raise TrackingError(
                f"the experiment {name!r} in {shown(self.uri)} was deleted; restore it with "
                f"`mlflow experiments restore --experiment-id {found.experiment_id}` or choose "
                "another tracking.experiment_prefix"
            )
        return str(found.experiment_id)

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
            Metric(name, value, now, step) for (name, step), value in (metrics or {}).items()
        ]
        settings: list[Param] = [Param(name, value) for name, value in (params or {}).items()]
        labels: list[RunTag] = [RunTag(name, value) for name, value in (tags or {}).items()]
        while points or settings or labels:
            # One request may hold 1,000 entities in all, 100 of them parameters or tags.
            some_params = settings[:PARAMS_AND_TAGS_PER_BATCH]
            some_tags = labels[:PARAMS_AND_TAGS_PER_BATCH]
            room = METRICS_PER_BATCH - len(some_params) - len(some_tags)
            self.client.log_batch(run_id, points[:room], some_params, some_tags)
            del settings[: len(some_params)], labels[: len(some_tags)], points[:room]

    def _add_dataset(self, run: Run, wanted: Content) -> bool:
        from mlflow.entities import Dataset, DatasetInput, InputTag

        if wanted.data_digest is None:
            return False
        short = wanted.data_digest[:DIGEST_LENGTH]
        if any(held.digest == short for held in datasets(run)):
            return False
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
        self.client.log_inputs(run.info.run_id, [DatasetInput(dataset, tags)])
        return True


def datasets(run: Run) -> list[Dataset]:
    """Data sets logged as inputs of a run."""
    return [given.dataset for given in run.inputs.dataset_inputs] if run.inputs else []


def differing(held: Mapping[str, str], wanted: Mapping[str, str]) -> dict[str, str]:
    """What of `wanted` is not held, or held otherwise."""
    return {name: value for name, value in wanted.items() if held.get(name) != value}


def shown(uri: str) -> str:
    """An address fit to print: without a password."""
    return re.sub(r"(://[^/@:]*):[^/@]*@", r"\1:...@", uri)


@contextlib.contextmanager
def _creating(path: Path) -> Iterator[None]:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(f"{path}.lock", timeout=CREATION_SECONDS)
        with lock:
            yield
    except Timeout:
        raise TrackingError(
            f"{path}: another process has been creating the store for {CREATION_SECONDS} s; "
            f"if none is, remove {path}.lock"
        ) from None


def _open(uri: str) -> MlflowClient:
    _quiet()
    from mlflow import MlflowClient

    path = sqlite_path(uri)
    if path is not None and not path.exists():
        with _creating(path):
            if not path.exists():
                # Migrations take seconds; a store killed halfway must not be left behind.
                fresh = path.with_name(f"{path.name}.new")
                fresh.unlink(missing_ok=True)
                MlflowClient(f"sqlite:///{fresh}").search_experiments(max_results=1)
                fresh.replace(path)
    return MlflowClient(uri)


def _quiet() -> None:
    import logging

    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.ERROR)
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")


def _sentence(uri: str, error: Exception) -> str:
    text = " ".join(str(error).split())
    where = f"the MLflow store {shown(uri)}"
    known: list[tuple[str, str]] = [
        ("out-of-date database schema", "is of an older version of MLflow; back it up and run "
         f"`mlflow db upgrade {shown(uri)}`"),
        ("Can't locate revision", "was written by a newer version of MLflow than this one"),
        ("readonly database", "is read-only; make the file writable or set MLFLOW_TRACKING_URI"),
        ("unable to open database file", "cannot be opened; its folder is missing or not writable"),
        ("database or disk is full", "has no disk space left; free some and run `gatewise track`"),
        ("No space left on device", "has no disk space left; free some and run `gatewise track`"),
        ("database is locked", "is locked by another program; try again when that has finished"),
        ("file is not a database", "is not a database; move that file away"),
        ("status code 401", "wants MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD"),
        ("UNAUTHENTICATED", "wants MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD"),
        ("status code 403", "does not permit this to the user given"),
        ("PERMISSION_DENIED", "does not permit this to the user given"),
        ("Max retries exceeded", "does not answer"),
        ("Connection refused", "does not answer"),
        ("timed out", "does not answer in time"),
    ]  # fmt: skip
    for sign, meaning in known:
        if sign in text:
            return f"{where} {meaning}"
    return f"{where} failed: {type(error).__name__}: {text[:300]}"


def runs_url(uri: str, run: Any) -> str | None:
    """Address of a run's page, for stores that are servers."""
    if not uri.startswith("http"):
        return None
    return f"{uri.rstrip('/')}/#/experiments/{run.info.experiment_id}/runs/{run.info.run_id}"
