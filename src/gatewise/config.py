"""`params.yaml` as typed, documented models.

Everything a study is allowed to say is declared here (or, for a source's own options, in
that source's file). Anything else is refused with the key's path and what is allowed.
"""

from __future__ import annotations

import difflib
import importlib
import pkgutil
import re
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PrivateAttr,
    SerializeAsAny,
    ValidationError,
    field_validator,
    model_validator,
)

from gatewise.errors import GatewiseError

NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
SEEDS_LOCK = "seeds.lock"
SPLITS = ("train", "validation", "test")

Fraction = Annotated[float, Field(gt=0, lt=1)]
Share = Annotated[float, Field(gt=0, le=1)]
Probability = Annotated[float, Field(ge=0, lt=1)]
Positive = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(ge=1)]


class Strict(BaseModel):
    """A model that refuses unknown keys and never changes after it was checked."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    @model_validator(mode="before")
    @classmethod
    def _known_keys(cls, value: Any) -> Any:
        # Before pydantic's own check, whose message cannot say what is allowed.
        if isinstance(value, dict):
            for key in value:
                if key not in cls.model_fields:
                    raise ValueError(f"unknown key {key!r}{suggest(str(key), cls.model_fields)}")
        return value


# --- tasks -----------------------------------------------------------------------------


class SourceOptions(Strict):
    """Options of a data source; each file in `gatewise.sources` subclasses it once."""

    kind: str
    """Name of the source: the file `gatewise/sources/<kind>.py`, with dashes."""


class SplitConfig(Strict):
    """How examples are divided where the source publishes no split. Groups never cross."""

    validation: Fraction = 0.15
    """Share of the groups that chooses the best epoch."""
    test: Fraction = 0.2
    """Share of the groups that is scored once."""
    resample: bool = False
    """Draw the groups anew for each seed instead of once from a hash of their ids."""

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

    sample_rate: Count = 16_000
    """Rate in Hz that clips are resampled to."""
    n_fft: Count = 512
    """FFT length in samples."""
    win_length: Count | None = None
    """Window length in samples; `n_fft` when left out."""
    hop_length: Count = 320
    """Step between frames in samples."""
    n_mels: Count = 40
    """Mel bands."""
    seconds: Positive | None = None
    """Crop (around the middle) or zero-pad clips to this duration; left out: keep theirs."""
    normalise: Literal["none", "clip", "train"] = "clip"
    """Subtract each clip's own mean, or standardise with training-split statistics."""

    @model_validator(mode="after")
    def _window_fits(self) -> Spectral:
        if self.win_length is not None and self.win_length > self.n_fft:
            raise ValueError(f"win_length {self.win_length} is longer than n_fft {self.n_fft}")
        return self


class LogMel(Spectral):
    """Log-mel spectrogram of a waveform (torchaudio)."""

    kind: Literal["log-mel"]


class Mfcc(Spectral):
    """Mel-frequency cepstral coefficients of a waveform (torchaudio)."""

    kind: Literal["mfcc"]
    n_mfcc: Count = 13
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
    vocabulary: Annotated[int, Field(ge=4)] = 8_000
    """Largest vocabulary, special tokens included."""
    min_frequency: Count = 2
    """Units seen less often in training become the unknown token."""
    lowercase: bool = True
    """Fold case and strip accents."""
    max_length: Count = 64
    """Tokens kept of each document; the truncated share is reported."""


Features = Annotated[LogMel | Mfcc | Frames | Tokens, Field(discriminator="kind")]


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

    epochs: Count | None = None
    batch_size: Count | None = None
    learning_rate: Positive | None = None
    weight_decay: Annotated[float, Field(ge=0)] | None = None
    clip_norm: Positive | None = None
    schedule: Literal["one-cycle", "cosine", "constant"] | None = None
    label_smoothing: Probability | None = None
    fraction: Share | None = None
    patience: Count | None = None


class ModelOverrides(Strict):
    """Model settings that one task changes for all of its variants alike."""

    embedding: Count | None = None
    pooling: Literal["last", "mean", "max", "attention"] | None = None
    dropout: Probability | None = None
    input_dropout: Probability | None = None


