"""What the candidate costs, as a ratio to what the reference costs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from gatewise.artifacts import runs
from gatewise.artifacts.prepared import SEQUENCES
from gatewise.config import GateBudgets
from gatewise.delivery.gate.snapshot import Snapshot
from gatewise.evidence import statistics

if TYPE_CHECKING:
    from gatewise.artifacts.costs import Timing
    from gatewise.models.batch import Batch
    from gatewise.models.sequence_model import SequenceModel

SECONDS = 1.0
"""Time spent on measuring latencies, over both models."""


@dataclass(frozen=True)
class Budget:
    """One cost."""

    name: str
    unit: str
    candidate: float
    reference: float
    limit: float | None
    """Largest ratio allowed."""
    violated: bool
    note: str = ""

    @property
    def ratio(self) -> float:
        """Candidate over reference."""
        return self.candidate / self.reference if self.reference else float("inf")


@dataclass(frozen=True)
class Cost:
    """What a model costs wherever it runs."""

    macs_per_step: float
    """Multiply-accumulates of the recurrence for one step of one sequence."""
    parameters: float

    @classmethod
    def of(cls, snapshot: Snapshot) -> Cost:
        """Of a variant; the same for all its seeds."""
        return cls(snapshot.record.macs_per_step, snapshot.record.parameters)

    def saves(self, other: Cost, share: float) -> bool:
        """Whether it is `share` fewer multiply-accumulates than `other`, and no more parameters."""
        cheaper = self.macs_per_step <= (1 - share) * other.macs_per_step
        return cheaper and self.parameters <= other.parameters


def check(candidate: Snapshot, reference: Snapshot, limits: GateBudgets) -> list[Budget]:
    """Costs of one run each (they are the same for all seeds) that can be known."""
    new, old = Cost.of(candidate), Cost.of(reference)
    budgets = [
        _budget("parameters", "", new.parameters, old.parameters, limits.parameters),
        _budget("macs", "per step", new.macs_per_step, old.macs_per_step, limits.macs),
    ]
    weights = [next(iter(s.members.values())) / runs.WEIGHTS for s in (candidate, reference)]
    if all(path.is_file() for path in weights):
        now, then = (path.stat().st_size for path in weights)
        budgets.append(_budget("size", "bytes", now, then, limits.size))
    if limits.latency is not None:
        budgets += _latency(candidate, reference, limits.latency)
    return budgets


def _budget(name: str, unit: str, new: float, old: float, limit: float | None) -> Budget:
    return Budget(name, unit, new, old, limit, limit is not None and new > limit * old)


def _latency(candidate: Snapshot, reference: Snapshot, limit: float) -> list[Budget]:
    """Median milliseconds of one sequence of mean length, both models taking turns."""
    alike = (
        candidate.record.config == reference.record.config
        and candidate.card.features == reference.card.features
    )
    if alike and candidate.card.vocabulary == reference.card.vocabulary:
        note = "the same model, so not measured"
        return [Budget("latency", "ms", 1.0, 1.0, limit, False, note)]
    if not (candidate.prepared / SEQUENCES).is_file():
        return []
    import torch

    from gatewise.artifacts.prepared import Prepared
    from gatewise.diagnostics import profiling
    from gatewise.models.building import build
    from gatewise.models.complexity import Sizes

    prepared = Prepared.open(candidate.prepared)
    batch = profiling.typical_batch(prepared, 1)
    models = {}
    for name, snapshot in (("candidate", candidate), ("reference", reference)):
        model = build(snapshot.record.config, Sizes.of(snapshot.card)).eval()
        profiling.limit(model, prepared)
        models[name] = partial(_infer, model, _fitting(batch, snapshot))
    before = torch.get_num_threads()
    torch.set_num_threads(candidate.record.threads)
    try:
        times = _take_turns(models)
    finally:
        torch.set_num_threads(before)
    new, old = times["candidate"], times["reference"]
    ratios = [a / b for a, b in zip(new.rounds, old.rounds, strict=True)]
    # The whole interval must exceed the limit: a busy machine alone raises no alarm.
    interval = statistics.median_interval(ratios)
    violated = interval is not None and interval[0] > limit
    return [Budget("latency", "ms", new.median, old.median, limit, violated)]


def _fitting(batch: Batch, snapshot: Snapshot) -> Batch:
    """The batch, with inputs of the model's own width or vocabulary; values do not matter."""
    import torch

    if snapshot.card.vocabulary is not None:
        inputs = batch.inputs.clamp(max=snapshot.card.vocabulary - 1)
    else:
        inputs = torch.zeros((*batch.inputs.shape[:2], snapshot.card.features or 1))
    return batch._replace(inputs=inputs)


def _take_turns(
    work: Mapping[str, Callable[[], None]],
) -> dict[str, Timing]:
    import torch

    from gatewise.diagnostics import profiling

    return profiling.interleaved(work, SECONDS, torch.device("cpu"))


def _infer(model: SequenceModel, batch: Batch) -> None:
    import torch

    with torch.inference_mode():
        model.answered(batch._replace(target_lengths=None))
