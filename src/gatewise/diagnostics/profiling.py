"""What a variant costs on this machine: seconds, memory, bytes, multiply-accumulates.

All variants of a task take turns in one process, so that whatever else the machine is doing
disturbs them alike; the first rounds are thrown away, medians and quartiles reported, and every
round, since two variants are best compared round by round. The figures are those of one device,
thread count, kernel and set of library versions, all of which stand beside them: they say little
about another machine, which is why multiply-accumulates are given as well.
"""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from gatewise.artifacts.costs import CostReport, Structure, Timing, VariantCost
from gatewise.artifacts.objectives import Objective
from gatewise.artifacts.plan import RunPlan
from gatewise.artifacts.prepared import Prepared, Targets, pad
from gatewise.models import budget, cells, references
from gatewise.models.batch import Batch
from gatewise.models.building import build
from gatewise.models.cells import sequences
from gatewise.models.complexity import Sizes, macs_per_step, sequence_macs
from gatewise.models.sequence_model import SequenceModel

WARM_UP = 3
FEWEST_ROUNDS = 10
MOST_ROUNDS = 40
STREAMED_STEPS = 32
PEAK_SIZE = 512
"""Rows and columns of the matrix product that stands for the device's peak."""
PEAK = "(peak)"  # no variant can be called so


@dataclass
class Subject:
    """A variant ready to be measured."""

    model: SequenceModel
    optimizer: torch.optim.Optimizer
    objective: Objective
    clip_norm: float
    macs_per_step: int
    mixed: torch.dtype | None = None
    """What a training step's forward pass is cast to, where `execution.precision` is mixed."""


def profile(
    prepared: Prepared,
    plans: Mapping[str, RunPlan],
    seconds: float = 2.0,
) -> CostReport:
    """Measure all variants of one task.

    Args:
        prepared: the task; its own sequences are used.
        plans: the plan of each variant.
        seconds: time to spend on each of the four timings, over all variants.

    Returns:
        What `reports/cost/<task>.json` holds. `peak_memory_mb` counts weights, gradients,
        optimizer state, activations and a batch; `train_seconds_per_epoch` leaves out
        augmentation, validation and logging, and counts the share of the examples that is
        trained on. Steps are those of training, also in precision and compilation.
    """
    first = next(iter(plans.values()))
    device = _device(first.accelerator)
    before = torch.get_num_threads()
    torch.set_num_threads(first.threads)
    try:
        return _measure(prepared, plans, seconds, device)
    finally:
        torch.set_num_threads(before)


