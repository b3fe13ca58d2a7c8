"""What `benchmarks.views` measures is what the pages would show."""

import shutil

from benchmarks import views as benchmark
from gatewise.config import TrackingConfig
from gatewise.config.metrics import METRICS
from gatewise.tracking import task_views
from gatewise.tracking.store import Store
from gatewise.tracking.task_views import Shown


def test_every_view_has_rows_to_ask_for(empty_store, tmp_path):
    shutil.copy(empty_store, tmp_path / "mlflow.db")
    champion = benchmark.fill(tmp_path, 20, 2)
    store = Store(TrackingConfig(uri=f"sqlite:///{tmp_path}/mlflow.db"))
    ids = [store.experiment(benchmark.TASK)]
    rows = {
        view.name: len(store.client.search_runs(ids, view.filter))
        for view in task_views.of_task(
            Shown(METRICS["accuracy"], tuned=benchmark.SETTINGS, champion=champion)
        )
    }
    assert rows == {
        "1 Answer": 20,  # ten variants and ten trials
        "2 Variants": 10,
        "3 Seeds": 10,
        "4 Curves": 10,
        "5 Cost": 10,
        "6 Trials": 10,
        "7 Champion": 1,
    }
