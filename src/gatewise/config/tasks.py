"""Tasks: a source, how its examples become sequences, and what training changes for them."""

from __future__ import annotations

import contextlib
import importlib
import pkgutil
from collections.abc import Mapping
from importlib.metadata import entry_points
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, Literal, get_args

from pydantic import (
    Field,
    SerializeAsAny,
    SerializerFunctionWrapHandler,
    field_validator,
    model_serializer,
    model_validator,
)

from gatewise.config.metrics import METRICS
from gatewise.config.objectives import DEFAULT, ObjectiveOptions, objective_class
from gatewise.config.strict import (
    Bands,
    BatchSize,
    Count,
    Epochs,
    Fraction,
    Hertz,
    Positive,
    Probability,
    Seconds,
    Share,
    Side,
    Strict,
    Width,
    Window,
    suggest,
)
from gatewise.config.tuning import TuningOverrides
from gatewise.config.work import Work

Leak = Literal["groups", "duplicates", "near-duplicates", "labels", "time", "horizons"]
LEAKS: tuple[str, ...] = get_args(Leak)
"""Leaks that a study may accept."""
MOST_STEPS = 100_000
"""Of one sequence."""
SOURCES = "gatewise.sources"
"""Entry points that name packages of sources; ours is `gatewise.data.sources`."""


class SourceOptions(Strict):
    """Options of a data source; each module of a package of sources subclasses it once."""

    kind: str
    """Name of the source: that of its module, with dashes for underscores."""
    pinned: ClassVar[bool] = False
    """Whether equal options always give equal data: made by the source itself, or downloaded and
    checked against a digest. Files of the user's own may change."""
    objective: ClassVar[Mapping[str, Any]] = MappingProxyType({"kind": DEFAULT})
    """What is asked of such data unless the task says otherwise."""
    work: ClassVar[Work | None] = None
    """What its examples are instances of, where their form does not tell: spoken commands are
    classes of sounds, and so are the songs of birds."""


class SplitConfig(Strict):
    """How examples are divided where the source publishes no split. Groups never cross."""

    validation: Fraction = 0.15
    """Share of the groups that chooses the best epoch."""
    test: Fraction = 0.2
    """Share of the groups that is scored once."""
    resample: bool | Literal["balanced"] | None = None
    """How seeds differ: `false`, one split for all, by a hash of each group's id; `true`, groups
    drawn anew for each seed; `balanced`, seeds in rounds that test every group equally often. Left
    out: `balanced` where groups are few (below ten, no split published, no text), else `false`."""

    @model_validator(mode="after")
    def _leaves_training_data(self) -> SplitConfig:
        if self.validation + self.test >= 1:
            raise ValueError(
                f"validation ({self.validation}) and test ({self.test}) leave nothing to train on; "
                "together they must stay below 1"
            )
        return self


