"""`gatewise plan`: what the study can tell, before it is trained."""

from __future__ import annotations

import typer

app = typer.Typer()


@app.command()
def plan() -> None:
    """Say what the study can tell with its seeds and test sets, and how long it takes here.

    Nothing is run. What is known of test sets comes from prepared data, of time and scatter from
    earlier reports; what is not there yet is left out.
    """
    from gatewise import config
    from gatewise.execution import promises

    study = config.load()
    print(f"{study.runs} runs{' to begin with' if study.looks else ''}")
    for line in (*promises.told(study), promises.time(study)):
        print(line)
