"""`gatewise new`: from a folder or table to a study of it, and with `--run` to the answer."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, cast

import typer

from gatewise.errors import GatewiseError

if TYPE_CHECKING:
    from rich.console import Console

    from gatewise.data.understanding import Ambiguous, Options, Understanding
    from gatewise.data.understanding.record import Objective

app = typer.Typer()

MINUTES = 10.0
UNSEEN = 100
"""Columns that are filled where no terminal says how many it has."""
MOST_QUESTIONS = 20
"""Each settles one thing; more would mean that an answer settled nothing."""

Column = Annotated[str | None, typer.Option(help="Column with this role, of a table.")]


@app.command("new")
def new(
    path: Annotated[
        Path,
        typer.Argument(
            help="Folder of sounds, images or texts, table of texts, pairs, sounds, images or "
            "series, folder of tables, translation memory."
        ),
    ],
    test: Annotated[
        Path | None, typer.Option(help="Data of the same form that stay apart as the test split.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="Name of the task.")] = None,
    minutes: Annotated[
        float, typer.Option(min=0.1, help="What the study may take on this machine.")
    ] = MINUTES,
    metric: Annotated[
        str | None, typer.Option(help="What variants compare by; chosen from the data if not.")
    ] = None,
    rnn: Annotated[bool, typer.Option("--rnn", help="Compare a vanilla RNN as well.")] = False,
    text: Column = None,
    label: Column = None,
    group: Annotated[
        str | None,
        typer.Option(
            help="Column of what must not be trained on and tested (speaker, film); for a folder a "
            "pattern whose first bracket finds it in paths; none: there is none."
        ),
    ] = None,
    split: Column = None,
    delimiter: Annotated[str | None, typer.Option(help="Between fields of a table.")] = None,
    encoding: Annotated[str | None, typer.Option(help="Of a table, or of text files.")] = None,
    quoting: Annotated[str | None, typer.Option(help="Of a table: standard or none.")] = None,
    header: Annotated[
        bool | None,
        typer.Option("--header/--no-header", help="Whether a table's first line names columns."),
    ] = None,
    pattern: Annotated[
        str | None,
        typer.Option(help="Of file names, e.g. '(?P<label>[^_]+)_(?P<group>[^_]+)_'."),
    ] = None,
    layout: Annotated[
        str | None, typer.Option(help="What folders mean, e.g. split/label or group/label.")
    ] = None,
    without: Annotated[
        list[str] | None, typer.Option(help="Leave this label out (repeatable).")
    ] = None,
    objective: Annotated[
        str | None,
        typer.Option(help="What is asked: classify, transcribe, generate (pairs) or forecast."),
    ] = None,
    source: Annotated[
        str | None, typer.Option(help="Of pairs: column (or language) of the text that is given.")
    ] = None,
    target: Annotated[
        str | None, typer.Option(help="Of pairs: column (or language) of what is said to it.")
    ] = None,
    targets: Annotated[
        Path | None, typer.Option(help="Of pairs: file whose lines answer those of PATH.")
    ] = None,
    identity: Annotated[
        str | None, typer.Option("--id", help="Of series: column that names them.")
    ] = None,
    time: Annotated[str | None, typer.Option(help="Of series: column of times.")] = None,
    value: Annotated[str | None, typer.Option(help="Of series: column of values.")] = None,
    horizon: Annotated[
        int | None, typer.Option(min=1, help="Of series: steps that are forecast.")
    ] = None,
    season: Annotated[int | None, typer.Option(min=1, help="Of series: steps of a season.")] = None,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Take the likelier of two readings, ask nothing.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Write nothing.")] = False,
    run: Annotated[bool, typer.Option("--run", help="Go on to `gatewise repro`.")] = False,
    keep_as: Annotated[
        str | None,
        typer.Option("--as", help="Name to keep the present study under.", metavar="NAME"),
    ] = None,
) -> None:
    """Look at your data and write a study for them; with --run, answer it.

    Prints what was understood and why each setting was chosen. The study that is here is kept;
    `gatewise use` brings it back.
    """
    from rich.console import Console

    from gatewise.data.understanding import Options
    from gatewise.repro import course

    _check(name, metric, quoting, objective, dry_run=dry_run)
    given = Options(
        text=text,
        label=label,
        group=group,
        split=split,
        delimiter="\t" if delimiter in ("\\t", "tab") else delimiter,
        encoding=encoding,
        quoting=cast("Literal['standard', 'none'] | None", quoting),
        header=header,
        pattern=pattern,
        layout=layout,
        without=tuple(without or ()),
        objective=cast("Objective | None", objective),
        source=source,
        target=target,
        targets=None if targets is None else str(targets),
        id=identity,
        time=time,
        value=value,
        horizon=horizon,
        season=season,
        name=name,
        likelier=yes,
    )
    console = Console()
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = UNSEEN
    found = understood_or_asked(path, given, test)
    study, expected = _proposed(path, found, minutes, metric, rnn, console)
    if dry_run:
        console.print("\nnothing was written, since this is a --dry-run", highlight=False)
        return
    left = _write(found.name, study, keep_as, console)
    course.expect(expected)
    if not run:
        _next(left, console)
        return
    from gatewise.cli import tracking

    console.print()
    tracking.repro()  # ends with the answer, the page, and what comes next


def _check(
    name: str | None,
    metric: str | None,
    quoting: str | None,
    objective: str | None,
    *,
    dry_run: bool,
) -> None:
    """Refuse what was typed wrongly before a look at the data takes its time."""
    from gatewise.config.objectives import DEFAULT, objective_class, objective_kinds
    from gatewise.config.strict import suggest
    from gatewise.config.study import LONGEST_NAME, NAME

    if name is not None and (not NAME.fullmatch(name) or len(name) > LONGEST_NAME):
        raise GatewiseError(
            f"--name: {name!r} cannot be a name: use lower-case letters, digits and single dashes"
        )
    kinds = objective_kinds()
    if objective is not None and objective not in kinds:
        raise GatewiseError(
            f"--objective: unknown objective {objective!r}{suggest(objective, kinds)}"
        )
    known = [
        one
        for kind in ([objective] if objective else kinds)
        for one in (_in_points() if kind == DEFAULT else objective_class(kind).metrics)
    ]
    if metric is not None and metric not in known:
        raise GatewiseError(f"--metric: {metric!r} cannot be chosen here{suggest(metric, known)}")
    if quoting not in (None, "standard", "none"):
        raise GatewiseError(f"--quoting: {quoting!r}; allowed: standard, none")
    if not dry_run and not all(Path(file).is_file() for file in ("dvc.yaml", "params.yaml")):
        raise GatewiseError(
            "no dvc.yaml or params.yaml here; run from the project's folder, where the study is "
            "written, or give --dry-run"
        )


def _in_points() -> list[str]:
    """Metrics of labels for which a tolerance in points can be chosen.

    One in nats is for people to choose, in params.yaml.
    """
    from gatewise.config.metrics import METRICS, PERCENT
    from gatewise.config.objectives import DEFAULT, objective_class

    metrics = objective_class(DEFAULT).metrics
    return [known for known in metrics if METRICS[known].unit is PERCENT]


# --- understanding -------------------------------------------------------------------------


def understood_or_asked(path: Path, given: Options, test: Path | None) -> Understanding:
    """What is understood; on a terminal a person settles what can be read in two ways.

    Raises:
        Ambiguous: it can, and there is no terminal to ask at.
        GatewiseError: no study can be made of the data.
    """
    from gatewise.data.understanding import Ambiguous, understand

    for _ in range(MOST_QUESTIONS):
        try:
            with _doing() as say:
                return understand(path, given, test, say)
        except Ambiguous as question:
            if not (sys.stdin.isatty() and sys.stderr.isatty()):
                raise
            given = replace(given, **_ask(question))
    raise GatewiseError(f"{path}: too many questions; say more with the options")


def _ask(question: Ambiguous) -> dict[str, Any]:
    """Let a person choose one of the readings."""
    print(f"\n{question.question}:", file=sys.stderr)
    for number, reading in enumerate(question.readings, 1):
        print(f"  {number}  {reading.said}", file=sys.stderr)
    while True:
        chosen: int = typer.prompt("which", default=1, type=int, err=True)
        if 1 <= chosen <= len(question.readings):
            return dict(question.readings[chosen - 1].choice)
        print(f"  there is no {chosen} among them", file=sys.stderr)


@contextmanager
def _doing() -> Iterator[Callable[[str], None]]:
    """A line on stderr that says what is being done; gone afterwards on a terminal."""
    from rich.console import Console

    # The stream itself, since what libraries print is caught in between.
    console = Console(file=sys.stderr)
    if not console.is_terminal:
        yield lambda said: print(f"{said} ...", file=console.file, flush=True)
        return
    with console.status("looking") as line:
        yield line.update


# --- the study -----------------------------------------------------------------------------


def _proposed(
    path: Path,
    found: Understanding,
    minutes: float,
    metric: str | None,
    rnn: bool,
    console: Console,
) -> tuple[str, dict[str, float]]:
    """The text of the study, printed together with what it rests on, and its stages' seconds."""
    from gatewise.cli import understood
    from gatewise.repro.studies import proposal, writing

    understood.show(path, found, console)
    with _doing() as say:
        say("choosing settings, and timing a few steps on this machine")
        proposed = proposal.propose(found, minutes, metric=metric, rnn=rnn)
        text = writing.render(proposed)
    console.print()
    for line in text.splitlines():
        _print_line(line, console)
    expected = proposed.budget.total_seconds / 60
    told = f"about {expected:.0f} minutes" if expected >= 1.5 else "about a minute"
    beyond = "" if expected <= minutes * 1.1 else f", more than the {minutes:g} asked for"
    console.print(f"\nuntil its first answer it takes {told} here{beyond}", highlight=False)
    return text, proposed.budget.stage_seconds(found.name, proposed.study.variants)


