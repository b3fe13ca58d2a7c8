"""A trained run as something to ask: from what a user has to what the task asks for.

A model folder holds `task.json`, `run.json`, `weights.safetensors` and, for text,
`tokenizer.json`: the front end is inside, and nothing in it is a pickle.
"""

from __future__ import annotations

import base64
import binascii
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from gatewise.artifacts import digests, runs
from gatewise.artifacts.objectives.base import Answer, Answered
from gatewise.artifacts.prepared import CARD, TOKENIZER, WHITE, TaskCard, pad
from gatewise.artifacts.runs import RunRecord
from gatewise.data.frontends import decoding, images, text
from gatewise.data.frontends.decoding import Clip, Unusable
from gatewise.data.frontends.images import Picture
from gatewise.data.frontends.windows import History
from gatewise.errors import GatewiseError
from gatewise.files import DamagedError, reading
from gatewise.serving import numbers
from gatewise.serving.budget import (
    LONGEST_SECONDS,
    LONGEST_STEPS,
    MOST_PADDED_STEPS,
    BadInputError,
    Budget,
)

if TYPE_CHECKING:
    import torch
    from tokenizers import Tokenizer

    from gatewise.data.frontends.spectra import FrontEnd
    from gatewise.models.sequence_model import SequenceModel

BATCH = 256
MEND = "take the model again from where it was made"

Item = Mapping[str, Any]
"""What a user has: `audio` (bytes of a sound file, or those in base64), `samples` and `rate`,
`frames` (steps x features), `text`, `series` (the values so far), `image` (bytes of an image file,
or those in base64), or `pixels` (height x width, or height x width x 3, from 0 to 255)."""


class Asked(NamedTuple):
    """One item as preparation would have made it."""

    sequence: np.ndarray
    """`(steps, features)`, or token ids `(steps,)`."""
    target: np.ndarray | None = None
    """What is known of its target, where an answer needs that."""


