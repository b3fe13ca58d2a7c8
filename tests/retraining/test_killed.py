"""Killed at random moments and run again, a retraining ends where an undisturbed one does."""

import os
import random
import shutil
import signal
import time

import pytest

from gatewise.config import TrackingConfig
from gatewise.registry import CHAMPION, REFERENCE, Registry
from gatewise.tracking.store import Store
from tests.retraining.studies import SmallStudy, documents, write_table
from tests.tracking.conftest import empty_store  # noqa: F401

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(3600),
    pytest.mark.skipif(
        "GATEWISE_LONG" not in os.environ, reason="takes many minutes; set GATEWISE_LONG=1"
    ),
]

KILLS = int(os.environ.get("GATEWISE_KILLS", "20"))
LONGEST = float(os.environ.get("GATEWISE_KILL_WITHIN", "25"))


def prepared(project, folder, empty_store):  # noqa: F811
    """A study that was never run."""
    folder.mkdir()
    shutil.copy(empty_store, folder / "mlflow.db")
    study = SmallStudy(project, folder / "study", f"sqlite:///{folder}/mlflow.db")
    write_table(study.folder, documents(0, 240))
    study.commit("data")
    return study


def state(study, folder):
    """What must not depend on how often a retraining was killed."""
    store = Store(TrackingConfig(uri=f"sqlite:///{folder}/mlflow.db"))
    version = Registry(store, "mine").version(CHAMPION)
    runs = store.all_runs("mine")
    assert store.doubles == []
    logged = store.client.search_logged_models([store.experiment("mine")])
    versions = store.client.search_model_versions("name = 'gatewise-mine'")
    return {
        "runs": study.digests(),
        "champion": (str(version.version), version.tags["gatewise.key"], version.tags[REFERENCE]),
        "versions": len(versions),
        "store": {
            run.info.run_name: (run.info.status, run.data.metrics, run.data.params)
            for run in runs.values()
        },
        "models": sorted(model.name for model in logged),
        "check": study.gatewise("track", "--check"),
        "lock": (study.folder / "dvc.lock").read_text(),
    }


def test_a_killed_retraining_ends_where_an_undisturbed_one_does(
    project,
    tmp_path,
    empty_store,  # noqa: F811
):
    calm = prepared(project, tmp_path / "calm", empty_store)
    calm.gatewise("retrain", "--promote")
    wanted = state(calm, tmp_path / "calm")

    killed = prepared(project, tmp_path / "killed", empty_store)
    draw = random.Random(os.environ.get("GATEWISE_KILL_SEED", "0"))
    ends = []
    for _ in range(KILLS):
        process = killed.start("retrain", "--promote")
        deadline = time.monotonic() + draw.uniform(0.5, LONGEST)
        while process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.05)
        process.send_signal(signal.SIGKILL)
        ends.append(process.wait())
    assert -signal.SIGKILL in ends
    killed.gatewise("retrain", "--promote")
    assert state(killed, tmp_path / "killed") == wanted
