"""The one exception that users are meant to read."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

_MEANINGS = {
    errno.ENOSPC: "the disk is full; free some space and run it again",
    errno.EDQUOT: "the disk quota is used up; free some space and run it again",
    errno.EACCES: "no permission; mend it and run it again",
    errno.EPERM: "no permission; mend it and run it again",
    errno.EROFS: "the file system is read-only",
}


class GatewiseError(Exception):
    """Something the user can mend; the message says what is wrong, where, and what to do.

    Entry points (`pipeline/`, `gatewise`) print the message without a traceback and exit
    with status 1. Anything else that escapes is a bug and keeps its traceback.
    """


class DivergedError(GatewiseError):
    """Training ran away from what can be learnt; other settings would help, no repair would."""


def meaning(error: OSError) -> str | None:
    """What the system refused, in a sentence; nothing for what a user could not mend."""
    if error.errno not in _MEANINGS:
        return None
    return f"{error.filename or 'while writing'}: {_MEANINGS[error.errno]}"


@contextmanager
def in_words() -> Iterator[None]:
    """Turn what the system refused into a `GatewiseError`; entry points run inside it."""
    try:
        yield
    except OSError as error:
        found = meaning(error)
        if found is None:
            raise
        raise GatewiseError(found) from None