class TaskConfig(Strict):
    """A labelled data set, how it becomes sequences, and what is measured on it."""

    source: SerializeAsAny[SourceOptions]
    split: SplitConfig = SplitConfig()
    features: Features
    augment: Augment | None = None
    metric: Literal["accuracy", "macro_f1"] = "accuracy"
    """Primary metric: what pairs of variants are compared by."""
    on_bad: Literal["fail", "skip"] = "fail"
    """What to do about examples that cannot be used (undecodable, truncated, empty, ...)."""
    allow: dict[Literal["groups", "duplicates", "near-duplicates", "labels"], str] = {}
    """Leaks that are known and accepted, each with the reason; printed in the report."""
    train: TrainOverrides = TrainOverrides()
    model: ModelOverrides = ModelOverrides()

    @field_validator("allow")
    @classmethod
    def _reasons(cls, value: dict[str, str]) -> dict[str, str]:
        for leak, reason in value.items():
            if not reason.strip():
                raise ValueError(f"{leak}: give the reason why this leak is acceptable")
        return value

    @field_validator("source", mode="plain")
    @classmethod
    def _plugin(cls, value: Any) -> SourceOptions:
        if isinstance(value, SourceOptions):
            return value
        if not isinstance(value, dict) or "kind" not in value:
            raise ValueError("a source is a mapping with a `kind`")
        return source_class(str(value["kind"])).model_validate(value)

    @model_validator(mode="after")
    def _consistent(self) -> TaskConfig:
        if self.augment is not None and not isinstance(self.features, Spectral):
            raise ValueError(f"augment needs waveform features, not {self.features.kind}")
        if isinstance(self.features, Tokens) and self.split.resample:
            raise ValueError(
                "split.resample would leak: the tokenizer is trained once on the training split, "
                "so text keeps one split for all seeds"
            )
        return self


def source_kinds() -> list[str]:
    """Names of the sources that are installed: one module of `gatewise.sources` each."""
    package = importlib.import_module("gatewise.sources")
    names = (module.name for module in pkgutil.iter_modules(package.__path__))
    return sorted(name.replace("_", "-") for name in names if not name.startswith("_"))


def source_class(kind: str) -> type[SourceOptions]:
    """The class `Source` of `gatewise/sources/<kind>.py`.

    Loaded by name, so that a new source is one new file and this module imports none.
    """
    kinds = source_kinds()
    if kind not in kinds:
        raise ValueError(f"unknown source {kind!r}{suggest(kind, kinds)}")
    found: type[SourceOptions] = importlib.import_module(
        f"gatewise.sources.{kind.replace('-', '_')}"
    ).Source
    return found


# --- variants --------------------------------------------------------------------------


class Match(Strict):
    """A budget borrowed from another variant; exactly one key."""

    parameters: str | None = None
    """Width whose recurrent parameter count comes nearest that variant's."""
    macs: str | None = None
    """Width whose multiply-accumulates per step come nearest that variant's."""
    hidden: str | None = None
    """That variant's width."""
    training_macs: str | None = None
    """Epochs scaled so that training costs as many multiply-accumulates (needs `hidden`)."""

    @model_validator(mode="after")
    def _one(self) -> Match:
        if len(self.model_dump(exclude_none=True)) != 1:
            raise ValueError("match takes exactly one of parameters, macs, hidden, training_macs")
        return self

    @property
    def quantity(self) -> str:
        """Which budget is matched."""
        return next(iter(self.model_dump(exclude_none=True)))

    @property
    def reference(self) -> str:
        """The variant whose budget is matched."""
        return str(getattr(self, self.quantity))


