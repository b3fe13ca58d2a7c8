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
    from gatewise.config.metrics import METRICS
    from gatewise.evidence import foresight, promise_words
    from gatewise.execution import capacity

    study = config.load()
    print(f"{study.runs} runs{' to begin with' if study.looks else ''}")
    seconds = []
    for task, made in foresight.tasks(study):
        metric = METRICS[study.tasks[task].metric]
        for sentence in promise_words.sentences(made, metric, study.compare.power):
            print(f"{task}: {sentence}")
        seconds.append(foresight.training_seconds(study, task))
    known = [value for value in seconds if value is not None]
    if len(known) < len(seconds):
        print("time: not known before `dvc repro profile` has measured the variants here")
        return
    at_once = capacity.workers(study.execution.workers, study.execution.threads_per_run)
    minutes = sum(known) / at_once / 60
    print(f"time: about {minutes:.1f} minutes of training steps at most, {at_once} runs at once")
