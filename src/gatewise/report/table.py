"""The table that ends `dvc repro`."""

from __future__ import annotations

from rich.console import Console, Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from gatewise.artifacts.comparison import Comparison, TaskComparison
from gatewise.report import tuning_words, words


def show(comparison: Comparison, console: Console | None = None) -> None:
    """Print the comparison for a person: variants and verdicts by task, then the answers."""
    # Without a terminal rich assumes 80 columns, which would break most rows in two.
    console = console or Console()
    if not console.is_terminal:
        console.width = 120
    for name, task in comparison.tasks.items():
        console.print()
        console.print(Text(words.title(name, task), style="bold"))
        console.print(Padding(Group(_variants(task), _pairs(task)), (0, 0, 0, 1)))
        for sentence in tuning_words.sentences(task):
            console.print(Text(f" {sentence}"))
        for warning in words.warnings(task):
            console.print(Text(f" ! {warning}", style="yellow"))
    for warning in comparison.warnings:
        console.print(Text(f"! {warning}", style="yellow"))
    console.print(Text(words.footnote(comparison), style="dim"))
    console.print()
    for name, task in comparison.tasks.items():
        console.print(
            Text.assemble((f"answer {name}: ", "bold"), words.taken(task)), soft_wrap=True
        )


def _variants(task: TaskComparison) -> Table:
    metric = task.metric.definition
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("variant")
    for heading in (
        words.heading(task.metric),
        "interval",
        "seeds",
        "parameters",
        "MACs/step",
        "s/epoch",
    ):
        table.add_column(heading, justify="right")
    for name, variant in task.variants.items():
        table.add_row(
            name,
            words.score(variant, metric),
            words.interval(variant.ci, metric),
            str(len(variant.values)),
            words.count(variant.parameters),
            words.count(variant.macs_per_step),
            words.number(variant.train_seconds_per_epoch),
        )
    for baseline in task.baselines.values():
        table.add_row(
            baseline.title,
            words.score(baseline, metric),
            words.interval(baseline.ci, metric),
            str(len(baseline.values)),
            style="dim",
        )
    return table


def _pairs(task: TaskComparison) -> Table:
    metric = task.metric.definition
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("pair")
    table.add_column(metric.unit.difference, justify="right")
    table.add_column("interval", justify="right")
    table.add_column("p", justify="right")
    table.add_column("")
    table.add_column("verdict")
    for pair in task.pairs:
        table.add_row(
            f"{pair.a} - {pair.b}",
            words.difference(pair.difference, metric),
            words.difference_interval(pair.ci, metric),
            words.deciding_p(pair),
            pair.rank,
            Text(words.verdict(pair), style="bold" if pair.primary else ""),
            style="" if pair.primary else "dim",
        )
    return table
