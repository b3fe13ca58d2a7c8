"""What one request may cost: stated, counted item by item, and never exceeded by much.

A small body can ask for much: silence compresses a thousandfold, a few odd numbers make a huge
resampling kernel, and one long sequence pads all of its batch. So work is counted as it comes up,
between items and between batches, and a request that asks for too much ends there.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from gatewise.errors import GatewiseError

LONGEST_SECONDS = 60.0
"""Of sound in one item."""
LONGEST_STEPS = 100_000
"""Of one sequence."""
MOST_SECONDS = 600
"""Of sound in one request."""
MOST_STEPS = 400_000
"""Of all sequences of one request."""
MOST_CHARACTERS = 4_000_000
"""Of all texts of one request."""
MOST_PIXELS = 100_000_000
"""Of all images of one request; a small file can hold many."""
MOST_COMPUTING = 60.0
"""Seconds that one request may compute."""
MOST_PADDED_STEPS = 2**19
"""Rows times longest sequence of one batch; 256 rows of 2,048 steps. About 0.8 GB at worst."""


Work = Literal["sound", "steps", "text", "pixels"]
"""What a request can ask for much of."""


@dataclass(frozen=True)
class Allowance:
    """The most that one request may ask for of one kind of work."""

    most: int
    unit: str


ALLOWANCES: dict[Work, Allowance] = {
    "sound": Allowance(MOST_SECONDS, "s of sound"),
    "steps": Allowance(MOST_STEPS, "steps of sequences"),
    "text": Allowance(MOST_CHARACTERS, "characters"),
    "pixels": Allowance(MOST_PIXELS, "pixels"),
}


class BadInputError(GatewiseError):
    """Something asked of a model that it cannot answer; says which item and why."""


class TooMuchError(BadInputError):
    """A request that asks for more work than one request may."""


class AbandonedError(Exception):
    """Nobody waits for the answer any more."""


@dataclass
class Budget:
    """The work of one request; made when it begins to be computed.

    One thread spends, another may `abandon`.
    """

    left: dict[Work, float] = field(
        default_factory=lambda: {what: allowed.most for what, allowed in ALLOWANCES.items()}
    )
    """What may still be asked for, in the units of `ALLOWANCES`."""
    computing: float = MOST_COMPUTING
    clock: Callable[[], float] = time.monotonic
    _began: float | None = None
    _abandoned: threading.Event = field(default_factory=threading.Event)

    def abandon(self) -> None:
        """Let whoever computes stop at the next item."""
        self._abandoned.set()

    def go_on(self) -> None:
        """Call between items and batches.

        Raises:
            TooMuchError: it has taken too long.
            AbandonedError: nobody waits any more.
        """
        if self._abandoned.is_set():
            raise AbandonedError
        now = self.clock()
        self._began = now if self._began is None else self._began
        if now - self._began > self.computing:
            raise TooMuchError(
                f"this takes longer than {self.computing:.0f} s to compute; send fewer or shorter "
                "items in one request"
            )

    def take(self, what: Work, amount: float) -> None:
        """Spend some of one kind of work.

        Raises:
            TooMuchError: there is no more to spend.
        """
        self.left[what] -= amount
        if self.left[what] < 0:
            allowance = ALLOWANCES[what]
            raise TooMuchError(
                f"more than {allowance.most:,} {allowance.unit} in one request; send fewer items"
            )
