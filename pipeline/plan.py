"""Stage `plan`: params.yaml -> data/plan/."""

from __future__ import annotations

from gatewise import config
from gatewise.artifacts import plan
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
    plan.write(study)
    _say(study)


def _say(study: config.Study) -> None:
    """Runs, and what they can tell; printed alone, as it looks at what happens to be there."""
    from gatewise.config.metrics import METRICS
    from gatewise.evidence import foresight, promise_words

    print(
        f"{study.runs} runs: {len(study.tasks)} tasks ({', '.join(study.tasks)}) x "
        f"{len(study.variants)} variants ({', '.join(study.variants)}) x "
        f"{len(study.seed_list)} seeds{' at most' if study.looks else ''}"
    )
    for task, made in foresight.tasks(study):
        metric = METRICS[study.tasks[task].metric]
        for sentence in promise_words.sentences(made, metric, study.compare.power):
            print(f"{task}: {sentence}")


if __name__ == "__main__":
    run(main, light=True)
