"""Where runs are trained: in processes of this machine, on Ray, or by processes that share each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from gatewise.config import ExecutionConfig
from gatewise.execution import capacity, ray_cluster
from gatewise.execution import workers as pool
from gatewise.execution.torchrun import ProcessGroup
from gatewise.execution.workers import Event
from gatewise.training.job import Job


@dataclass(frozen=True)
class Dispatch:
    """How a stage's jobs are carried out."""

    address: str
    """The warm process that runs are forked from."""
    workers: int | Literal["auto"] = "auto"
    """Runs at once; as many as cores and memory allow when auto."""
    cluster: ExecutionConfig | None = None
    """The Ray cluster to train on; processes of this machine if `None`."""
    together: ProcessGroup | None = None
    """The processes that train each run together, if there are such."""

    def train_all(self, jobs: list[Job], on_event: Callable[[Event], None]) -> None:
        """Carry out all `jobs`; `on_event` is called with news of each.

        Raises:
            GatewiseError: more workers than the machine can hold, or no cluster is there.
        """
        if self.together is not None:
            self.together.train_all(jobs, on_event)
            return
        if self.cluster is not None:
            events = ray_cluster.train_all(jobs, self.workers, self.cluster)
        else:
            at_once = min(len(jobs), capacity.workers(self.workers, jobs[0].plan.threads))
            events = pool.train_all(jobs, at_once, self.address)
        for event in events:
            on_event(event)