def _measure(
    prepared: Prepared, plans: Mapping[str, RunPlan], seconds: float, device: torch.device
) -> CostReport:
    sizes = Sizes.of(prepared.card)
    objective = prepared.card.asks
    subjects = {name: _build(plan, sizes, objective, device) for name, plan in plans.items()}
    for subject in subjects.values():
        limit(subject.model, prepared)

    double = next(iter(plans.values())).precision == "64-true"

    def batch(size: int) -> Batch:
        typical = typical_batch(prepared, size)
        inputs, *rest = (None if part is None else part.to(device) for part in typical)
        assert inputs is not None  # noqa: S101  (for the type checker)
        return Batch(inputs.double() if double and inputs.is_floating_point() else inputs, *rest)  # type: ignore[arg-type]

    batches = {name: batch(plan.train.batch_size) for name, plan in plans.items()}
    many, one = batch(64), batch(1)

    def each(work: Callable[[Subject], None]) -> dict[str, Callable[[], None]]:
        return {name: lambda s=subject: work(s) for name, subject in subjects.items()}  # type: ignore[misc]

    def step(name: str) -> Callable[[], None]:
        return lambda: train_step(subjects[name], batches[name])

    square = torch.ones(PEAK_SIZE, PEAK_SIZE, device=device)

    def product() -> None:
        if device.type == "cpu":
            sequences.product(square, square)  # which `portable` does not slow down
        else:
            torch.mm(square, square)

    work = {name: step(name) for name in subjects}
    trained = interleaved({PEAK: product, **work}, seconds, device)
    alone = interleaved(each(lambda s: infer(s, one)), seconds, device)
    together = interleaved(each(lambda s: infer(s, many)), seconds, device)
    streamed = interleaved(
        {
            name: lambda s=subject: stream(s, one)  # type: ignore[misc]
            for name, subject in subjects.items()
            if subject.model.streams
        },
        seconds,
        device,
        per_call=STREAMED_STEPS,
    )
    examples = training_examples(prepared)

    def cost(name: str, subject: Subject) -> VariantCost:
        took, train = trained[name], plans[name].train
        steps = -(-max(1, round(train.fraction * examples)) // train.batch_size)
        return VariantCost(
            kernel=subject.model.kernel,
            structure=structure(subject.model.variant.cell),
            train_step_ms=took,
            inference_ms_batch_1=alone[name],
            inference_ms_batch_64=together[name],
            streaming_step_ms=streamed.get(name),
            share_of_peak=share_of_peak(subject, batches[name], took, trained[PEAK]),
            train_seconds_per_epoch=took.median / 1000 * steps,
            peak_memory_mb=peak_memory(subject, batches[name], device) / 1e6,
            size_bytes=size(subject.model),
            macs_per_step=subject.macs_per_step,
            parameters=sum(p.numel() for p in subject.model.parameters()),
        )

    return CostReport(
        task=prepared.card.task,
        device=describe(device),
        threads=torch.get_num_threads(),
        versions={name: version(name) for name in ("torch", "numpy")},
        variants={name: cost(name, subject) for name, subject in subjects.items()},
    )


def share_of_peak(subject: Subject, batch: Batch, step: Timing, peak: Timing) -> float:
    """Time that the recurrence's products would take at the device's peak, to the step's."""
    macs = 3 * batch_macs(subject.model, batch)
    ratios = np.array(peak.rounds) / np.array(step.rounds)
    return float(np.median(ratios)) * macs / PEAK_SIZE**3


def batch_macs(model: SequenceModel, batch: Batch) -> int:
    """Multiply-accumulates of the recurrence for a padded batch, padding included."""
    examples, steps = batch.inputs.shape[:2]
    said = 0 if model.sizes.saying is None else batch.targets.shape[1] + 1
    totals = examples * steps, examples * said, examples * steps * said
    return sequence_macs(model.variant, model.sizes, *totals)


# --- what is measured ------------------------------------------------------------------------


def train_step(subject: Subject, batch: Batch) -> None:
    """One step of training: forward, backward, clipping, AdamW."""
    subject.model.train()
    subject.optimizer.zero_grad(set_to_none=True)
    with _cast(subject, batch.inputs.device):
        loss = subject.objective.loss(subject.model.taught(batch))
    loss.backward()  # type: ignore[no-untyped-call]
    nn.utils.clip_grad_norm_(subject.model.parameters(), subject.clip_norm)
    subject.optimizer.step()


def _cast(subject: Subject, device: torch.device) -> AbstractContextManager[object]:
    """As Lightning casts the forward pass of a run of mixed precision."""
    return torch.autocast(device.type, subject.mixed) if subject.mixed else nullcontext()


@torch.inference_mode()
def infer(subject: Subject, batch: Batch) -> None:
    """Answers to a batch of which nothing is known."""
    subject.model.eval()
    subject.model.answered(batch._replace(target_lengths=None))


@torch.inference_mode()
def stream(subject: Subject, batch: Batch) -> None:
    """Some steps, one at a time, as audio or words arrive."""
    subject.model.eval()
    state = subject.model.initial_state(1)
    steps = batch.inputs.shape[1]
    for t in range(STREAMED_STEPS):
        _, state = subject.model.core(batch.inputs[:, t % steps], state)


def peak_memory(subject: Subject, batch: Batch, device: torch.device) -> int:
    """Most bytes of tensors alive at once during a training step.

    On the CPU summed from the allocations that torch's profiler records, not from the
    process's size, which says more about the allocator; scratch space inside a library's
    kernel is not seen.
    """
    standing = sum(t.numel() * t.element_size() for t in _standing(subject, batch))
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        start = torch.cuda.memory_allocated(device)
        train_step(subject, batch)
        return standing + torch.cuda.max_memory_allocated(device) - start
    train_step(subject, batch)
    with (
        _quiet(),
        torch.profiler.profile(
            activities=[torch.profiler.ProfilerActivity.CPU], profile_memory=True
        ) as recorded,
    ):
        train_step(subject, batch)
    events = recorded.profiler.kineto_results.events()
    changes = [(e.start_ns(), e.nbytes()) for e in events if e.name() == "[memory]"]
    sums = np.cumsum([size for _, size in sorted(changes, key=lambda change: change[0])])
    return standing + max(0, int(sums.max(initial=0)))


def _standing(subject: Subject, batch: Batch) -> Iterator[Tensor]:
    """What is alive between two steps; gradients are, too, until the next step drops them."""
    for parameter in subject.model.parameters():
        yield parameter
        if parameter.grad is not None:
            yield parameter.grad
    yield from subject.model.buffers()
    yield from (tensor for tensor in batch if tensor is not None)
    for state in subject.optimizer.state.values():
        yield from (value for value in state.values() if isinstance(value, Tensor))


def size(model: nn.Module) -> int:
    """Bytes of the weights as a safetensors file."""
    from safetensors.torch import save

    return len(save({name: t.contiguous() for name, t in model.state_dict().items()}))


# --- timing ------------------------------------------------------------------------------------


def interleaved(
    work: Mapping[str, Callable[[], None]],
    seconds: float,
    device: torch.device,
    per_call: int = 1,
) -> dict[str, Timing]:
    """Milliseconds of each callable, taking turns.

    Whoever goes first changes from round to round, so nobody always runs after the same one.

    Args:
        work: the callables.
        seconds: stop after this time (but not before `FEWEST_ROUNDS` rounds).
        device: where the work is done.
        per_call: what one call does so many times; durations are divided by it.
    """
    names = list(work)
    times: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(WARM_UP):
        for name in names:
            work[name]()
    end = time.perf_counter() + seconds
    for turn in range(MOST_ROUNDS):
        if turn >= FEWEST_ROUNDS and time.perf_counter() > end:
            break
        for place in range(len(names)):
            name = names[(turn + place) % len(names)]
            times[name].append(_milliseconds(work[name], device) / per_call)
    return {name: _timing(found) for name, found in times.items()}


def _milliseconds(work: Callable[[], None], device: torch.device) -> float:
    if device.type == "cuda":
        start, stop = (torch.cuda.Event(enable_timing=True) for _ in range(2))  # type: ignore[no-untyped-call]
        start.record()
        work()
        stop.record()
        torch.cuda.synchronize(device)
        return float(start.elapsed_time(stop))
    begun = time.perf_counter_ns()
    work()
    return (time.perf_counter_ns() - begun) / 1e6


def _timing(rounds: list[float]) -> Timing:
    q1, median, q3 = (float(v) for v in np.percentile(rounds, [25, 50, 75]))
    return Timing(median=median, q1=q1, q3=q3, rounds=tuple(rounds))


# --- what is measured on -------------------------------------------------------------------------


def typical_batch(prepared: Prepared, size: int) -> Batch:
    """`size` sequences whose lengths come nearest the mean, repeated where there are fewer.

    So the loader would group them by length; tokens keep the type that they are stored in. Of
    several right answers it is the usual one.
    """
    index = prepared.index
    away = (index["length"] - index["length"].mean()).abs().to_numpy()
    rows = np.resize(np.argsort(away, kind="stable")[:size], size)
    starts, lengths = (index[column].to_numpy(np.int64)[rows] for column in ("start", "length"))
    inputs = torch.from_numpy(pad(prepared.sequences, starts, lengths))
    return Batch(inputs, torch.from_numpy(lengths), *_usual(prepared, rows))


def _usual(prepared: Prepared, rows: np.ndarray) -> tuple[Tensor, Tensor | None]:
    """Targets of some rows and their lengths; the usual ones where several are right."""
    values, value_lengths = Targets(prepared).of(rows)
    targets = torch.from_numpy(values)
    if value_lengths is None:
        return targets, None
    lengths = torch.from_numpy(value_lengths)
    if prepared.card.asks.saying(prepared.card.labels) is None:
        return targets, lengths
    return references.first(targets, lengths)


def limit(model: SequenceModel, prepared: Prepared) -> None:
    """Let a model that says its answer say one of usual length, whatever its weights.

    Those of a model that was not trained would not let it end.
    """
    if model.sizes.saying is not None:
        _, lengths = _usual(prepared, np.arange(len(prepared.index)))
        assert lengths is not None  # noqa: S101  # symbols have lengths
        model.set_longest(max(1, round(float(lengths.float().mean()))))


def training_examples(prepared: Prepared) -> int:
    """Examples of an epoch; their expected number where splits are drawn anew."""
    if prepared.card.resample:
        held = float(prepared.card.split["validation"] + prepared.card.split["test"])
        return round(len(prepared.index) * (1 - held))
    return int((prepared.index["split"] == "train").sum())


def structure(cell: str) -> Structure:
    """Gates and states of a cell, by name: what it is, beside what it costs."""
    kind = cells.get(cell)
    return Structure(gates=tuple(kind.gates), states=tuple(kind.states))


def _build(plan: RunPlan, sizes: Sizes, objective: Objective, device: torch.device) -> Subject:
    solved = budget.resolve(plan.config, plan.reference, sizes).variant
    torch.manual_seed(0)
    dtype = torch.float64 if plan.precision == "64-true" else torch.float32
    model = build(solved, sizes).to(device, dtype)
    if plan.compile:
        model.compile_steps()
    optimizer = torch.optim.AdamW(
        model.parameters(),
        lr=plan.train.learning_rate,
        weight_decay=plan.train.weight_decay,
        fused=device.type in ("cpu", "cuda"),  # as in training
    )
    macs = macs_per_step(solved, sizes)
    mixed = _mixed(plan.precision, device)
    return Subject(model, optimizer, objective, plan.train.clip_norm, macs, mixed)


def _mixed(precision: str, device: torch.device) -> torch.dtype | None:
    """What Lightning casts to: half precision is had on GPUs alone."""
    if precision == "16-mixed" and device.type != "cpu":
        return torch.float16
    return torch.bfloat16 if precision.endswith("-mixed") else None


def _device(accelerator: str) -> torch.device:
    if accelerator == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return torch.device(accelerator)


def describe(device: torch.device) -> str:
    """The device in words, as a reader knows it."""
    if device.type == "cuda":
        return f"cuda ({torch.cuda.get_device_name(device)})"
    return f"{device.type} ({_processor()})"


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the profiler's own library from writing to standard error, past Python."""
    kept = os.dup(2)
    try:
        with open(os.devnull, "wb") as nowhere:  # noqa: PTH123
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
