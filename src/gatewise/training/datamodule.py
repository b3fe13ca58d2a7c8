"""Batches from memory-mapped sequences: bucketed by length, padded at the end, paired by seed."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import pytorch_lightning as pl
import torch
from torch.utils.data import DataLoader, Dataset, Sampler

from gatewise import streams
from gatewise.artifacts import splits
from gatewise.artifacts.prepared import Prepared, Targets, pad, values
from gatewise.config import SPLITS, Augment
from gatewise.models.batch import Batch
from gatewise.training.alternatives import Alternatives
from gatewise.training.augmentation import Changes, augment, draw

EVALUATION_BATCH = 256
# Batches are cut from pools of this many batches sorted by length: long enough that padding
# all but vanishes, short enough that an epoch's batches still differ from the last epoch's.
POOL = 50


class Address(NamedTuple):
    """Which examples make a batch, and in which epoch."""

    epoch: int
    rows: np.ndarray


class Sequences(Dataset[Batch]):
    """Sequences of a prepared task, fetched a whole batch at a time."""

    def __init__(
        self,
        prepared: Prepared,
        seed: int,
        augmentation: Augment | None = None,
        alternatives: Alternatives | None = None,
    ) -> None:
        """Open `prepared` for a seed.

        Args:
            prepared: the task.
            seed: of augmentation.
            augmentation: what is changed in clips; nothing if left out.
            alternatives: which right answer an epoch shows; all that there are if left out.
        """
        self.sequences = prepared.sequences
        self.starts = prepared.index["start"].to_numpy(np.int64)
        self.lengths = prepared.index["length"].to_numpy(np.int64)
        self.labels = prepared.index["label"].to_numpy(np.int64)
        self.targets = Targets(prepared)
        self.seed = seed
        self.augmentation = augmentation
        self.alternatives = alternatives
        self.step_seconds = prepared.card.step_seconds or 1.0
        self._drawn: tuple[int, Changes] | None = None

    def __getitem__(self, address: Address) -> Batch:
        starts, lengths = self.starts[address.rows], self.lengths[address.rows]
        if self.augmentation is None:
            inputs = pad(self.sequences, starts, lengths)
        else:
            changes = self._changes(self.augmentation, address.epoch).of(address.rows)
            inputs = augment(self.sequences, starts, lengths, changes)
        if inputs.ndim == 2:
            inputs = inputs.astype(np.int64)
        targets, target_lengths = self._targets(address)
        return Batch(
            torch.from_numpy(inputs),
            torch.from_numpy(lengths),
            torch.from_numpy(targets),
            None if target_lengths is None else torch.from_numpy(target_lengths),
        )

    def _targets(self, address: Address) -> tuple[np.ndarray, np.ndarray | None]:
        if self.alternatives is None:
            return self.targets.of(address.rows)
        return self.alternatives.of(address.rows, address.epoch)

    def _changes(self, config: Augment, epoch: int) -> Changes:
        """Those of every example in `epoch`, whichever batch it comes in."""
        if self._drawn is None or self._drawn[0] != epoch:
            generator = streams.generator(self.seed, "augment", epoch)
            mels = self.sequences.shape[1]
            changes = draw(config, generator, self.lengths, mels, self.step_seconds)
            self._drawn = epoch, changes
        return self._drawn[1]


class ShuffledBuckets(Sampler[Address]):
    """Training batches of similar lengths in an order drawn from the seed and the epoch."""

    def __init__(self, rows: np.ndarray, lengths: np.ndarray, batch: int, seed: int) -> None:
        self.rows, self.lengths, self.batch, self.seed = rows, lengths, batch, seed
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Called by Lightning before each epoch."""
        self.epoch = epoch

    def __len__(self) -> int:
        return math.ceil(len(self.rows) / self.batch)

    def __iter__(self) -> Iterator[Address]:
        draws = streams.generator(self.seed, "order", self.epoch)
        rows = draws.permutation(self.rows)
        pool = self.batch * POOL
        rows = np.concatenate(
            [
                part[np.argsort(self.lengths[part], kind="stable")]
                for part in (rows[i : i + pool] for i in range(0, len(rows), pool))
            ]
        )
        chunks = [rows[i : i + self.batch] for i in range(0, len(rows), self.batch)]
        for chosen in draws.permutation(len(chunks)):
            yield Address(self.epoch, chunks[chosen])


def in_length_order(rows: np.ndarray, lengths: np.ndarray, batch: int) -> list[Address]:
    """Evaluation batches: every row once, sorted by length so that padding is small."""
    rows = rows[np.argsort(lengths[rows], kind="stable")]
    return [Address(0, rows[i : i + batch]) for i in range(0, len(rows), batch)]


