"""What the textbook says of LSTM, GRU and the vanilla RNN, and what is found here about it.

Each sentence comes with who says so, what stands for it in this study, and what would change the
verdict; `gatewise.evidence.claims` turns what was found into a verdict.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from gatewise.artifacts.comparison import Comparison, Finding, TaskComparison
from gatewise.config.work import Work
from gatewise.evidence import findings, gradients, learning_speed, memory
from gatewise.evidence.claim_verdicts import agreed
from gatewise.evidence.findings import LookAtTask, Representatives
from gatewise.evidence.probed import Probes

TEXTBOOK = "textbook"
MORE_SEEDS = "more seeds where it is open; other widths, tasks and budgets anywhere"
LONGER = "longer lengths, more updates, starts and rates (`probes` in params.yaml)"
ANOTHER_MACHINE = "another processor, instruction set, kernel or batch size"
NO_TASK = "a task of that kind (a task's `work`); none of this study's pairs speaks of one"


@dataclass(frozen=True)
class Stated:
    """A sentence with what was found about it."""

    id: str
    statement: str
    measured: str
    found: Sequence[Finding]
    would_change: str = MORE_SEEDS
    source: str = TEXTBOOK
    of: str = "tasks"
    """What findings are counted in."""
    joint: int = 0
    """Findings, one a thing that the sentence names, that must all bear it out; 0 where those that
    decide need only agree."""


def structure_and_cost(comparison: Comparison, names: Representatives) -> Iterator[Stated]:
    """What cells are made of, what they cost, and how they overfit."""
    tasks, alpha = comparison.tasks, comparison.alpha
    equally_wide = _equal_width(tasks, names)

    def on_every_task(look: LookAtTask) -> list[Finding]:
        found = (look(name, task, names, alpha) for name, task in tasks.items())
        return [finding for finding in found if finding is not None]

    def at_equal_width(look: LookAtTask) -> list[Finding]:
        return on_every_task(look) if equally_wide else []

    counted = "counted on the models as built"
    width = "At equal width, a GRU"
    device = f"on this device, {_instructions(comparison)}"
    yield Stated(
        "gates",
        "An LSTM has three gates and a cell state, a GRU two gates and none.",
        "the cells as implemented",
        on_every_task(findings.gates)[:1],
        "another definition of the cells",
        of="",
    )
    yield Stated(
        "fewer-parameters",
        f"{width} has three quarters of an LSTM's recurrent parameters.",
        counted,
        at_equal_width(findings.fewer_parameters),
        "nothing, at equal width and without projections",
    )
    yield Stated(
        "fewer-macs",
        f"{width} needs fewer multiply-accumulates than an LSTM.",
        counted,
        at_equal_width(findings.fewer_macs),
        "nothing, at equal width and without projections",
    )
    yield Stated(
        "faster-step",
        f"{width} trains faster per step.",
        f"a training step's time, round by round, {device}",
        at_equal_width(findings.step_time),
        ANOTHER_MACHINE,
    )
    yield Stated(
        "faster-to-target",
        f"{width} reaches a target score in less time.",
        f"epochs to the target by seed, times the step's ratio, {device}",
        at_equal_width(findings.time_to_target),
        ANOTHER_MACHINE,
    )
    yield Stated(
        "overfits-less",
        "A GRU overfits less than an LSTM.",
        "score on training less score on test data, by paired seed",
        on_every_task(findings.gap),
        "more seeds, fewer data (`train.fraction`), other regularisation",
    )


def held_and_learnt(probes: Probes, names: Representatives, alpha: float) -> Iterator[Stated]:
    """Gradients, what is held, how readily it is learnt, counting."""
    lstm, gru, rnn = names.lstm, names.gru, names.rnn
    held = "the longest length solved within the budget of updates, at the best start and rate"
    yield Stated(
        "vanishing",
        "Gradients vanish in a vanilla RNN.",
        "share of the gradient that reaches the stated distance; below 1 % it has vanished",
        gradients.vanishes(probes, rnn, alpha),
        "other starts (an orthogonal one holds gradients longer), another distance",
        of="moments",
    )
    yield Stated(
        "gradients-alive",
        "LSTM and GRU keep gradients alive where a vanilla RNN does not.",
        "share of the gradient that reaches the stated distance, initial and trained",
        [*gradients.alive(probes, lstm, rnn, alpha), *gradients.alive(probes, gru, rnn, alpha)],
        "another distance, other starts",
        of="comparisons",
        joint=4,
    )
    yield Stated(
        "gates-longer",
        "LSTM and GRU hold longer dependencies than a vanilla RNN.",
        held,
        [
            *agreed(memory.holds(probes, lstm, rnn, alpha), f"{lstm} against {rnn}", "problems"),
            *agreed(memory.holds(probes, gru, rnn, alpha), f"{gru} against {rnn}", "problems"),
        ],
        LONGER,
        of="comparisons",
        joint=2,
    )
    yield Stated(
        "lstm-longer",
        "An LSTM holds longer dependencies than a GRU.",
        held,
        memory.holds(probes, lstm, gru, alpha),
        LONGER,
        of="problems",
    )
    yield Stated(
        "lstm-learns-sooner",
        "An LSTM learns long dependencies more readily than a GRU.",
        "updates until solved, at each one's best start and rate; unsolved runs are censored",
        learning_speed.learns_faster(probes, lstm, gru, alpha),
        LONGER,
        of="problems",
    )
    yield Stated(
        "lstm-counts",
        "An LSTM can count, a GRU cannot.",
        "the longest a^n b^n that is right, by models that learnt short ones",
        memory.counts(probes, lstm, gru, alpha),
        "other widths, longer training, longer strings",
        source="Weiss, Goldberg & Yahav 2018",
        of="problems",
    )


def starts(probes: Probes, names: Representatives, alpha: float) -> Iterator[Stated]:
    """Initialisations: a forget bias of 1, chrono."""
    lstm, gru = names.lstm, names.gru
    updates = "updates until solved, each start at its better rate; unsolved runs are censored"

    def against(a: tuple[str | None, str], b: tuple[str | None, str]) -> list[Finding]:
        return learning_speed.start_against(probes, a, b, alpha)

    yield Stated(
        "forget-bias-helps",
        "A forget bias of 1 lets an LSTM learn sooner.",
        updates,
        against((lstm, "forget-bias"), (lstm, "torch")),
        LONGER,
        source="Jozefowicz, Zaremba & Sutskever 2015",
        of="comparisons",
    )
    yield Stated(
        "forget-bias-closes-gap",
        "A forget bias of 1 closes an LSTM's gap to the GRU.",
        f"{updates}; open means that a difference was not shown",
        against((lstm, "forget-bias"), (gru, "torch")),
        LONGER,
        source="Jozefowicz, Zaremba & Sutskever 2015",
        of="comparisons",
    )
    yield Stated(
        "chrono-helps",
        "Chrono initialisation lets LSTM and GRU learn long dependencies sooner.",
        updates,
        [
            *against((lstm, "chrono"), (lstm, "torch")),
            *against((gru, "chrono"), (gru, "torch")),
        ],
        LONGER,
        source="Tallec & Ollivier 2018",
        of="cells",
        joint=2,
    )


def which_is_better(comparison: Comparison, names: Representatives) -> Iterator[Stated]:
    """Which cell the text gives which kind of task."""
    lstm, gru, rnn = names.lstm, names.gru, names.rnn
    scores = "test scores by paired seed"

    def against_rnn(variant: str | None) -> list[Finding]:
        return findings.better(comparison, None, variant, rnn)

    yield Stated(
        "gates-better",
        "LSTM and GRU do better than a vanilla RNN.",
        f"{scores}; secondary pairs, uncorrected",
        [
            *agreed(findings.better(comparison, None, lstm, rnn), f"{lstm} against {rnn}", "tasks"),
            *agreed(findings.better(comparison, None, gru, rnn), f"{gru} against {rnn}", "tasks"),
        ],
        of="comparisons",
        joint=2,
    )
    yield _of_work(comparison, "translation", "LSTM is better for machine translation.", lstm, gru)
    yield _of_work(comparison, "sentiment", "LSTM is better for sentiment.", lstm, gru)
    yield _of_work(comparison, "speech", "GRU is better for speech recognition.", gru, lstm)
    yield _of_work(comparison, "captioning", "GRU is better for image captioning.", gru, lstm)
    yield Stated(
        "depends-on-task",
        "Whether LSTM or GRU is better depends on the task.",
        "verdicts of the pair on all tasks",
        findings.depends(comparison.tasks, names),
        of="",
    )


def _of_work(
    comparison: Comparison, work: Work, statement: str, a: str | None, b: str | None
) -> Stated:
    """That `a` is better than `b` for a kind of work: the study's tasks of that kind speak."""
    found = findings.better(comparison, work, a, b)
    measured = "test scores by paired seed" if found else "nothing"
    would_change = MORE_SEEDS if found else NO_TASK
    return Stated(work, statement, measured, found, would_change)


def _equal_width(tasks: Mapping[str, TaskComparison], names: Representatives) -> bool:
    both = (names.on(task) for task in tasks.values())
    return any(pair is not None and pair[0].hidden == pair[1].hidden for pair in both)


def _instructions(comparison: Comparison) -> str:
    """What the study computed with, in words."""
    used = comparison.versions.get("instructions", ())
    words = {"portable": "held to AVX2 (portable)", "native": "with the processor's own (native)"}
    return " and ".join(words.get(name, name) for name in used) or "instruction set not recorded"
