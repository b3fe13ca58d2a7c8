"""How long MLflow's server takes to answer what each view asks, with 1,000 runs in the store.

The runs of one task, 50 epochs each, go into a SQLite store with everything but their files.
`gatewise ui` serves it, and the requests that the page sends for a view are sent: one after
another the experiment, its data sets and logged models, and the first hundred runs with the view's
filter and order; then, for charts of curves, the history of each metric of those runs, side by
side as the page asks for them.

    python -m benchmarks.views [--quick]
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import requests

from benchmarks import mirror as mirroring
from benchmarks.result import Result, main, measured
from gatewise.artifacts import runs
from gatewise.config import TrackingConfig
from gatewise.config.metrics import METRICS
from gatewise.tracking import content, names, task_views
from gatewise.tracking.content import Content
from gatewise.tracking.store import Store
from gatewise.tracking.task_views import Shown
from gatewise.tracking.views import View

TASK, LIMIT, PORT = "digits", 3.0, 5067
SHOWN_RUNS, SHOWN_POINTS = 100, 320
"""What the page asks for: runs of a table, and points of a curve."""
CONNECTIONS = 6
"""Requests that a browser has under way with one server."""
SETTINGS = ("train.learning_rate", "config.dropout")


def made(folder: Path, count: int, epochs: int) -> Iterator[tuple[Content, str | None]]:
    """Variants and their seeds as the mirror would write them, but for files; parents by key."""
    mirroring.make(folder, mirroring.VARIANTS, epochs)
    for path, record in runs.find(folder):
        parent = content.parent_of(record)
        known = {(names.mean("test/accuracy"), 0): record.metrics["test"]["accuracy"]}
        yield replace(parent, metrics=known, artifacts={}, extras={}), None
        one = content.from_folder(path)
        for seed in range(count // mirroring.VARIANTS):
            yield _seed(one, seed), parent.key


def _seed(one: Content, seed: int) -> Content:
    """Another seed of a run, with scores of its own; one in five is a trial."""
    kind = "run" if seed % 5 else "trial"
    tags = {**one.tags, "gatewise.seed": str(seed)}
    moved = {key: value * (1 + seed / 1000) for key, value in one.metrics.items()}
    tried = dict.fromkeys(SETTINGS, str(0.001 * (seed + 1))) if kind == "trial" else {}
    return replace(
        one,
        key=f"{one.key}-{seed}",
        name=f"{one.name}-{seed}",
        kind=kind,
        metrics=moved,
        params={**one.params, **tried},
        tags=tags,
        artifacts={},
        extras={},
    )


def fill(folder: Path, count: int, epochs: int) -> str:
    """Fill the folder's store; returns the id of a run that passes for the champion's."""
    store = Store(TrackingConfig(uri=f"sqlite:///{folder}/mlflow.db"))
    places: dict[str, str] = {}
    for wanted, parent in made(folder / "runs", count, epochs):
        run_id, _changed = store.complete(wanted, None, places.get(parent or ""))
        places[wanted.key] = run_id
    return run_id


@contextlib.contextmanager
def served(folder: Path) -> Iterator[str]:
    """`gatewise ui` of the folder; gives its address once it answers."""
    command = [sys.executable, "-m", "gatewise.cli.main", "ui", "--no-open", "--port", str(PORT)]
    known = {k: v for k, v in os.environ.items() if not k.startswith("MLFLOW")}
    quiet = subprocess.DEVNULL
    server = subprocess.Popen(
        command, cwd=folder, env=known, stdout=quiet, stderr=quiet, start_new_session=True
    )
    base = f"http://127.0.0.1:{PORT}"
    try:
        while True:
            if server.poll() is not None:
                raise SystemExit(f"`gatewise ui` ended at once; is port {PORT} taken?")
            with contextlib.suppress(requests.RequestException):
                requests.get(f"{base}/health", timeout=5)
                break
            time.sleep(0.3)
        yield base
    finally:
        os.killpg(server.pid, 15)
        server.wait()


def ask(base: str, path: str, **request: Any) -> dict[str, Any]:
    """One request of the page's, a GET where it has `params`."""
    method = "GET" if "params" in request else "POST"
    answer = requests.request(method, f"{base}/ajax-api/2.0/mlflow/{path}", timeout=120, **request)
    answer.raise_for_status()
    found: dict[str, Any] = answer.json()
    return found


def look(base: str, number: str, view: View) -> float:
    """Seconds until all is answered that a page asks to show a view."""
    began = time.perf_counter()
    ids = [number]
    ask(base, "experiments/get", params={"experiment_id": number})
    ask(base, "experiments/search-datasets", json={"experiment_ids": ids})
    ask(base, "logged-models/search", json={"experiment_ids": ids})
    wanted = {
        "experiment_ids": ids,
        "filter": view.filter,
        "run_view_type": "ACTIVE_ONLY",
        "max_results": SHOWN_RUNS,
        "order_by": [f"{view.order_by} {'ASC' if view.ascending else 'DESC'}"],
    }
    found = [run["info"]["run_id"] for run in ask(base, "runs/search", json=wanted)["runs"]]
    curves = [name for chart in view.charts for name in chart.get("selectedMetricKeys", ())]

    def history(name: str) -> None:
        points = {"run_ids": found, "metric_key": name, "max_results": SHOWN_POINTS}
        ask(base, "metrics/get-history-bulk-interval", params=points)

    with ThreadPoolExecutor(CONNECTIONS) as side_by_side:
        list(side_by_side.map(history, curves))
    return time.perf_counter() - began


def measure(quick: bool) -> list[Result]:
    """Each view's seconds, and those of the list of experiments."""
    count, rounds = (100, 1) if quick else (1000, 5)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        champion = fill(folder, count, 50)
        shown = Shown(METRICS["accuracy"], True, True, SETTINGS, champion)
        with served(folder) as base:
            known = ask(base, "experiments/search", json={"max_results": 25})["experiments"]
            number = next(e["experiment_id"] for e in known if e["name"].endswith(TASK))
            results = [
                _result(f"view {view.name}, {count} runs", [
                    look(base, number, view) for _ in range(rounds)
                ])
                for view in task_views.of_task(shown)
            ]  # fmt: skip
            listed = [_listed(base) for _ in range(rounds)]
    return [*results, _result(f"list of experiments, {count} runs", listed)]


def _listed(base: str) -> float:
    began = time.perf_counter()
    wanted = {"max_results": 25, "order_by": ["last_update_time DESC"]}
    ask(base, "experiments/search", json=wanted)
    return time.perf_counter() - began


def _result(name: str, seconds: list[float]) -> Result:
    middle = sorted(seconds)[len(seconds) // 2]
    return measured(name, seconds, "s", what="seconds", checked=middle, limit=LIMIT)


if __name__ == "__main__":
    main(measure, __doc__)
