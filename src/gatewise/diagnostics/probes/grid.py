"""Which pieces of work a variant's probes are, and in which order.

Every variant has the same options, a start and a learning rate each, and the same budget of
updates a run. One seed of its own chooses, so that what is measured was not chosen for its luck:

1. At the first length of the first problem it tries every option. (The second rate of a start need
   not go on longer than the first one took.) Each start is then measured over all seeds at its
   better rate, and the options are ranked by the updates that they took.
2. At the first length of every other problem it goes through the options in that order until one
   solves it, and that one is measured over all seeds; the best of those that failed where all did.
3. Longer lengths are tried while at least half of the seeds solved the one before, with the option
   that served that. Only where some seed fails with it, the one that chooses looks for another,
   and the better of both stands.

What the longest chain of lengths still waits for is done first (`gatewise.diagnostics.probes
.dispatch`), so that all workers are busy to the end.
"""

from __future__ import annotations

import multiprocessing
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass, field, replace

from gatewise.artifacts.plan import ProbePlan
from gatewise.config.probes import Start
from gatewise.diagnostics.probes.dispatch import Dispatcher
from gatewise.diagnostics.probes.prober import possible_starts
from gatewise.diagnostics.probes.problems import PROBLEMS
from gatewise.diagnostics.probes.work import Option, Result, Work

CHOOSING = -1
"""The seed that chooses among options; measured ones count from 0."""
Submit = Callable[[Work, float], "Future[Result]"]
"""Work, and how urgent it is."""


@dataclass(frozen=True)
class Tried:
    """An option and what it gave to the seed that chooses."""

    option: Option
    result: Result

    @property
    def rank(self) -> tuple[bool, float, float]:
        """Sorts the better one first: solved, in fewer updates, with the higher score.

        Scores of runs that failed are told apart by tenths; where all stay at chance, options keep
        the order of the settings.
        """
        learnt = self.result.learnt
        return not learnt.solved, learnt.updates if learnt.solved else 0.0, -round(learnt.score, 1)


@dataclass(frozen=True)
class Measured:
    """All seeds of one length at the option that was chosen for it."""

    length: int
    option: Option
    tried: tuple[Tried, ...]
    """What chose it; nothing where it had served a shorter length."""
    results: tuple[Result, ...]
    """One a seed."""

    @property
    def solved(self) -> int:
        """How many seeds solved it."""
        return sum(one.learnt.solved for one in self.results)

    @property
    def held(self) -> bool:
        """Whether at least half of the seeds solved it."""
        return 2 * self.solved >= len(self.results)


@dataclass(frozen=True)
class Found:
    """All that probing one variant gave."""

    problems: dict[str, tuple[Measured, ...]] = field(default_factory=dict)
    starts: tuple[Measured, ...] = ()
    """The first length of the first problem, once a start."""


def probe(plan: ProbePlan, workers: int) -> Found:
    """All problems of a plan, at most `workers` pieces of work at once."""
    names = plan.probes.problems
    if not names:
        return Found()
    # fork finds torch loaded, and nothing has computed yet; where there is no fork, spawn.
    context = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
    with (
        ProcessPoolExecutor(workers, mp_context=context) as pool,
        ThreadPoolExecutor() as waiting,
    ):
        # All processes are forked here, before there are threads.
        pool.submit(int).result()
        return _Grid(plan, Dispatcher(pool, workers).submit, waiting).run()


