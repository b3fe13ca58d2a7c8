"""What every part of `params.yaml` is made of: models that refuse what they do not know."""

from __future__ import annotations

import difflib
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

SPLITS = ("train", "validation", "test")

Fraction = Annotated[float, Field(gt=0, lt=1)]
Share = Annotated[float, Field(gt=0, le=1)]
Probability = Annotated[float, Field(ge=0, lt=1)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
# Upper bounds are far beyond what any study needs: they turn a slip of the finger into a sentence
# before it takes all memory or never ends.
Count = Annotated[int, Field(ge=1, le=1_000_000_000)]
Width = Annotated[int, Field(ge=1, le=16_384)]
"""Of a vector inside a model."""
Epochs = Annotated[int, Field(ge=1, le=100_000)]
BatchSize = Annotated[int, Field(ge=1, le=1_000_000)]
Steps = Annotated[int, Field(ge=1, le=100_000)]
"""Of one sequence."""
Seconds = Annotated[float, Field(gt=0, le=3_600, allow_inf_nan=False)]
"""Of one clip."""
Seeds = Annotated[int, Field(ge=1, le=10_000)]
"""A number of seeds."""
Seed = Annotated[int, Field(ge=0, lt=2**32)]
Threads = Annotated[int, Field(ge=1, le=1024)]
"""Of one process, or processes of one machine."""
Machines = Annotated[int, Field(ge=1, le=10_000)]
Hertz = Annotated[int, Field(ge=1, le=192_000)]
Window = Annotated[int, Field(ge=1, le=65_536)]
"""Samples of a spectrum's window or hop."""
Bands = Annotated[int, Field(ge=1, le=1024)]
Side = Annotated[int, Field(ge=1, le=1024)]
"""Pixels of an image's height or width, as models see it."""


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
