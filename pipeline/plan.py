"""Stage `plan`: params.yaml and the locks -> data/plan/."""

from __future__ import annotations

import sys
from pathlib import Path

from gatewise import config
from gatewise.artifacts import plan
from gatewise.artifacts.tuning_lock import TuningLock
from gatewise.config import Study
from gatewise.errors import GatewiseError
from pipeline import make_ahead, run


def _look_at_sources(study: Study) -> None:
    """Refuse what no source can give, of all tasks at once and not one a stage.

    What was fetched already may be good still: then it is only said.
    """
    from gatewise.data import sources

    refused = sources.refusals(study)
    fatal = [said for task, said in refused.items() if not Path("data/raw", task).exists()]
    if fatal:
        raise GatewiseError("\n".join(refused.values()))
    for said in refused.values():
        print(f"warning: {said}", file=sys.stderr)


def main(_arguments: list[str]) -> None:
    """Check the whole study and write down what each stage will do."""
    from gatewise.execution import promises
    from gatewise.models import recurrence

    study = config.load()
    for name, variant in study.variants.items():
        try:
            recurrence.check(variant)
        except GatewiseError as error:
            raise GatewiseError(f"params.yaml: variants.{name}: {error}") from None
    _look_at_sources(study)
    plan.write(study, kept=TuningLock.read().settings)
    print(
        f"{study.runs} runs: {len(study.tasks)} tasks ({', '.join(study.tasks)}) x "
        f"{len(study.variants)} variants ({', '.join(study.variants)}) x "
        f"{len(study.seed_list)} seeds{' at most' if study.looks else ''}"
    )
    # What happens to be there already is only looked at for this.
    for line in promises.told(study):
        print(line)
    make_ahead(anew=True)


if __name__ == "__main__":
    run(main)
