"""Kinds of task, by name: what a task asks of its models is settled by its `objective`.

An objective says what the targets are and everything that follows from them. Each is one module of
`gatewise.artifacts.objectives`, which this layer finds by its name and does not import.
"""

from __future__ import annotations

import importlib
import pkgutil
from typing import ClassVar, Literal

from gatewise.config.strict import Strict, suggest

PACKAGE = "gatewise.artifacts.objectives"
"""Where objectives are, a module each; those that begin with `_` and `base` are shared."""
DEFAULT = "classify"
TargetKind = Literal["class", "symbols", "tokens", "values"]


class ObjectiveOptions(Strict):
    """Options of an objective; each module of `PACKAGE` subclasses it once, as `Objective`."""

    kind: str
    """Name of the objective: that of its module."""
    title: ClassVar[str]
    """As people call such a task."""
    target: ClassVar[TargetKind]
    """How targets lie in a prepared task."""
    target_width: ClassVar[int] = 1
    """Numbers of each step of a target."""
    features: ClassVar[tuple[str, ...]]
    """Kinds of features that suit."""
    metrics: ClassVar[tuple[str, ...]]
    """What such a task can be judged by; the first unless another is chosen."""
    smoothed: ClassVar[bool] = False
    """Whether smoothing labels changes how such a task is trained."""
    slices: ClassVar[str]
    """The metric of these that must not fall in any part of a test set."""

    @property
    def usual(self) -> bool:
        """Whether this is what a task has that names no objective."""
        return self.model_dump() == {"kind": DEFAULT}


def objective_kinds() -> list[str]:
    """Names of all objectives."""
    path = importlib.import_module(PACKAGE).__path__
    modules = (module.name for module in pkgutil.iter_modules(path))
    return sorted(name for name in modules if name != "base" and not name.startswith("_"))


def objective_class(kind: str) -> type[ObjectiveOptions]:
    """The objective called `kind`.

    Raises:
        ValueError: there is none; the message suggests the nearest name.
    """
    if kind not in objective_kinds():
        raise ValueError(f"unknown objective {kind!r}{suggest(kind, objective_kinds())}")
    objective: type[ObjectiveOptions] = importlib.import_module(f"{PACKAGE}.{kind}").Objective
    return objective
