"""The model registry: one registered model per task, versions that carry their evidence.

Alias `champion` is what is in use, `challenger` what was offered last. A challenger becomes
champion because the gate or the comparison says that it is better, never because a number is
higher. Everything goes through `MlflowClient`, so a remote registry works the same.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from gatewise.artifacts.comparison import TaskComparison
from gatewise.artifacts.runs import RunRecord
from gatewise.errors import GatewiseError
from gatewise.files import sha256
from gatewise.report import words
from gatewise.tracking import content, links, logged_models, model_pages, origin
from gatewise.tracking.connection import TrackingError, explained, pointing_at
from gatewise.tracking.store import Store

if TYPE_CHECKING:
    from mlflow.entities.model_registry import ModelVersion, RegisteredModel

CHAMPION, CHALLENGER = "champion", "challenger"
TASK, VARIANT, PREVIOUS = "gatewise.task", "gatewise.variant", "gatewise.previous_champion"
REFERENCE = "gatewise.reference"
"""Artifact of the version's run that holds all seeds of its variant, for later gates."""
DIGITS = 12
"""Of the digest that names such an archive."""
LONGEST_TAG = 5_000
"""Characters that MLflow takes."""
SINCE = "gatewise.champion_since"
"""Tag of a version: when it last became champion, in milliseconds since 1970."""
OTHERWISE = "`gatewise rollback`, or `gatewise promote --force` another"


