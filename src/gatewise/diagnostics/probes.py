"""How far back a recurrence can reach: three synthetic problems and the gradient itself.

Each problem needs information carried over a chosen number of steps, so the longest length
that a variant solves says more about its memory than any score on natural data:

- **adding** (Hochreiter & Schmidhuber 1997, section 5.4): two of T random numbers are marked;
  give their sum. A score of 1 is perfect, 0 as good as always guessing the mean.
- **copy** (same, section 5.1, as in Arjovsky et al. 2016): remember a few symbols, wait T
  steps, say them in order. Chance is one in the number of symbols.
- **parity**: of all bits so far, at every step. Needs one bit of state and a recurrence that
  can flip it, not a long memory. Chance is one half.

Lengths are learnt from scratch one after another until one is not solved; longer ones are not
tried then. The model of the shortest length is tested on all of them as well (does what was
learnt short hold long?).
"""

from __future__ import annotations

import math
import multiprocessing
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from gatewise import streams
from gatewise.artifacts.plan import ProbePlan
from gatewise.artifacts.probes import Gradient, GradientDecay, ProbedLength, ProbeReport, Problem
from gatewise.config import ProbeConfig, VariantConfig
from gatewise.models import budget
from gatewise.models.complexity import Sizes
from gatewise.models.lengths import Lengths
from gatewise.models.recurrence import Recurrence

SYMBOLS = 4
"""Symbols of the copy problem."""
COPIED = 4
"""Of them, how many are remembered."""
SOLVED = 0.9
EVALUATED = 256
"""Fresh examples that a score is taken over."""
TITLES = {"adding": "adding problem", "copy": "copy memory", "parity": "parity of bits"}
NOTE = (
    "Synthetic problems, learnt from scratch at each length; solved means a score of "
    f"{SOLVED:.0%} on fresh examples. Gradients are those of the last output with respect to "
    "the input so many steps before, of the model that learnt the shortest adding problem."
)


@dataclass(frozen=True)
class Examples:
    """A batch of a problem, time first."""

    inputs: Tensor
    """`(time, batch, features)`."""
    targets: Tensor
    """`(time, batch)` class at each step, or `(batch,)` numbers for adding."""
    scored: Tensor
    """`(time,)`, true where the answer counts."""


# --- the problems --------------------------------------------------------------------------