class _Grid:
    """The work of one variant, handed out as it becomes known."""

    def __init__(self, plan: ProbePlan, submit: Submit, waiting: ThreadPoolExecutor) -> None:
        self.plan = plan
        self.config = plan.probes
        self.submit = submit
        self.waiting = waiting
        self.starts = possible_starts(plan.config, self.config.starts)

    def run(self) -> Found:
        first, *others = self.config.problems
        by_start = [self.waiting.submit(self._best_rate, first, start) for start in self.starts]
        tried = [one for start in by_start for one in start.result()]
        ranked = sorted(tried, key=lambda one: one.rank)
        order = [one.option for one in ranked]
        ahead = {name: self.waiting.submit(self._problem, name, order) for name in others}
        starts = self._starts(first, ranked)
        best = next(one for one in starts if one.option == order[0])
        rest = self._longer(first, order, best) if best.held else ()
        problems = {first: (best, *rest)}
        problems |= {name: future.result() for name, future in ahead.items()}
        return Found(problems, tuple(starts))

    def _best_rate(self, problem: str, start: Start) -> list[Tried]:
        """Every rate of one start; once one has solved it, others have as many updates."""
        length, tried = self.config.lengths(problem)[0], list[Tried]()
        for rate in self.config.learning_rates:
            solved = [one.result.learnt.updates for one in tried if one.result.learnt.solved]
            most = min(solved, default=None)
            tried.append(self._try(problem, length, Option(start, rate), most))
        return tried

    def _starts(self, problem: str, ranked: Sequence[Tried]) -> list[Measured]:
        """Every start at its better rate, over all seeds."""
        length = self.config.lengths(problem)[0]
        better: dict[Start, Option] = {}
        for one in ranked:
            better.setdefault(one.option.start, one.option)
        options = [better[start] for start in self.starts]
        # Longer lengths wait for the best of them alone.
        waited_for = self._urgency(problem, length)
        futures = [
            self._seeds(problem, length, option, waited_for if option == ranked[0].option else 0)
            for option in options
        ]
        return [
            Measured(length, option, tuple(ranked), tuple(one.result() for one in seeds))
            for option, seeds in zip(options, futures, strict=True)
        ]

    def _problem(self, problem: str, order: Sequence[Option]) -> tuple[Measured, ...]:
        first = self._length(problem, self.config.lengths(problem)[0], order)
        longer = self._longer(problem, order, first) if first.held else ()
        return (first, *longer)

    def _longer(
        self, problem: str, order: Sequence[Option], before: Measured
    ) -> tuple[Measured, ...]:
        """Lengths beyond the first, while half of the seeds solve them."""
        measured = list[Measured]()
        if PROBLEMS[problem].learnt_once:
            return ()
        for length in self.config.lengths(problem)[1:]:
            before = self._next(problem, length, order, before.option)
            measured.append(before)
            if not before.held:
                break
        return tuple(measured)

    def _next(self, problem: str, length: int, order: Sequence[Option], served: Option) -> Measured:
        """A longer length, at what served the one before unless that fails some seed here."""
        same = self._measure(problem, length, served)
        if same.solved == len(same.results):
            return same
        others = [option for option in order if option != served]
        tried = self._until_solved(problem, length, others)
        if not tried or not tried[-1].result.learnt.solved:
            return replace(same, tried=tried)
        other = self._measure(problem, length, tried[-1].option)
        return replace(max(same, other, key=lambda one: one.solved), tried=tried)

    def _length(self, problem: str, length: int, order: Sequence[Option]) -> Measured:
        """The first option with which half of the seeds solve it, of those that once did.

        What solves it with the choosing seed may do so with no other; then the next one is tried.
        """
        tried, measured, left = list[Tried](), list[Measured](), list(order)
        while left and not any(one.held for one in measured):
            tried += (found := self._until_solved(problem, length, left))
            left = left[len(found) :]
            if found[-1].result.learnt.solved:
                measured.append(self._measure(problem, length, found[-1].option))
        if not measured:
            option = min(tried, key=lambda one: one.rank).option
            measured.append(self._measure(problem, length, option))
        return replace(max(measured, key=lambda one: one.solved), tried=tuple(tried))

    def _until_solved(
        self, problem: str, length: int, order: Sequence[Option]
    ) -> tuple[Tried, ...]:
        tried = list[Tried]()
        for option in order:
            tried.append(self._try(problem, length, option))
            if tried[-1].result.learnt.solved:
                break
        return tuple(tried)

    def _measure(self, problem: str, length: int, option: Option) -> Measured:
        seeds = self._seeds(problem, length, option, self._urgency(problem, length))
        return Measured(length, option, (), tuple(one.result() for one in seeds))

    def _try(self, problem: str, length: int, option: Option, most: int | None = None) -> Tried:
        work = self._work(problem, length, option, CHOOSING, most=most)
        return Tried(option, self.submit(work, self._urgency(problem, length)).result())

    def _seeds(
        self, problem: str, length: int, option: Option, urgency: float
    ) -> list[Future[Result]]:
        afterwards = length == self.config.lengths(problem)[0]
        return [
            self.submit(self._work(problem, length, option, seed, afterwards=afterwards), urgency)
            for seed in range(self.config.seeds_for(problem))
        ]

    def _urgency(self, problem: str, length: int) -> float:
        """Steps of all lengths of a problem that wait for this one, itself among them."""
        asked, family = self.config.lengths(problem), PROBLEMS[problem]
        waiting = asked[:1] if family.learnt_once else [one for one in asked if one >= length]
        return sum(map(family.steps, waiting))

    def _work(
        self,
        problem: str,
        length: int,
        option: Option,
        seed: int,
        *,
        most: int | None = None,
        afterwards: bool = False,
    ) -> Work:
        plan = self.plan
        return Work(
            plan.config,
            plan.reference,
            plan.probes,
            problem,
            length,
            option,
            seed,
            most,
            afterwards,
        )