class Registry:
    """The registered model of one task."""

    def __init__(self, store: Store, task: str) -> None:
        self.store = store
        self.task = task
        # A registered model's name may not hold a slash.
        self.name = f"{store.prefix}{task}".replace("/", "-").replace(":", "-")

    def version(self, alias: str) -> ModelVersion | None:
        """The version that carries `alias`."""
        model = self._model()
        number = model.aliases.get(alias) if model else None
        if number is None:
            return None
        with explained(self.store.uri):
            return self.store.client.get_model_version(self.name, str(number))

    def offer(self, record: RunRecord, evidence: Mapping[str, str]) -> ModelVersion:
        """Make the run's logged model a version, once, and the challenger.

        Raises:
            GatewiseError: the model was never logged, or the name belongs to somebody else.
        """
        run = self.store.find(self.task, record.key)
        logged = logged_models.find(self.store, record) if run else None
        if run is None or logged is None:
            raise GatewiseError(
                f"{record.name} has no logged model in the store; run `gatewise track` first"
            )
        self._own()
        client = self.store.client
        with explained(self.store.uri):
            # Of this key: of several logged models the registry takes the one it has.
            known = client.search_model_versions(f"name = '{self.name}'")
            same = [v for v in known if v.tags.get(content.KEY) == record.key]
            if same:
                version = max(same, key=lambda v: int(v.version))
                for name, value in evidence.items():
                    client.set_model_version_tag(self.name, version.version, name, value)
            else:
                version = client.create_model_version(
                    self.name,
                    source=logged.artifact_location,
                    run_id=run.info.run_id,
                    model_id=logged.model_id,
                    tags={content.KEY: record.key, VARIANT: record.variant, **evidence},
                    description=evidence.get("gatewise.evidence", ""),
                )
            client.set_registered_model_alias(self.name, CHALLENGER, version.version)
        self.describe()
        return version

    def promote(self, version: ModelVersion, reason: str) -> None:
        """Make a version champion and remember the one before it."""
        client = self.store.client
        before = self.version(CHAMPION)
        with explained(self.store.uri):
            if before is not None and before.version != version.version:
                client.set_model_version_tag(
                    self.name, version.version, PREVIOUS, str(before.version)
                )
            client.set_model_version_tag(
                self.name, version.version, "gatewise.promoted_because", reason
            )
            now = str(int(time.time() * 1000))
            client.set_model_version_tag(self.name, version.version, SINCE, now)
            client.set_registered_model_alias(self.name, CHAMPION, version.version)
        self.describe()

    def attach(self, version: ModelVersion, archive: Path) -> None:
        """Let a version carry an archive; named by its digest, so never overwritten by another."""
        name = f"{sha256(archive)[:DIGITS]}.zip"
        path = f"reference/{name}"
        if version.tags.get(REFERENCE) == path:
            return
        named = archive.rename(archive.with_name(name))
        with explained(self.store.uri):
            self.store.client.log_artifact(version.run_id, str(named), "reference")
            self.store.client.set_model_version_tag(self.name, version.version, REFERENCE, path)

    def attached(self, version: ModelVersion, target: Path) -> Path | None:
        """Bring the archive that a version carries into `target`; nothing if it carries none.

        Raises:
            GatewiseError: it is gone, or not what was attached.
        """
        path = version.tags.get(REFERENCE)
        if path is None:
            return None
        archive = self.download(f"runs:/{version.run_id}/{path}", target)
        if sha256(archive)[:DIGITS] != archive.stem:
            raise GatewiseError(
                f"{self.name} version {version.version}: the archive of its runs ({path}) is "
                f"damaged; {OTHERWISE}"
            )
        return archive

    def download(self, address: str, target: Path) -> Path:
        """Bring an artifact (`runs:/...`, `models:/...`) into `target`.

        Raises:
            GatewiseError: it is not there any more.
        """
        import mlflow

        target.mkdir(parents=True, exist_ok=True)
        with explained(self.store.uri), pointing_at(self.store.uri):
            try:
                path = mlflow.artifacts.download_artifacts(address, dst_path=str(target))
            except (mlflow.MlflowException, OSError) as error:
                reason = " ".join(str(error).split())[:200]
                if any(sign in reason for sign in ("Max retries", "Connection", "timed out")):
                    raise
                raise GatewiseError(
                    f"{self.name}: {address} is missing from the artifact store ({reason}); "
                    f"{OTHERWISE}"
                ) from None
        return Path(path)

    def rollback(self) -> tuple[ModelVersion, ModelVersion]:
        """Give the alias back to the champion before; returns (from, to).

        Raises:
            GatewiseError: there is no champion, or none before it.
        """
        now = self.version(CHAMPION)
        if now is None:
            raise GatewiseError(f"{self.name} has no champion; `gatewise promote {self.task}`")
        number = now.tags.get(PREVIOUS)
        if number is None:
            raise GatewiseError(f"version {now.version} of {self.name} is its first champion")
        client = self.store.client
        with explained(self.store.uri):
            before = client.get_model_version(self.name, number)
            client.set_registered_model_alias(self.name, CHAMPION, before.version)
            client.set_registered_model_alias(self.name, CHALLENGER, now.version)
            client.set_model_version_tag(
                self.name, before.version, SINCE, str(int(time.time() * 1000))
            )
        self.describe()
        return now, before

    def describe(self) -> None:
        """Let the model's page say what is in use, since when, on what evidence, and the way back.

        Nothing happens where there is no such model, or it is somebody else's.
        """
        model = self._model()
        if model is None or model.tags.get(TASK) != self.task:
            return
        text = model_pages.description(
            self.task, self.version(CHAMPION), self.version(CHALLENGER), self._experiment_link()
        )
        if model.description != text:
            with explained(self.store.uri):
                self.store.client.update_registered_model(self.name, text)

    def _experiment_link(self) -> str:
        return links.experiment(self.store.experiment(self.task))

    def _model(self) -> RegisteredModel | None:
        from mlflow.exceptions import MlflowException

        with explained(self.store.uri):
            try:
                return self.store.client.get_registered_model(self.name)
            except MlflowException as error:
                if error.error_code == "RESOURCE_DOES_NOT_EXIST":
                    return None
                raise

    def _own(self) -> None:
        """Make the registered model, or see that it is ours."""
        model = self._model()
        if model is None:
            with explained(self.store.uri):
                self.store.client.create_registered_model(
                    self.name,
                    tags={TASK: self.task},
                    description=f"Sequence classifiers for the task {self.task}; each version's "
                    "tags hold its evidence.",
                )
        elif model.tags.get(TASK) != self.task:
            raise TrackingError(
                f"the registry holds a model {self.name!r} that is not of this task; choose "
                "another tracking.experiment_prefix"
            )


def evidence(comparison: TaskComparison, record: RunRecord) -> dict[str, str]:
    """Tags that say what a version rests on."""
    score, metric = comparison.variants[record.variant], comparison.metric.definition
    sentences = (words.sentence(pair, metric) for pair in comparison.pairs_with(record.variant))
    tags = {
        "gatewise.metric": metric.name,
        "gatewise.mean": repr(score.mean),
        "gatewise.std": repr(score.std),
        "gatewise.ci": repr(None if score.ci is None else list(score.ci)),
        "gatewise.seeds": str(len(score.values)),
        "gatewise.seed": str(record.seed),
        "gatewise.data": str(record.data.digest),
        "gatewise.weights_sha256": record.weights_sha256,
        "gatewise.evidence": " ".join(sentences)[:LONGEST_TAG],
    }
    commit = origin.tags().get(origin.COMMIT)
    return tags | ({"gatewise.git.commit": commit} if commit else {})
