"""Training, where it is done, and where it is written down."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from gatewise.config.strict import (
    BatchSize,
    Count,
    Epochs,
    Machines,
    Positive,
    Probability,
    Share,
    Strict,
    Threads,
)


class TrainConfig(Strict):
    """How every variant of every task is trained, unless the task says otherwise."""

    epochs: Epochs = 10
    batch_size: BatchSize = 64
    learning_rate: Positive = 3e-3
    """Peak learning rate of AdamW."""
    weight_decay: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 1e-2
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
    average_last: Count | None = None
    """Keep the mean of the weights after each of the last so many epochs, in place of those of the
    epoch that validates best: scores then scatter less over seeds. Meant for schedules that decay,
    and for runs that early stopping does not cut short."""


class ExecutionConfig(Strict):
    """Where and how wide to compute; never changes a result (except the device itself)."""

    backend: Literal["local", "ray"] = "local"
    """Train in processes of this machine, or on a Ray cluster (`pip install 'gatewise[ray]'`)."""
    ray_address: str = "auto"
    """The cluster: `HOST:PORT` of its head, or `auto` for the one that this machine has joined."""
    gpus_per_run: Annotated[float, Field(ge=0)] = 0.0
    """GPUs that a run asks of the Ray cluster; with 0.25, four runs share one."""
    workers: Threads | Literal["auto"] = "auto"
    """Runs trained at once; as many as cores and memory allow when auto."""
    ahead: bool = True
    """Let cores that a study leaves idle make at low priority what later stages need: probes."""
    threads_per_run: Threads = 1
    """Threads of one run: 1 makes results independent of how many run beside it."""
    instructions: Literal["portable", "native"] = "portable"
    """What of an x86-64 processor computes: AVX2 and FMA, so that another one gives the same bits
    (`portable`), or all that this machine has (`native`)."""
    accelerator: Literal["cpu", "cuda", "mps", "auto"] = "cpu"
    precision: Literal["32-true", "16-mixed", "bf16-mixed", "64-true"] = "32-true"
    compile: bool = False
    """Let `torch.compile` fuse the step of cells that go step by step; half a minute a run."""
    devices: Threads = 1
    """Processes of one machine that train a run together, each on its own GPU where there are
    any; runs then come one after another."""
    num_nodes: Machines = 1
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
