"""Stage `plan`: params.yaml -> data/plan/<task>/<variant>.json."""

from __future__ import annotations

from gatewise import config, plan
from pipeline import run


def main(_arguments: list[str]) -> None:
    """Check the whole study and write down what each run will be."""
    study = config.load()
    plans = plan.lay_out(study)
    plan.write(plans)
    runs = sum(len(p.seeds) for p in plans)
    print(
        f"{runs} runs: {len(study.tasks)} tasks ({', '.join(study.tasks)}) x "
        f"{len(study.variants)} variants ({', '.join(study.variants)}) x "
        f"{len(study.seed_list)} seeds"
    )


if __name__ == "__main__":
    run(main)
