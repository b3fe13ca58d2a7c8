"""The command line: `gatewise ...`. Each group of commands lives in a module of its own."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from gatewise import __version__
from gatewise.cli import (
    cells,
    data,
    gate,
    models,
    new,
    plan,
    predict,
    retrain,
    tracking,
    tune,
    use,
    verify,
)
from gatewise.errors import GatewiseError, in_words
from gatewise.training import instructions

app = typer.Typer(
    name="gatewise",
    help="LSTM or GRU for your data? Run the study with `dvc repro`; everything else is here.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(tracking.app)
app.add_typer(data.app)
app.add_typer(predict.app)
app.add_typer(models.app)
app.add_typer(gate.app)
app.add_typer(retrain.app)
app.add_typer(verify.app)
app.add_typer(cells.app)
app.add_typer(plan.app)
app.add_typer(tune.app)
app.add_typer(new.app)
app.add_typer(use.app)


def _version(wanted: bool) -> None:
    if wanted:
        print(f"gatewise {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Nothing but options that stand before a command."""


@app.command()
def config(
    check: Annotated[Path | None, typer.Argument(help="Study to check, e.g. params.yaml.")] = None,
) -> None:
    """Explain every key of params.yaml, or check a file."""
    from gatewise import config as configuration

    if check is not None:
        study = configuration.load(check)
        print(f"{check}: fine; {study.runs} runs")
        return
    from rich import print as show

    from gatewise.cli.config import reference

    show(reference())


@app.command()
def show() -> None:
    """Print the study's results and verdicts as a table."""
    from gatewise.artifacts.comparison import Comparison
    from gatewise.report import table

    table.show(Comparison.read("reports/comparison.json"))


def main() -> None:
    """Run the command line; mistakes that users can mend end in one sentence."""
    instructions.use(instructions.wanted())
    try:
        with in_words():
            app()
    except GatewiseError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(130)


if __name__ == "__main__":
    main()
