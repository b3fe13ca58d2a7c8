"""Rules for pairs of texts: an encoder that reads both ways, a decoder that attends to it."""

from __future__ import annotations

import math

import numpy as np

from gatewise.data.understanding import Understanding
from gatewise.data.understanding.record import Said
from gatewise.repro.studies import front_end, splitting
from gatewise.repro.studies.choices import Chosen, Section, plain, share
from gatewise.repro.studies.sizes import SplitSizes
from gatewise.repro.studies.work import Steps, Work, passes

SEEN = 150_000
"""Pairs that a run sees in all of its epochs."""
EPOCHS = (6, 60)
BATCHES = {0: 16, 1_000: 32, 3_000: 64, 20_000: 128}
"""Pairs of a batch, from so many training pairs on."""
WIDTH, NARROW, FEW = 128, 64, 3_000
"""Units, and those below `FEW` training pairs."""
MOST_SYMBOLS = 8_000
SHORT = 4
"""Symbols below which runs of four words, which BLEU counts, are rare."""


def work(data: Understanding, said: Said) -> Work:
    """What the rules choose.

    Args:
        data: what was understood.
        said: of the texts that are to be said.
    """
    sizes = SplitSizes.expected(data)
    features = front_end.features(data)
    symbols = vocabulary(said)
    values = plain(features)
    read = float(np.minimum(data.lengths, values["max_length"]).mean())
    spoken = float(said.lengths.mean()) + 1
    width = NARROW if sizes.train < FEW else WIDTH
    # A softmax over all symbols at every step costs as much as a part of the recurrence does.
    steps = 2 * read + spoken * (1 + symbols.value / (8 * width))
    return Work(
        metric=metric(data, said),
        objective=objective(said, symbols),
        features=features,
        model={
            "dropout": Chosen(0.2, "recurrent models learn texts by heart"),
            "input_dropout": Chosen(0.2, "of the embeddings"),
        },
        sizes=sizes,
        passes=passes(sizes.train, SEEN, EPOCHS, BATCHES),
        steps=Steps(max(1, round(steps)), width, vocabulary=int(values["vocabulary"])),
        width=Chosen(width, f"units; {sizes.train:,} pairs to learn from"),
        bidirectional=True,
        split=splitting.split(data),
        train={"label_smoothing": Chosen(0.1, "a text can be put in other words")},
        examples=f"{data.examples:,} pairs" + several(said),
    )


def several(said: Said) -> str:
    """How many examples have several texts, in words."""
    return f", {said.several:,} of them with several right texts" if said.several else ""


def vocabulary(said: Said) -> Chosen:
    """Symbols that can be said: those that stand twice, or all where there are few."""
    again = int((said.counts > 1).sum())
    known = min(again if said.unit == "word" else len(said.counts), MOST_SYMBOLS)
    size = max(10, 10 * math.ceil(known / 10))
    total = int(said.counts.sum())
    covered = int(said.counts[:known].sum())
    return Chosen(size, f"at most; the first {known:,} are {share(covered, total)} of the texts")


def objective(said: Said, symbols: Chosen) -> Section:
    """The section `objective` of texts that are said one symbol after the other.

    Args:
        said: of these texts.
        symbols: how many there are.
    """
    characters = said.unit == "character"
    why = "there are no spaces between words" if characters else "words, signs apart"
    longest = int(said.lengths[-1])
    return {
        "kind": Chosen("generate"),
        "unit": Chosen(said.unit, why),
        "attention": Chosen("dot", "each word that is said looks up what it answers"),
        "vocabulary": symbols,
        "min_frequency": Chosen(
            1 if characters else 2, "" if characters else "words that stand once are seldom learnt"
        ),
        "tokenize": Chosen("char" if characters else "none", "for BLEU: texts are cut already"),
        "longest": Chosen(min(1_000, longest + 5), f"symbols; the longest text has {longest:,}"),
    }


def metric(data: Understanding, said: Said) -> Chosen:
    """BLEU, unless texts are too short for it."""
    usual = float(np.median(said.lengths))
    if data.script == "characters" and said.unit == "word":
        return Chosen("token_error_rate", "symbols that are wrong: texts spell single words")
    if usual < SHORT:
        return Chosen(
            "token_error_rate",
            f"texts are short ({usual:.0f} symbols), and BLEU counts runs of four",
        )
    return Chosen("bleu", "runs of one to four symbols that the right texts have")