class VariantConfig(Strict):
    """A fully specified model, but for what the task's data fix (input and output sizes)."""

    cell: str
    """Name of the recurrence; `gatewise cells` lists them."""
    hidden: Count | None = None
    """Width of the hidden state."""
    match: Match | None = None
    """Solve the width (or epochs) for another variant's budget instead."""
    layers: Count = 1
    bidirectional: bool = False
    projection: Count | None = None
    """Width of the projected output, for cells that project."""
    embedding: Count = 64
    """Width of token embeddings; unused for audio."""
    pooling: Literal["last", "mean", "max", "attention"] = "mean"
    """How a sequence of hidden states becomes one vector."""
    dropout: Probability = 0.0
    """Dropout between layers and before the classifier."""
    input_dropout: Probability = 0.0
    """Dropout on the inputs of the first layer."""
    residual: bool = False
    """Add each layer's input to its output where widths agree."""
    init: Literal["torch", "keras", "chrono"] = "torch"
    """Initialisation scheme of the recurrence."""
    forget_bias: float | None = None
    """Bias of the gate that keeps the state, on top of `init`."""
    chrono_steps: Annotated[int, Field(ge=3)] | None = None
    """Longest dependency in steps that `init: chrono` prepares for; that of the run's longest
    training sequence when left out."""
    kernel: Literal["auto", "fused", "unrolled"] = "auto"
    """Force the fused library kernel or the unrolled reference."""
    replica: Annotated[int, Field(ge=0)] = 0
    """Draws other initial weights. Variants that differ in nothing else show what chance does."""

    @model_validator(mode="after")
    def _width(self) -> VariantConfig:
        solves_width = self.match is not None and self.match.quantity != "training_macs"
        if solves_width and self.hidden is not None:
            raise ValueError("give either hidden or match, not both: match solves the width")
        if not solves_width and self.hidden is None:
            raise ValueError("the width is missing: give hidden, or match it to another variant")
        return self

    @model_validator(mode="after")
    def _chrono(self) -> VariantConfig:
        if self.chrono_steps is not None and self.init != "chrono":
            raise ValueError(f"chrono_steps belongs to init: chrono, not to init: {self.init}")
        return self


# --- the rest of the study ---------------------------------------------------------------


class TrainConfig(Strict):
    """How every variant of every task is trained, unless the task says otherwise."""

    epochs: Count = 10
    batch_size: Count = 64
    learning_rate: Positive = 3e-3
    """Peak learning rate of AdamW."""
    weight_decay: Annotated[float, Field(ge=0)] = 1e-2
    clip_norm: Positive = 1.0
    """Largest gradient norm."""
    schedule: Literal["one-cycle", "cosine", "constant"] = "one-cycle"
    """Learning rate over training: warm-up and decay, decay alone, or flat."""
    label_smoothing: Probability = 0.0
    fraction: Share = 1.0
    """Share of the training split that is trained on, the same for all variants. Smaller shares
    lie within larger ones; validation and test stay as they are."""
    patience: Count | None = None
    """Stop after this many epochs without a better primary metric on the validation split."""


class CompareConfig(Strict):
    """What counts as evidence; declared before the results are seen."""

    primary: tuple[tuple[str, str], ...] = ()
    """Pairs [a, b] that the study is about; corrected together. All others are secondary."""
    alpha: Fraction = 0.05
    """Family-wise error rate."""
    rope: Annotated[float, Field(ge=0)] = 0.005
    """Region of practical equivalence: differences within +-rope of the metric are the same."""
    power: Fraction = 0.8
    """Power wanted when computing how many seeds are needed."""
    resamples: Annotated[int, Field(ge=100)] = 10_000
    """Bootstrap resamples."""


class ProbeConfig(Strict):
    """Synthetic problems that ask how far back each variant can reach."""

    adding_lengths: Annotated[tuple[Count, ...], Field(min_length=1)] = (10, 25, 60)
    """Steps of the adding problem, rising; published sizes go to 600."""
    copy_lengths: Annotated[tuple[Count, ...], Field(min_length=1)] = (5, 12, 30)
    """Blank steps of copy memory, rising; published sizes go to 1000."""
    parity_lengths: Annotated[tuple[Count, ...], Field(min_length=1)] = (4, 8, 16)
    """Bits of parity, rising."""
    steps: Count = 250
    """Updates before a length counts as not solved."""
    batch_size: Count = 32
    learning_rate: Positive = 1e-2
    seeds: Count = 3
    gradient_length: Annotated[int, Field(ge=2)] = 100
    """Steps over which the gradient is followed back."""

    @model_validator(mode="after")
    def _rising(self) -> ProbeConfig:
        for name in ("adding", "copy", "parity"):
            lengths = self.lengths(name)
            if list(lengths) != sorted(set(lengths)):
                raise ValueError(f"{name}_lengths {list(lengths)} must rise")
        return self

    def lengths(self, problem: str) -> tuple[int, ...]:
        """Lengths of `adding`, `copy` or `parity`."""
        found: tuple[int, ...] = getattr(self, f"{problem}_lengths")
        return found


