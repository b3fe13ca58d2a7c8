"""What stages hand each other as JSON: typed, documented, and read in one place each."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from gatewise.errors import GatewiseError
from gatewise.files import read_json, write_json

Interval = tuple[float, float]
"""Lower and upper bound."""


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
        try:
            return cls.model_validate(read_json(path))
        except FileNotFoundError:
            raise GatewiseError(f"{path}: missing; run `dvc repro {cls.stage}`") from None
        except ValidationError as error:
            raise GatewiseError(
                f"{path}: not of this version, run `dvc repro {cls.stage}`: {error}"
            ) from None

    @classmethod
    def read_if_made(cls, path: str | Path) -> Self | None:
        """As `read`, but `None` where there is no such file."""
        return cls.read(path) if Path(path).is_file() else None
