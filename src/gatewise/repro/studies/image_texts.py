"""Rules for images with texts: regions that all variants see alike, a decoder that looks at them.

Constants are judged by eye from the embedded `scenes`; they were not held out.
"""

from __future__ import annotations

from gatewise.data.understanding import Understanding
from gatewise.data.understanding.record import ImageSizes, Said
from gatewise.models.regions import Regions
from gatewise.repro.studies import images, pairs, splitting
from gatewise.repro.studies.choices import Chosen, Section, plain
from gatewise.repro.studies.sizes import SplitSizes
from gatewise.repro.studies.work import Steps, Work, passes

LARGEST = 48
"""Pixels of the longer side at most: three layers leave 6 x 6 regions of it."""
SEEN = 50_000
"""Images that a run sees in all of its epochs."""
EPOCHS = (6, 60)
BATCHES = {0: 16, 1_000: 32, 10_000: 64}
"""Images of a batch, from so many training images on."""
WIDTH, NARROW, FEW = 128, 64, 2_000
"""Units, and those below `FEW` training images."""


def work(data: Understanding, said: Said, sizes: ImageSizes) -> Work:
    """What the rules choose.

    Args:
        data: what was understood.
        said: of the texts that are to be said.
        sizes: of the images.
    """
    splits = SplitSizes.expected(data)
    features: Section = {
        **images.pixels(sizes, LARGEST),
        "scan": Chosen("regions", "a small convolutional network finds them, alike for all"),
        "normalise": images.normalise(),
    }
    symbols = pairs.vocabulary(said)
    width = NARROW if splits.train < FEW else WIDTH
    regions = Regions.of(plain(features))
    assert regions is not None  # noqa: S101  # `scan` asks for them
    # The network of the regions, in steps of an LSTM that cost as much; then those of the decoder.
    seen = regions.macs / (4 * width * (width + regions.features))
    spoken = (float(said.lengths.mean()) + 1) * (1 + symbols.value / (8 * width))
    return Work(
        metric=pairs.metric(data, said),
        objective=pairs.objective(said, symbols),
        features=features,
        model={"dropout": Chosen(0.1)},
        sizes=splits,
        passes=passes(splits.train, SEEN, EPOCHS, BATCHES),
        steps=Steps(max(1, round(seen + spoken)), width, features=regions.features),
        width=Chosen(width, f"units; {splits.train:,} images to learn from"),
        split=splitting.split(data),
        examples=f"{data.examples:,} images" + pairs.several(said),
    )
