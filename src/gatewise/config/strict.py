"""What every part of `params.yaml` is made of: models that refuse what they do not know."""

from __future__ import annotations

import difflib
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

SPLITS = ("train", "validation", "test")

Fraction = Annotated[float, Field(gt=0, lt=1)]
Share = Annotated[float, Field(gt=0, le=1)]
Probability = Annotated[float, Field(ge=0, lt=1)]
Positive = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(ge=1)]


class Strict(BaseModel):
    """A model that refuses unknown keys and never changes after it was checked."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    @model_validator(mode="before")
    @classmethod
    def _known_keys(cls, value: Any) -> Any:
        # Before pydantic's own check, whose message cannot say what is allowed.
        if isinstance(value, dict):
            for key in value:
                if key not in cls.model_fields:
                    raise ValueError(f"unknown key {key!r}{suggest(str(key), cls.model_fields)}")
        return value


def suggest(word: str, allowed: Any) -> str:
    """`; did you mean ...? allowed: ...` for a word that is not among `allowed`."""
    names = [str(name) for name in allowed]
    close = difflib.get_close_matches(word, names, n=2)
    hint = f"; did you mean {' or '.join(close)}?" if close else ";"
    return f"{hint} allowed: {', '.join(names)}"
