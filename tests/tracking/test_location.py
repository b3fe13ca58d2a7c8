"""A project that is moved or copied takes its MLflow store along."""

import shutil
import sqlite3
from pathlib import Path

import pytest

from gatewise.config import TrackingConfig
from gatewise.tracking.connection import TrackingError
from gatewise.tracking.content import Content
from gatewise.tracking.store import Store


def config_of(project: Path) -> TrackingConfig:
    return TrackingConfig(uri=f"sqlite:///{project}/mlflow.db")


def wanted(key: str, text: str = "drawn") -> Content:
    return Content(
        key=key, name=key, task="digits", kind="run", artifacts={"plot.txt": text.encode}
    )


def files(project: Path) -> list[str]:
    return sorted(p.read_text() for p in (project / "mlartifacts").rglob("plot.txt"))


def read(store: Store, key: str, target: Path) -> str:
    run = store.find("digits", key)
    assert run is not None
    target.mkdir()
    return Path(store.client.download_artifacts(run.info.run_id, "plot.txt", target)).read_text()


@pytest.fixture
def project(empty_store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project (with a space and a percent sign in its name) whose store holds one run."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    home = tmp_path / "my 100% project"
    home.mkdir()
    shutil.copy(empty_store, home / "mlflow.db")
    Store(config_of(home)).complete(wanted("first"), None)
    return home


def test_a_moved_project_writes_and_reads_where_it_is(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    moved = project.rename(tmp_path / "moved")
    store = Store(config_of(moved), create=False)
    assert read(store, "first", tmp_path / "read") == "drawn"
    store.complete(wanted("second", "new"), None)
    assert files(moved) == ["drawn", "new"]
    assert not project.exists()
    assert f"was moved from {project}" in capsys.readouterr().err
    Store(config_of(moved))
    assert capsys.readouterr().err == ""


def test_a_copy_leaves_the_original_alone(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (project / "mlflow.db").read_bytes()
    copy = Path(shutil.copytree(project, tmp_path / "copy"))
    store = Store(config_of(copy))
    assert f"was copied from {project}" in capsys.readouterr().err
    store.complete(wanted("second", "new"), None)
    assert files(copy) == ["drawn", "new"]
    assert files(project) == ["drawn"]
    assert (project / "mlflow.db").read_bytes() == before
    shutil.rmtree(project)
    assert read(store, "first", tmp_path / "read") == "drawn"


def test_a_database_without_its_artifacts_is_refused_before_anything_is_written(
    project: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    copy.mkdir()
    shutil.copy(project / "mlflow.db", copy)
    before = (copy / "mlflow.db").read_bytes()
    with pytest.raises(TrackingError, match=r"is a copy of .* whose artifacts are not here: copy"):
        Store(config_of(copy))
    assert (copy / "mlflow.db").read_bytes() == before
    assert files(project) == ["drawn"]


def test_a_checkout_behind_a_link_is_the_same(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    link = tmp_path / "link"
    link.symlink_to(project)
    Store(config_of(link)).complete(wanted("second", "new"), None)
    assert files(project) == ["drawn", "new"]
    assert capsys.readouterr().err == ""


def test_checkouts_side_by_side_keep_apart(project: Path, tmp_path: Path) -> None:
    beside = Path(shutil.copytree(project, tmp_path / "my 100% project-2"))
    one, other = Store(config_of(project)), Store(config_of(beside))
    for store, text in ((one, "mine"), (other, "theirs"), (one, "mine"), (other, "theirs")):
        store.complete(wanted(f"of {text}", text), store.find("digits", f"of {text}"))
    assert files(project) == ["drawn", "mine"]
    assert files(beside) == ["drawn", "theirs"]


def test_other_peoples_locations_are_theirs(project: Path, tmp_path: Path) -> None:
    Store(config_of(project)).client.create_experiment("other", "s3://bucket/mlartifacts/other")
    moved = project.rename(tmp_path / "moved")
    Store(config_of(moved))
    with sqlite3.connect(moved / "mlflow.db") as database:
        rows = dict(database.execute("SELECT name, artifact_location FROM experiments").fetchall())
    assert rows["other"] == "s3://bucket/mlartifacts/other"
    assert rows["gatewise/digits"] == (moved / "mlartifacts/gatewise/digits").as_uri()
