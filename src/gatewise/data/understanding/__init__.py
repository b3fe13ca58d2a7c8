"""Understanding what lies in a folder or table: which source reads it, and what is in it."""

from gatewise.data.understanding.record import (
    Ambiguous,
    Certainty,
    Chosen,
    Note,
    Options,
    Reading,
    Understanding,
)
from gatewise.data.understanding.understand import understand

__all__ = [
    "Ambiguous",
    "Certainty",
    "Chosen",
    "Note",
    "Options",
    "Reading",
    "Understanding",
    "understand",
]
