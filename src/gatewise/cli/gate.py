"""`gatewise gate`: may this be merged, may it become champion?"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from gatewise.errors import GatewiseError, in_words

app = typer.Typer()

COULD_NOT_RUN = 3

Reference = Annotated[
    str,
    typer.Option(
        "--against",
        help="`champion`, a git revision, a project folder, a run or model folder, or an archive "
        "made with --keep.",
    ),
]
Reports = Annotated[Path, typer.Option(help="Folder that reports are written to.")]


@app.command()
def gate(
    against: Reference = "champion",
    reports: Reports = Path("reports"),
    keep: Annotated[
        Path | None,
        typer.Option(help="Only write TASK-VARIANT.zip of these runs there, for a later gate."),
    ] = None,
    task: Annotated[
        list[str] | None, typer.Option(help="Compare this task alone; may be given again.")
    ] = None,
) -> None:
    """Compare this study's runs with a reference.

    Exit code: 0 pass, 1 regression, 2 undecided, 3 could not run.
    """
    with could_not_run():
        if keep is not None:
            _keep(keep)
            return
        from gatewise import config
        from gatewise.delivery.gate.report import EXIT, as_markdown
        from gatewise.delivery.gate.run import run

        result = run(against, reports, task)
        print(as_markdown(result, config.load().gate, terminal=True))
    raise typer.Exit(EXIT[result.verdict])


@contextmanager
def could_not_run() -> Iterator[None]:
    """Turn what keeps a verdict from being reached into one sentence and exit code 3."""
    try:
        with in_words():
            yield
    except GatewiseError as error:
        print(f"error: {error}", file=sys.stderr)
        raise typer.Exit(COULD_NOT_RUN) from None


def _keep(folder: Path) -> None:
    from gatewise import config
    from gatewise.delivery.gate import snapshot

    for task in config.load().tasks:
        snapshots = snapshot.read(".", task, "this study")
        if not snapshots:
            raise GatewiseError(f"runs/{task}: no finished run; run `dvc repro`")
        for variant, one in snapshots.items():
            print(snapshot.pack(one, folder / f"{task}-{variant}.zip"))
