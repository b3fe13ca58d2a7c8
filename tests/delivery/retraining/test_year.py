"""A year in minutes: one project from its first champion to a rollback, on real parts.

A real DVC remote, a real `mlflow server` process, the command line as CI calls it.
"""

import json
import re
import shutil

import pytest

from gatewise.config import TrackingConfig
from gatewise.tracking.registry import CHAMPION, Registry
from gatewise.tracking.store import Store
from tests.delivery.retraining.studies import SmallStudy, documents, write_table
from tests.tracking.conftest import empty_store  # noqa: F401
from tests.tracking.servers import MlflowServer

pytestmark = [pytest.mark.slow, pytest.mark.weekly, pytest.mark.timeout(1800)]

FEW, MANY = 240, 720
LOCALLY = [f"--step={name}" for name in ("repro", "track", "gate", "promote")]
"""Without the remote, where a month says nothing about it."""


@pytest.fixture(scope="module")
def server(empty_store, tmp_path_factory):  # noqa: F811
    folder = tmp_path_factory.mktemp("server")
    shutil.copy(empty_store, folder / "mlflow.db")
    running = MlflowServer(
        folder,
        *("--backend-store-uri", f"sqlite:///{folder}/mlflow.db"),
        *("--artifacts-destination", str(folder / "artifacts")),
    )
    try:
        running.start()
        yield running
    finally:
        running.kill()


def test_a_year(project, tmp_path, server, address):
    study = SmallStudy(project, tmp_path / "study", server.uri, address)
    registry = Registry(Store(TrackingConfig(uri=server.uri)), "mine")

    def champion():
        version = registry.version(CHAMPION)
        return None if version is None else str(version.version)

    # January: the first champion.
    write_table(study.folder, documents(0, FEW))
    study.commit("data of January")
    study.gatewise("retrain", "--promote")
    reason = study.result()["promotions"]["mine"]["reason"]
    assert reason.startswith("there was no champion; the answer's choice, ")
    assert champion() == "1"
    study.commit("results of January")
    first = study.digests()
    assert any((tmp_path / "remote").rglob("*")), "outputs were pushed"

    # February: nothing changed, so nothing runs and nothing moves.
    study.gatewise("retrain", "--promote", *LOCALLY)
    found = study.result()
    assert (found["exit_code"], found["stages_run"]) == (0, [])
    assert champion() == "1"

    # March: another machine, which has the commit and a remote to which the push was cut off.
    for name in (".dvc/cache", ".gatewise", "runs", "data", "reports"):
        shutil.rmtree(study.folder / name)
    shutil.rmtree(tmp_path / "site")
    study.git("checkout", "--", "data")
    lost = cut_off(tmp_path / "remote/files/md5")
    study.gatewise("retrain", "--promote")
    assert study.result()["stages_run"] == []
    assert all(file.is_file() for file in lost), "what was missing is made again and pushed"
    assert study.digests() == first
    assert champion() == "1"

    # May: three times as many documents. Better, so the champion moves.
    write_table(study.folder, documents(0, MANY))
    study.commit("data of May")
    assert "fetch@mine: the files at reviews.csv changed" in study.gatewise("retrain", "--dry-run")
    study.gatewise("retrain", "--promote")
    found = study.result()
    assert "train@mine-gru" in found["stages_run"]
    assert champion() == "2", found["promotions"]
    report = (study.folder / "reports/retrain.md").read_text()
    assert f"({MANY - FEW} new examples in all" in report
    assert "on examples known before" in report
    assert "was evaluated on" in report
    assert found["promotions"]["mine"]["previous"] == "1"
    study.commit("results of May")

    # August: somebody labels what is odd as dull, in the authors that train.
    rows = documents(0, MANY)
    spoilt = [
        (text, "dull" if label == "odd" and not is_held_out(author) and i % 8 else label, author)
        for i, (text, label, author) in enumerate(rows)
    ]
    write_table(study.folder, spoilt)
    study.commit("data of August")
    study.gatewise("retrain", "--promote", *LOCALLY, status=1)
    assert study.result()["verdict"] == "regression"
    assert champion() == "2"
    comment = (study.folder / "reports/retrain.md").read_text()
    assert comment.startswith("<!-- gatewise-retrain -->")
    assert "class odd fell by" in comment

    # October: mended, but trained in a hurry: half the epochs, and too few seeds to tell.
    write_table(study.folder, rows)
    params = study.params()
    params["train"]["epochs"] //= 2
    params["seeds"] = 2
    study.write_params(params)
    study.commit("data of October")
    study.gatewise("retrain", "--promote", *LOCALLY, status=2)
    (check,) = study.result()["gate"]["tasks"]["mine"]["checks"]
    assert check["verdict"] == "undecided"
    assert re.search(r"about \d+ more seeds? would settle it", check["reasons"][-1])
    assert champion() == "2"

    # A tree that differs from its commit may be gated, but never promotes.
    study.write_params({**params, "seeds": 3})
    assert "files differ from the last commit" in study.gatewise("retrain", "--promote", status=3)
    assert study.result()["exit_code"] == 3
    study.git("checkout", "params.yaml")

    # Against a revision: the runs of May, from DVC's cache.
    revision = study.git("log", "--format=%H", "--grep", "results of May").strip()
    study.gatewise("gate", "--against", revision, status=2)
    found = json.loads((study.folder / "reports/gate.json").read_text())
    assert found["against"] == f"revision {revision[:9]}"

    # December: the champion before, again.
    study.gatewise("rollback", "mine")
    assert champion() == "1"
    weights = registry.version(CHAMPION).tags["gatewise.weights_sha256"]
    assert weights in {digest for digest, _ in first.values()}

    # A remote that does not answer is one sentence, and nothing else happens.
    study.call("dvc", "remote", "modify", "shared", "url", "http://127.0.0.1:9/nothing")
    for name in (".dvc/cache", "runs"):
        shutil.rmtree(study.folder / name)
    printed = study.gatewise("retrain", status=3)
    assert "error: dvc pull: http://127.0.0.1:9/nothing does not answer" in printed
    assert [step["name"] for step in study.result()["steps"]] == ["restore"]
    assert champion() == "1"


def cut_off(remote):
    """Take from a remote what a push of the runs would have brought last; says what that is."""
    listing = max(remote.rglob("*.dir"), key=lambda path: path.stat().st_size)
    files = [entry["md5"] for entry in json.loads(listing.read_text())]
    # Files are pushed first, the list of a folder's files last.
    lost = [*(remote / md5[:2] / md5[2:] for md5 in files[::2]), listing]
    for file in lost:
        file.unlink(missing_ok=True)  # equal files are one
    return lost


def is_held_out(author):
    """Whether an author's documents are test examples."""
    from gatewise.artifacts.splits import position

    return position(author) < 0.35
