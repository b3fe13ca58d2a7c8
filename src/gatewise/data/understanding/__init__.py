"""Understanding what lies in a folder or table: which source reads it, and what is in it."""

from gatewise.data.understanding.record import (
    Ambiguous,
    Certainty,
    Note,
    Options,
    Reading,
    Understanding,
)

__all__ = ["Ambiguous", "Certainty", "Note", "Options", "Reading", "Understanding"]
