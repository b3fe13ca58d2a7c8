"""One mirror of a project at a time."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from gatewise.files import try_lock
from gatewise.tracking.connection import TrackingError

if TYPE_CHECKING:
    from filelock import AcquireReturnProxy, FileLock

LOCK = Path(".gatewise/track.lock")


def exclusive(lock: Path) -> AcquireReturnProxy[FileLock]:
    """Hold the project's tracking lock.

    Raises:
        TrackingError: another process holds it.
    """
    held = try_lock(lock)
    if held is None:
        raise TrackingError(
            "another `gatewise track` is at work on this project; wait until it has finished"
        )
    return held
