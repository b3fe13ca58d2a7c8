"""Models of finished runs."""

from __future__ import annotations

from pathlib import Path

from gatewise.artifacts import runs
from gatewise.artifacts.prepared import Prepared
from gatewise.artifacts.runs import RunRecord
from gatewise.errors import GatewiseError
from gatewise.models.building import build
from gatewise.models.complexity import Sizes
from gatewise.models.sequence_model import SequenceModel
from gatewise.training.scoring import weights_digest


def load(folder: Path, record: RunRecord, prepared: Prepared) -> SequenceModel:
    """A run's model with its weights.

    Raises:
        GatewiseError: the weights are missing or are not those that the record names.
    """
    from safetensors.torch import load_file

    path = folder / runs.WEIGHTS
    if not path.is_file():
        raise GatewiseError(f"{path}: missing; run `dvc repro train`")
    weights = load_file(path)
    if weights_digest(weights) != record.weights_sha256:
        raise GatewiseError(
            f"{path}: not the weights that {runs.RECORD} names; run `dvc repro -f train`"
        )
    model = build(record.config, Sizes.of(prepared.card))
    model.load_state_dict(weights)
    return model.eval()
