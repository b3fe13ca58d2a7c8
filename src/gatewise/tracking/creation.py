"""Creating the MLflow store once, in a process that outlives the stage that asks for it.

Migrations take SQLite ten seconds. A short stage is over before, and would end the process that
does its logging; every later stage would begin again, and none would ever be seen while it trains.
"""

from __future__ import annotations

import contextlib
import os

from gatewise.config import TrackingConfig
from gatewise.errors import GatewiseError
from gatewise.execution import warm
from gatewise.tracking.connection import TrackingError, address, explained, open_client, sqlite_path


def begin(config: TrackingConfig, process: str | None = None) -> None:
    """Have the store created if it is a file that is not there yet; returns at once.

    Args:
        config: the store; nothing happens unless it is `enabled` and `live`.
        process: address of the warm process that is to do it; that which this study shares when
            left out, and nothing happens if there is none.
    """
    process = process or os.environ.get(warm.ADDRESS)
    if process is None or not (config.enabled and config.live):
        return
    uri = address(config)
    path = sqlite_path(uri)
    if path is None or path.exists():
        return
    with contextlib.suppress(OSError, GatewiseError):  # whoever logs says what is wrong
        warm.leave(process, create, [uri])


def create(uri: str) -> None:
    """Create the store whole; whoever else would waits, as `open_client` holds a lock."""
    with contextlib.suppress(TrackingError), explained(uri):
        open_client(uri)
