"""Killed at random moments and run again, a retraining ends where an undisturbed one does."""

import contextlib
import os
import random
import shutil
import signal
import subprocess
import time

import pytest

from gatewise.config import TrackingConfig
from gatewise.tracking.registry import CHAMPION, REFERENCE, Registry
from gatewise.tracking.store import Store
from tests.delivery.retraining.studies import SmallStudy, documents, write_table
from tests.tracking.conftest import empty_store  # noqa: F401

pytestmark = [pytest.mark.slow, pytest.mark.weekly, pytest.mark.timeout(3600)]

LONG = "GATEWISE_LONG" in os.environ
"""Many kills, and every command a process of its own from the start, as on a user's machine."""
KILLS = int(os.environ.get("GATEWISE_KILLS", "20" if LONG else "3"))
SEED = os.environ.get("GATEWISE_KILL_SEED", "0")


def prepared(project, folder, empty_store, address):  # noqa: F811
    """A study that was never run."""
    folder.mkdir()
    shutil.copy(empty_store, folder / "mlflow.db")
    store = f"sqlite:///{folder}/mlflow.db"
    study = SmallStudy(project, folder / "study", store, None if LONG else address)
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
    address,
):
    calm = prepared(project, tmp_path / "calm", empty_store, address)
    began = time.monotonic()
    calm.gatewise("retrain", "--promote")
    lasts = time.monotonic() - began
    wanted = state(calm, tmp_path / "calm")

    killed = prepared(project, tmp_path / "killed", empty_store, address)
    draw = random.Random(SEED)
    kills = 0
    while kills < KILLS:
        process = killed.start("retrain", "--promote")
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(draw.uniform(0, lasts))
        process.kill()
        if process.wait() == -signal.SIGKILL:
            kills += 1
        else:  # it got through in spite of those before: once more from the start
            assert state(killed, tmp_path / "killed") == wanted
            forget(killed)
    killed.gatewise("retrain", "--promote")
    assert state(killed, tmp_path / "killed") == wanted


def forget(study):
    """Leave what a clone has that nobody pushed for; the store is another machine's."""
    for name in (".dvc/cache", ".gatewise", "runs", "data", "reports", "../remote", "../site"):
        shutil.rmtree(study.folder / name, ignore_errors=True)
    study.git("checkout", "--", "data")
    (study.folder / "dvc.lock").unlink()
