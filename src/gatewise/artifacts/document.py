"""What stages hand each other as JSON: typed, documented, and read in one place each."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Self, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from gatewise.errors import GatewiseError
from gatewise.files import DamagedError, read_json, write_json

Interval = tuple[float, float]
"""Lower and upper bound."""
Model = TypeVar("Model", bound=BaseModel)


def read_model(kind: type[Model], path: str | Path, stage: str) -> Model:
    """Read a JSON file as one of the models that stages hand each other.

    Args:
        kind: what it should hold.
        path: the file.
        stage: name of the stage that writes it.

    Raises:
        DamagedError: it holds something else, or was written by another version.
        GatewiseError: it is missing.
    """
    try:
        return kind.model_validate(read_json(path))
    except FileNotFoundError:
        raise GatewiseError(f"{path}: missing; run `dvc repro {stage}` to make it") from None
    except ValidationError as error:
        reason = " ".join(str(error).split())[:300]
        raise DamagedError(
            f"{path}: damaged, or of another version ({reason}); run `dvc repro -f {stage}`"
        ) from None


class Part(BaseModel):
    """A piece of a document: unknown keys are refused and nothing changes once it is made."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class Document(Part):
    """A JSON file that one stage writes and others read."""

    stage: ClassVar[str]
    """Name of the stage that writes it."""

    def write(self, path: str | Path) -> None:
        """Write it to `path`."""
        write_json(path, self.model_dump(mode="json"))

    @classmethod
    def read(cls, path: str | Path) -> Self:
        """Read `path`.

        Raises:
            GatewiseError: it is missing or was written by another version.
        """
        return read_model(cls, path, cls.stage)

    @classmethod
    def read_if_made(cls, path: str | Path) -> Self | None:
        """As `read`, but `None` where there is no such file."""
        return cls.read(path) if Path(path).is_file() else None
