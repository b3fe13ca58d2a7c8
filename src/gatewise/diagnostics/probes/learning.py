"""One run: a recurrence learns one length of a problem until it has, or its budget is spent."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from gatewise import streams
from gatewise.config import ProbeConfig
from gatewise.diagnostics.probes.prober import Prober
from gatewise.diagnostics.probes.problems import Examples, Problem

SOLVED = 0.9
"""Score on fresh examples that counts as solved."""
EVALUATED = 256
"""Fresh examples that a score is taken over."""
EVERY = 25
"""Updates between two looks at the score."""
HOPELESS = 0.1
"""Skill (share of the way from chance to perfect) below which nothing has been learnt yet."""
LOOKS = 4
"""Looks that must all show it: one alone scatters by 0.06 where chance is one half."""


@dataclass(frozen=True)
class Learnt:
    """How a run ended."""

    updates: int
    """Until it was solved, or until it ended without."""
    score: float
    """At the end."""
    solved: bool
    futile: bool
    """Whether it was stopped before its budget, being no better than chance."""


def learn(
    model: Prober,
    problem: Problem,
    length: int,
    learning_rate: float,
    config: ProbeConfig,
    seed: int,
    most: int | None = None,
) -> Learnt:
    """Train until solved, futile or out of updates.

    A problem that is learnt once goes on to the end of its budget, the learning rate falling evenly
    to nothing: what is asked of the model afterwards is how well it has settled.

    Args:
        model: to be trained, in place.
        problem: what it learns.
        length: how long.
        learning_rate: of Adam.
        config: budget of updates, futility, batch size.
        seed: of the examples.
        most: fewer updates than the budget's, where more could change nothing.
    """
    examples = batches(problem, length, config.batch_size, streams.generator(seed, "order"))
    fresh = streams.generator(seed, "split")
    parameters = list(model.parameters())
    optimizer = torch.optim.Adam(parameters, lr=learning_rate, fused=True)
    updates = config.updates_for(problem.name)
    budget = min(updates, most or updates)
    futile_at = config.futility * updates
    skills = deque[float](maxlen=LOOKS)
    reached, first = 0.0, None
    for update in range(1, budget + 1):
        if problem.learnt_once:
            optimizer.param_groups[0]["lr"] = learning_rate * (1 - (update - 1) / updates)
        optimizer.zero_grad(set_to_none=True)
        batch = next(examples)
        problem.loss(model(batch.inputs), batch).backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(parameters, 1.0, foreach=True)
        optimizer.step()
        if update % EVERY and update != budget:
            continue
        reached = score(model, problem, length, fresh)
        skills.append(problem.skill(reached))
        if reached >= SOLVED:
            first = first or update
            if not problem.learnt_once:
                break
        if first is None and futile_at <= update < budget and max(skills) < HOPELESS:
            return Learnt(update, reached, solved=False, futile=True)
    return Learnt(first or budget, reached, solved=first is not None, futile=False)


def batches(
    problem: Problem, length: int, size: int, rng: np.random.Generator
) -> Iterator[Examples]:
    """Fresh batches without end, drawn `EVERY` at a time: drawing few is mostly overhead."""
    while True:
        yield from problem.draw(length, size * EVERY, rng).split(size)


@torch.inference_mode()
def score(model: Prober, problem: Problem, length: int, rng: np.random.Generator) -> float:
    """Score on examples that were not trained on."""
    model.eval()
    examples = problem.draw(length, EVALUATED, rng, held_out=True)
    reached = problem.score(model(examples.inputs), examples)
    model.train()
    return reached
