"""Run folders of tests with records that name what lies beside them."""

from pathlib import Path

from safetensors.numpy import load_file

from gatewise.artifacts import digests, predictions, runs
from gatewise.artifacts.runs import RunRecord


def name_files(folder: Path) -> RunRecord:
    """Put the digests of what weights and predictions lie in `folder` into its record."""
    record = RunRecord.read(folder)
    found = {}
    if (folder / runs.WEIGHTS).is_file():
        found["weights_sha256"] = digests.of_weights(load_file(folder / runs.WEIGHTS))
    if (folder / runs.PREDICTIONS).is_file():
        found["predictions_sha256"] = predictions.read(folder / runs.PREDICTIONS).digest
    record = record.model_copy(update=found)
    record.write(folder)
    return record
