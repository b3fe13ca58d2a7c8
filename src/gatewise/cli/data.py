"""`gatewise sources` and `gatewise data check`."""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from gatewise.artifacts.data_report import DataReport

app = typer.Typer()
data = typer.Typer(help="Look at data before training on them.", no_args_is_help=True)
app.add_typer(data, name="data")

LABELS_SHOWN = 20

Column = Annotated[str | None, typer.Option(help="Name of this column.")]


@app.command()
def sources(
    kind: Annotated[str | None, typer.Argument(help="Show this source's options.")] = None,
) -> None:
    """List where data can come from: licence, size and what each source needs."""
    from rich.console import Console
    from rich.table import Table

    from gatewise import config
    from gatewise.errors import GatewiseError

    console = Console()
    if kind is not None:
        try:
            console.print(_options(config.source_class(kind)))
        except ValueError as error:
            raise GatewiseError(str(error)) from None
        return
    table = Table("source", "what", "size", "licence", "needs", show_lines=True)
    for name in config.source_kinds():
        source: Any = config.source_class(name)
        table.add_row(name, source.card.title, source.size, source.card.licence, source.needs)
    console.print(table)
    console.print("`gatewise sources NAME` lists a source's options; docs/sources.md says more.")


@data.command()
def check(
    path: Annotated[Path, typer.Argument(help="Folder of sounds or table of texts.")],
    text: Column = None,
    label: Column = None,
    group: Annotated[
        str | None, typer.Option(help="Name of this column; for a folder a pattern.")
    ] = None,
    split: Column = None,
    layout: Annotated[
        str | None, typer.Option(help="What folders mean, e.g. split/label or group/label.")
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="Pattern of file names, e.g. '(?P<label>[^_]+)_'.")
    ] = None,
    delimiter: Annotated[str | None, typer.Option(help="Of a table.")] = None,
    quoting: Annotated[str | None, typer.Option(help="Of a table: standard or none.")] = None,
    header: Annotated[
        bool | None, typer.Option("--header/--no-header", help="Whether a table has one.")
    ] = None,
    encoding: Annotated[str | None, typer.Option(help="Of a table.")] = None,
    objective: Annotated[
        str | None, typer.Option(help="classify, transcribe, generate (pairs) or forecast.")
    ] = None,
    source: Annotated[
        str | None, typer.Option(help="Of pairs: column or language that is given.")
    ] = None,
    target: Annotated[
        str | None, typer.Option(help="Of pairs: column or language that is said to it.")
    ] = None,
    targets: Annotated[
        str | None, typer.Option(help="Of pairs: file whose lines answer those of PATH.")
    ] = None,
    identity: Annotated[
        str | None, typer.Option("--id", help="Of series: column that names them.")
    ] = None,
    time: Annotated[str | None, typer.Option(help="Of series: column of times.")] = None,
    value: Annotated[str | None, typer.Option(help="Of series: column of values.")] = None,
    horizon: Annotated[int | None, typer.Option(min=1, help="Of series: steps ahead.")] = None,
    season: Annotated[int | None, typer.Option(min=1, help="Of series: steps of one.")] = None,
    allow: Annotated[
        list[str] | None, typer.Option(help="Accept this leak (repeatable): LEAK or LEAK=REASON.")
    ] = None,
    on_bad: Annotated[str, typer.Option(help="fail or skip unusable examples.")] = "fail",
    labels: Annotated[bool, typer.Option("--labels", help="List all labels, however many.")] = (
        False
    ),
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Certify any folder or file: leaks, bad files, labels. Exit 1 if it should not be used."""
    from gatewise.config.objectives import objective_kinds
    from gatewise.data import checking
    from gatewise.errors import GatewiseError

    if objective is not None and objective not in objective_kinds():
        allowed = ", ".join(objective_kinds())
        raise GatewiseError(f"--objective: {objective!r}; allowed: {allowed}")
    if on_bad not in ("fail", "skip"):
        raise GatewiseError(f"--on-bad: {on_bad!r}; allowed: fail, skip")
    if quoting not in (None, "standard", "none"):
        raise GatewiseError(f"--quoting: {quoting!r}; allowed: standard, none")
    options = {"text": text, "label": label, "group": group, "split": split, "layout": layout}
    options |= {"name": name, "delimiter": delimiter, "quoting": quoting, "encoding": encoding}
    options |= {"objective": objective, "source": source, "target": target, "targets": targets}
    options |= {"id": identity, "time": time, "value": value}
    steps = {"horizon": horizon, "season": season}
    report, wrong = checking.check(
        path, on_bad, _allowed(allow or []), header=header, **options, **steps
    )
    if as_json:
        print(json.dumps(report.plain(), indent=2, ensure_ascii=False))
    else:
        _show(path, report, len(report.all_labels) if labels else LABELS_SHOWN)
    if wrong:
        raise GatewiseError(wrong)


def _allowed(given: list[str]) -> dict[str, str]:
    """Leaks with reasons, as `--allow` names them."""
    from gatewise.config.tasks import LEAKS
    from gatewise.errors import GatewiseError

    allow = {}
    for item in given:
        leak, _, reason = item.partition("=")
        if leak not in LEAKS:
            raise GatewiseError(f"--allow: {leak!r}; allowed: {', '.join(LEAKS)}")
        allow[leak] = reason or "allowed on the command line"
    return allow


def _options(source: type[Any]) -> Any:
    from rich.table import Table

    table = Table("option", "default", "meaning", title=inspect.cleandoc(source.__doc__ or ""))
    for name, field in source.model_fields.items():
        if name != "kind":
            default = "(required)" if field.is_required() else repr(field.default)
            table.add_row(name, default, " ".join((field.description or "").split()))
    return table


def _show(path: Path, report: DataReport, most_labels: int) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    console = Console()
    labelled = f", {report.labels} labels" if report.labels else ""
    console.print(f"{path}: {report.examples} examples{labelled}, {report.groups} groups")
    counts = sorted(report.all_labels.items(), key=lambda pair: (-pair[1], pair[0]))
    shown = ", ".join(f"{label} {count}" for label, count in counts[:most_labels])
    rest = f", and {len(counts) - most_labels} more (--labels lists all)"
    if counts:
        more = rest if len(counts) > most_labels else ""
        console.print(escape(f"labels: {shown}{more}"))
    splits = Table("split", "examples", "groups")
    for name, part in (report.splits or {}).items():
        splits.add_row(name, str(part.examples), str(part.groups))
    console.print(splits)
    checks = Table("check", "violations", "claim")
    for name, check in report.certificate.items():
        if check.count is not None:
            colour = "red" if check.count else "green"
            lines = [check.claim, *filter(None, [check.how]), *(check.examples or [])]
            checks.add_row(name, f"[{colour}]{check.count}[/]", escape("\n".join(lines)))
    console.print(checks)
    for reason, number in report.skipped_by_source.items():
        console.print(f"left out: {number} ({escape(reason)})")
    if report.contradictions:
        console.print(f"contradictions: {report.contradictions} contents under several labels")
        for sentence in report.contradicting or []:
            console.print(f"  {escape(sentence)}")
    for name, some in {"unusable (skipped)": report.unusable, **report.flaws}.items():
        if some.count:
            console.print(f"{name}: {some.count}")
            for example in some.examples:
                console.print(f"  {escape(example)}")
