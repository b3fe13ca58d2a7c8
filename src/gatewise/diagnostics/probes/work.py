"""A piece of probing that any process can do by itself: one model, one length, one seed."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from gatewise import streams
from gatewise.config import ProbeConfig, VariantConfig
from gatewise.config.probes import Start
from gatewise.diagnostics.probes import gradients
from gatewise.diagnostics.probes.learning import Learnt, learn, score
from gatewise.diagnostics.probes.prober import at_width, build, resolve, started
from gatewise.diagnostics.probes.problems import PROBLEMS, Problem


@dataclass(frozen=True)
class Option:
    """A way of training: the same ones are open to every variant."""

    start: Start
    learning_rate: float


@dataclass(frozen=True)
class Work:
    """What is to be learnt, and what is asked of the model afterwards."""

    variant: VariantConfig
    reference: VariantConfig | None
    config: ProbeConfig
    problem: str
    length: int
    option: Option
    seed: int
    most: int | None = None
    """Fewer updates than the budget's, where more could change nothing."""
    afterwards: bool = False
    """Whether to ask the model of all lengths, and for its gradients."""


@dataclass(frozen=True)
class Result:
    """What one piece of work gave."""

    learnt: Learnt
    beyond: tuple[float, ...] = ()
    """Scores on all lengths of the problem."""
    initial: tuple[float, ...] = ()
    trained: tuple[float, ...] = ()
    """log10 norms of gradients by distance, of adding only."""


def do(work: Work) -> Result:
    """Train one model, in one thread."""
    torch.set_num_threads(1)
    problem, config, seed = PROBLEMS[work.problem], work.config, work.seed
    variant = started(_sized(work, problem), work.option.start, problem.steps(work.length))
    model = build(variant, problem, work.length, seed)
    initial: tuple[float, ...] = ()
    followed = work.afterwards and work.problem == "adding"

    def gradient() -> tuple[float, ...]:
        draws = streams.generator(seed, "augment", 1)
        return tuple(gradients.norms(model, problem, config.gradient_length, draws))

    if followed:
        initial = gradient()
    rate = work.option.learning_rate
    learnt = learn(model, problem, work.length, rate, config, seed, work.most)
    if not work.afterwards:
        return Result(learnt)
    fresh = streams.generator(seed, "augment")
    same = problem.features(work.length)
    beyond = tuple(
        score(model, problem, length, fresh) if problem.features(length) == same else 0.0
        for length in config.lengths(work.problem)
    )
    return Result(learnt, beyond, initial, gradient() if followed else ())


def _sized(work: Work, problem: Problem) -> VariantConfig:
    """The variant at its width on this problem."""
    width = work.config.width_for(work.problem)
    reference = None if work.reference is None else at_width(work.reference, width)
    return resolve(at_width(work.variant, width), reference, problem, work.length)
