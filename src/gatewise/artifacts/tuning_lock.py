"""`tuning.lock`: choices that a retraining keeps although its data have changed.

New data would have every variant tuned anew, and a champion be compared with one of other
settings. So `gatewise retrain` notes what was chosen before, and the `plan` stage, which depends on
this file, has the `tune` stage take it over. It is committed as `dvc.lock` is. A choice holds for
the tuning that made it: another space or number of trials is tuned.
"""

from __future__ import annotations

from pathlib import Path

import yaml
from pydantic import Field, ValidationError

from gatewise.artifacts import tuned
from gatewise.artifacts.document import Part
from gatewise.artifacts.tuned import Tuned
from gatewise.config import Study, TuningConfig, explain, yaml_file
from gatewise.config.tuning import Value
from gatewise.errors import GatewiseError
from gatewise.files import digest, replacing

FILE = "tuning.lock"
HEADER = "# Tuned settings that `gatewise retrain` keeps on new data. Written by it; commit it.\n"
ANEW = "put `kept: {}` there to tune anew"


class KeptChoice(Part):
    """What was chosen for one variant of a task."""

    tuning: str
    """Digest of the tuning settings that it was chosen by."""
    settings: dict[str, Value]


class TuningLock(Part):
    """`tuning.lock`."""

    kept: dict[str, dict[str, KeptChoice]] = Field(default_factory=dict)
    """By task and variant."""

    @classmethod
    def read(cls, path: str | Path = FILE) -> TuningLock:
        """Read it; empty where there is none.

        Raises:
            GatewiseError: the file says something else.
        """
        try:
            return cls.model_validate(yaml_file.read(path) or {})
        except FileNotFoundError:
            return cls()
        except ValidationError as error:
            raise GatewiseError(f"{explain(error, str(path))}; {ANEW}") from None
        except GatewiseError as error:
            raise GatewiseError(f"{error}; {ANEW}") from None

    def write(self, path: str | Path = FILE) -> None:
        """Write it in place of what was there."""
        text = yaml.safe_dump(self.model_dump(mode="json"), sort_keys=False)
        with replacing(path) as temporary:
            temporary.write_text(f"{HEADER}{text}", encoding="utf-8")

    def settings(self, task: str, variant: str, tuning: TuningConfig) -> dict[str, Value] | None:
        """What `variant` keeps on `task`; `None` if it is to be tuned."""
        choice = self.kept.get(task, {}).get(variant)
        if choice is None or choice.tuning != tuning_digest(tuning):
            return None
        return choice.settings


def tuning_digest(tuning: TuningConfig) -> str:
    """sha256 of how settings are chosen."""
    return digest(tuning.model_dump(mode="json"))


def keep(study: Study, task: str, lock: TuningLock, root: str | Path = "data/tuned") -> TuningLock:
    """The lock with the present choices of `task` in it.

    Choices that each seed makes for itself are not kept: a new seed would have none.
    """
    tuning = study.tuning_for(task)
    if not tuning.trials or tuning.per == "seed":
        return lock
    choices = {}
    for variant in study.variants:
        made = Tuned.read_if_made(tuned.path(task, variant, root))
        if made is not None and made.made_by == tuning_digest(tuning):
            choices[variant] = KeptChoice(
                tuning=tuning_digest(tuning), settings=dict(made.settings())
            )
    return TuningLock(kept={**lock.kept, task: choices})
