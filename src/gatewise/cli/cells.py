"""`gatewise cells`: the family at a glance."""

from __future__ import annotations

from typing import Annotated, NamedTuple

import typer

app = typer.Typer()

COLUMNS = ("cell", "gates", "states", "parameters", "MACs/step", "source")


class Row(NamedTuple):
    """One cell of the table; numbers are those of one layer in one direction."""

    name: str
    gates: str
    states: str
    parameters: int
    macs: int
    source: str


@app.command("cells")
def show(
    inputs: Annotated[int, typer.Option("--input", min=1, help="Features per step.")] = 40,
    hidden: Annotated[int, typer.Option("--hidden", min=1, help="Width of the state.")] = 128,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print as Markdown.")] = False,
) -> None:
    """List the recurrent cells: gates, states, parameters, multiply-accumulates, source."""
    rows = table(inputs, hidden)
    if markdown:
        print(as_markdown(rows))
        return
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    title = f"{inputs} inputs, width {hidden}, one layer, one direction"
    shown = Table(
        "cell", "parameters", "MACs/step", "states", "gates", title=title, box=SIMPLE_HEAD
    )
    for column in shown.columns[1:3]:
        column.justify = "right"
    for row in rows:
        name, gates, states, parameters, macs, source = cells_of(row)
        shown.add_row(name, parameters, macs, states, f"{gates}\n[dim]{source}[/dim]")
    Console().print(shown)


def table(inputs: int, hidden: int) -> list[Row]:
    """One row a cell, siblings together."""
    from gatewise.models import cells

    return [
        Row(
            name,
            ", ".join(kind.gates) or "none",
            ", ".join(kind.states),
            kind.parameter_count(inputs, hidden),
            kind.macs_per_step(inputs, hidden),
            kind.source,
        )
        for name in cells.names()
        for kind in [cells.get(name)]
    ]


def cells_of(row: Row) -> tuple[str, ...]:
    """A row as text."""
    return (*row[:3], f"{row.parameters:,}", f"{row.macs:,}", row.source)


def as_markdown(rows: list[Row]) -> str:
    """The table as Markdown."""
    lines = [
        f"| {' | '.join(COLUMNS)} |",
        "| --- | --- | --- | ---: | ---: | --- |",
        *(f"| `{row.name}` | {' | '.join(cells_of(row)[1:])} |" for row in rows),
    ]
    return "\n".join(lines)
