"""Sequential digits: images read row by row or pixel by pixel."""

from __future__ import annotations

import functools

import numpy as np

from gatewise.diagnostics.probes.problems.base import Examples, Problem

SIDE = 8
HELD_OUT = 5
"""Every fifth image is not trained on."""


class SequentialDigits(Problem):
    """Real handwritten digits of 8 x 8 pixels as sequences: name the digit at the end.

    As sequential MNIST (Le, Jaitly & Hinton 2015) with scikit-learn's own images
    (`load_digits`, 1,797 of them from the UCI repository). A length is the number of steps: 8
    for rows, 64 for pixels. The score is the accuracy on images that were not trained on.
    """

    name = "digits"
    title = "sequential digits"
    paper = "Le, Jaitly & Hinton 2015"
    length_means = "steps an image"
    outputs = 10
    chance = 0.1

    def features(self, length: int) -> int:
        """Pixels a step."""
        return SIDE * SIDE // length

    def draw(
        self, length: int, batch: int, rng: np.random.Generator, *, held_out: bool = False
    ) -> Examples:
        """Images with replacement, training or held-out ones."""
        images, labels = _images()
        apart = np.arange(len(labels)) % HELD_OUT == 0
        rows = rng.choice(np.flatnonzero(apart == held_out), batch)
        inputs = images[rows].reshape(batch, length, -1).swapaxes(0, 1)
        return Examples.answered_at_end(inputs, labels[rows])


@functools.cache
def _images() -> tuple[np.ndarray, np.ndarray]:
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    return (images / 8 - 1).astype(np.float32), labels.astype(np.int64)
