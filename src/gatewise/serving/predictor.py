"""A trained run as something to ask: from what a user has to labels and probabilities.

A model folder holds `task.json`, `run.json`, `weights.safetensors` and, for text,
`tokenizer.json`: the front end is inside, and nothing in it is a pickle.
"""

from __future__ import annotations

import base64
import binascii
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gatewise.artifacts import runs
from gatewise.artifacts.prepared import CARD, TOKENIZER, TaskCard, pad
from gatewise.artifacts.runs import RunRecord
from gatewise.data.frontends import decoding, text
from gatewise.data.frontends.decoding import Clip, Unusable
from gatewise.errors import GatewiseError
from gatewise.files import read_json

if TYPE_CHECKING:
    import torch
    from tokenizers import Tokenizer

    from gatewise.data.frontends.spectra import FrontEnd
    from gatewise.models.classifier import SequenceClassifier

BATCH = 256
LONGEST_SECONDS = 60.0
LONGEST_STEPS = 100_000

Item = Mapping[str, Any]
"""What a user has: `audio` (bytes of a sound file, or those in base64), `samples` and `rate`,
`frames` (steps x features) or `text`."""


class BadInputError(GatewiseError):
    """Something asked of a model that it cannot answer; says which item and why."""


@dataclass(frozen=True)
class Answer:
    """What a model says about one item."""

    label: str
    probability: float
    probabilities: dict[str, float]


class Predictor:
    """A model with its front end, on the CPU."""

    def __init__(
        self,
        card: TaskCard,
        record: RunRecord,
        model: SequenceClassifier,
        tokenizer: Tokenizer | None,
    ) -> None:
        self.card = card
        self.record = record
        self._model = model.eval()
        self._tokenizer = tokenizer
        self._front_end: FrontEnd | None = None

    @classmethod
    def load(cls, folder: str | Path) -> Predictor:
        """Load a model folder.

        Raises:
            GatewiseError: a file is missing or does not fit the others.
        """
        from safetensors.torch import load_file

        from gatewise.models.classifier import SequenceClassifier
        from gatewise.models.complexity import Sizes

        folder = Path(folder)
        for name in (CARD, runs.RECORD, runs.WEIGHTS):
            if not (folder / name).is_file():
                raise GatewiseError(f"{folder}: not a model folder, {name} is missing")
        card = TaskCard.model_validate(read_json(folder / CARD))
        record = RunRecord.read(folder)
        model = SequenceClassifier(record.config, Sizes.of(card))
        try:
            model.load_state_dict(load_file(folder / runs.WEIGHTS))
        except RuntimeError as error:
            reason = " ".join(str(error).split())[:300]
            raise GatewiseError(f"{folder}: weights do not fit the model: {reason}") from None
        tokenizer = None
        if card.modality == "text":
            from tokenizers import Tokenizer

            tokenizer = Tokenizer.from_file(str(folder / TOKENIZER))
        return cls(card, record, model, tokenizer)

    @classmethod
    def from_run(cls, run: str | Path, prepared: str | Path = "data/prepared") -> Predictor:
        """Load a run folder of the study, with the front end of its prepared task."""
        import tempfile

        with tempfile.TemporaryDirectory() as folder:
            gather(run, prepared, folder)
            return cls.load(folder)

    def __call__(self, items: Sequence[Item]) -> list[Answer]:
        """Answer each item.

        Raises:
            BadInputError: an item cannot be read; the message names it by its place.
        """
        sequences = []
        for place, item in enumerate(items):
            try:
                sequences.append(self.sequence(item))
            except BadInputError as error:
                where = f"item {place}: " if len(items) > 1 else ""
                raise BadInputError(f"{where}{error}") from None
        labels = self.card.labels
        return [
            Answer(
                label=labels[int(row.argmax())],
                probability=float(row.max()),
                probabilities={name: float(p) for name, p in zip(labels, row, strict=True)},
            )
            for row in self.probabilities(sequences)
        ]

    def sequence(self, item: Item) -> np.ndarray:
        """One item as preparation would have made it: `(steps, features)` or token ids `(steps,)`.

        Raises:
            BadInputError: it is not what this model takes, or not readable.
        """
        given = {name for name, value in item.items() if value is not None}
        modality = self.card.modality
        if modality == "text":
            _exactly(given, [{"text"}], "text (a string)")
            return self._tokens(item["text"])
        if modality == "frames":
            wanted = f"frames (steps x {self.card.features} numbers)"
            _exactly(given, [{"frames"}], wanted)
            return self._frames(item["frames"])
        _exactly(
            given, [{"audio"}, {"samples", "rate"}], "audio (a sound file), or samples and rate"
        )
        if "audio" in given:
            return self._spectrum(decode(item["audio"]))
        return self._spectrum(_samples(item["samples"], item["rate"]))

    def probabilities(self, sequences: Sequence[np.ndarray]) -> np.ndarray:
        """Class probabilities, float32 `(items, classes)`.

        Items are batched as evaluation batches a test split (by length, stable, 256 at a time,
        with the run's number of threads), so the split as a whole gets its recorded
        probabilities bit for bit. A matrix product's last bits may depend on the batch's size,
        so an item alone may differ from those in the last digit.
        """
        import torch

        lengths = np.array([len(sequence) for sequence in sequences], dtype=np.int64)
        order = np.argsort(lengths, kind="stable")
        probabilities = np.zeros((len(sequences), len(self.card.labels)), dtype=np.float32)
        with _threads(self.record.threads), torch.inference_mode():
            for start in range(0, len(order), BATCH):
                rows = order[start : start + BATCH]
                inputs = _padded([sequences[row] for row in rows], lengths[rows])
                logits = self._model(inputs, torch.from_numpy(lengths[rows]))
                probabilities[rows] = torch.softmax(logits, dim=1).numpy()
        return probabilities

    # --- inner -----------------------------------------------------------------------------

    def _tokens(self, value: Any) -> np.ndarray:
        if not isinstance(value, str):
            raise BadInputError(f"text must be a string, not {type(value).__name__}")
        if (why := text.problem(value)) is not None:
            raise BadInputError(f"text: {why}")
        from gatewise.data.frontends import tokens

        assert self._tokenizer is not None  # noqa: S101
        (ids,) = tokens.encode(self._tokenizer, [text.clean(value)])
        return ids[: int(self.card.front_end["max_length"])]

    def _frames(self, value: Any) -> np.ndarray:
        try:
            frames = np.asarray(value, dtype=np.float32)
        except (TypeError, ValueError):
            raise BadInputError("frames must be numbers, every step with equally many") from None
        if frames.ndim != 2 or frames.shape[1] != self.card.features or not len(frames):
            raise BadInputError(
                f"frames must be (steps, {self.card.features}) with at least one step, "
                f"not {frames.shape}"
            )
        if len(frames) > LONGEST_STEPS:
            raise BadInputError(f"{len(frames)} steps; at most {LONGEST_STEPS} are taken")
        if not np.isfinite(frames).all():
            raise BadInputError("frames hold values that are not finite numbers")
        return frames

    def _spectrum(self, clip: Clip) -> np.ndarray:
        from gatewise.config import LogMel, Mfcc
        from gatewise.data.frontends.spectra import FrontEnd

        if self._front_end is None:
            settings = self.card.front_end
            self._front_end = FrontEnd(
                LogMel(**settings) if settings["kind"] == "log-mel" else Mfcc(**settings)
            )
        with _threads(1):
            wave = self._front_end.clip(clip.samples, clip.rate)
            features: np.ndarray = self._front_end(wave[None])[0].numpy()
        return features


