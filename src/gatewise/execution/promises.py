"""What a study can tell and how long it takes here, in lines for a terminal."""

from __future__ import annotations

from gatewise.config import Study
from gatewise.config.metrics import METRICS
from gatewise.evidence import foresight, promise_words
from gatewise.execution import capacity


def told(study: Study) -> list[str]:
    """What each task can tell: a line a sentence, beginning with the task's name."""
    return [
        f"{task}: {sentence}"
        for task, made in foresight.tasks(study)
        for sentence in promise_words.sentences(
            made, METRICS[study.tasks[task].metric], study.compare.power
        )
    ]


def time(study: Study) -> str:
    """How long training takes at most, by costs that were measured on this machine."""
    seconds = [foresight.training_seconds(study, task) for task in study.tasks]
    known = [value for value in seconds if value is not None]
    if len(known) < len(seconds):
        return "time: not known before `dvc repro profile` has measured the variants here"
    at_once = capacity.workers(study.execution.workers, study.execution.threads_per_run)
    minutes = sum(known) / at_once / 60
    return f"time: about {minutes:.1f} minutes of training steps at most, {at_once} runs at once"
