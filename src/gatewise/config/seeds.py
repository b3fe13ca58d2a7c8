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

import yaml
from pydantic import Field, ValidationError

from gatewise.config.strict import Strict
from gatewise.errors import GatewiseError

SEEDS_LOCK = "seeds.lock"


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


_Number = Annotated[int, Field(ge=0, strict=True)]


class _Lock(Strict):
    reached: _Number = 0
    seeds: dict[str, dict[str, _Number]] = Field(default_factory=dict)


def reached(path: str | Path) -> Reached:
    """What the lock file says; nothing before the first round.

    Raises:
        GatewiseError: the file says something else.
    """
    try:
        found = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
        lock = _Lock.model_validate(found)
    except FileNotFoundError:
        return Reached()
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise GatewiseError(f"{path}: not readable as YAML: {error}") from None
    except ValidationError:
        raise GatewiseError(
            f"{path}: expected `reached: <number of seeds>`, or `seeds:` with a number for each "
            "variant of each task; put `reached: 0` to start anew"
        ) from None
    return Reached(lock.seeds, lock.reached)
