"""The one exception that users are meant to read."""

from __future__ import annotations

import errno
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType

_MEANINGS = {
    errno.ENOSPC: "the disk is full; free some space and run it again",
    errno.EDQUOT: "the disk quota is used up; free some space and run it again",
    errno.EACCES: "no permission; mend it and run it again",
    errno.EPERM: "no permission; mend it and run it again",
    errno.EROFS: "the file system is read-only",
    errno.EFBIG: "larger than files may be here (`ulimit -f`); raise the limit and run it again",
    errno.EMFILE: "too many open files (`ulimit -n`); raise the limit and run it again",
    errno.ENFILE: "too many open files on this machine; close some and run it again",
    errno.EIO: "the disk cannot be read or written; check it and run it again",
    errno.EAGAIN: "no more processes or threads may be started (`ulimit -u`); end some",
    errno.ENOTDIR: "a file stands where a folder should be; remove it and run it again",
    errno.EISDIR: "a folder stands where a file should be; remove it and run it again",
    errno.ELOOP: "a link that leads to itself; remove it and run it again",
    errno.ENAMETOOLONG: "the name is too long for this file system; choose a shorter one",
}
_NUMBER = re.compile(r"(?:\[Errno |\(os error )(\d+)[\])]")
"""How libraries that write files themselves quote the system: PyArrow, and those in Rust."""
_CUT_OFF = re.compile(r"\d+ requested and \d+ written")
"""How NumPy says that it could not write an array, without the system's number."""
_NO_MEMORY = ("can't allocate memory", "CUDA out of memory")
"""How PyTorch says it, in a `RuntimeError`."""
OUT_OF_MEMORY = (
    "out of memory; close other programs, or lower execution.workers, train.batch_size or the "
    "widths in params.yaml"
)


class GatewiseError(Exception):
    """Something the user can mend; the message says what is wrong, where, and what to do.

    Entry points (`pipeline/`, `gatewise`) print the message without a traceback and exit
    with status 1. Anything else that escapes is a bug and keeps its traceback.
    """


class DivergedError(GatewiseError):
    """Training ran away from what can be learnt; other settings would help, no repair would."""


def meaning(error: BaseException) -> str | None:
    """What the system refused, in a sentence; nothing for what a user could not mend."""
    if isinstance(error, MemoryError) or any(sign in str(error) for sign in _NO_MEMORY):
        return OUT_OF_MEMORY
    number = error.errno if isinstance(error, OSError) else None
    if number is None and (quoted := _NUMBER.search(str(error))):
        number = int(quoted[1])
    if isinstance(error, OSError) and _CUT_OFF.search(str(error)):
        return "while writing: the disk is full, or files may not be that large (`ulimit -f`)"
    if number not in _MEANINGS:
        return None
    return f"{getattr(error, 'filename', None) or 'while writing'}: {_MEANINGS[number]}"


def interrupt_quietly(sentence: str = "interrupted") -> None:
    """Let Ctrl-C end this program in a sentence also where nobody catches it, as during imports."""
    usual = sys.excepthook

    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            print(sentence, file=sys.stderr)
        else:
            usual(kind, error, trace)

    sys.excepthook = hook


@contextmanager
def in_words() -> Iterator[None]:
    """Turn what the system refused into a `GatewiseError`; entry points run inside it."""
    try:
        yield
    except GatewiseError:
        raise
    except Exception as error:
        found = meaning(error)
        if found is None:
            raise
        raise GatewiseError(found) from None
