"""Stage `plan`: params.yaml and the locks -> data/plan/."""

from __future__ import annotations

from gatewise import config
from gatewise.artifacts import plan
from gatewise.artifacts.tuning_lock import TuningLock
from gatewise.errors import GatewiseError
from pipeline import run


def main(_arguments: list[str]) -> None:
    """Check the whole study and write down what each stage will do."""
    from gatewise.models import recurrence

    study = config.load()
    for name, variant in study.variants.items():
        try:
            recurrence.check(variant)
        except GatewiseError as error:
            raise GatewiseError(f"params.yaml: variants.{name}: {error}") from None
    plan.write(study, kept=TuningLock.read().settings)
    runs = len(study.tasks) * len(study.variants) * len(study.seed_list)
    print(
        f"{runs} runs: {len(study.tasks)} tasks ({', '.join(study.tasks)}) x "
        f"{len(study.variants)} variants ({', '.join(study.variants)}) x "
        f"{len(study.seed_list)} seeds"
    )


if __name__ == "__main__":
    run(main, light=True)
