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
from torch.utils.data import DataLoader, Dataset

from gatewise.training.datamodule import Address, Batch, Sequences, TaskData
from gatewise.training.module import SequenceClassification


class Group(NamedTuple):
    """The processes that train one run together, and which of them this is."""

    rank: int
    devices: int
    """Processes on each machine."""
    num_nodes: int
    """Machines."""

    @property
    def size(self) -> int:
        """Number of processes."""
        return self.devices * self.num_nodes

    def trainer_settings(self) -> dict[str, Any]:
        """What `pytorch_lightning.Trainer` has to know."""
        return {
            "devices": self.devices,
            "num_nodes": self.num_nodes,
            "strategy": "ddp",
            "use_distributed_sampler": False,  # it would deal out batches, not shares of them
        }


class Share(NamedTuple):
    """One process's rows of a batch."""

    batch: Batch
    rows: int
    """How many of them count: 0 where the batch has fewer rows than there are processes."""
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
        return Share(self.sequences[Address(address.epoch, mine)], rows, rows * size / count)


class SharedTaskData(TaskData):
    """Loaders whose training batches are shares; evaluation sees every example everywhere."""

    def __init__(self, group: Group, *settings: Any) -> None:
        super().__init__(*settings)
        self.group = group

    def train_dataloader(self) -> DataLoader[Any]:
        """This process's shares of the shuffled, augmented batches."""
        whole = super().train_dataloader()
        shares = SharedSequences(self.train_sequences, self.group)
        return DataLoader(shares, sampler=whole.sampler, batch_size=None)


class SharedClassification(SequenceClassification):
    """Learns from shares, and sums losses up over the processes."""

    def loss(self, share: Any) -> torch.Tensor:
        """Loss whose gradient, averaged over the processes, is that of the whole batch."""
        loss = super().loss(share.batch)
        self._train[-1] = loss.detach() * share.rows
        weighted: torch.Tensor = loss * share.weight
        return weighted

    def epoch_row(self) -> dict[str, float]:
        """Numbers of the epoch that just ended, the same in every process."""
        row = super().epoch_row()
        loss = torch.tensor(row["train_loss"], device=self.device)
        row["train_loss"] = float(self.trainer.strategy.reduce(loss, reduce_op="sum"))
        return row
