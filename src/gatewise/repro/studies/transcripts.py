"""Rules for transcripts: sounds as they are, read both ways, symbols by CTC."""

from __future__ import annotations

import math

import numpy as np

from gatewise.data.understanding import Understanding
from gatewise.data.understanding.record import Said
from gatewise.repro.studies import front_end, splitting
from gatewise.repro.studies.choices import Chosen, Section
from gatewise.repro.studies.sizes import SplitSizes
from gatewise.repro.studies.work import Steps, Work, passes

SEEN = 30_000
"""Sounds that a run sees in all of its epochs."""
EPOCHS = (6, 80)
BATCHES = {0: 16, 1_000: 32, 3_000: 64}
HOPS = {"word": 0.03, "character": 0.02}
"""Seconds between frames, by what a symbol is."""
ROOM = 2.0
"""Steps that a symbol is to have at least: its own, and one for what lies between equal ones."""
SHORTEST_HOP = 0.005
WIDTH, WIDER, MANY = 64, 96, 20
"""Units, and those for more than `MANY` symbols."""
RARE = 10
"""Times that a symbol stands, below which a split may lack it."""


def work(data: Understanding, said: Said) -> Work:
    """What the rules choose.

    Args:
        data: what was understood.
        said: of the texts that are heard.
    """
    sizes = SplitSizes.expected(data)
    rate, hop = front_end.sample_rate(data), _hop(data, said)
    n_fft = 2 ** math.ceil(math.log2(1.6 * hop * rate))
    bands = 40 if rate >= front_end.HIGHEST_RATE else 32
    steps = max(1, round(float(data.lengths.mean()) / hop)) if len(data.lengths) else 1
    symbols = len(said.counts)
    width = WIDER if symbols > MANY else WIDTH
    features: Section = {
        "kind": Chosen("log-mel"),
        "sample_rate": Chosen(rate, "Hz"),
        "n_fft": Chosen(n_fft, f"samples: windows of {1000 * n_fft / rate:.0f} ms"),
        "hop_length": Chosen(
            round(hop * rate),
            f"samples: a frame every {1000 * hop:.0f} ms, {steps} of them on average; sounds keep "
            "their length",
        ),
        "n_mels": Chosen(bands),
        "normalise": Chosen("clip", "less each clip's own mean: distance and microphone"),
    }
    return Work(
        metric=Chosen("symbol_error_rate", f"{said.unit}s to insert, drop or change"),
        objective={
            "kind": Chosen("transcribe"),
            "unit": Chosen(said.unit, _unit(said)),
            "beam": Chosen(1, "the likeliest path; larger ones take longer"),
        },
        features=features,
        model={"dropout": Chosen(0.1)},
        sizes=sizes,
        passes=passes(sizes.train, SEEN, EPOCHS, BATCHES),
        steps=Steps(2 * steps, symbols + 1, features=bands),
        width=Chosen(width, f"units; {symbols} symbols to tell apart"),
        bidirectional=True,
        split=splitting.split(data),
        more={
            "augment": {
                "noise_snr_db": Chosen([10, 40], "coloured noise, of other rooms"),
                "gain_db": Chosen([-6, 6], "distance"),
            },
            **_rare(data, said),
        },
        examples=f"{data.examples:,} sounds with a text each",
    )


def _hop(data: Understanding, said: Said) -> float:
    """Seconds between frames, shorter where texts are dense."""
    usual = HOPS[said.unit]
    if not len(data.lengths) or not said.lengths.any():
        return usual
    dense = float(np.median(data.lengths)) / (ROOM * float(np.quantile(said.lengths, 0.95)))
    return max(SHORTEST_HOP, min(usual, math.floor(1000 * dense) / 1000))


def _unit(said: Said) -> str:
    if said.unit == "word":
        return f"the same {len(said.counts):,} words are said again and again"
    return f"words are too many to be symbols; {len(said.counts):,} characters"


def _rare(data: Understanding, said: Said) -> dict[str, Section]:
    """Symbols that a split that is cut here may keep from training."""
    rare = int((said.counts < RARE).sum())
    if not rare or data.splits == "published":
        return {}
    reason = f"{rare} symbols stand fewer than {RARE} times, and training may lack them"
    return {"allow": {"labels": Chosen(reason)}}
