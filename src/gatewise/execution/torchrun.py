"""Runs that several processes train together, one run after another, under `torchrun`.

    torchrun --nproc-per-node 2 -m pipeline.train TASK VARIANT

Every process calls the stage. The first one leads: it knows which seeds are missing, shows
progress, tracks and writes. The others `follow`: they train what it names and leave nothing.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable
from typing import Any, NoReturn, Self

from gatewise.artifacts.plan import RunPlan
from gatewise.config import ExecutionConfig
from gatewise.errors import GatewiseError
from gatewise.execution.workers import Event, failure
from gatewise.files import cores
from gatewise.training.job import Job


def launched() -> bool:
    """Whether this process was started by `torchrun`."""
    return "TORCHELASTIC_RUN_ID" in os.environ


def check(execution: ExecutionConfig, plan: RunPlan) -> None:
    """Refuse what cannot work, before processes are started or wait for each other.

    Raises:
        GatewiseError: torchrun started other processes than `execution` says, or they are more
            than a batch has rows, or than this machine has cores or GPUs.
    """
    devices, nodes = execution.devices, execution.num_nodes
    if launched():
        size, local = int(os.environ["WORLD_SIZE"]), int(os.environ["LOCAL_WORLD_SIZE"])
        if (size, local) != (execution.processes, devices):
            raise GatewiseError(
                f"torchrun started {local} processes on this machine and {size} in all, but "
                f"execution.devices is {devices} and execution.num_nodes {nodes}; "
                f"start it with --nproc-per-node {devices} --nnodes {nodes}, or change these"
            )
    if execution.processes > plan.train.batch_size:
        raise GatewiseError(
            f"{execution.processes} processes (execution.devices x num_nodes) cannot share "
            f"batches of {plan.train.batch_size} (train.batch_size): some would have nothing to do"
        )
    gpus = 0
    if plan.accelerator != "cpu":
        import torch

        gpus = torch.cuda.device_count()
    fit, what = (gpus, "GPUs") if gpus else (cores() // plan.threads, "processes by its cores")
    if devices > fit:
        raise GatewiseError(
            f"execution.devices is {devices}, but this machine has room for {fit} {what}; lower it"
        )


def launch(execution: ExecutionConfig, plan: RunPlan, stage: list[str]) -> NoReturn:
    """Become a `torchrun` that runs `stage` (a module and its arguments) in every process.

    Raises:
        GatewiseError: other machines are needed, and only their user can start a process there.
    """
    asked = ["--nproc-per-node", str(execution.devices)]
    if execution.num_nodes > 1:
        raise GatewiseError(
            f"execution.num_nodes is {execution.num_nodes}: train on all of them with "
            f"`{' '.join(['torchrun', '--nnodes', str(execution.num_nodes), *asked])} "
            f"--rdzv-backend c10d --rdzv-endpoint HOST:PORT -m {' '.join(stage)}`, "
            "started on each; `dvc repro` then finds the runs finished"
        )
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", *asked]
    environment = {**os.environ, "OMP_NUM_THREADS": str(plan.threads)}
    os.execve(sys.executable, [*command, "-m", *stage], environment)  # noqa: S606


def run_stage(
    stage: list[str],
    execution: ExecutionConfig,
    plan: RunPlan,
    work: Callable[[ProcessGroup | None], None],
    *,
    finished: Callable[[], bool],
) -> None:
    """Call `work` in the process that leads, with those that train each run together.

    Args:
        stage: its module and arguments.
        execution: how many processes train a run.
        plan: of its runs.
        work: what the stage does, given the processes, or `None` where each run has one.
        finished: whether there is nothing to train, so that no processes need be started.
    """
    if launched():
        check(execution, plan)
        with ProcessGroup(execution) as together:
            if together.leads:
                work(together)
            else:
                together.follow()
        return
    if execution.processes > 1 and not finished():
        check(execution, plan)
        launch(execution, plan, stage)
    work(None)


class ProcessGroup:
    """The processes that torchrun started, connected while the context lasts."""

    def __init__(self, execution: ExecutionConfig) -> None:
        # Not at the top: the parent of a stage that runs alone needs no torch.
        from gatewise.training.distributed import Group

        self.group = Group(int(os.environ["RANK"]), execution.devices, execution.num_nodes)

    @property
    def leads(self) -> bool:
        """Whether this is the process that shows, tracks and writes."""
        return self.group.leads

    def __enter__(self) -> Self:
        """Connect; returns once every process is there."""
        import torch.distributed

        mixed = torch.cuda.is_available()
        torch.distributed.init_process_group("cpu:gloo,cuda:nccl" if mixed else "gloo")
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Let the others go. After anything unforeseen they may not listen: torchrun ends them."""
        import torch.distributed

        if kind is None or issubclass(kind, GatewiseError):
            if self.leads:
                broadcast(None)
            torch.distributed.destroy_process_group()

    def train_all(self, jobs: list[Job], on_event: Callable[[Event], None]) -> None:
        """Lead: train `jobs` one after another with everybody; `on_event` is called with news."""
        for job in jobs:
            broadcast(job)
            self._train(job, on_event)

    def follow(self) -> None:
        """Train what the leading process names, until it names nothing more."""
        while (job := broadcast(None)) is not None:
            self._train(job, lambda _event: None)

    def _train(self, job: Job, on_event: Callable[[Event], None]) -> None:
        import torch.distributed

        from gatewise.training import work

        if not job.folder.is_dir():
            raise GatewiseError(
                f"{socket.gethostname()} does not see {job.folder.absolute()}, where the first "
                "process writes; all machines have to work in one shared folder"
            )
        on_event(Event("started", job))
        try:
            work.carry_out(
                job,
                lambda epoch, values: on_event(Event("epoch", job, epoch=epoch, values=values)),
                lambda epochs, sentence: on_event(Event("resumed", job, epochs, reason=sentence)),
                self.group,
            )
            outcome = Event("finished", job)
        except GatewiseError as error:
            # All processes come to the same end, so none is left waiting for another.
            outcome = failure(job, error)
        torch.distributed.barrier()  # whoever gets the event may remove the checkpoint
        on_event(outcome)


def broadcast(job: Job | None) -> Job | None:
    """Everybody's job becomes that of the first process."""
    import torch.distributed

    jobs: list[Any] = [job]
    torch.distributed.broadcast_object_list(jobs)
    received: Job | None = jobs[0]
    return received