def _print_line(line: str, console: Console) -> None:
    """One line of YAML, its comment dimmed."""
    from rich.text import Text

    place = 0 if line.lstrip().startswith("#") else line.find("  # ")
    shown = Text(line)
    if place >= 0:
        shown.stylize("dim", place)
    console.print(shown, soft_wrap=True, highlight=False)


def _write(name: str, study: str, keep_as: str | None, console: Console) -> str | None:
    """Write the study; gives the name under which the one that was here is kept."""
    from gatewise.repro.studies import kept

    called, left = kept.begin(name, study, keep_as)
    if left is None:
        console.print(f"\nparams.yaml has this study already ({called})", highlight=False)
    else:
        console.print(
            f"\nparams.yaml is the study {called} now; the one before is kept as {left}",
            highlight=False,
        )
    return left


def _next(left: str | None, console: Console) -> None:
    """The three commands that come next."""
    from rich.table import Table

    commands = [
        ("gatewise repro", "run it, and answer"),
        ("gatewise plan", "what it can tell, and how long it takes"),
        (f"gatewise use {left}", "bring back the study that was here before")
        if left
        else ("gatewise use", "list the studies that are kept"),
    ]
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="bold")
    grid.add_column(overflow="fold")
    for command, what in commands:
        grid.add_row(f"  {command}", what)
    console.print("\nnext:")
    console.print(grid)
