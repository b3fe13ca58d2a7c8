"""Models that say what is in an image: regions of it, and a decoder of the variant's cell."""

from __future__ import annotations

from torch import Tensor

from gatewise.artifacts.objectives.base import Saying
from gatewise.models.cells import State
from gatewise.models.cells.base import Kernel
from gatewise.models.decoder import Decoder, Encoded
from gatewise.models.generator import SequenceGenerator
from gatewise.models.regions import RegionEncoder, Regions
from gatewise.models.seeding import seeded


class Captioner(SequenceGenerator):
    """Images to sequences of symbols.

    A convolutional network reads the image (`RegionEncoder`), in every variant the same. The
    decoder starts from a summary of its regions (Vinyals et al. 2015), is told of it at every step
    (Mao et al. 2015) and, with attention, looks at single regions (Xu et al. 2015): its cell is
    what variants differ in.
    """

    def _build_reader(self, seed: int, width: int) -> None:
        del width  # that of a row of pixels
        self.regions = seeded(seed, lambda: RegionEncoder(self._regions))

    def _build_decoder(self, saying: Saying) -> Decoder:
        return Decoder(self.variant, saying, self._regions.features, self._regions.SUMMARY)

    @property
    def _regions(self) -> Regions:
        assert self.sizes.regions is not None  # noqa: S101  # see `build`
        return self.sizes.regions

    @property
    def kernel(self) -> Kernel:
        """What computes the only recurrence that there is."""
        return self.decoder.recurrence.kernel

    def compile_steps(self) -> None:
        """Compile the decoder's steps."""
        self.decoder.recurrence.compile_steps()

    def initial_state(self, batch: int) -> list[State]:
        """The decoder's, before it has seen an image."""
        return self.decoder.recurrence.initial_state(batch)

    def encoded(self, inputs: Tensor, lengths: Tensor) -> Encoded:
        """What the decoder starts from; images are all of one size."""
        del lengths
        x_tbf = self._encode(inputs.transpose(0, 1))
        if self.sizes.normalise == "clip":
            x_tbf = x_tbf - x_tbf.mean(0)
        return self.decoder.begin_from(*self.regions(self.input_dropout(x_tbf)))
