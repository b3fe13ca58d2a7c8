"""When training ran away: numbers that are none, or a loss worse than guessing.

A model that knows nothing guesses, at a cross-entropy of `log(classes)` where there are classes;
where guessing hangs on the data, the first epoch stands for it. Rates that are too high
need not end in NaN: an LSTM's gates saturate, and its loss stays finite at any height.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from gatewise.errors import DivergedError

ABOVE_CHANCE = 2.0
"""Times the loss of guessing: a run that ends above it diverged, however it began."""
RISEN_ABOVE_CHANCE = 1.25
"""The same for a run that ends above its first epoch."""
_ADVICE = "lower train.learning_rate or train.clip_norm"


def check_epoch(epoch: int, train_loss: float) -> None:
    """Refuse to go on with numbers that are none.

    Raises:
        DivergedError: the loss is not finite.
    """
    if not math.isfinite(train_loss):
        raise DivergedError(f"training diverged in epoch {epoch} (loss {train_loss}); {_ADVICE}")


def check_run(curves: Sequence[Mapping[str, float]], guessing: float | None) -> None:
    """Refuse a run that ended worse than guessing.

    Args:
        curves: its epochs, with `train_loss`.
        guessing: the loss of one who knows nothing, where it is known.

    Raises:
        DivergedError: it did.
    """
    first, last = curves[0]["train_loss"], curves[-1]["train_loss"]
    chance = abs(first) if guessing is None else guessing
    allowed = (RISEN_ABOVE_CHANCE if last > first else ABOVE_CHANCE) * chance
    if last > allowed:
        raise DivergedError(
            f"training diverged: its loss ended at {last:.3g}, guessing has {chance:.3g}; {_ADVICE}"
        )
