"""A variant's recurrence with a readout, and how it starts."""

from __future__ import annotations

import functools
from typing import Any

import torch
from torch import Tensor, nn

from gatewise import streams
from gatewise.config import VariantConfig
from gatewise.config.probes import Start
from gatewise.diagnostics.probes.problems import Problem
from gatewise.errors import GatewiseError
from gatewise.models import budget, cells, initialisation
from gatewise.models.complexity import Sizes
from gatewise.models.lengths import Lengths
from gatewise.models.recurrence import Recurrence


class Prober(nn.Module):
    """A variant's recurrence with a linear readout at every step."""

    def __init__(self, variant: VariantConfig, features: int, outputs: int) -> None:
        super().__init__()
        self.recurrence = Recurrence(variant, features)
        self.readout = nn.Linear(self.recurrence.output_size, outputs)

    def forward(self, x_tbf: Tensor) -> Tensor:
        """Outputs `(time, batch, outputs)`."""
        time, batch = x_tbf.shape[:2]
        hidden = self.recurrence(x_tbf, _whole(time, batch))
        answers: Tensor = self.readout(hidden)
        return answers


@functools.lru_cache(maxsize=8)
def _whole(time: int, batch: int) -> Lengths:
    """Sequences that all fill their batch."""
    return Lengths(torch.full((batch,), time), time)


def why_not(variant: VariantConfig) -> str | None:
    """Why a variant cannot be probed, or `None` where it can."""
    if not variant.bidirectional:
        return None
    return (
        "a bidirectional variant reads every sequence whole and cannot run step by step, so there "
        "is no past that it would have to hold; probe its `bidirectional: false` sibling"
    )


def resolve(
    variant: VariantConfig, reference: VariantConfig | None, problem: Problem, length: int
) -> VariantConfig:
    """The variant with its width solved for a problem's own input size."""
    sizes = Sizes(problem.outputs, problem.features(length))
    return budget.resolve(variant, reference, sizes).variant


def at_width(variant: VariantConfig, width: int | None) -> VariantConfig:
    """The variant with so many units a layer, unless its width is to be solved for another's."""
    if width is None or variant.hidden is None:
        return variant
    projection = variant.projection
    if projection is not None:
        projection = max(1, projection * width // variant.hidden)
    return variant.model_copy(update={"hidden": width, "projection": projection})


def started(variant: VariantConfig, start: Start, steps: int) -> VariantConfig:
    """The variant with another initialisation.

    Args:
        variant: with its width solved.
        start: how its weights begin.
        steps: longest dependency, which `chrono` prepares for.
    """
    if start == "declared":
        return variant
    changed: dict[str, Any] = {"init": "torch", "forget_bias": None, "chrono_steps": None}
    if start == "forget-bias":
        changed |= {"forget_bias": 1.0}
    elif start == "chrono":
        changed |= {"init": "chrono", "chrono_steps": max(steps, 3)}
    else:
        changed |= {"init": start}
    return variant.model_copy(update=changed)


def possible_starts(variant: VariantConfig, wanted: tuple[Start, ...]) -> tuple[Start, ...]:
    """Those of the wanted initialisations that the variant's cell can have.

    Raises:
        GatewiseError: it can have none of them.
    """
    kind = cells.get(variant.cell)
    able = []
    for start in wanted:
        changed = started(variant, start, 3)
        try:
            initialisation.check(kind, changed.init, changed.forget_bias)
        except GatewiseError:
            continue
        able.append(start)
    if not able:
        raise GatewiseError(
            f"probes.starts: cell {variant.cell!r} can start in none of {', '.join(wanted)}, as it "
            "has no gate that keeps its state; add torch"
        )
    return tuple(able)


def build(variant: VariantConfig, problem: Problem, length: int, seed: int) -> Prober:
    """A fresh model, its weights drawn from the seed's `init` stream."""
    replica = (variant.replica,) if variant.replica else ()
    torch.manual_seed(streams.torch_seed(seed, "init", *replica))
    return Prober(variant, problem.features(length), problem.outputs)
