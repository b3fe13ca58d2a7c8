"""From a variant and a task's sizes to a model."""

from __future__ import annotations

from gatewise.config import VariantConfig
from gatewise.models.captioner import Captioner
from gatewise.models.classifier import SequenceClassifier
from gatewise.models.complexity import Sizes
from gatewise.models.generator import SequenceGenerator
from gatewise.models.sequence_model import SequenceModel


def build(variant: VariantConfig, sizes: Sizes) -> SequenceModel:
    """The model that a task of these sizes needs, its weights drawn from torch's generator.

    Args:
        variant: with its width solved.
        sizes: what the task fixes.

    Raises:
        GatewiseError: the variant's cell cannot be built so.
    """
    if sizes.saying is None:
        return SequenceClassifier(variant, sizes)
    kind = SequenceGenerator if sizes.regions is None else Captioner
    return kind(variant, sizes)
