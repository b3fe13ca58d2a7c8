"""Outputs and targets of any objective, made up from what it says of itself."""

from __future__ import annotations

import torch

from gatewise.artifacts import objectives
from gatewise.artifacts.objectives import Objective
from gatewise.artifacts.objectives.base import SILENT, Answered
from gatewise.config.objectives import objective_class

NAMES = ["zero", "one", "two", "three"]
STEPS = 12


def objective(kind: str) -> Objective:
    """The objective with whatever it insists on set to a small number."""
    fields = objective_class(kind).model_fields.items()
    needed = {name: 3 for name, field in fields if field.is_required() and name != "kind"}
    settings = {"kind": kind, **needed}
    return objectives.of(settings, names(objectives.of(settings)))


def names(of: Objective) -> list[str]:
    """Names of what its targets are made of."""
    return [] if of.target == "values" else NAMES


def answered(of: Objective, examples: int = 14, seed: int = 0) -> list[Answered]:
    """Random outputs for random targets, an example apiece, inputs of differing lengths."""
    draws = torch.Generator().manual_seed(seed)
    parts = []
    for _ in range(examples):
        steps = int(torch.randint(8, STEPS + 1, (1,), generator=draws))
        target, length = _target(of, steps, draws)
        shape = _shape(of, steps, target)
        outputs = torch.randn(shape, generator=draws)
        parts.append(spoken(of, Answered(outputs, torch.tensor([steps]), target, length)))
    return parts


def spoken(of: Objective, part: Answered) -> Answered:
    """The same with what a model says by itself that has these outputs: the likeliest of each."""
    if of.target != "tokens":
        return part
    symbols = part.outputs.detach().argmax(-1)
    ended = (symbols == part.outputs.shape[-1] - 1).cumsum(1) > 0
    return part._replace(said=symbols.masked_fill(ended, SILENT))


def unasked(of: Objective, part: Answered) -> Answered:
    """The same where nobody knows what should be answered."""
    if of.target != "tokens":
        return part
    return spoken(of, part)._replace(outputs=torch.tensor([[-0.5]]), target_lengths=None)


def _shape(of: Objective, steps: int, target: torch.Tensor) -> tuple[int, ...]:
    if of.target == "tokens":  # a step a symbol that is asked for, and one for the end
        return 1, target.shape[1] + 1, of.outputs(names(of))
    return (1, steps, of.outputs(names(of))) if of.per_step else (1, of.outputs(names(of)))


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

    def padded(tensors: list[torch.Tensor], padding: int = 0) -> torch.Tensor:
        longest = max(tensor.shape[1] for tensor in tensors)
        return torch.cat(
            [
                torch.cat([t, t.new_full((1, longest - t.shape[1], *t.shape[2:]), padding)], dim=1)
                for t in tensors
            ]
        )

    outputs, lengths, targets, target_lengths, said = zip(*parts, strict=True)
    alike = [tensor.ndim == 1 or tensor.shape[1:] == targets[0].shape[1:] for tensor in targets]
    whole = outputs[0].ndim < 3
    return Answered(
        torch.cat(outputs) if whole else padded(list(outputs)),
        torch.cat(lengths),
        torch.cat(targets) if all(alike) else padded(list(targets)),
        None if target_lengths[0] is None else torch.cat(target_lengths),
        None if said[0] is None else padded(list(said), SILENT),
    )