class Predictor:
    """A model with its front end, on the CPU."""

    def __init__(
        self,
        card: TaskCard,
        record: RunRecord,
        model: SequenceModel,
        tokenizer: Tokenizer | None,
    ) -> None:
        self.card = card
        self.objective = card.asks
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
        from gatewise.models.building import build
        from gatewise.models.complexity import Sizes

        folder = Path(folder)
        for name in (CARD, runs.RECORD, runs.WEIGHTS):
            if not (folder / name).is_file():
                raise GatewiseError(f"{folder}: not a model folder, {name} is missing")
        card = TaskCard.read(folder / CARD)
        record = RunRecord.read(folder)
        weights = _weights(folder / runs.WEIGHTS, record)
        tokenizer = _tokenizer(folder / TOKENIZER) if card.modality == "text" else None
        model = build(record.config, Sizes.of(card))
        try:
            model.load_state_dict(weights)
        except RuntimeError as error:
            reason = " ".join(str(error).split())[:300]
            raise GatewiseError(f"{folder}: weights do not fit the model: {reason}") from None
        return cls(card, record, model, tokenizer)

    @classmethod
    def from_run(cls, run: str | Path, prepared: str | Path = "data/prepared") -> Predictor:
        """Load a run folder of the study, with the front end of its prepared task."""
        import tempfile

        with tempfile.TemporaryDirectory() as folder:
            gather(run, prepared, folder)
            return cls.load(folder)

    def __call__(self, items: Sequence[Item], budget: Budget | None = None) -> list[Answer]:
        """Answer each item.

        Args:
            items: what to answer.
            budget: what they may cost together; without one, each is bounded by itself alone.

        Raises:
            BadInputError: an item cannot be read; the message names it by its place.
            TooMuchError: they cost more than the budget allows.
            AbandonedError: the budget was abandoned.
        """
        asked = []
        for place, item in enumerate(items):
            try:
                if budget is not None:
                    budget.go_on()
                asked.append(self.asked(item, budget))
            except BadInputError as error:
                where = f"item {place}: " if len(items) > 1 else ""
                raise type(error)(f"{where}{error}") from None
        return self.answers(asked, budget)

    def asked(self, item: Item, budget: Budget | None = None) -> Asked:
        """One item as preparation would have made it.

        Raises:
            BadInputError: it is not what this model takes, or not readable.
            TooMuchError: it costs more than the budget has left.
        """
        asked = self._asked(item, budget or Budget())
        if budget is not None:
            budget.take("steps", len(asked.sequence))
        return asked

    def answers(self, asked: Sequence[Asked], budget: Budget | None = None) -> list[Answer]:
        """What to tell about items that are ready."""
        return self.objective.answers(self.answered(asked, budget), self.card.labels)

    def _asked(self, item: Item, budget: Budget) -> Asked:
        given = {str(name) for name, value in item.items() if value is not None}
        if self.card.modality == "series":
            _exactly(given, [{"series"}], "series (the values so far)")
            return self._window(item["series"])
        return Asked(self._sequence(item, given, budget))

    def _sequence(self, item: Item, given: set[str], budget: Budget) -> np.ndarray:
        modality = self.card.modality
        if modality == "text":
            _exactly(given, [{"text"}], "text (a string)")
            if isinstance(item["text"], str):
                budget.take("text", len(item["text"]))
            return self._tokens(item["text"])
        if modality == "frames":
            wanted = f"frames (steps x {self.card.features} numbers)"
            _exactly(given, [{"frames"}], wanted)
            return self._frames(item["frames"])
        if modality == "image":
            wanted = "image (an image file), or pixels (height x width numbers from 0 to 255)"
            _exactly(given, [{"image"}, {"pixels"}], wanted)
            if "image" in given:
                return self._image(_picture(item["image"], budget))
            return self._image(_drawn(item["pixels"]))
        _exactly(
            given, [{"audio"}, {"samples", "rate"}], "audio (a sound file), or samples and rate"
        )
        if "audio" in given:
            clip = decode(item["audio"])
        else:
            clip = _samples(item["samples"], item["rate"])
        budget.take("sound", len(clip.samples) / clip.rate)
        return self._spectrum(clip)

    def answered(self, asked: Sequence[Asked], budget: Budget | None = None) -> list[Answered]:
        """Outputs for each item.

        Items are batched as evaluation batches a test split (by length, stable, 256 at a time,
        with the run's number of threads), so the split as a whole gets its recorded
        outputs bit for bit. A matrix product's last bits may depend on the batch's size,
        so an item alone may differ from those in the last digit. So may batches whose padding
        would take too much memory: they are split.
        """
        import torch

        from gatewise.models.batch import Batch

        lengths = np.array([len(one.sequence) for one in asked], dtype=np.int64)
        order = np.argsort(lengths, kind="stable")
        found: dict[int, Answered] = {}
        with _threads(self.record.threads), torch.inference_mode():
            for rows in batches(order, lengths):
                if budget is not None:
                    budget.go_on()
                chosen = [asked[row] for row in rows]
                inputs = _padded([one.sequence for one in chosen], lengths[rows])
                steps = torch.from_numpy(lengths[rows])
                together = self._model.answered(Batch(inputs, steps, *_targets(chosen)))
                for place, row in enumerate(rows.tolist()):
                    one = slice(place, place + 1)
                    found[row] = Answered(
                        *(None if part is None else part[one] for part in together)  # type: ignore[arg-type]
                    )
        return [found[row] for row in range(len(asked))]

    # --- inner -----------------------------------------------------------------------------

    def _tokens(self, value: Any) -> np.ndarray:
        if not isinstance(value, str):
            raise BadInputError(f"text must be a string, not {type(value).__name__}")
        if (why := text.problem(value)) is not None:
            raise BadInputError(f"text: {why}")
        if not value.isascii() and any("\ud800" <= letter <= "\udfff" for letter in value):
            raise BadInputError("text holds half a character (a lone surrogate)")
        from gatewise.data.frontends import tokens

        assert self._tokenizer is not None  # noqa: S101
        (ids,) = tokens.encode(self._tokenizer, [text.clean(value)])
        return ids[: int(self.card.front_end["max_length"])]

    def _frames(self, value: Any) -> np.ndarray:
        frames = numbers.array(value, "frames")
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

    def _window(self, value: Any) -> Asked:
        values = numbers.array(value, "series", np.float64)
        if values.ndim != 1:
            raise BadInputError(f"series must be a list of values, not {values.shape}")
        if len(values) > LONGEST_STEPS:
            raise BadInputError(f"{len(values)} values; at most {LONGEST_STEPS} are taken")
        bad = np.flatnonzero(~np.isfinite(values))
        if len(bad):
            raise BadInputError(f"series: value {int(bad[0]) + 1} is no finite number")
        settings = self.card.objective
        history = History(values, int(settings["season"]))
        if (why := history.problem(len(values))) is not None:
            raise BadInputError(f"series: {why}")
        steps, horizon = int(self.card.front_end["history"]), int(settings["horizon"])
        window = history.window(len(values), steps, horizon)
        return Asked(window.sequence, window.target())

    def _image(self, picture: Picture) -> np.ndarray:
        from gatewise.config import Pixels

        return images.sequence(picture, Pixels(**self.card.front_end))

    def _spectrum(self, clip: Clip) -> np.ndarray:
        from gatewise.config import LogMel, Mfcc
        from gatewise.data.frontends.spectra import FrontEnd

        if self._front_end is None:
            settings = self.card.front_end
            self._front_end = FrontEnd(
                LogMel(**settings) if settings["kind"] == "log-mel" else Mfcc(**settings)
            )
        with _threads(1):
            try:
                wave = self._front_end.clip(clip.samples, clip.rate)
            except Unusable as reason:
                raise BadInputError(f"audio: {reason}") from None
            features: np.ndarray = self._front_end(wave[None])[0].numpy()
        return features


