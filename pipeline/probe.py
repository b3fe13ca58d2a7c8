"""Stage `probe`: the study's variants -> reports/probes/probes.json."""

from __future__ import annotations

from gatewise import config
from gatewise.files import cores, write_json
from pipeline import run


def main(_arguments: list[str]) -> None:
    """Probe the memory of every variant, a few processes side by side."""
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor

    from gatewise import probes

    study = config.load()
    jobs = [(variant, seed) for variant in study.variants for seed in range(study.probes.seeds)]
    workers = cores() if study.execution.workers == "auto" else study.execution.workers
    # Forked from a server that has torch loaded: a worker starts at once, with no thread of ours.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["gatewise.probes"])
    with ProcessPoolExecutor(min(workers, len(jobs)), mp_context=context) as pool:
        futures = {}
        for variant, seed in jobs:
            model = study.variants[variant]
            reference = study.variants[model.match.reference] if model.match else None
            futures[variant, seed] = pool.submit(probes.probe, model, reference, study.probes, seed)
        results: dict[str, list[dict[str, object]]] = {variant: [] for variant in study.variants}
        for (variant, seed), future in futures.items():
            results[variant].append(future.result())
            print(f"probed {variant}, seed {seed}", flush=True)
    write_json("reports/probes/probes.json", probes.summarise(results, study.probes))


if __name__ == "__main__":
    run(main)
