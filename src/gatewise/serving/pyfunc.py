"""The MLflow flavour of a model folder: `mlflow.pyfunc.load_model` and `mlflow models serve`.

MLflow calls `_load_pyfunc`, so no Python object is pickled. Rows of a data frame are items as
`gatewise.serving.predictor` takes them; a bad one is answered with status 400 and its reason.
"""

from __future__ import annotations

import dataclasses
import io
import itertools
import os
import shutil
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_type_hints

import numpy as np

from gatewise.artifacts import objectives, software
from gatewise.artifacts.objectives.base import Answer
from gatewise.artifacts.prepared import CARD, TaskCard
from gatewise.artifacts.runs import RunRecord
from gatewise.models import cells
from gatewise.serving.budget import BadInputError, Budget
from gatewise.serving.predictor import Predictor, gather

if TYPE_CHECKING:
    import pandas as pd
    from mlflow.models import Model
    from mlflow.models.signature import ModelSignature

LIBRARIES = {
    "audio": ("torchaudio", "soundfile"),
    "frames": (),
    "text": ("tokenizers",),
    "series": (),
    "image": ("pillow",),
}
COMMON = ("mlflow", "numpy", "pandas", "pydantic", "pyyaml", "safetensors", "torch")

SERVED = "__pyfunc_model_path__"
"""Environment variable by which MLflow's server knows its model."""


class PyfuncModel:
    """What MLflow calls."""

    def __init__(self, predictor: Predictor) -> None:
        self.predictor = predictor

    def predict(self, model_input: Any, params: dict[str, Any] | None = None) -> pd.DataFrame:  # noqa: ARG002
        """A data frame with the fields of the objective's answer, a row an item."""
        import pandas as pd
        from mlflow.exceptions import MlflowException
        from mlflow.protos.databricks_pb2 import BAD_REQUEST

        try:
            answers = self.predictor(_items(model_input), _budget())
        except BadInputError as error:
            raise MlflowException(str(error), error_code=BAD_REQUEST) from None
        return pd.DataFrame([answer.plain() for answer in answers])


def _load_pyfunc(path: str) -> PyfuncModel:
    return PyfuncModel(Predictor.load(path))


def save(
    run: str | Path, prepared: str | Path, target: str | Path, model: Model | None = None
) -> None:
    """Write the run as an MLflow model folder, with all it needs to run elsewhere.

    Args:
        run: a run folder.
        prepared: folder of prepared tasks.
        target: folder to make.
        model: an MLflow model description to fill (with the ids of model and run).

    Raises:
        GatewiseError: weights or the task's card are missing or do not belong together.
    """
    import tempfile

    import mlflow.pyfunc

    with tempfile.TemporaryDirectory() as holder:
        data, code = Path(holder, "model"), Path(holder, "gatewise")
        data.mkdir()
        gather(run, prepared, data)
        copy_code(code)
        record = RunRecord.read(data)
        card = TaskCard.read(data / CARD)
        mlflow.pyfunc.save_model(
            str(target),
            loader_module="gatewise.serving.pyfunc",
            data_path=str(data),
            code_paths=[str(code)],
            mlflow_model=model,
            signature=signature(card),
            input_example=example(card),
            pip_requirements=requirements(card),
            metadata={"task": card.task, "variant": record.variant, "key": record.key},
        )


def signature(card: TaskCard) -> ModelSignature:
    """Columns in and out."""
    from mlflow.models.signature import ModelSignature
    from mlflow.types import ColSpec, DataType, Schema
    from mlflow.types.schema import Array

    inputs: list[Any] = {
        "text": [ColSpec(DataType.string, "text")],
        "frames": [ColSpec(Array(Array(DataType.double)), "frames")],
        "series": [ColSpec(Array(DataType.double), "series")],
        "image": [ColSpec(DataType.binary, "image")],
        "audio": [
            ColSpec(DataType.binary, "audio", required=False),
            ColSpec(Array(DataType.double), "samples", required=False),
            ColSpec(DataType.long, "rate", required=False),
        ],
    }[card.modality]
    return ModelSignature(Schema(inputs), Schema(answer_columns(card.asks.answer)))