class TaskData(pl.LightningDataModule):
    """Loaders over one prepared task for one seed; the same for every variant."""

    def __init__(
        self,
        prepared: Prepared,
        seed: int,
        batch_size: int,
        augmentation: Augment | None = None,
        fraction: float = 1.0,
    ) -> None:
        """Open `prepared` for training with `seed`.

        Args:
            prepared: the task.
            seed: of batch order and augmentation, and of the split where each seed draws its own.
            batch_size: examples of a training batch; evaluation batches are larger.
            augmentation: what is changed in training clips; nothing if left out.
            fraction: share of the training split that is trained on.
        """
        super().__init__()
        self.prepared = prepared
        self.seed = seed
        self.batch_size = batch_size
        self.saying = prepared.card.asks.saying(prepared.card.labels)
        self.alternatives = None if self.saying is None else Alternatives(prepared, seed)
        self.train_sequences = Sequences(prepared, seed, augmentation, self.alternatives)
        self.clean_sequences = Sequences(prepared, seed)
        split = splits.for_seed(prepared, seed)
        self.rows = {name: np.flatnonzero(split == name) for name in SPLITS}
        labels = self.clean_sequences.labels
        self.rows["train"] = splits.shrink(self.rows["train"], labels, fraction, seed)

    def train_dataloader(self) -> DataLoader[Batch]:
        """Shuffled, augmented batches."""
        sequences = self.train_sequences
        order = ShuffledBuckets(self.rows["train"], self._alike(), self.batch_size, self.seed)
        # A loader draws a seed for its workers when it is opened: not from torch's own generator,
        # where dropout draws its masks.
        return DataLoader(sequences, sampler=order, batch_size=None, generator=torch.Generator())

    def _alike(self) -> np.ndarray:
        """What training batches are sorted by, a number a row: lengths, and then the answers'."""
        lengths = self.train_sequences.lengths
        if self.alternatives is None:
            return lengths
        answers = self.answer_lengths(np.arange(len(lengths)))
        alike: np.ndarray = lengths * (1 + int(answers.max())) + answers
        return alike

    def answer_lengths(self, rows: np.ndarray) -> np.ndarray:
        """Symbols of the usual answer of some rows; zeros where none is said."""
        if self.alternatives is None:
            return np.zeros(len(rows), np.int64)
        lengths: np.ndarray = self.alternatives.first_lengths()[rows]
        return lengths

    def longest_answer(self) -> int | None:
        """Most symbols that are said: the task's, or those of the training split's longest answer.

        Nothing where none are.
        """
        if self.saying is None or self.alternatives is None:
            return None
        return self.saying.longest or self.alternatives.longest(self.rows["train"])

    def val_dataloader(self) -> DataLoader[Batch]:
        """Validation examples, each once."""
        return self.evaluation_dataloader("validation")

    def transfer_batch_to_device(
        self, batch: Any, device: torch.device, dataloader_idx: int
    ) -> Any:
        """As Lightning does, unless the batch is there: on a CPU its search would take time."""
        if device.type == "cpu":
            return batch
        return super().transfer_batch_to_device(batch, device, dataloader_idx)

    def evaluation_dataloader(self, split: str) -> DataLoader[Batch]:
        """Examples of `split` as they are, each once, in `evaluation_rows` order."""
        addresses = in_length_order(
            self.rows[split], self.clean_sequences.lengths, EVALUATION_BATCH
        )
        return DataLoader(self.clean_sequences, sampler=addresses, batch_size=None)

    def evaluation_rows(self, split: str) -> np.ndarray:
        """Rows of the index in the order in which `evaluation_dataloader` gives them."""
        rows = self.rows[split]
        return rows[np.argsort(self.clean_sequences.lengths[rows], kind="stable")]

    def documents(self, split: str) -> Iterator[np.ndarray]:
        """The sequences of a split as they are, `(steps, ...)` each, in the index's order."""
        sequences = self.clean_sequences
        for row in self.rows[split]:
            start = sequences.starts[row]
            yield sequences.sequences[start : start + sequences.lengths[row]]

    def input_statistics(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Mean and standard deviation of each feature over the training split alone.

        Of images they are those of each channel, wherever in a row a pixel lies: by columns of
        their own, those at the edge would be blown up.
        """
        total, squares, steps = 0.0, 0.0, 0
        channels = self.prepared.card.front_end.get("channels")
        for sequence in self.documents("train"):
            part = values(sequence).astype(np.float64)
            part = part if channels is None else part.reshape(-1, channels)
            total, squares, steps = (
                total + part.sum(0),
                squares + (part**2).sum(0),
                steps + len(part),
            )
        mean = total / steps
        deviation = np.sqrt(np.maximum(squares / steps - mean**2, 1e-12))
        pixels = 1 if channels is None else (self.prepared.card.features or channels) // channels
        return (
            torch.from_numpy(np.tile(mean, pixels)).float(),
            torch.from_numpy(np.tile(deviation, pixels)).float(),
        )
