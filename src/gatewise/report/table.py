"""The table that ends `dvc repro`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console, Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from gatewise.report import words


def show(comparison: Mapping[str, Any], console: Console | None = None) -> None:
    """Print the comparison for a person: per task the variants, then the verdicts."""
    # Without a terminal rich assumes 80 columns, which would break most rows in two.
    console = console or Console()
    if not console.is_terminal:
        console.width = 120
    for name, task in comparison["tasks"].items():
        console.print()
        console.print(Text(words.title(name, task), style="bold"))
        console.print(Padding(Group(_variants(task), _pairs(task)), (0, 0, 0, 1)))
        for warning in task["warnings"]:
            console.print(Text(f" ! {warning}", style="yellow"))
    for warning in comparison["warnings"]:
        console.print(Text(f"! {warning}", style="yellow"))
    console.print(Text(footnote(comparison), style="dim"))


def footnote(comparison: Mapping[str, Any]) -> str:
    """How to read the table."""
    level = f"{100 * (1 - comparison['alpha']):g} %"
    return (
        f"Mean ± standard deviation over seeds; {level} BCa intervals. p: exact sign-flip test, "
        f"Holm-corrected over the {comparison['primary_tests']} primary pairs of all tasks; "
        "secondary pairs are uncorrected and exploratory. Equivalent: within "
        f"±{100 * comparison['rope']:.2g} points."
    )


def _variants(task: Mapping[str, Any]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("variant")
    for heading in (
        f"test {task['metric'].replace('_', ' ')}",
        "interval",
        "seeds",
        "parameters",
        "MACs/step",
        "s/epoch",
    ):
        table.add_column(heading, justify="right")
    for name, variant in task["variants"].items():
        table.add_row(
            name,
            words.score(variant),
            words.interval(variant["ci"]),
            str(len(variant["values"])),
            words.count(variant["parameters"]),
            words.count(variant["macs_per_step"]),
            words.number(variant["train_seconds_per_epoch"]),
        )
    for baseline in task["baselines"].values():
        scored = (baseline["title"], words.score(baseline), words.interval(baseline["ci"]))
        table.add_row(*scored, str(len(baseline["values"])), style="dim")
    return table


def _pairs(task: Mapping[str, Any]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("pair")
    table.add_column("points", justify="right")
    table.add_column("interval", justify="right")
    table.add_column("p", justify="right")
    table.add_column("")
    table.add_column("verdict")
    for pair in task["pairs"]:
        style = "" if pair["primary"] else "dim"
        table.add_row(
            f"{pair['a']} - {pair['b']}",
            words.points(pair["difference"]),
            words.interval(pair["ci"], signed=True),
            words.p_value(words.deciding_p(pair)),
            words.rank(pair),
            Text(words.verdict(pair), style="bold" if pair["primary"] else ""),
            style=style,
        )
    return table