class ExecutionConfig(Strict):
    """Where and how wide to compute; never changes a result (except the device itself)."""

    backend: Literal["local", "ray"] = "local"
    """Train in processes of this machine, or on a Ray cluster (`pip install 'gatewise[ray]'`)."""
    ray_address: str = "auto"
    """The cluster: `HOST:PORT` of its head, or `auto` for the one that this machine has joined."""
    gpus_per_run: Annotated[float, Field(ge=0)] = 0.0
    """GPUs that a run asks of the Ray cluster; with 0.25, four runs share one."""
    workers: Count | Literal["auto"] = "auto"
    """Runs trained at once; as many as cores and memory allow when auto."""
    threads_per_run: Count = 1
    """Threads of one run: 1 makes results independent of how many run beside it."""
    accelerator: Literal["cpu", "cuda", "mps", "auto"] = "cpu"
    precision: Literal["32-true", "16-mixed", "bf16-mixed", "64-true"] = "32-true"
    compile: bool = False
    """Let `torch.compile` fuse the step of cells that go step by step; half a minute a run."""
    devices: Count = 1
    """Processes of one machine that train a run together, each on its own GPU where there are
    any; runs then come one after another."""
    num_nodes: Count = 1
    """Machines that train a run together, with so many `devices` each."""

    @model_validator(mode="after")
    def _consistent(self) -> ExecutionConfig:
        for key, default in (("ray_address", "auto"), ("gpus_per_run", 0.0)):
            if self.backend == "local" and getattr(self, key) != default:
                raise ValueError(f"{key} belongs to backend: ray, not to backend: local")
        if self.gpus_per_run > 0 and self.accelerator == "cpu":
            raise ValueError(
                "gpus_per_run asks for GPUs that accelerator: cpu would not use; set accelerator "
                "to cuda or auto, or leave gpus_per_run out"
            )
        if self.processes > 1 and self.backend == "ray":
            raise ValueError(
                "devices and num_nodes spread one run over processes, backend: ray spreads many "
                "runs over nodes; use one or the other"
            )
        if self.processes > 1 and self.workers not in ("auto", 1):
            raise ValueError(
                f"workers is {self.workers}, but with devices or num_nodes above 1 runs come one "
                "after another; leave workers out"
            )
        if self.processes > 1 and self.accelerator == "mps":
            raise ValueError("devices is above 1, but accelerator: mps is a single device")
        return self

    @property
    def processes(self) -> int:
        """Processes that train one run together."""
        return self.devices * self.num_nodes


class TrackingConfig(Strict):
    """The MLflow store. `MLFLOW_TRACKING_URI` wins over `uri`."""

    enabled: bool = True
    live: bool = True
    """Log while training; otherwise `gatewise track` adds everything afterwards."""
    system_metrics: bool = False
    """With `live`: log the machine's load, memory, disk and network use with each epoch."""
    uri: str = "sqlite:///mlflow.db"
    experiment_prefix: str = "gatewise/"
    """Experiments are named prefix + task."""


class Rounds(Strict):
    """Seeds added in rounds until every primary pair is decided (`seeds: auto`)."""

    first: Count = 8
    """Seeds before the first look at the results."""
    step: Count = 4
    """Seeds added in each round."""
    cap: Count = 32
    """Seeds after which the study ends, decided or not."""

    @model_validator(mode="after")
    def _room(self) -> Rounds:
        if self.cap < self.first:
            raise ValueError(f"cap {self.cap} is below first {self.first}")
        return self

    @property
    def looks(self) -> list[int]:
        """Seed counts at which results are looked at; the last is the cap."""
        return sorted({*range(self.first, self.cap, self.step), self.cap})


class GateSlices(Strict):
    """Parts of the test set, none of which may fall by much while the whole looks fine."""

    by: tuple[Literal["class", "group", "length", "age"], ...] = ("class", "group", "length", "age")
    """What to slice by; `age` tells examples that the reference was tested on from new ones."""
    margin: Positive = 0.05
    """Largest fall of accuracy within a slice."""
    fewest: Count = 20
    """Slices with fewer test examples, over all seeds, are not looked at."""
    length_buckets: Annotated[int, Field(ge=2)] = 4
    """Slices by length: quantiles of the test sequences' lengths."""


