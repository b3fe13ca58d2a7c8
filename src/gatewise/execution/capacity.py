"""How many runs this machine can train at once."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from gatewise.errors import GatewiseError
from gatewise.files import cores

WORKER_MB = 400
"""Most memory that a run usually adds to the process it is forked from (10^6 bytes)."""
_CGROUP = Path("/sys/fs/cgroup")


def workers(wish: int | Literal["auto"], threads: int) -> int:
    """How many runs of `threads` threads to train at once; `auto` fits cores and memory.

    Raises:
        GatewiseError: the number asked for does not fit.
    """
    have, free = cores(), free_mb()
    by_cores, by_memory = max(have // threads, 1), max(int(free // WORKER_MB), 1)
    if wish == "auto":
        return min(by_cores, by_memory)
    if wish > by_cores:
        raise GatewiseError(
            f"execution.workers is {wish}, with {threads} thread{'s' * (threads > 1)} each, but "
            f"this machine has {have} cores: they would only hold each other up; "
            f"set it to auto, or to at most {by_cores}"
        )
    if wish > by_memory:
        raise GatewiseError(
            f"execution.workers is {wish}, but there are {free:,.0f} MB of free memory and a run "
            f"takes up to {WORKER_MB} MB; set it to auto, or to at most {by_memory}"
        )
    return wish


def free_mb() -> float:
    """Memory that can still be used: that of the machine, or less if a container has less."""
    import psutil

    free = float(psutil.virtual_memory().available)
    try:
        limit, used = ((_CGROUP / f"memory.{name}").read_text() for name in ("max", "current"))
        free = min(free, float(limit) - float(used))
    except (OSError, ValueError):
        pass  # No such limit ("max" is no number), or another system.
    return free / 1e6
