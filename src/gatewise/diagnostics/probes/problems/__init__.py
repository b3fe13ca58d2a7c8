"""The problems that ask how far back a recurrence reaches, each from the paper that it names."""

from __future__ import annotations

from gatewise.diagnostics.probes.problems.adding import Adding
from gatewise.diagnostics.probes.problems.base import Examples, Problem
from gatewise.diagnostics.probes.problems.copying import Copying
from gatewise.diagnostics.probes.problems.counting import Counting
from gatewise.diagnostics.probes.problems.digits import SequentialDigits
from gatewise.diagnostics.probes.problems.order import TemporalOrder
from gatewise.diagnostics.probes.problems.parity import Parity
from gatewise.diagnostics.probes.problems.recall import Recall

PROBLEMS: dict[str, Problem] = {
    problem.name: problem
    for problem in (
        Adding(),
        Copying(),
        Parity(),
        TemporalOrder(),
        Counting(),
        Recall(),
        SequentialDigits(),
    )
}

__all__ = ["PROBLEMS", "Examples", "Problem"]