class GateBudgets(Strict):
    """Largest ratio of the candidate's cost to the reference's; null switches one off."""

    parameters: Positive | None = 1.1
    macs: Positive | None = 1.1
    """Multiply-accumulates per step."""
    size: Positive | None = 1.1
    """Bytes of the weights."""
    latency: Positive | None = 1.25
    """Milliseconds for one sequence, both measured in turns."""


class GateData(Strict):
    """How far training data may move away from what the reference was trained on."""

    action: Literal["fail", "warn"] = "fail"
    """What drift beyond a threshold means: a regression, or a line in the report."""
    alpha: Fraction = 0.001
    """Level of the drift tests, Holm-corrected; drift counts if significant and large."""
    labels: Positive = 0.1
    """Largest total variation between the shares of labels (chi-squared test)."""
    features: Positive = 0.2
    """Largest Kolmogorov-Smirnov distance of any feature's distribution over sequences."""
    shrink: Fraction = 0.2
    """Largest share of training examples, or of known test examples, that may be missing."""
    new_labels: tuple[str, ...] = ()
    """Labels that may have been added; any other change of the label set is refused."""


class GateConfig(Strict):
    """When a retrained model may be merged, and when it may become champion."""

    margin: Positive = 0.01
    """Non-inferiority: largest fall of the primary metric that does not matter."""
    alpha: Fraction = 0.05
    """Rate of false alarms over all tasks, variants and slices; half of it goes to slices."""
    power: Fraction = 0.8
    """Power wanted when computing how many seeds would settle an undecided gate."""
    cheaper: Fraction = 0.05
    """An equivalent candidate replaces the champion if it needs at least this share fewer
    multiply-accumulates, and no more parameters."""
    resamples: Annotated[int, Field(ge=100)] = 1_000
    """Bootstrap resamples of seeds and test groups."""
    slices: GateSlices = GateSlices()
    budgets: GateBudgets = GateBudgets()
    data: GateData = GateData()


class Study(Strict):
    """All of `params.yaml`."""

    tasks: Annotated[dict[str, TaskConfig], Field(min_length=1)]
    variants: Annotated[dict[str, VariantConfig], Field(min_length=1)]
    seeds: Rounds | Count | tuple[Annotated[int, Field(ge=0)], ...] = 8
    """How many (0, 1, ...), or which; `auto` adds some until every primary pair is decided."""
    train: TrainConfig = TrainConfig()
    compare: CompareConfig = CompareConfig()
    probes: ProbeConfig = ProbeConfig()
    gate: GateConfig = GateConfig()
    execution: ExecutionConfig = ExecutionConfig()
    tracking: TrackingConfig = TrackingConfig()

    _reached: int = PrivateAttr(default=0)
    """How many seeds `seeds: auto` has come to; kept in `seeds.lock`."""

    @property
    def seed_list(self) -> list[int]:
        """The seeds, one run of each variant apiece."""
        if isinstance(self.seeds, Rounds):
            return list(range(min(max(self._reached, self.seeds.first), self.seeds.cap)))
        return list(range(self.seeds)) if isinstance(self.seeds, int) else list(self.seeds)

    @property
    def looks(self) -> list[int] | None:
        """Seed counts at which results are looked at, where seeds are added in rounds."""
        return self.seeds.looks if isinstance(self.seeds, Rounds) else None

    def train_for(self, task: str) -> TrainConfig:
        """Training settings of `task`: the common ones with its own laid over them."""
        own = self.tasks[task].train.model_dump(exclude_none=True)
        return self.train.model_copy(update=own)

    def variant_for(self, task: str, variant: str) -> VariantConfig:
        """The variant with what `task` asks of all its models laid over it."""
        asked = self.tasks[task].model.model_dump(exclude_none=True)
        return self.variants[variant].model_copy(update=asked)

    @field_validator("tasks", "variants")
    @classmethod
    def _names(cls, value: dict[str, Any]) -> dict[str, Any]:
        for name in value:
            if not NAME.fullmatch(name):
                raise ValueError(
                    f"{name!r} cannot be a name: use lower-case letters, digits and single dashes"
                )
        return value

    @field_validator("seeds", mode="before")
    @classmethod
    def _auto(cls, value: Any) -> Any:
        return Rounds() if value == "auto" else value

    @field_validator("seeds")
    @classmethod
    def _distinct(cls, value: Rounds | int | tuple[int, ...]) -> Rounds | int | tuple[int, ...]:
        if isinstance(value, tuple):
            if not value:
                raise ValueError("the list of seeds is empty")
            if len(set(value)) != len(value):
                raise ValueError(f"a seed is listed twice in {list(value)}")
        return value

    @model_validator(mode="after")
    def _references(self) -> Study:
        for name, variant in self.variants.items():
            if variant.match is None:
                continue
            reference = variant.match.reference
            if reference not in self.variants:
                raise ValueError(
                    f"variants.{name}.match.{variant.match.quantity}: no variant named "
                    f"{reference!r}{suggest(reference, self.variants)}"
                )
            if self.variants[reference].match is not None:
                raise ValueError(
                    f"variants.{name}.match: {reference!r} is itself matched to another variant; "
                    "name one with a width of its own"
                )
        for pair in self.compare.primary:
            for name in pair:
                if name not in self.variants:
                    raise ValueError(
                        f"compare.primary: no variant named {name!r}{suggest(name, self.variants)}"
                    )
            if pair[0] == pair[1]:
                raise ValueError(f"compare.primary: {pair[0]!r} is compared with itself")
        return self


