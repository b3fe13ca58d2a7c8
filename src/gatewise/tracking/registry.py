"""The model registry: one registered model per task, versions that carry their evidence.

Alias `champion` is what is in use, `challenger` what was offered last. A challenger becomes
champion because the gate or the comparison says that it is better, never because a number is
higher. Everything goes through `MlflowClient`, so a remote registry works the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gatewise.artifacts.runs import RunRecord
from gatewise.errors import GatewiseError
from gatewise.files import sha256
from gatewise.report import words
from gatewise.tracking import content, logged_models, origin
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
OTHERWISE = "`gatewise rollback`, or `gatewise promote --force` another"


@dataclass(frozen=True)
class Decision:
    """Whether a challenger may become champion, and why."""

    promoted: bool
    reason: str


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
        return version

    def crown(self, version: ModelVersion, reason: str) -> None:
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
            client.set_registered_model_alias(self.name, CHAMPION, version.version)

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
        found = self.download(f"runs:/{version.run_id}/{path}", target)
        if sha256(found)[:DIGITS] != found.stem:
            raise GatewiseError(
                f"{self.name} version {version.version}: the archive of its runs ({path}) is "
                f"damaged; {OTHERWISE}"
            )
        return found

    def download(self, address: str, target: Path) -> Path:
        """Bring an artifact (`runs:/...`, `models:/...`) into `target`.

        Raises:
            GatewiseError: it is not there any more.
        """
        import mlflow

        target.mkdir(parents=True, exist_ok=True)
        with explained(self.store.uri), pointing_at(self.store.uri):
            try:
                found = mlflow.artifacts.download_artifacts(address, dst_path=str(target))
            except (mlflow.MlflowException, OSError) as error:
                reason = " ".join(str(error).split())[:200]
                if any(sign in reason for sign in ("Max retries", "Connection", "timed out")):
                    raise
                raise GatewiseError(
                    f"{self.name}: {address} is missing from the artifact store ({reason}); "
                    f"{OTHERWISE}"
                ) from None
        return Path(found)

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
        return now, before

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


def decide(
    comparison: Mapping[str, Any],
    task: str,
    variant: str,
    champion: str | None,
    cheaper: float,
    *,
    compared: bool = True,
) -> Decision:
    """Whether `variant` may replace the champion on the word of the study's own comparison.

    It may if there is no champion; if the comparison's verdict is that it beats the champion's
    variant; or if they are equivalent and it is cheaper. A comparison of other runs than the
    champion, be they of its variant, says nothing about it: that is the gate's to decide.

    Args:
        comparison: `reports/comparison.json`.
        task: its name.
        variant: who may become champion.
        champion: variant of the champion, if there is one.
        cheaper: share of multiply-accumulates that an equivalent variant must save.
        compared: whether the champion is one of the runs compared.
    """
    found = comparison["tasks"][task]
    if champion is None:
        return Decision(True, "there was no champion")
    if not compared:
        return Decision(
            False,
            "the champion is none of the runs compared here, so nothing is known against it; "
            "`gatewise gate` weighs both on the same test examples, and `gatewise retrain "
            "--promote` acts on its word",
        )
    if champion == variant:
        return Decision(False, f"the champion is a run of {variant} already")
    pair = next((p for p in found["pairs"] if {p["a"], p["b"]} == {variant, champion}), None)
    if pair is None:
        return Decision(False, f"{variant} was never compared with the champion {champion}")
    sentence = words.sentence(pair)
    if pair["verdict"] == variant:
        return Decision(True, sentence)
    if pair["verdict"] == "equivalent":
        new, old = (
            (found["variants"][name]["macs_per_step"], found["variants"][name]["parameters"])
            for name in (variant, champion)
        )
        if saves(new, old, cheaper):
            return Decision(True, f"{sentence} It needs fewer multiply-accumulates.")
        return Decision(False, f"{sentence} It is not cheaper by {100 * cheaper:g} %.")
    return Decision(False, sentence)


def saves(new: tuple[float, float], old: tuple[float, float], share: float) -> bool:
    """Whether `new` needs `share` fewer multiply-accumulates than `old` and no more parameters."""
    return new[0] <= (1 - share) * old[0] and new[1] <= old[1]


def leader(comparison: Mapping[str, Any], task: str) -> str:
    """The variant with the highest mean score.

    Raises:
        GatewiseError: the comparison does not know the task.
    """
    tasks = comparison["tasks"]
    if task not in tasks:
        raise GatewiseError(
            f"reports/comparison.json has no task {task!r}; it has {', '.join(tasks)}"
        )
    variants: dict[str, Any] = tasks[task]["variants"]
    return max(variants, key=lambda name: float(variants[name]["mean"]))


def evidence(comparison: Mapping[str, Any], record: RunRecord) -> dict[str, str]:
    """Tags that say what a version rests on."""
    found = comparison["tasks"][record.task]
    scored = found["variants"][record.variant]
    pairs = [p for p in found["pairs"] if record.variant in (p["a"], p["b"])]
    tags = {
        "gatewise.metric": found["metric"],
        "gatewise.mean": repr(scored["mean"]),
        "gatewise.std": repr(scored["std"]),
        "gatewise.ci": repr(scored["ci"]),
        "gatewise.seeds": str(len(scored["values"])),
        "gatewise.seed": str(record.seed),
        "gatewise.data": str(record.data.get("digest")),
        "gatewise.weights_sha256": record.weights_sha256,
        "gatewise.evidence": " ".join(words.sentence(pair) for pair in pairs)[:5000],
    }
    commit = origin.tags().get("mlflow.source.git.commit")
    return tags | ({"gatewise.git.commit": commit} if commit else {})