def adding(length: int, batch: int, rng: np.random.Generator) -> Examples:
    """Two marked numbers, one in each half; the target is their sum, centred."""
    length = max(length, 2)
    values = rng.random((length, batch)).astype(np.float32)
    marks = np.zeros((length, batch), dtype=np.float32)
    columns = np.arange(batch)
    first = rng.integers(0, length // 2, batch)
    second = rng.integers(length // 2, length, batch)
    marks[first, columns] = marks[second, columns] = 1
    targets = values[first, columns] + values[second, columns] - 1
    scored = np.arange(length) == length - 1
    return _examples(np.stack([values, marks], axis=-1), targets, scored)


def copy(length: int, batch: int, rng: np.random.Generator) -> Examples:
    """Symbols, `length` blanks, then a signal at every step that asks for them in order."""
    time = COPIED + length + COPIED
    symbols = rng.integers(SYMBOLS, size=(COPIED, batch))
    classes = np.full((time, batch), SYMBOLS)
    classes[:COPIED] = symbols
    classes[-COPIED:] = SYMBOLS + 1
    targets = np.zeros((time, batch), dtype=np.int64)
    targets[-COPIED:] = symbols
    inputs = np.eye(SYMBOLS + 2, dtype=np.float32)[classes]
    return _examples(inputs, targets, np.arange(time) >= time - COPIED)


def parity(length: int, batch: int, rng: np.random.Generator) -> Examples:
    """Bits; the target at each step is whether an odd number of ones has come."""
    bits = rng.integers(2, size=(length, batch))
    inputs = (2 * bits - 1).astype(np.float32)[..., None]
    # Judged at the end alone: the first steps need no state at all.
    return _examples(inputs, bits.cumsum(axis=0) % 2, np.ones(length, dtype=bool))


PROBLEMS = {"adding": adding, "copy": copy, "parity": parity}
FEATURES = {"adding": 2, "copy": SYMBOLS + 2, "parity": 1}
OUTPUTS = {"adding": 1, "copy": SYMBOLS, "parity": 2}


def _examples(inputs: np.ndarray, targets: np.ndarray, scored: np.ndarray) -> Examples:
    return Examples(torch.from_numpy(inputs), torch.from_numpy(targets), torch.from_numpy(scored))


# --- the models ------------------------------------------------------------------------------


class Prober(nn.Module):
    """A variant's recurrence with a linear readout at every step."""

    def __init__(self, variant: VariantConfig, features: int, outputs: int) -> None:
        super().__init__()
        self.recurrence = Recurrence(variant, features)
        self.readout = nn.Linear(self.recurrence.output_size, outputs)

    def forward(self, x_tbf: Tensor) -> Tensor:
        """Outputs `(time, batch, outputs)`."""
        time, batch = x_tbf.shape[:2]
        hidden = self.recurrence(x_tbf, Lengths(torch.full((batch,), time), time))
        answers: Tensor = self.readout(hidden)
        return answers


def loss(model: Prober, problem: str, examples: Examples) -> Tensor:
    """Squared error for adding, cross-entropy where the answer counts for the others."""
    answers = model(examples.inputs)[examples.scored]
    if problem == "adding":
        return functional.mse_loss(answers[-1, :, 0], examples.targets.float())
    targets = examples.targets[examples.scored]
    return functional.cross_entropy(answers.flatten(0, 1), targets.flatten())


@torch.inference_mode()
def score(model: Prober, problem: str, length: int, rng: np.random.Generator) -> float:
    """Share of right answers, or of the variance explained for adding; at least 0."""
    model.eval()
    examples = PROBLEMS[problem](length, EVALUATED, rng)
    answers = model(examples.inputs)[examples.scored]
    model.train()
    if problem == "adding":
        targets = examples.targets.float()
        error = float(functional.mse_loss(answers[-1, :, 0], targets))
        return max(0.0, 1 - error / float(targets.var(unbiased=False)))
    right = answers.argmax(-1) == examples.targets[examples.scored]
    # Parity counts at the last step alone: early steps are easy and would flatter long ones.
    return float((right[-1] if problem == "parity" else right).float().mean())


def learn(
    variant: VariantConfig, problem: str, length: int, config: ProbeConfig, seed: int
) -> tuple[Prober, float]:
    """Train on one length until solved or out of steps; return the model and its score."""
    model = build(variant, problem, seed)
    rng = streams.generator(seed, "order")
    fresh = streams.generator(seed, "split")
    optimizer = torch.optim.Adam(model.parameters(), lr=config.learning_rate)
    reached = 0.0
    for step in range(1, config.steps + 1):
        optimizer.zero_grad(set_to_none=True)
        loss(model, problem, PROBLEMS[problem](length, config.batch_size, rng)).backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        if step % 50 == 0 or step == config.steps:
            reached = score(model, problem, length, fresh)
            if reached >= SOLVED:
                break
    return model, reached


def build(variant: VariantConfig, problem: str, seed: int) -> Prober:
    """A fresh model, its weights drawn from the seed's `init` stream."""
    torch.manual_seed(streams.torch_seed(seed, "init"))
    return Prober(variant, FEATURES[problem], OUTPUTS[problem])


def resolve(variant: VariantConfig, reference: VariantConfig | None, problem: str) -> VariantConfig:
    """The variant with its width solved for a problem's own input size."""
    return budget.resolve(variant, reference, Sizes(OUTPUTS[problem], FEATURES[problem])).variant


# --- the gradient ------------------------------------------------------------------------------


def gradient_norms(model: Prober, length: int, rng: np.random.Generator) -> list[float]:
    """log10 norm of the last output's gradient by the input k steps before, k = 0, 1, ...

    Averaged over a batch before the logarithm. Norms below 1e-30 count as 1e-30.
    """
    inputs = adding(length, 32, rng).inputs.requires_grad_()
    model(inputs)[-1].sum().backward()
    assert inputs.grad is not None  # noqa: S101  (for the type checker)
    norms = inputs.grad.norm(dim=-1).mean(dim=1).flip(0)
    return [math.log10(max(float(norm), 1e-30)) for norm in norms]


def half_life(log10_norms: Sequence[float]) -> float | None:
    """Steps in which the norm halves, by a line through its logarithm.

    Only distances down to a millionth of the largest norm count, below which single precision
    says little.

    Returns:
        Steps, or `None` where the norm does not shrink.
    """
    values = np.asarray(log10_norms, dtype=float)
    below = np.flatnonzero(values < values.max() - 6)
    kept = values[: below[0]] if len(below) else values
    if len(kept) < 2:
        return 1.0 / max(1.0, 6 * math.log2(10))
    slope = float(np.polyfit(np.arange(len(kept)), kept, 1)[0])
    return None if slope >= -1e-9 else math.log10(2) / -slope


# --- the whole of one variant ------------------------------------------------------------


@dataclass(frozen=True)
class SeedResult:
    """What one seed of a variant reached on one problem."""

    scores: tuple[float | None, ...]
    """By length; `None` where a shorter one was not solved."""
    extrapolated: tuple[float, ...]
    """By length, of the model that learnt the shortest."""
    gradients: dict[str, tuple[float, ...]] = field(default_factory=dict)
    """log10 norms `initial` and `trained`, of the adding problem only."""


def probe(
    variant: VariantConfig,
    reference: VariantConfig | None,
    config: ProbeConfig,
    problem: str,
    seed: int,
) -> SeedResult:
    """One problem for one variant and seed."""
    torch.set_num_threads(1)
    solved = resolve(variant, reference, problem)
    lengths = config.lengths(problem)
    shortest, reached = learn(solved, problem, lengths[0], config, seed)
    scores: list[float | None] = [reached]
    for length in lengths[1:]:
        tried = reached >= SOLVED
        reached = learn(solved, problem, length, config, seed)[1] if tried else 0.0
        scores.append(reached if tried else None)
    fresh = streams.generator(seed, "augment")
    beyond = tuple(score(shortest, problem, length, fresh) for length in lengths)
    gradients = {}
    if problem == "adding":
        for when, model in (("initial", build(solved, problem, seed)), ("trained", shortest)):
            rng = streams.generator(seed, "augment")
            gradients[when] = tuple(gradient_norms(model, config.gradient_length, rng))
    return SeedResult(tuple(scores), beyond, gradients)


def probe_all(plan: ProbePlan, workers: int) -> dict[str, list[SeedResult]]:
    """`probe` for each problem and seed, at most `workers` at once: seeds by problem."""
    # fork finds torch loaded, and nothing has computed yet; where there is no fork, spawn.
    context = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        futures = {
            problem: [
                pool.submit(probe, plan.config, plan.reference, plan.probes, problem, seed)
                for seed in range(plan.probes.seeds)
            ]
            for problem in PROBLEMS
        }
        return {problem: [one.result() for one in seeds] for problem, seeds in futures.items()}


def summarise(results: Mapping[str, Sequence[SeedResult]], config: ProbeConfig) -> ProbeReport:
    """Put the seeds of a variant together for `reports/probes/<variant>.json`.

    Args:
        results: by problem, what `probe` gave for each seed.
        config: the settings, for the lengths.
    """
    adding_seeds = results["adding"]
    return ProbeReport(
        titles=TITLES,
        note=NOTE,
        settings=config,
        probes={
            problem: _problem(config.lengths(problem), seeds) for problem, seeds in results.items()
        },
        gradient=Gradient(
            initial=_gradient([seed.gradients["initial"] for seed in adding_seeds]),
            trained=_gradient([seed.gradients["trained"] for seed in adding_seeds]),
        ),
    )


def _problem(lengths: Sequence[int], seeds: Sequence[SeedResult]) -> Problem:
    beyond = np.array([seed.extrapolated for seed in seeds])
    longest = [longest_solved(lengths, seed.scores) or 0 for seed in seeds]
    return Problem(
        lengths=tuple(
            ProbedLength(
                length=length,
                scores=tuple(seed.scores[i] for seed in seeds),
                score=_mean([s for seed in seeds if (s := seed.scores[i]) is not None]),
                extrapolated=float(beyond[:, i].mean()),
            )
            for i, length in enumerate(lengths)
        ),
        longest_solved=int(np.median(longest)) or None,
        longest_by_seed=tuple(longest),
    )


def _mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if values else None


def longest_solved(lengths: Sequence[int], scores: Sequence[float | None]) -> int | None:
    """The longest length that is solved, with all shorter ones solved as well."""
    longest = None
    for length, reached in zip(lengths, scores, strict=True):
        if reached is None or reached < SOLVED:
            break
        longest = length
    return longest


def _gradient(curves: Sequence[Sequence[float]]) -> GradientDecay:
    """Curves of log10 norms, one a seed, together."""
    mean = [float(value) for value in np.array(curves).mean(axis=0)]
    return GradientDecay(
        log10=tuple(mean),
        half_life=half_life(mean),
        half_lives=tuple(half_life(curve) for curve in curves),
    )
