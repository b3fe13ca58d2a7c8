"""A team's server for real: PostgreSQL behind `mlflow server`, artifacts in S3, many writers."""

import threading

import pytest

from gatewise.artifacts import runs
from gatewise.artifacts.runs import RunRecord
from gatewise.config import TrackingConfig, VariantConfig
from gatewise.tracking.connection import TrackingError
from gatewise.tracking.content import CURVES, from_folder
from gatewise.tracking.mirror import check, mirror
from gatewise.tracking.names import curve
from gatewise.tracking.store import Store
from gatewise.tracking.writer import Writer

from .conftest import write_run
from .servers import MlflowServer, objects, postgres, postgres_programs, s3

WORKERS = 8
BUCKET = "gatewise"
GRU = VariantConfig(cell="gru", hidden=16)


class Worker(threading.Thread):
    """One stage's writer, fed with one run epoch by epoch."""

    def __init__(self, config, folder, middle: threading.Barrier):
        super().__init__()
        self.said = []
        self.folder = folder
        self.middle = middle
        self.record = RunRecord.read(folder)
        opening = {
            "config": config.model_dump(),
            "task": "digits",
            "variant": self.record.variant,
            "data_digest": "d" * 64,
        }
        self.writer = Writer(opening, self.said.append)

    def run(self):
        started = {"event": "run_started", "seed": 0, "key": self.record.key, "params": {}}
        self.writer.take([started])
        metrics = from_folder(self.folder).metrics
        for epoch in range(1, self.record.epochs_run + 1):
            if epoch == 3:
                self.middle.wait()  # the server is killed here
                self.middle.wait()
            values = {column: metrics[curve(column), epoch] for column in CURVES}
            event = {"event": "epoch", "seed": 0, "epoch": epoch, "values": values}
            self.writer.take([event])
        self.writer.take([{"event": "run_finished", "seed": 0, "folder": str(self.folder)}])
        self.writer.close()


@pytest.mark.slow
@pytest.mark.skipif(postgres_programs() is None, reason="PostgreSQL is not installed")
def test_what_is_mirrored_into_postgresql_is_found_there(folders, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    with postgres() as database:
        config = TrackingConfig(uri=database)
        outcome = mirror(config, folders)
        assert len(outcome.added) == 4 + 2, "each seed, and a parent for each variant"
        assert not [note for note in outcome.notes if "views" in note]
        assert check(config, folders) == []
        assert mirror(config, folders).unchanged == 4 + 2


@pytest.mark.weekly
@pytest.mark.slow
@pytest.mark.skipif(postgres_programs() is None, reason="PostgreSQL is not installed")
def test_eight_writers_a_killed_server_and_nothing_missing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    folders = [
        write_run(tmp_path / "runs", f"gru-{i}", 0, epochs=5, config=GRU) for i in range(WORKERS)
    ]
    with postgres() as database, s3(BUCKET) as environment:
        server = MlflowServer(
            tmp_path,
            *("--backend-store-uri", database),
            *("--artifacts-destination", f"s3://{BUCKET}/artifacts"),
            **environment,
        )
        try:
            server.start()
            config = TrackingConfig(uri=server.uri)
            middle = threading.Barrier(WORKERS + 1)
            workers = [Worker(config, folder, middle) for folder in folders]
            for worker in workers:
                worker.start()
            middle.wait()
            server.kill()
            middle.wait()
            for worker in workers:
                worker.join()
            # Each said in one sentence that the store is away, and at the end that it stayed so.
            for worker in workers:
                assert len(worker.said) == 2, worker.said
                assert "does not answer; training goes on" in worker.said[0]
                assert "`gatewise track` adds what is missing" in worker.said[1]

            server.start()
            found = Store(config).all_runs("digits")
            assert len(found) == WORKERS, "what was written before the kill is there, once"
            assert {run.info.status for run in found.values()} == {"RUNNING"}
            outcome = mirror(config, "runs")
            assert sorted(outcome.completed) == [f"digits/gru-{i}/seed-0" for i in range(WORKERS)]
            assert sorted(outcome.added) == [f"digits/gru-{i}" for i in range(WORKERS)]
            assert check(config, "runs") == []
            assert mirror(config, "runs").unchanged == 2 * WORKERS
            stored = objects(environment).list_objects_v2(Bucket=BUCKET)["Contents"]
            names = [item["Key"].rsplit("/", 1)[1] for item in stored]
            assert names.count("curves.svg") == WORKERS
            assert names.count(runs.RECORD) == WORKERS
        finally:
            server.kill()


@pytest.mark.weekly
@pytest.mark.slow
def test_a_server_with_passwords_refuses_strangers(empty_store, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    write_run(tmp_path / "runs", "gru", 0)
    (tmp_path / "auth.ini").write_text(
        "[mlflow]\n"
        "default_permission = READ\n"
        f"database_uri = sqlite:///{tmp_path}/auth.db\n"
        "admin_username = admin\n"
        "admin_password = a-long-password\n"
    )
    (tmp_path / "mlflow.db").write_bytes(empty_store.read_bytes())
    server = MlflowServer(
        tmp_path,
        *("--backend-store-uri", f"sqlite:///{tmp_path}/mlflow.db", "--app-name", "basic-auth"),
        MLFLOW_AUTH_CONFIG_PATH=str(tmp_path / "auth.ini"),
        MLFLOW_FLASK_SERVER_SECRET_KEY="for this test",
    )
    config = TrackingConfig(uri=server.uri)
    try:
        server.start()
        with pytest.raises(TrackingError, match="wants MLFLOW_TRACKING_USERNAME"):
            mirror(config, "runs")
        monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "admin")
        monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", "wrong")
        with pytest.raises(TrackingError, match="wants MLFLOW_TRACKING_USERNAME"):
            mirror(config, "runs")
        monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", "a-long-password")
        assert mirror(config, "runs").added == ["digits/gru", "digits/gru/seed-0"]
    finally:
        server.kill()