def gather(run: str | Path, prepared: str | Path, target: str | Path) -> None:
    """Copy what makes a model folder out of a run folder and the prepared tasks.

    Raises:
        GatewiseError: something is missing.
    """
    record = RunRecord.read(run)
    task = Path(prepared, record.task)
    card = task / CARD
    if not card.is_file():
        raise GatewiseError(f"{card}: missing; run `dvc pull` or `dvc repro prepare`")
    if read_json(card)["digest"] != record.data.digest:
        raise GatewiseError(f"{run} was trained on other data than {task} holds; run `dvc repro`")
    for path in (Path(run, runs.RECORD), Path(run, runs.WEIGHTS), card, task / TOKENIZER):
        if path.is_file():
            shutil.copy(path, Path(target, path.name))
        elif path.name != TOKENIZER:
            raise GatewiseError(f"{path}: missing; run `dvc pull` or `dvc repro`")


def decode(audio: Any) -> Clip:
    """A sound file's bytes, raw or in base64, decoded as preparation decodes.

    Raises:
        BadInputError: it is not a sound file, a very long one, or one that preparation refuses.
    """
    if isinstance(audio, str):
        try:
            audio = base64.b64decode(audio, validate=True)
        except (binascii.Error, ValueError):
            raise BadInputError("audio is a string, but not base64 of a sound file") from None
    if not isinstance(audio, (bytes, bytearray, memoryview)):
        raise BadInputError(f"audio must be a sound file's bytes, not {type(audio).__name__}")
    try:
        return decoding.decode(bytes(audio), LONGEST_SECONDS)
    except Unusable as reason:
        raise BadInputError(f"audio: {reason}") from None


def _samples(samples: Any, rate: Any) -> Clip:
    try:
        array = np.asarray(samples, dtype=np.float32)
        rate_value = float(rate)
    except (TypeError, ValueError):
        raise BadInputError("samples must be numbers and rate a whole number in Hz") from None
    if array.ndim not in (1, 2):
        raise BadInputError(f"samples must be (samples,) or (samples, channels), not {array.shape}")
    if not rate_value.is_integer():
        raise BadInputError(f"rate must be a whole number in Hz, not {rate}")
    array = array[:, None] if array.ndim == 1 else array
    try:
        return decoding.checked(array, int(rate_value), LONGEST_SECONDS)
    except Unusable as reason:
        raise BadInputError(f"samples: {reason}") from None


def _exactly(given: set[str], allowed: list[set[str]], wanted: str) -> None:
    if given not in allowed:
        got = ", ".join(sorted(given)) or "nothing"
        raise BadInputError(f"this model takes {wanted}; got {got}")


def _padded(sequences: Sequence[np.ndarray], lengths: np.ndarray) -> torch.Tensor:
    import torch

    batch = pad(np.concatenate(sequences), np.cumsum(lengths) - lengths, lengths)
    return torch.from_numpy(batch.astype(np.int64 if batch.ndim == 2 else np.float32, copy=False))


@contextmanager
def _threads(count: int) -> Iterator[None]:
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