# --- reading -----------------------------------------------------------------------------


def load(path: str | Path = "params.yaml") -> Study:
    """Read and check a study.

    Raises:
        GatewiseError: the file is missing, is not YAML, or says something that is not
            allowed; the message names the key's path.
    """
    path = Path(path)
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise GatewiseError(f"{path}: no such file; run from the project's folder") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise GatewiseError(f"{path}: not readable as YAML: {error}") from None
    if not isinstance(raw, dict):
        raise GatewiseError(f"{path}: expected a mapping with tasks, variants, ...")
    study = parse(raw, origin=str(path))
    if study.looks is not None:
        study._reached = reached(path.with_name(SEEDS_LOCK))
    return study


def reached(path: str | Path) -> int:
    """How many seeds `seeds: auto` has come to, by its lock file; 0 before the first round.

    Raises:
        GatewiseError: the file says something else.
    """
    try:
        found = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return 0
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise GatewiseError(f"{path}: not readable as YAML: {error}") from None
    count = found.get("reached") if isinstance(found, dict) else None
    if not isinstance(count, int) or count < 0:
        raise GatewiseError(f"{path}: expected `reached: <number of seeds>`; put 0 to start anew")
    return count


def parse(raw: dict[str, Any], origin: str = "params") -> Study:
    """Check a study given as plain data; `origin` names it in errors."""
    try:
        return Study.model_validate(raw)
    except ValidationError as error:
        raise GatewiseError(explain(error, origin)) from None


def explain(error: ValidationError, origin: str) -> str:
    """One line per mistake: file, key path, what is wrong, what is allowed."""
    lines = []
    for item in error.errors(include_url=False):
        message = item["msg"].removeprefix("Value error, ")
        if item["type"] not in ("value_error", "missing"):
            message = f"{message} (got {item['input']!r})"
        where = ".".join(str(part) for part in item["loc"] if not _is_tag(part))
        lines.append(": ".join(filter(None, (origin, where, message))))
    return "\n".join(dict.fromkeys(lines))


def suggest(word: str, allowed: Any) -> str:
    """`; did you mean ...? allowed: ...` for a word that is not among `allowed`."""
    names = [str(name) for name in allowed]
    close = difflib.get_close_matches(word, names, n=2)
    hint = f"; did you mean {' or '.join(close)}?" if close else ";"
    return f"{hint} allowed: {', '.join(names)}"


_TAGS = {"log-mel", "mfcc", "frames", "tokens", "int", "tuple"}


def _is_tag(part: int | str) -> bool:
    """Pydantic puts a union's chosen branch into the path; users never wrote it."""
    text = str(part)
    return text in _TAGS or text.startswith(("literal[", "tuple[", "constrained", "function-"))
