"""Models that give numbers: input, recurrence, pooling, decision."""

from __future__ import annotations

from torch import Tensor, nn

from gatewise.artifacts.objectives.base import Answered
from gatewise.config import VariantConfig
from gatewise.models.batch import Batch
from gatewise.models.complexity import Sizes
from gatewise.models.dropout import Dropout
from gatewise.models.lengths import Lengths
from gatewise.models.pooling import Pooling
from gatewise.models.seeding import seeded
from gatewise.models.sequence_model import SequenceModel


class SequenceClassifier(SequenceModel):
    """Sequences to class logits, or to what other numbers are asked for.

    Gives logits `(batch, outputs)`, or `(batch, time, outputs)` where the task asks for some at
    every step.
    """

    def __init__(self, variant: VariantConfig, sizes: Sizes) -> None:
        super().__init__(variant, sizes)
        self.pooling, self.classifier = seeded(self._seed, self._head)
        self.dropout = Dropout(variant.dropout)

    def _head(self) -> tuple[Pooling | None, nn.Linear]:
        width = self.recurrence.output_size
        classifier = nn.Linear(width, self.sizes.outputs)
        if self.sizes.per_step:
            return None, classifier
        return Pooling(self.variant.pooling, width), classifier

    @property
    def streams(self) -> bool:
        """Unless it also goes backwards."""
        return not self.variant.bidirectional

    def taught(self, batch: Batch) -> Answered:
        """As `answered`: it never sees a target."""
        return self.answered(batch)

    def answered(self, batch: Batch) -> Answered:
        """Logits of a padded batch."""
        return Answered(self(batch.inputs, batch.lengths), *batch[1:])

    def forward(self, inputs: Tensor, lengths: Tensor) -> Tensor:
        """Logits of a padded batch."""
        of = Lengths(lengths, inputs.shape[1])
        outputs = self.encode(inputs, of)
        if self.pooling is None:
            every: Tensor = self.classifier(self.dropout(outputs))
            return every.transpose(0, 1)
        logits: Tensor = self.classifier(self.dropout(self.pooling(outputs, of)))
        return logits