class Spectral(Strict):
    """What log-mels and MFCCs share: the frame grid, in samples of `sample_rate`."""

    sample_rate: Hertz = 16_000
    """Rate in Hz that clips are resampled to."""
    n_fft: Window = 512
    """FFT length in samples."""
    win_length: Window | None = None
    """Window length in samples; `n_fft` when left out."""
    hop_length: Window = 320
    """Step between frames in samples."""
    n_mels: Bands = 40
    """Mel bands."""
    seconds: Seconds | None = None
    """Crop or zero-pad (around the middle) clips to this duration; left out: keep theirs."""
    crop: Literal["middle", "energy"] = "middle"
    """What of a longer clip is kept: its middle, or its loudest window, as for words that were
    said somewhere in a long recording."""
    normalise: Literal["none", "clip", "train"] = "clip"
    """Subtract each clip's own mean, or standardise with training-split statistics."""

    @model_validator(mode="after")
    def _window_fits(self) -> Spectral:
        if self.win_length is not None and self.win_length > self.n_fft:
            raise ValueError(f"win_length {self.win_length} is longer than n_fft {self.n_fft}")
        if self.crop != "middle" and self.seconds is None:
            raise ValueError("crop needs seconds: without them nothing is cropped")
        return self

    @model_serializer(mode="wrap")
    def _without_defaults(self, plain: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave the usual crop out, so that data prepared before there was a choice stay valid."""
        given: dict[str, Any] = plain(self)
        if given.get("crop") == "middle":
            del given["crop"]
        return given


class LogMel(Spectral):
    """Log-mel spectrogram of a waveform (torchaudio)."""

    kind: Literal["log-mel"]


class Mfcc(Spectral):
    """Mel-frequency cepstral coefficients of a waveform (torchaudio)."""

    kind: Literal["mfcc"]
    n_mfcc: Bands = 13
    """Coefficients kept."""


class Frames(Strict):
    """Feature frames that the source ships ready-made."""

    kind: Literal["frames"]
    normalise: Literal["none", "clip", "train"] = "train"
    """As for spectra."""


class Tokens(Strict):
    """Token ids from a tokenizer trained on the training split."""

    kind: Literal["tokens"]
    tokenizer: Literal["word", "bpe", "character"] = "word"
    """Unit of text."""
    vocabulary: Annotated[int, Field(ge=4, le=1_000_000)] = 8_000
    """Largest vocabulary, special tokens included."""
    min_frequency: Count = 2
    """Units seen less often in training become the unknown token."""
    lowercase: bool = True
    """Fold case and strip accents."""
    max_length: Annotated[int, Field(ge=1, le=100_000)] = 64
    """Tokens kept of each document; the truncated share is reported."""


class Series(Strict):
    """Windows of a series' history, free of its size."""

    kind: Literal["series"]
    history: Annotated[int, Field(ge=1, le=100_000)] = 36
    """Most steps that a model sees before the horizon."""
    stride: Count = 6
    """Steps from one training window to the next."""


class Pixels(Strict):
    """Pixels of an image of one size, brought to it by averaging areas; 0 is black, 1 is white."""

    kind: Literal["image"]
    height: Side = 32
    """Rows of pixels."""
    width: Side = 32
    """Pixels in a row."""
    channels: Literal[1, 3] = 3
    """1: grey; 3: red, green and blue."""
    scan: Literal["rows", "pixels", "regions"] = "rows"
    """What a step is: a row of pixels from left to right, or one pixel after the other. `regions`:
    a convolutional network that all variants share makes vectors of regions, from which a text is
    said; the usual one where texts are."""
    normalise: Literal["none", "clip", "train"] = "none"
    """As for spectra; `clip` subtracts the image's own mean."""

    @model_validator(mode="after")
    def _short_enough(self) -> Pixels:
        if self.steps > MOST_STEPS:
            raise ValueError(
                f"{self.height} x {self.width} pixels one by one are {self.steps:,} steps; at most "
                f"{MOST_STEPS:,} are taken: make images smaller, or scan rows"
            )
        return self

    @property
    def steps(self) -> int:
        """Steps of each sequence."""
        return self.height * self.width if self.scan == "pixels" else self.height

    @property
    def features(self) -> int:
        """Numbers of each step."""
        return self.channels * (1 if self.scan == "pixels" else self.width)


Features = Annotated[LogMel | Mfcc | Frames | Tokens | Series | Pixels, Field(discriminator="kind")]


class SpecAugment(Strict):
    """Masks on the time-frequency plane (Park et al. 2019)."""

    frequency_masks: Annotated[int, Field(ge=0)] = 1
    frequency_width: Annotated[int, Field(ge=0)] = 6
    """Widest mask in bands."""
    time_masks: Annotated[int, Field(ge=0)] = 1
    time_width: Annotated[int, Field(ge=0)] = 8
    """Widest mask in frames."""


class Augment(Strict):
    """Random changes to training clips; drawn from the seed, never from the variant."""

    time_shift: Annotated[float, Field(ge=0)] = 0.0
    """Largest shift to either side in seconds."""
    noise_snr_db: tuple[float, float] | None = None
    """Range of signal-to-noise ratios in dB for additive coloured noise."""
    noise_probability: Annotated[float, Field(ge=0, le=1)] = 0.8
    """Share of clips that get noise."""
    gain_db: tuple[float, float] | None = None
    """Range of gains in dB."""
    spec_augment: SpecAugment | None = None

    @field_validator("noise_snr_db", "gain_db")
    @classmethod
    def _ordered(cls, value: tuple[float, float] | None) -> tuple[float, float] | None:
        if value is not None and value[0] > value[1]:
            raise ValueError(f"the range {list(value)} runs backwards; write [lowest, highest]")
        return value


class TrainOverrides(Strict):
    """Training settings that one task changes for all of its variants alike."""

    epochs: Epochs | None = None
    batch_size: BatchSize | None = None
    learning_rate: Positive | None = None
    weight_decay: Annotated[float, Field(ge=0)] | None = None
    clip_norm: Positive | None = None
    schedule: Literal["one-cycle", "cosine", "constant"] | None = None
    label_smoothing: Probability | None = None
    fraction: Share | None = None
    patience: Count | None = None
    average_last: Count | None = None


def _left_out(value: Any) -> bool:
    """Whether a key says nothing, so that plans of tasks without it stay what they were."""
    return value is None


class ModelOverrides(Strict):
    """Model settings that one task changes for all of its variants alike."""

    hidden: Width | None = Field(
        default=None,
        exclude_if=_left_out,
        description="Width of the hidden state of variants that name one; matched ones follow.",
    )
    bidirectional: bool | None = Field(
        default=None, exclude_if=_left_out, description="Whether sequences are read both ways."
    )
    embedding: Width | None = None
    embeddings: Literal["random", "cooccurrence"] | None = None
    word_dropout: Probability | None = None
    pooling: Literal["last", "mean", "max", "attention"] | None = None
    dropout: Probability | None = None
    input_dropout: Probability | None = None


class TaskConfig(Strict):
    """A labelled data set, how it becomes sequences, and what is measured on it."""

    source: SerializeAsAny[SourceOptions]
    split: SplitConfig = SplitConfig()
    features: Features
    augment: Augment | None = None
    objective: SerializeAsAny[ObjectiveOptions] = Field(
        default=None,  # type: ignore[assignment]  # settled before anybody sees it
        exclude_if=lambda objective: objective.usual,
        description="What is asked of a model, `{kind: classify}` or another; the usual one of the "
        "source if left out",
    )
    metric: str = Field(
        "accuracy",
        description=f"Primary metric, by which variants compare: {' | '.join(METRICS)}; the usual "
        "one of the objective if left out",
    )
    on_bad: Literal["fail", "skip"] = "fail"
    """What to do about examples that cannot be used (undecodable, truncated, empty, ...)."""
    allow: dict[Leak, str] = Field(default_factory=dict)
    """Leaks that are known and accepted, each with the reason; printed in the report."""
    work: Work | None = Field(
        None,
        exclude_if=lambda work: work is None,
        description="What the examples are instances of, for the textbook's claims: "
        f"{' | '.join(get_args(Work))}; told by source, objective and data if left out",
    )
    train: TrainOverrides = TrainOverrides()
    model: ModelOverrides = ModelOverrides()
    tuning: TuningOverrides = TuningOverrides()

    @field_validator("allow")
    @classmethod
    def _reasons(cls, value: dict[str, str]) -> dict[str, str]:
        for leak, reason in value.items():
            if not reason.strip():
                raise ValueError(f"{leak}: give the reason why this leak is acceptable")
        return value

    @field_validator("metric")
    @classmethod
    def _known_metric(cls, value: str) -> str:
        if value not in METRICS:
            raise ValueError(f"unknown metric {value!r}{suggest(value, METRICS)}")
        return value

    @model_validator(mode="before")
    @classmethod
    def _usual(cls, value: Any) -> Any:
        """Objective and metric that follow from the source, where the task names none."""
        if not isinstance(value, dict):
            return value
        objective = value.get("objective")
        if objective is None:
            objective = _objective_of(value.get("source"))
        kind = getattr(objective, "kind", None) or (
            objective.get("kind") if isinstance(objective, dict) else None
        )
        filled = {**value, "objective": objective}
        if isinstance(kind, str):
            with contextlib.suppress(ValueError):  # said where the objective is checked
                asked = objective_class(kind)
                filled.setdefault("metric", asked.metrics[0])
                filled["features"] = _usual_features(value.get("features"), asked)
        return filled

    @field_validator("objective", mode="plain")
    @classmethod
    def _objective(cls, value: Any) -> ObjectiveOptions:
        if isinstance(value, ObjectiveOptions):
            return value
        if not isinstance(value, dict) or "kind" not in value:
            raise ValueError("an objective is a mapping with a `kind`")
        return objective_class(str(value["kind"])).model_validate(value)

    @field_validator("source", mode="plain")
    @classmethod
    def _plugin(cls, value: Any) -> SourceOptions:
        if isinstance(value, SourceOptions):
            return value
        if not isinstance(value, dict) or "kind" not in value:
            raise ValueError("a source is a mapping with a `kind`")
        return source_class(str(value["kind"])).model_validate(value)

    @model_validator(mode="after")
    def _suits_the_objective(self) -> TaskConfig:
        objective = self.objective
        if self.metric not in objective.metrics:
            raise ValueError(
                f"metric {self.metric} does not suit the objective {objective.kind}; use "
                f"{' or '.join(objective.metrics)}"
            )
        if getattr(self.features, "scan", "") == "regions" and objective.target != "tokens":
            raise ValueError(
                f"features.scan: regions is for objectives that say texts, not {objective.kind}; "
                "use rows or pixels"
            )
        if self.features.kind not in objective.features:
            raise ValueError(
                f"features of the kind {self.features.kind} do not suit the objective "
                f"{objective.kind}; use {' or '.join(objective.features)}"
            )
        chosen = {
            "train": self.train.label_smoothing,
            "tuning.space": "label_smoothing" in (self.tuning.space or {}),
        }
        for section, value in chosen.items():
            if value and not objective.smoothed:
                raise ValueError(
                    f"{section}.label_smoothing changes nothing where the objective is "
                    f"{objective.kind}; leave it out"
                )
        return self

    @model_validator(mode="after")
    def _consistent(self) -> TaskConfig:
        if self.augment is not None and not isinstance(self.features, LogMel):
            raise ValueError(
                "augment changes powers of bands, so it needs features of the kind log-mel, not "
                f"{self.features.kind}; leave augment out or change the features"
            )
        says = self.objective.target == "tokens"  # a decoder embeds what it said
        for key in ("embedding", "embeddings", "word_dropout"):
            suits = isinstance(self.features, Tokens) or (says and key == "embedding")
            if getattr(self.model, key) is not None and not suits:
                raise ValueError(
                    f"model.{key} is for features of the kind tokens, not {self.features.kind}; "
                    "leave it out"
                )
        share = getattr(self.source, "test_share", self.split.test)
        if getattr(self.source, "test_takes", None) is not None and share != self.split.test:
            raise ValueError(
                f"source.test_share ({share}) says whose voices test and must equal split.test "
                f"({self.split.test}) where source.test_takes is given"
            )
        if isinstance(self.features, Series) and self.split.resample:
            raise ValueError(
                "split.resample: series are split in time, the last horizon of each for the test; "
                "leave it out"
            )
        if isinstance(self.features, Tokens) and self.split.resample:
            raise ValueError(
                "split.resample would leak: the tokenizer is trained once on the training split, "
                "so text keeps one split for all seeds"
            )
        return self


def _usual_features(features: Any, objective: type[ObjectiveOptions]) -> Any:
    """Features with the usual scan of images, where texts are said of them."""
    says = objective.target == "tokens"
    if says and isinstance(features, dict) and features.get("kind") == "image":
        return {"scan": "regions", **features}
    return features


def _objective_of(source: Any) -> dict[str, Any]:
    """The usual objective of a source, as yet unchecked."""
    kind = source.get("kind") if isinstance(source, dict) else None
    if isinstance(source, SourceOptions):
        return dict(source.objective)
    if kind not in _source_modules():
        return {"kind": DEFAULT}  # the source itself is refused
    return dict(source_class(str(kind)).objective)


def source_kinds() -> list[str]:
    """Names of the sources that are installed, ours and those of other distributions."""
    return sorted(_source_modules())


def source_class(kind: str) -> type[SourceOptions]:
    """The class `Source` of the module that is called as the source is.

    A new source is one new file; this module imports none and knows of none.
    """
    modules = _source_modules()
    if kind not in modules:
        raise ValueError(f"unknown source {kind!r}{suggest(kind, sorted(modules))}")
    source: type[SourceOptions] = importlib.import_module(modules[kind]).Source
    return source


def _source_modules() -> dict[str, str]:
    """Module of each source by its name, from the packages that distributions have declared."""
    packages = sorted(point.value for point in entry_points(group=SOURCES))
    return {
        module.name.replace("_", "-"): f"{package}.{module.name}"
        for package in packages
        for module in pkgutil.iter_modules(importlib.import_module(package).__path__)
        if not module.name.startswith("_")
    }
