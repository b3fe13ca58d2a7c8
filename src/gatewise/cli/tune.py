"""`gatewise tune --show`: the trials of a task as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from gatewise.errors import GatewiseError

if TYPE_CHECKING:
    from rich.table import Table

    from gatewise.artifacts.tuned import Choice, Trial, Tuned
    from gatewise.config.metrics import Metric

app = typer.Typer()


@app.command("tune")
def tune(
    show: Annotated[str, typer.Option(help="Task whose trials to print.", metavar="TASK")],
    variant: Annotated[str | None, typer.Option(help="Only this variant's.")] = None,
) -> None:
    """Print what the `tune` stage tried and chose; `dvc repro` does the tuning."""
    from rich.console import Console

    console = Console()
    if not console.is_terminal:
        console.width = 120
    for one in read(show, variant):
        console.print()
        for title, choice in choices(one):
            console.print(table(one, title, choice))


def read(task: str, variant: str | None = None) -> list[Tuned]:
    """What the stage left for the task's variants.

    Raises:
        GatewiseError: no such task or variant was tuned.
    """
    from gatewise.artifacts import tuned
    from gatewise.config.strict import suggest

    root = tuned.path(task, "any").parent
    tasks = sorted(folder.name for folder in root.parent.glob("*") if folder.is_dir())
    if task not in tasks:
        hint = suggest(task, tasks) if tasks else "; run `dvc repro tune`"
        raise GatewiseError(f"{root}: missing, so {task!r} was not tuned{hint}")
    variants = sorted(path.stem for path in root.glob("*.json"))
    if variant is not None and variant not in variants:
        raise GatewiseError(f"{variant!r} was not tuned on {task}{suggest(variant, variants)}")
    wanted = variants if variant is None else [variant]
    return [tuned.Tuned.read(tuned.path(task, name)) for name in wanted]


def choices(tuned: Tuned) -> list[tuple[str, Choice | None]]:
    """Each choice with its title: one, or one a seed of the study."""
    name = f"{tuned.task}/{tuned.variant}"
    if tuned.by_seed:
        return [(f"{name}, seed {seed}", choice) for seed, choice in tuned.by_seed.items()]
    return [(name, tuned.choice)]


def table(tuned: Tuned, title: str, choice: Choice | None) -> Table | str:
    """The trials of a choice, the chosen one marked; a sentence where nothing was tried."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    from gatewise.config.metrics import METRICS
    from gatewise.config.tuning import show
    from gatewise.report.tuning_words import another

    if tuned.kept is not None:
        kept = ", ".join(f"{name} {show(value)}" for name, value in tuned.kept.items())
        return f"{title}: {kept}, kept from tuning on earlier data"
    if choice is None:
        return f"{title}: nothing was tried; settings are those that params.yaml declares"
    metric = METRICS[tuned.metric]
    shown = Table(
        "trial",
        *tuned.space,
        f"validation {metric.title}",
        "seeds",
        "outcome",
        title=title,
        box=SIMPLE_HEAD,
        caption=f"chance of another choice: {another(choice.chance_of_another)}",
    )
    for trial in choice.trials:
        shown.add_row(*row(tuned, choice, trial, metric))
    return shown


def row(tuned: Tuned, choice: Choice, trial: Trial, metric: Metric) -> list[str]:
    """One trial in words."""
    from gatewise.config import tuning

    name = "declared" if trial.number == 0 else str(trial.number)
    values = [
        tuning.show(trial.settings[setting]) if setting in trial.settings else "not set"
        for setting in tuned.space
    ]
    outcome = f"{trial.status}: {trial.note}" if trial.note else trial.status
    if trial.number == choice.chosen:
        edges = f", at the edge in {', '.join(choice.at_edge)}" if choice.at_edge else ""
        outcome = f"chosen{edges}"
    mean = "" if trial.mean is None else metric.show(trial.mean)
    scores = " ".join(map(metric.number, trial.scores))
    return [name, *values, mean, scores, outcome]
