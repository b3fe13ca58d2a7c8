"""`gatewise retrain`: new data in, a defended champion out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gatewise.cli.gate import Reference, Reports, could_not_run

app = typer.Typer()


@app.command()
def retrain(
    against: Reference = "champion",
    promote: Annotated[
        bool, typer.Option("--promote", help="Move the champion if the gate says so.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would run and why; change nothing.")
    ] = False,
    step: Annotated[
        list[str] | None,
        typer.Option(
            help="Only this step (repeatable): restore, repro, track, gate, push, promote."
        ),
    ] = None,
    tune: Annotated[
        bool, typer.Option("--tune", help="Tune anew on new data; else choices are kept.")
    ] = False,
    seeds: Annotated[
        int | None, typer.Option(min=1, help="Train this many seeds; written to params.yaml.")
    ] = None,
    reports: Reports = Path("reports"),
) -> None:
    """Restore, run the study, mirror it, gate it, push it and, if asked to, promote.

    Exit code: 0 pass, 1 regression, 2 undecided, 3 could not run. Killed at any moment, run it
    again: it goes on where it was.
    """
    from gatewise.delivery.retraining import preview, report, steps
    from gatewise.errors import GatewiseError

    wanted = step or list(steps.STEPS)
    with could_not_run():
        unknown = [name for name in wanted if name not in steps.STEPS]
        if unknown:
            raise GatewiseError(f"no step {unknown[0]!r}; there are {', '.join(steps.STEPS)}")
        if dry_run:
            for sentence in preview.sentences(preview.foresee(), promote, against):
                print(sentence)
            return
    done = steps.Retraining(against, promote, tune, reports, say=_say)
    with could_not_run(), steps.exclusive():
        try:
            done.run(wanted, seeds)
        finally:
            report.write(done)
    if done.shown:
        print(done.shown)
    raise typer.Exit(done.exit_code)


def _say(sentence: str) -> None:
    print(sentence, flush=True)
