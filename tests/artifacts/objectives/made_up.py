"""Outputs and targets of any objective, made up from what it says of itself."""

from __future__ import annotations

import torch

from gatewise.artifacts import objectives
from gatewise.artifacts.objectives import Objective
from gatewise.artifacts.objectives.base import Answered
from gatewise.config.objectives import objective_class

NAMES = ["zero", "one", "two", "three"]
STEPS = 12


def objective(kind: str) -> Objective:
    """The objective with whatever it insists on set to a small number."""
    fields = objective_class(kind).model_fields.items()
    needed = {name: 3 for name, field in fields if field.is_required() and name != "kind"}
    return objectives.of({"kind": kind, **needed})


def names(of: Objective) -> list[str]:
    """Names of what its targets are made of."""
    return [] if of.target == "values" else NAMES


def answered(of: Objective, examples: int = 14, seed: int = 0) -> list[Answered]:
    """Random outputs for random targets, an example apiece, inputs of differing lengths."""
    draws = torch.Generator().manual_seed(seed)
    parts = []
    for _ in range(examples):
        steps = int(torch.randint(8, STEPS + 1, (1,), generator=draws))
        shape = (1, steps, of.outputs(names(of))) if of.per_step else (1, of.outputs(names(of)))
        outputs = torch.randn(shape, generator=draws)
        parts.append(Answered(outputs, torch.tensor([steps]), *_target(of, steps, draws)))
    return parts


def _target(
    of: Objective, steps: int, draws: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor | None]:
    if of.target == "class":
        return torch.randint(len(NAMES), (1,), generator=draws), None
    if of.target == "values":
        length = int(of.model_dump()["horizon"])
        values = 1 + torch.rand((1, length, of.target_width), generator=draws)
        return values, torch.tensor([length])
    length = int(torch.randint(1, steps // 2, (1,), generator=draws))
    symbols = torch.randint(len(NAMES), (1, length), generator=draws)
    return symbols, torch.tensor([length])


def together(parts: list[Answered]) -> Answered:
    """One padded batch."""

    def padded(tensors: list[torch.Tensor]) -> torch.Tensor:
        longest = max(tensor.shape[1] for tensor in tensors)
        return torch.cat(
            [
                torch.cat([t, t.new_zeros((1, longest - t.shape[1], *t.shape[2:]))], dim=1)
                for t in tensors
            ]
        )

    outputs, lengths, targets, target_lengths, *_ = zip(*parts, strict=True)
    alike = [tensor.ndim == 1 or tensor.shape[1:] == targets[0].shape[1:] for tensor in targets]
    whole = outputs[0].ndim < 3
    return Answered(
        torch.cat(outputs) if whole else padded(list(outputs)),
        torch.cat(lengths),
        torch.cat(targets) if all(alike) else padded(list(targets)),
        None if target_lengths[0] is None else torch.cat(target_lengths),
    )
