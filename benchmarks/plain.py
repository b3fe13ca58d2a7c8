"""A training loop with torch alone, as one writes it without gatewise.

`torch.nn` modules, a dataset of single examples, `DataLoader` with shuffling, padding to the
longest of a batch. Same sizes, epochs, batch size, optimiser, schedule and augmentation as ours.
"""

from __future__ import annotations

import copy

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import DataLoader, Dataset

from gatewise.artifacts import splits
from gatewise.artifacts.plan import RunPlan
from gatewise.artifacts.prepared import Prepared
from gatewise.config import Augment
from gatewise.models.complexity import Sizes
from gatewise.training import augmentation as augmenting
from gatewise.training.module import schedule

Example = tuple[Tensor, int]
Batch = tuple[Tensor, Tensor, Tensor]
KINDS: dict[str, type[nn.RNNBase]] = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}
"""Cells that `torch.nn` has."""


class Examples(Dataset[Example]):
    """Sequences of one split."""

    def __init__(self, prepared: Prepared, seed: int, split: str) -> None:
        rows = np.flatnonzero(splits.for_seed(prepared, seed) == split)
        self.index = prepared.index.iloc[rows][["start", "length", "label"]].to_numpy()
        self.sequences = prepared.sequences

    def __len__(self) -> int:
        return len(self.index)

    def __getitem__(self, number: int) -> Example:
        start, length, label = self.index[number]
        return torch.from_numpy(self.sequences[start : start + length].copy()), label


class Collate:
    """Examples to a padded batch, augmented where that is wished."""

    def __init__(self, seed: int, augmentation: Augment | None, step_seconds: float | None) -> None:
        self.draws = np.random.default_rng(seed)
        self.augmentation, self.step_seconds = augmentation, step_seconds or 1.0

    def __call__(self, examples: list[Example]) -> Batch:
        """Inputs, lengths, labels."""
        parts, labels = zip(*examples, strict=True)
        lengths = torch.tensor([len(part) for part in parts])
        inputs = pad_sequence(parts, batch_first=True)
        if self.augmentation is not None:
            rows, frames, mels = inputs.shape
            changes = augmenting.draw(
                self.augmentation, self.draws, lengths.numpy(), mels, self.step_seconds
            )
            starts = np.arange(rows) * frames
            flat = inputs.view(-1, mels).numpy()
            inputs = torch.from_numpy(augmenting.augment(flat, starts, lengths.numpy(), changes))
        return inputs, lengths, torch.tensor(labels)


class Classifier(nn.Module):
    """One layer of `torch.nn`, the mean over its steps, a linear layer."""

    def __init__(self, plan: RunPlan, sizes: Sizes) -> None:
        super().__init__()
        kind, width = KINDS[plan.config.cell], plan.config.hidden
        assert width is not None
        embedding = plan.config.embedding
        self.embedding = (
            None if sizes.vocabulary is None else nn.Embedding(sizes.vocabulary, embedding, 0)
        )
        # Statistics of a whole data set are taken from it beforehand.
        self.by_clip = sizes.normalise == "clip"
        self.recurrence = kind(sizes.input_size(plan.config), width, batch_first=True)
        self.classifier = nn.Linear(width, sizes.outputs)

    def forward(self, inputs: Tensor, lengths: Tensor) -> Tensor:
        """Logits."""
        mask = (torch.arange(inputs.shape[1]) < lengths[:, None])[..., None]
        if self.embedding is not None:
            inputs = self.embedding(inputs)
        elif self.by_clip:
            inputs = inputs - (inputs * mask).sum(1, keepdim=True) / lengths[:, None, None]
        outputs, _ = self.recurrence(inputs)
        logits: Tensor = self.classifier((outputs * mask).sum(1) / lengths[:, None])
        return logits


def train(plan: RunPlan, seed: int, prepared: Prepared) -> float:
    """Train one run, keep its best weights; gives their validation accuracy."""
    torch.manual_seed(seed)
    batch = plan.train.batch_size
    noisy = Collate(seed, plan.augment, prepared.card.step_seconds)
    loader = DataLoader(Examples(prepared, seed, "train"), batch, shuffle=True, collate_fn=noisy)
    clean = Collate(seed, None, None)
    validation = DataLoader(Examples(prepared, seed, "validation"), batch, collate_fn=clean)
    model = Classifier(plan, Sizes.of(prepared.card))
    optimiser = torch.optim.AdamW(
        model.parameters(), lr=plan.train.learning_rate, weight_decay=plan.train.weight_decay
    )
    steps = plan.train.epochs * len(loader)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimiser, schedule(plan.train, steps))
    best, kept = -1.0, model.state_dict()
    for _ in range(plan.train.epochs):
        model.train()
        for inputs, lengths, labels in loader:
            optimiser.zero_grad()
            functional.cross_entropy(model(inputs, lengths), labels).backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), plan.train.clip_norm)
            optimiser.step()
            scheduler.step()
        model.eval()
        right = 0
        with torch.no_grad():
            for inputs, lengths, labels in validation:
                right += int((model(inputs, lengths).argmax(1) == labels).sum())
        accuracy = right / len(validation.dataset)  # type: ignore[arg-type]
        if accuracy > best:
            best, kept = accuracy, copy.deepcopy(model.state_dict())
    model.load_state_dict(kept)
    return best
