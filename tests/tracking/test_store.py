import shutil
import sqlite3

import pytest

from benchmarks.hardening import damage
from gatewise.config import TrackingConfig
from gatewise.tracking.connection import TrackingError, address, explained, shown
from gatewise.tracking.store import Store


def test_the_environment_wins_over_the_study(config, monkeypatch):
    assert address(config) == config.uri
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://tracking.example")
    assert address(config) == "http://tracking.example"


def test_a_relative_address_is_the_folders_own(empty_store, tmp_path, monkeypatch):
    """MLflow keeps a store open for each address, whatever folder it was opened in."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    config = TrackingConfig(uri="sqlite:///mlflow.db")
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        shutil.copy(empty_store, tmp_path / name / "mlflow.db")
        monkeypatch.chdir(tmp_path / name)
        Store(config).experiment(name)
    (found,) = (e for e in Store(config).client.search_experiments() if e.name != "Default")
    assert found.name == "gatewise/second"
    assert found.artifact_location.startswith((tmp_path / "second").as_uri())


def test_what_is_relative_stays_so_in_what_people_read(tmp_path, monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.chdir(tmp_path)
    config = TrackingConfig(uri="sqlite:///mlflow.db")
    assert address(config) == f"sqlite:///{tmp_path}/mlflow.db"
    assert shown(address(config)) == "sqlite:///mlflow.db"
    with pytest.raises(TrackingError, match=r"^mlflow\.db: there is no store yet"):
        Store(config, create=False)
    assert shown("sqlite:////elsewhere/mlflow.db") == "sqlite:////elsewhere/mlflow.db"


def test_artifacts_of_a_local_store_lie_beside_it(config, tmp_path):
    store = Store(config)
    found = store.client.get_experiment(store.experiment("digits"))
    assert found.name == "gatewise/digits"
    assert found.artifact_location == (tmp_path / "mlartifacts/gatewise/digits").as_uri()


def test_a_deleted_experiment_is_named_with_the_way_back(config):
    store = Store(config)
    store.client.delete_experiment(store.experiment("digits"))
    with pytest.raises(TrackingError, match=r"mlflow experiments restore --experiment-id \d+"):
        Store(config).experiment("digits")


def test_an_older_schema_is_refused_and_left_alone(config, tmp_path):
    with sqlite3.connect(tmp_path / "mlflow.db") as database:
        database.execute("UPDATE alembic_version SET version_num = '90e64c465722'")
    # MLflow keeps a store open per address, so another spelling opens it anew.
    with pytest.raises(TrackingError, match="mlflow db upgrade"):
        Store(TrackingConfig(uri=f"sqlite:///{tmp_path}/./mlflow.db"))


def test_a_file_that_is_no_database_is_refused(config, tmp_path):
    (tmp_path / "other.db").write_text("this is no database, however long one looks at it")
    with pytest.raises(TrackingError, match="is not a database"):
        Store(TrackingConfig(uri=f"sqlite:///{tmp_path}/other.db"))


def test_a_server_that_does_not_answer_is_one_sentence():
    with pytest.raises(TrackingError, match="does not answer") as caught:
        Store(TrackingConfig(uri="http://127.0.0.1:9"))
    assert "\n" not in str(caught.value)


def test_passwords_are_not_shown():
    assert shown("postgresql://me:secret@host/db") == "postgresql://me:...@host/db"


def test_more_than_one_batch_is_written_whole(config):
    from gatewise.tracking.content import Content

    store = Store(config)
    wanted = Content(
        key="k",
        name="big",
        task="digits",
        kind="run",
        params={f"p{i}": "1" for i in range(150)},
        metrics={("m", step): float(step) for step in range(2500)},
    )
    run_id, changed = store.complete(wanted, None)
    assert changed
    run = store.client.get_run(run_id)
    assert len(run.data.params) == 150
    assert store.history(run, wanted) == wanted.metrics


@pytest.mark.parametrize(
    ("raised", "meaning"),
    [
        ("(sqlite3.OperationalError) database or disk is full", "has no disk space left"),
        ("[Errno 28] No space left on device", "has no disk space left"),
        ("(sqlite3.OperationalError) database is locked", "is locked by another program"),
        ("Can't locate revision identified by 'abc'", "newer version of MLflow"),
        ("something nobody\nforesaw", "failed: RuntimeError: something nobody foresaw"),
    ],
)
def test_what_goes_wrong_is_one_sentence(raised, meaning):
    with pytest.raises(TrackingError, match=meaning) as caught, explained("sqlite:///mlflow.db"):
        raise RuntimeError(raised)
    assert "\n" not in str(caught.value)


def test_two_processes_may_create_one_experiment(config, monkeypatch):
    first, second = Store(config), Store(config)
    monkeypatch.setattr(second.client, "get_experiment_by_name", _late(second.client))
    assert second.experiment("digits") == first.experiment("digits")


def _late(client):
    """Sees an experiment only after the first look, as a second process may."""
    look, seen = client.get_experiment_by_name, []

    def late(name):
        seen.append(name)
        if len(seen) == 1:
            client.create_experiment(name)
            return None
        return look(name)

    return late


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("cut", "damaged; put a copy of it back"),
        ("junk", "is not a database"),
        ("another version", "is not a database"),
        ("nested deeply", "is not a database"),
        ("a folder", "a folder where a file should be"),
        ("a pipe", "not a regular file"),
        ("a link to /dev/zero", "not a regular file"),
        ("a link to nowhere", "a link to nowhere, which does not exist"),
    ],
)
def test_a_damaged_database_is_one_sentence_and_nobody_waits_for_it(
    config, tmp_path, kind, message
):
    import shutil

    place = tmp_path / "damaged" / "mlflow.db"
    place.parent.mkdir()
    shutil.copy(tmp_path / "mlflow.db", place)
    damage.spoil(place, kind)
    with pytest.raises(TrackingError, match=f"mlflow.db.*{message}") as caught:
        Store(TrackingConfig(uri=f"sqlite:///{place}")).experiment("digits")
    assert "\n" not in str(caught.value)
