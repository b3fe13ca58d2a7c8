"""What a worker does with a job, on whatever machine and in however many processes."""

from __future__ import annotations

from gatewise.training import one_run, trial
from gatewise.training.callbacks import OnEpoch
from gatewise.training.distributed import ALONE, Group
from gatewise.training.fit import OnResume
from gatewise.training.job import Job


def carry_out(
    job: Job,
    on_epoch: OnEpoch,
    on_resume: OnResume = lambda *_: None,
    group: Group = ALONE,
) -> None:
    """Train the run of a study or of a trial; arguments and errors as `one_run.train` has them."""
    if job.trial is None:
        one_run.train(job, on_epoch, on_resume, group)
    else:
        trial.run(job, on_epoch, on_resume, group)
