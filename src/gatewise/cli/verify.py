"""`gatewise verify`: execute runs again, cold, and compare."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gatewise.cli.gate import Reports, could_not_run

app = typer.Typer()


@app.command()
def verify(
    sample: Annotated[int, typer.Option(min=0, help="Runs to execute again, drawn at random.")] = 1,
    run: Annotated[
        list[str] | None,
        typer.Option(help="Execute this run, e.g. digits/gru/seed-3 (repeatable)."),
    ] = None,
    prepare: Annotated[
        bool, typer.Option(help="Prepare the data again, too, where the raw folder is there.")
    ] = True,
    exact: Annotated[
        bool, typer.Option("--exact", help="Nothing less than the very bits will do.")
    ] = False,
    lock: Annotated[
        bool,
        typer.Option(
            "--lock",
            help="Only say whether dvc.lock is as committed but for what the clock decides.",
        ),
    ] = False,
    drop: Annotated[
        bool,
        typer.Option(
            "--drop-orphans",
            help="Only take the stages out of dvc.lock that the pipeline no longer has.",
        ),
    ] = False,
    reports: Reports = Path("reports"),
) -> None:
    """Check what dvc.lock and run.json claim, and execute some runs again in an empty folder.

    Exit code: 0 bit-exact, or as near as another kind of machine comes; 1 different or forged;
    3 could not run.
    """
    if drop:
        _drop_orphans()
        return
    if lock:
        raise typer.Exit(_lock())
    from gatewise.delivery.verification import verify as verifying

    with could_not_run():
        outcome = verifying.verify(sample, run or (), prepare=prepare, exact=exact)
        verifying.write(outcome, reports / "verify.json")
        for one in outcome.runs:
            print(f"{one.name}: {one.level}" + "".join(f"; {said}" for said in one.details))
        said = f", {len(outcome.forged)} claims do not hold" if outcome.forged else ""
        print(
            f"{outcome.level}: {len(outcome.runs)} runs executed again, files of {outcome.checked} "
            f"runs checked{said}"
        )
    raise typer.Exit(outcome.exit_code)


def _drop_orphans() -> None:
    from gatewise.delivery.verification import committed_lock

    with could_not_run():
        dropped = committed_lock.drop_orphans()
    print(f"dropped from dvc.lock: {', '.join(dropped) or 'nothing; all its stages are present'}")


def _lock() -> int:
    """Print how the lock compares with the committed one and give the exit code."""
    from gatewise.delivery.verification import committed_lock

    with could_not_run():
        found = committed_lock.compare()
        for sentence in found.differences:
            print(sentence)
        if found.orphans:
            print(
                f"not of this pipeline any more: {', '.join(found.orphans)}; "
                "`gatewise verify --drop-orphans` takes them out"
            )
        print(found.sentence)
    return int(bool(found.differences))
