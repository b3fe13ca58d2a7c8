"""One run spread over several processes, each of which takes a share of every batch.

The batches are those of the run in one process: same rows, same order, same augmentation draws.
Each process weighs its share of a batch by its rows, so that the gradient which Lightning's DDP
averages over the processes is that of the whole batch, also where the shares are not equal. What
differs is the order of additions and, where a variant has dropout, its masks: each process draws
its own.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from lightning_fabric.plugins.environments.lightning import LightningEnvironment
from torch.utils.data import DataLoader, Dataset

from gatewise.artifacts.objectives import Objective
from gatewise.artifacts.plan import RunPlan
from gatewise.artifacts.prepared import Prepared
from gatewise.config import TrainConfig
from gatewise.models.batch import Batch
from gatewise.models.sequence_model import SequenceModel
from gatewise.training.datamodule import Address, Sequences, TaskData
from gatewise.training.module import SequenceLearning


class Group(NamedTuple):
    """The processes that train one run together, and which of them this is."""

    rank: int = 0
    devices: int = 1
    """Processes on each machine."""
    num_nodes: int = 1
    """Machines."""

    @property
    def size(self) -> int:
        """Number of processes."""
        return self.devices * self.num_nodes

    @property
    def leads(self) -> bool:
        """Whether this is the process that shows, tracks and writes."""
        return self.rank == 0

    def data(self, plan: RunPlan, prepared: Prepared, seed: int) -> TaskData:
        """The DataModule of this process."""
        train = plan.train
        settings = (prepared, seed, train.batch_size, plan.augment, train.fraction)
        return TaskData(*settings) if self.size == 1 else SharedTaskData(self, *settings)

    def module(
        self, model: SequenceModel, config: TrainConfig, objective: Objective
    ) -> SequenceLearning:
        """The LightningModule of this process."""
        kind = SequenceLearning if self.size == 1 else SharedLearning
        return kind(model, config, objective)

    def trainer_settings(self) -> dict[str, Any]:
        """What `pytorch_lightning.Trainer` has to know."""
        if self.size == 1:
            # In a job of Slurm, LSF or MPI the run would take itself for one of the job's tasks.
            return {"devices": 1, "plugins": LightningEnvironment()}
        return {
            "devices": self.devices,
            "num_nodes": self.num_nodes,
            "strategy": "ddp",
            "use_distributed_sampler": False,  # it would deal out batches, not shares of them
        }


ALONE = Group()
"""A run in one process."""


class Share(NamedTuple):
    """One process's rows of a batch."""

    batch: Batch
    rows: int
    """How many of them count: 0 where the batch has fewer rows than there are processes."""
    examples: int
    """Rows of the whole batch."""
    weight: float
    """Of their mean loss in the mean over processes, so that it is the whole batch's mean loss."""


class SharedSequences(Dataset[Share]):
    """This process's share of every batch."""

    def __init__(self, sequences: Sequences, group: Group) -> None:
        self.sequences, self.group = sequences, group

    def __getitem__(self, address: Address) -> Share:
        rank, size = self.group.rank, self.group.size
        count = len(address.rows)
        rows = len(range(rank, count, size))
        # A process without a row computes one that weighs nothing: all have to meet in backward.
        mine = address.rows[rank::size] if rows else address.rows[:1]
        batch = self.sequences[Address(address.epoch, mine)]
        return Share(batch, rows, count, rows * size / count)


class SharedTaskData(TaskData):
    """Loaders whose training batches are shares; evaluation sees every example everywhere."""

    def __init__(self, group: Group, *settings: Any) -> None:
        super().__init__(*settings)
        self.group = group

    def train_dataloader(self) -> DataLoader[Any]:
        """This process's shares of the shuffled, augmented batches."""
        whole = super().train_dataloader()
        shares = SharedSequences(self.train_sequences, self.group)
        return DataLoader(shares, sampler=whole.sampler, batch_size=None, generator=whole.generator)


class SharedLearning(SequenceLearning):
    """Learns from shares, and sums losses up over the processes."""

    def training_step(self, batch: Any, batch_idx: int) -> torch.Tensor:  # noqa: ARG002
        """Loss of a `Share` whose gradient, averaged over processes, is the whole batch's."""
        loss = self._loss(batch.batch)
        self._note(loss, batch.rows, batch.examples)
        weighted: torch.Tensor = loss * batch.weight
        return weighted

    def train_values(self) -> dict[str, float]:
        """Numbers of the epoch so far, the same in every process."""
        values = super().train_values()
        loss = torch.tensor(values["train_loss"], device=self.device)
        values["train_loss"] = float(self.trainer.strategy.reduce(loss, reduce_op="sum"))
        return values
