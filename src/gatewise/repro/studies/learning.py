"""Rules for how much is learnt and by what: passes, batches, rates, widths, regularisation.

Set on the embedded tasks, each held out in turn, and on two real sets (docs/your-data.md).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from gatewise.data.understanding import Understanding
from gatewise.repro.studies.choices import Chosen, Section
from gatewise.repro.studies.sizes import SplitSizes

SEEN, SEEN_FOR_A_LABEL = 30_000, 1_000
"""Examples that a run sees in all of its epochs, and so many more for each label."""
EPOCHS = (4, 60)
"""Fewest and most."""
FEWEST_EPOCHS = 4
"""That runs are shortened to before they see fewer examples."""
FEWEST_OF_A_LABEL = 10
"""Training examples of a label, on average, that shortening leaves."""
BATCHES = ((400, 16), (1_200, 32), (4_000, 64))
"""Training examples below which batches have so many; above them `LARGEST_BATCH`."""
LARGEST_BATCH = 128
MANY_LABELS = 20
"""Labels from which a model is wider, batches smaller."""
RATE, OF_BATCH = 0.005, 64
"""Learning rate at a batch size; it falls with the root of a smaller one."""
GROWTH = 1.0
"""Power of the batch size with which it grows beyond that."""
FEW_TO_VALIDATE = 250
"""Validation examples below which the best epoch is chosen by chance."""
FEW_TEXTS = 4_000
"""Training texts below which words are dropped."""
FEW_TO_TRAIN = 3_000
"""Training clips below which twice as much is dropped."""
DROPOUT_OF_CLIPS, DROPOUT_OF_TEXTS, DROPOUT_OF_IMAGES = 0.1, 0.3, 0.2
"""Shares that are dropped in training; of texts behind the embeddings, too."""
UNITS_OF_CLIPS, UNITS_OF_TEXTS, UNITS_OF_IMAGES, UNITS_FOR_MANY = 96, 64, 96, 96
"""Of the LSTM and the GRU; the last for more than `MANY_LABELS`. Texts are soon learnt by heart."""


def batch_size(train: int, labels: int) -> int:
    """Examples of a batch: smaller where there are few, so that there are updates enough."""
    size = next((batch for below, batch in BATCHES if train < below), LARGEST_BATCH)
    return min(size, 64) if labels > MANY_LABELS else size


def epochs(train: int, labels: int) -> int:
    """Passes over the training examples: more where there are few or many labels to tell apart."""
    fewest, most = EPOCHS
    return min(max(round((SEEN + SEEN_FOR_A_LABEL * labels) / train), fewest), most)


def learning_rate(batch: int) -> float:
    """The declared rate, from which tuning looks to both sides."""
    times = batch / OF_BATCH
    return float(f"{RATE * (times ** (GROWTH if times > 1 else 0.5)):.1g}")


@dataclass(frozen=True)
class Passes:
    """How a run goes through its training examples."""

    epochs: int
    batch: int
    rate: float
    updates: int


def passes(data: Understanding, sizes: SplitSizes) -> Passes:
    """Those that the data ask for."""
    labels = len(data.labels)
    batch, count = batch_size(sizes.train, labels), epochs(sizes.train, labels)
    return Passes(count, batch, learning_rate(batch), count * -(-sizes.train // batch))


def train(data: Understanding, sizes: SplitSizes, whole: Passes, share: float) -> Section:
    """The task's section `train`.

    Args:
        data: what it is about.
        sizes: of its splits.
        whole: what the data ask for.
        share: of the updates that there is time for.
    """
    count = min(whole.epochs, max(FEWEST_EPOCHS, round(share * whole.epochs)))
    said = f"times {sizes.train:,} training examples or so, {whole.updates:,} updates"
    if count < whole.epochs:
        said = f"{whole.epochs} would be right, but there is no time for so many"
    section: dict[str, Chosen | Section] = {
        "epochs": Chosen(count, said),
        "batch_size": Chosen(whole.batch),
        "learning_rate": Chosen(whole.rate, "grows with the batch size"),
    }
    fraction = math.floor(100 * share * whole.epochs / count) / 100
    if fraction < 1 and count <= FEWEST_EPOCHS:
        # No label is to be left with less than a few examples.
        least = min(1.0, math.ceil(100 * FEWEST_OF_A_LABEL * len(data.labels) / sizes.train) / 100)
        if max(fraction, least) < 1:
            section["fraction"] = Chosen(
                max(fraction, least), "of the training examples; there is no time for all of them"
            )
    if sizes.validation < FEW_TO_VALIDATE and count > 1:
        section["average_last"] = Chosen(
            max(2, count // 4),
            f"epochs whose weights are averaged: {sizes.validation:,} validation examples are "
            "too few to choose one",
        )
    if data.kind == "text":
        section["label_smoothing"] = Chosen(0.1, "texts' labels are seldom beyond doubt")
    return section


def model(data: Understanding, sizes: SplitSizes) -> Section:
    """The task's section `model`."""
    pooling = Chosen("max", "what tells the label may stand anywhere")
    if data.kind == "audio":
        few = sizes.train < FEW_TO_TRAIN
        share = round((2 if few else 1) * DROPOUT_OF_CLIPS, 2)
        said = "clips are few" if few else "clips are many"
        return {"pooling": pooling, "dropout": Chosen(share, said)}
    if data.kind == "image":
        return {"pooling": pooling, "dropout": Chosen(DROPOUT_OF_IMAGES)}
    section: dict[str, Chosen | Section] = {"pooling": pooling}
    if data.script == "words":
        section["embeddings"] = Chosen(
            "cooccurrence", "words that stand in like company start alike"
        )
        if sizes.train < FEW_TEXTS:
            section["word_dropout"] = Chosen(0.2, "so few texts are learnt by heart, word by word")
    share = round(DROPOUT_OF_TEXTS, 2)
    section["dropout"] = Chosen(share, "recurrent models learn texts by heart")
    section["input_dropout"] = Chosen(share, "of the embeddings")
    return section


def augment(data: Understanding, seconds: float, frames: int) -> Section | None:
    """The task's section `augment`; nothing for texts and images."""
    if data.kind != "audio":
        return None
    return {
        "time_shift": Chosen(round(min(0.1, seconds / 10), 2), "seconds to either side"),
        "noise_snr_db": Chosen([5, 40], "coloured noise, of other rooms"),
        "gain_db": Chosen([-6, 6], "distance"),
        "spec_augment": Chosen(
            {
                "frequency_masks": 1,
                "frequency_width": 6,
                "time_masks": 1,
                "time_width": max(1, frames // 6),
            },
            "bands, and a sixth of the frames",
        ),
    }


def width(data: Understanding) -> Chosen:
    """Units of the LSTM and the GRU."""
    if len(data.labels) > MANY_LABELS:
        return Chosen(UNITS_FOR_MANY, f"units; {len(data.labels)} labels to tell apart")
    if data.kind == "audio":
        return Chosen(UNITS_OF_CLIPS, "units; the same label sounds in many ways")
    if data.kind == "image":
        return Chosen(UNITS_OF_IMAGES, "units; the same label looks like much")
    return Chosen(UNITS_OF_TEXTS, f"units; {len(data.labels)} labels")


def space(rate: float) -> dict[str, Any]:
    """What tuning tries: the learning rate, which is what matters most (Greff et al. 2017)."""
    return {"learning_rate": {"low": float(f"{rate / 2.5:.1g}"), "high": float(f"{rate * 4:.1g}")}}
