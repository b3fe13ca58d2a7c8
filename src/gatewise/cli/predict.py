"""`gatewise predict`: what a model makes of files, folders, tables or texts."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from gatewise.cli.models import Model, Prepared, load
from gatewise.errors import GatewiseError

if TYPE_CHECKING:
    from rich.console import Console

    from gatewise.serving.answers import Answered, Tally
    from gatewise.serving.held_out import Wanted
    from gatewise.serving.predictor import Predictor

app = typer.Typer()

FORMATS = ("table", "jsonl", "csv")
QUOTING = ("standard", "none")
LONGEST_NAME = 60  # characters of an input that the table shows
MOST_LABELS = 20  # of a confusion matrix that is printed


@app.command()
def predict(
    model: Model,
    inputs: Annotated[
        list[Path] | None,
        typer.Argument(
            help="Sound files, images, texts (.txt), frames (.npy, .csv) or series (.npy); "
            "folders of them; or tables of texts, of files or of series."
        ),
    ] = None,
    text: Annotated[list[str] | None, typer.Option(help="A string itself.")] = None,
    labels: Annotated[
        str | None,
        typer.Option(
            help="Score the answers: from-folder, or the column of labels of a table or of a "
            "folder's metadata.csv."
        ),
    ] = None,
    column: Annotated[
        str | None, typer.Option(help="A table's column of texts (text) or paths (path).")
    ] = None,
    layout: Annotated[
        str | None,
        typer.Option(help="Score by folders: what they are, e.g. split/label or group/label."),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(help="Score by a pattern of file names, e.g. '(?P<label>[^_]+)_'."),
    ] = None,
    delimiter: Annotated[str | None, typer.Option(help="Of a table.")] = None,
    quoting: Annotated[str | None, typer.Option(help="Of a table: standard or none.")] = None,
    header: Annotated[
        bool,
        typer.Option(
            "--header/--no-header", help="Whether a table has one; columns are 1, 2, ... if not."
        ),
    ] = True,
    encoding: Annotated[str, typer.Option(help="Of a table.")] = "utf-8",
    on_bad: Annotated[
        str, typer.Option(help="What cannot be answered: fail, or skip and go on.")
    ] = "fail",
    form: Annotated[str, typer.Option("--format", help="table, jsonl or csv.")] = "table",
    prepared: Prepared = Path("data/prepared"),
    as_json: Annotated[bool, typer.Option("--json", help="As --format jsonl.")] = False,
) -> None:
    """Say what a model makes of some files, and how often it is right where labels are known."""
    from gatewise.data.sources._tables import Format
    from gatewise.serving import answers, questions

    form = "jsonl" if as_json else form
    for option, value, allowed in (
        ("--format", form, FORMATS),
        ("--on-bad", on_bad, ("fail", "skip")),
        ("--quoting", quoting, (None, *QUOTING)),
    ):
        if value not in allowed:
            raise GatewiseError(f"{option}: {value!r}; allowed: {', '.join(filter(None, allowed))}")
    if not inputs and not text:
        raise GatewiseError("nothing to predict; name files, folders or tables, or give --text")
    wanted = _wanted(labels, column, layout, name)
    predictor = load(model, prepared)
    wanted = replace(
        wanted,
        modality=predictor.card.modality,
        known=tuple(predictor.card.labels),
        several=predictor.objective.answer.several,
        how=Format(delimiter, cast("Any", quoting), header, encoding),
    )
    asked = questions.collect(inputs or (), text or (), wanted)
    with _progress(len(asked)) as advance:
        found = []
        for one in answers.ask(predictor, asked, skip=on_bad == "skip"):
            found.append(one)
            advance()
    tally = answers.Tally.of(found, predictor.card.classes)
    if form == "table":
        _print_table(predictor, found)
    elif form == "jsonl":
        for one in found:
            print(json.dumps(_plain(one), ensure_ascii=False))
    else:
        _print_csv(found)
    _sum_up(found, tally, to_stdout=form == "table")


def _wanted(labels: str | None, column: str | None, layout: str | None, name: str | None) -> Wanted:
    """Where the labels are, as the options say; what the model takes is not known yet."""
    from gatewise.data.sources._layout import Layout
    from gatewise.serving import held_out

    given = {"--labels": labels, "--layout": layout, "--name": name}
    chosen = [option for option, value in given.items() if value is not None]
    if set(chosen) == {"--labels", "--layout"} and labels == held_out.FROM_FOLDER:
        chosen = ["--layout"]  # the same, said in full
    if len(chosen) > 1:
        raise GatewiseError(f"{' and '.join(chosen)} say twice where the labels are; give one")
    try:
        return held_out.Wanted(
            "",
            labels,
            column,
            Layout.parse(layout) if layout is not None else None,
            held_out.compiled(name) if name is not None else None,
        )
    except ValueError as error:
        raise GatewiseError(f"{chosen[0]}: {error}") from None


def _plain(one: Answered) -> dict[str, object]:
    """An answer as JSON has it."""
    known = {} if one.question.truth is None else {"truth": one.question.truth}
    if one.answer is None:
        return {"input": one.question.name, **known, "error": one.error}
    return {"input": one.question.name, **known, **one.answer.plain()}


def _print_csv(found: Sequence[Answered]) -> None:
    lines = csv.writer(sys.stdout, lineterminator="\n")
    truths = any(one.question.truth is not None for one in found)
    columns = next((list(one.answer.row()) for one in found if one.answer is not None), [])
    lines.writerow(["input", *(["truth"] if truths else []), *columns, "error"])
    for one in found:
        truth = [one.question.truth or ""] if truths else []
        row = one.answer.row() if one.answer is not None else {}
        said = [row.get(column, "") for column in columns]
        lines.writerow([one.question.name, *truth, *said, one.error])


def _print_table(predictor: Predictor, found: Sequence[Answered]) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    truths = any(one.question.truth is not None for one in found)
    table = Table(caption=escape(f"{predictor.record.name}: {predictor.card.title}"))
    own = predictor.objective.answer.headings
    headings = ["input", *(["truth"] if truths else []), *own]
    for heading in headings:
        table.add_column(heading, justify="right" if heading == "probability" else "left")
    for one in found:
        name = one.question.name
        short = name if len(name) <= LONGEST_NAME else f"...{name[3 - LONGEST_NAME :]}"
        truth = [escape(one.question.truth or "")] if truths else []
        table.add_row(escape(short), *truth, *map(escape, _cells(one, len(own))))
    Console().print(table)


def _cells(one: Answered, columns: int) -> list[str]:
    if one.answer is None:
        return ["(none)", *[""] * (columns - 2), one.error]
    return list(one.answer.cells())


def _sum_up(found: Sequence[Answered], tally: Tally | None, *, to_stdout: bool) -> None:
    """Say what was skipped and how often the model is right; beside data, on stderr."""
    from rich.console import Console

    console = Console(stderr=not to_stdout)
    bad = [one for one in found if one.answer is None]
    if bad:
        console.print(
            f"{len(bad)} of {len(found)} could not be answered, e.g. {bad[0].question.name}: "
            f"{bad[0].error}",
            markup=False,
            highlight=False,
        )
    if tally is None:
        return
    console.print(
        f"accuracy {100 * tally.accuracy:.1f} % ({tally.right} of {tally.examples} right)",
        highlight=False,
    )
    if tally.strangers:
        console.print(
            f"labels that the model does not know, and so cannot get right: "
            f"{', '.join(tally.strangers)}",
            markup=False,
            highlight=False,
        )
    if 0 < len(tally.labels) <= MOST_LABELS:
        _print_confusion(console, tally)


def _print_confusion(console: Console, tally: Tally) -> None:
    from rich.markup import escape
    from rich.table import Table

    table = Table("label \\ answer", title="confusion")
    answers = [name for name in tally.labels if name not in tally.strangers]
    for name in answers:
        table.add_column(escape(name), justify="right")
    for truth in tally.labels:
        counts = [tally.confusion[truth, said] for said in answers]
        if any(counts):
            table.add_row(escape(truth), *(str(count or "") for count in counts))
    console.print(table)


@contextmanager
def _progress(total: int) -> Iterator[Callable[[], None]]:
    """A bar that leaves nothing behind, on terminals only."""
    from rich.console import Console
    from rich.progress import Progress

    with Progress(transient=True, console=Console(stderr=True)) as bar:
        task = bar.add_task("answering", total=total)
        yield lambda: bar.advance(task)