def gather(run: str | Path, prepared: str | Path, target: str | Path) -> None:
    """Copy what makes a model folder out of a run folder and the prepared tasks.

    Raises:
        GatewiseError: something is missing, or the weights are not those of the run's record.
    """
    record = RunRecord.read(run)
    task = Path(prepared, record.task)
    card = task / CARD
    if not card.is_file():
        raise GatewiseError(f"{card}: missing; run `dvc pull` or `dvc repro prepare`")
    runs.check_weights(run, record)
    if TaskCard.read(card).digest != record.data.digest:
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
    data = _file_bytes(audio, "audio", "a sound file")
    try:
        return decoding.decode(data, LONGEST_SECONDS)
    except Unusable as reason:
        raise BadInputError(f"audio: {reason}") from None


def _picture(image: Any, budget: Budget) -> Picture:
    """An image file's bytes, raw or in base64, decoded as preparation decodes."""
    data = _file_bytes(image, "image", "an image file")
    budget.take("pixels", images.header(data))
    try:
        return images.decode(data)
    except Unusable as reason:
        raise BadInputError(f"image: {reason}") from None


def _drawn(pixels: Any) -> Picture:
    """A picture of numbers from 0 to 255."""
    given = numbers.array(pixels, "pixels")
    if not np.isfinite(given).all() or (given < 0).any() or (given > WHITE).any():
        raise BadInputError(f"pixels must lie between 0 and {WHITE}")
    try:
        return images.checked(np.floor(given + 0.5).astype(np.uint8))
    except Unusable as reason:
        raise BadInputError(f"pixels: {reason}") from None


def _file_bytes(value: Any, name: str, what: str) -> bytes:
    """The bytes of a file that came as they are, or in base64."""
    if isinstance(value, str):
        try:
            value = base64.b64decode(value, validate=True)
        except (binascii.Error, ValueError):
            raise BadInputError(f"{name} is a string, but not base64 of {what}") from None
    if not isinstance(value, (bytes, bytearray, memoryview)):
        raise BadInputError(f"{name} must be {what}'s bytes, not {type(value).__name__}")
    return bytes(value)


def _samples(samples: Any, rate: Any) -> Clip:
    hertz = numbers.rate(rate)
    array = numbers.array(samples, "samples")
    if array.ndim not in (1, 2):
        raise BadInputError(f"samples must be (samples,) or (samples, channels), not {array.shape}")
    array = array[:, None] if array.ndim == 1 else array
    try:
        return decoding.checked(array, hertz, LONGEST_SECONDS)
    except Unusable as reason:
        raise BadInputError(f"samples: {reason}") from None


def _exactly(given: set[str], allowed: list[set[str]], wanted: str) -> None:
    if given not in allowed:
        got = ", ".join(sorted(given)) or "nothing"
        raise BadInputError(f"this model takes {wanted}; got {got}")


def batches(order: np.ndarray, lengths: np.ndarray) -> Iterator[np.ndarray]:
    """Cut rows `order`, sorted by length, into batches that fit in memory once padded.

    Args:
        order: places of the sequences, shortest first, `(items,)`.
        lengths: steps of each sequence, `(items,)`.
    """
    for start in range(0, len(order), BATCH):
        rows = order[start : start + BATCH]
        while len(rows):
            # Sorted, so the last row of a batch is its longest.
            fits = np.flatnonzero(lengths[rows] * np.arange(1, len(rows) + 1) <= MOST_PADDED_STEPS)
            count = int(fits[-1]) + 1 if len(fits) else 1
            yield rows[:count]
            rows = rows[count:]


def _targets(asked: Sequence[Asked]) -> tuple[torch.Tensor, torch.Tensor | None]:
    """What is known of the items' targets, padded, and their lengths; zeros for classes."""
    import torch

    known = [one.target for one in asked if one.target is not None]
    if not known:
        return torch.zeros(len(asked), dtype=torch.int64), None
    lengths = np.array([len(target) for target in known], dtype=np.int64)
    padded = pad(np.concatenate(known), np.cumsum(lengths) - lengths, lengths)
    return torch.from_numpy(padded), torch.from_numpy(lengths)


def _weights(path: Path, record: RunRecord) -> dict[str, torch.Tensor]:
    """A model folder's weights, which must be those that its record names, and numbers."""
    import torch
    from safetensors.torch import load_file

    with reading(path, MEND):
        weights = load_file(path)
        found = digests.of_weights({name: tensor.numpy() for name, tensor in weights.items()})
    runs.require_same(path, found, record.weights_sha256, MEND)
    for name, tensor in weights.items():
        if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
            raise DamagedError(f"{path}: {name} holds values that are no finite numbers; {MEND}")
    return weights


def _tokenizer(path: Path) -> Tokenizer:
    from tokenizers import Tokenizer

    try:
        with reading(path, MEND):
            return Tokenizer.from_file(str(path))
    except FileNotFoundError:
        raise GatewiseError(f"{path}: missing; {MEND}") from None


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