def answer_columns(answer: type[Answer]) -> list[Any]:
    """Columns of an objective's answers, one for each field."""
    from mlflow.types import ColSpec, DataType
    from mlflow.types.schema import Array, Map

    columns: dict[Any, Any] = {
        str: DataType.string,
        float: DataType.double,
        list[float]: Array(DataType.double),
        list[str]: Array(DataType.string),
        dict[str, float]: Map(DataType.double),
    }
    hints = get_type_hints(answer)
    names = [field.name for field in dataclasses.fields(answer)]  # type: ignore[arg-type]
    return [ColSpec(columns[hints[name]], name) for name in names]


def example(card: TaskCard) -> pd.DataFrame:
    """One item to try a model with: a sentence, a square, a second of a quiet tone, ..."""
    import pandas as pd

    if card.modality == "text":
        return pd.DataFrame({"text": ["a film of quiet power, beautifully acted"]})
    if card.modality == "series":
        season = int(card.objective["season"])
        return pd.DataFrame({"series": [[float(1 + k % season) + k for k in range(3 * season)]]})
    if card.modality == "frames":
        return pd.DataFrame({"frames": [np.zeros((4, card.features or 1)).tolist()]})
    if card.modality == "image":
        return pd.DataFrame({"image": [paper()]})
    return pd.DataFrame({"audio": [tone(int(card.front_end["sample_rate"]))]})


def paper() -> bytes:
    """A small PNG of black, with a white square in it."""
    import PIL.Image

    pixels = np.zeros((32, 32), np.uint8)
    pixels[8:24, 8:24] = 255
    file = io.BytesIO()
    PIL.Image.fromarray(pixels).save(file, format="PNG")
    return file.getvalue()


def tone(rate: int) -> bytes:
    """A second of a quiet 440 Hz tone as a WAV file."""
    import soundfile

    file = io.BytesIO()
    wave = 0.1 * np.sin(2 * np.pi * 440 * np.arange(rate) / rate)
    soundfile.write(file, wave, rate, format="WAV", subtype="PCM_16")
    return file.getvalue()


def requirements(card: TaskCard) -> list[str]:
    """What the model imports, pinned to what is installed here."""
    names = sorted({*COMMON, *LIBRARIES[card.modality]})
    return [f"{name}=={metadata.version(name).split('+')[0]}" for name in names]


def _items(model_input: Any) -> list[dict[str, Any]]:
    import pandas as pd

    if not isinstance(model_input, pd.DataFrame):
        raise BadInputError(f"expected rows of named columns, not {type(model_input).__name__}")
    if model_input.empty:
        raise BadInputError("nothing to answer: no row with a value in a named column")
    # Optional columns come as missing values where a row leaves them out.
    return [
        {str(name): None if _missing(value) else value for name, value in row.items()}
        for row in model_input.to_dict("records")
    ]


def _budget() -> Budget | None:
    """Requests to `mlflow models serve` are bounded; data that a program hands over are its own."""
    return Budget() if SERVED in os.environ else None


def _missing(value: Any) -> bool:
    import pandas as pd

    return value is None or value is pd.NA or (isinstance(value, float) and value != value)  # noqa: PLR0124


def copy_code(target: Path) -> None:
    """Copy what a model needs of this package to run elsewhere: what this module imports.

    All cells and objectives go along. They are found by name, and one more file does no harm.
    """
    files = [path for module in software.closure([__name__]) if (path := software.path_of(module))]
    named = (Path(package.__path__[0]).glob("*.py") for package in (cells, objectives))
    for source in [*files, *itertools.chain(*named)]:
        copy = target / source.relative_to(software.ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, copy)
