"""How many seeds `seeds: auto` has come to, by task and variant: `seeds.lock`.

    seeds:
      digits: {lstm: 12, gru: 12, rnn: 8}

Before variants could leave the race, one number stood for all (`reached: 12`); it still may.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError

from gatewise.config import yaml_file
from gatewise.config.strict import Strict
from gatewise.errors import GatewiseError

SEEDS_LOCK = "seeds.lock"
MOST_SEEDS = 10_000


@dataclass(frozen=True)
class Reached:
    """Seeds of each variant on each task."""

    counts: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """By task and variant."""
    everywhere: int = 0
    """Seeds of every task and variant that `counts` does not name."""

    def seeds(self, task: str, variant: str) -> int:
        """Seeds of one variant on one task; 0 before its first round."""
        return self.counts.get(task, {}).get(variant, self.everywhere)


_Number = Annotated[int, Field(ge=0, le=MOST_SEEDS, strict=True)]


class _Lock(Strict):
    reached: _Number = 0
    seeds: dict[str, dict[str, _Number]] = Field(default_factory=dict)


def reached(path: str | Path) -> Reached:
    """What the lock file says; nothing before the first round.

    Raises:
        GatewiseError: the file says something else.
    """
    try:
        lock = _Lock.model_validate(yaml_file.read(path))
    except FileNotFoundError:
        return Reached()
    except ValidationError:
        raise GatewiseError(
            f"{path}: expected `reached: <number of seeds>`, or `seeds:` with a number for each "
            "variant of each task; put `reached: 0` to start anew"
        ) from None
    return Reached(lock.seeds, lock.reached)
