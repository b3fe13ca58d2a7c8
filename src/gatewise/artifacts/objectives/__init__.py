"""Objectives: what a task's targets are, and everything that follows from them.

A kind of task is one module here, called as it is in `params.yaml`, with a class `Objective`. Its
simple opponents are a module of the same name in `gatewise.diagnostics.opponents`. Whoever handles
targets, outputs or predictions asks `of` for the task's objective and knows none by name; a table
of predictions says by its columns whose it is (`of_columns`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

from gatewise.artifacts.objectives.base import Objective
from gatewise.config.objectives import DEFAULT, objective_class, objective_kinds

__all__ = ["Objective", "module_of", "of", "of_columns"]


def of(settings: Mapping[str, Any], names: Sequence[str] = ()) -> Objective:
    """The objective of a task.

    Args:
        settings: as `task.json` has them under `objective`.
        names: of what the task's targets are made of, where they are known.
    """
    kind = objective_class(str(settings["kind"]))
    return cast("Objective", kind.model_validate(dict(settings))).of_task(names)


def module_of(kind: str) -> str:
    """Name of the module that defines an objective."""
    return f"{__name__}.{kind}"


def of_columns(names: Iterable[str]) -> type[Objective]:
    """The objective whose predictions have these columns; the usual one where none fits."""
    present = set(names)
    kinds = [cast("type[Objective]", objective_class(kind)) for kind in objective_kinds()]
    fitting = (kind for kind in kinds if present.issuperset(kind.columns))
    return next(fitting, cast("type[Objective]", objective_class(DEFAULT)))
