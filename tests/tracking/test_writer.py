import queue
import threading

import pytest

from gatewise.artifacts.runs import RunRecord
from gatewise.tracking import writer as module
from gatewise.tracking.connection import TrackingError
from gatewise.tracking.content import PARENT, from_folder
from gatewise.tracking.mirror import mirror
from gatewise.tracking.names import curve
from gatewise.tracking.store import Store
from gatewise.tracking.writer import Writer

from .conftest import write_run


class Harness:
    """A writer whose store can be made to go away."""

    def __init__(self, config):
        self.said = []
        self.now = 0.0
        self.away = False
        opening = {
            "config": config.model_dump(),
            "task": "digits",
            "variant": "gru",
            "data_digest": "d" * 64,
        }
        self.writer = Writer(opening, self.said.append, self.open, lambda: self.now)

    def open(self, config):
        if self.away:
            raise TrackingError("the MLflow store does not answer")
        return Store(config)

    def lose(self):
        self.away = True
        self.writer._store = None

    def settings(self, folder):
        record = RunRecord.read(folder).model_dump(mode="json")
        return {name: record[name] for name in ("config", "train", "threads", "accelerator")}

    def started(self, folder, seed=0):
        record = RunRecord.read(folder)
        return {
            "event": "run_started",
            "seed": seed,
            "key": record.key,
            "params": self.settings(folder),
        }

    def epochs(self, folder, which, seed=0):
        metrics = from_folder(folder).metrics
        curves = ("train_loss", "learning_rate")
        return [
            {
                "event": "epoch",
                "seed": seed,
                "epoch": epoch,
                "values": {name: metrics[curve(name), epoch] for name in curves} | {"seconds": 1.5},
            }
            for epoch in which
        ]

    def finished(self, folder, seed=0):
        return {"event": "run_finished", "seed": seed, "folder": str(folder)}


def only(config):
    return {run.info.run_name: run for run in Store(config).all_runs("digits").values()}


def test_a_run_is_visible_while_it_trains_and_whole_afterwards(config, tmp_path):
    folder = write_run(tmp_path / "runs")
    harness = Harness(config)
    harness.writer.take([harness.started(folder), *harness.epochs(folder, [1, 2])])
    run = only(config)["digits/gru/seed-0"]
    assert run.info.status == "RUNNING"
    assert run.data.params["config.hidden"] == "16"
    assert run.data.metrics["train/epoch_seconds"] == 1.5
    assert run.inputs.dataset_inputs[0].dataset.digest == "d" * 36
    harness.writer.take([*harness.epochs(folder, [3]), harness.finished(folder)])
    harness.writer.close()
    runs = only(config)
    assert runs["digits/gru/seed-0"].info.status == "FINISHED"
    assert runs["digits/gru/seed-0"].data.tags[PARENT] == runs["digits/gru"].info.run_id
    assert runs["digits/gru"].info.status == "FINISHED"
    assert runs["digits/gru"].data.tags["gatewise.seeds"] == "0"
    assert harness.said == []
    # Points that were logged live are not logged again.
    history = Store(config).client.get_metric_history(run.info.run_id, "train/loss")
    assert [point.step for point in history] == [1, 2, 3]


def test_the_mirror_finds_nothing_to_add_to_live_runs(config, tmp_path):
    folder = write_run(tmp_path / "runs")
    harness = Harness(config)
    harness.writer.take([harness.started(folder), *harness.epochs(folder, [1, 2, 3])])
    harness.writer.take([harness.finished(folder)])
    harness.writer.close()
    assert mirror(config, tmp_path / "runs").completed == ["digits/gru"]  # the seal
    assert mirror(config, tmp_path / "runs").unchanged == 2


def test_what_the_writer_wrote_itself_is_not_read_again(config, tmp_path, monkeypatch):
    folder = write_run(tmp_path / "runs")
    harness = Harness(config)
    harness.writer.take([harness.started(folder), *harness.epochs(folder, [1, 2, 3])])
    with monkeypatch.context() as patched:
        client = type(harness.writer._store.client)
        patched.setattr(client, "get_metric_history", lambda *_: pytest.fail("read again"))
        harness.writer.take([harness.finished(folder)])
    wanted = from_folder(folder)
    assert Store(config).hidden_gaps(wanted, only(config)[wanted.name]) == []


def test_news_is_gathered_until_the_last_of_it():
    waiting = queue.SimpleQueue()
    for epoch in (1, 2):
        waiting.put({"event": "epoch", "epoch": epoch})
    assert [event["epoch"] for event in module.gather(waiting, 0.0)] == [1, 2]
    later = threading.Timer(0.2, waiting.put, [{"event": "close"}])
    waiting.put({"event": "epoch", "epoch": 3})
    later.start()
    # Long before the minute is over.
    assert [event["event"] for event in module.gather(waiting, 60.0)] == ["epoch", "close"]
    waiting.put(None)
    assert module.gather(waiting, 60.0) == [None]


def test_training_the_same_key_again_makes_no_second_run(config, tmp_path):
    folder = write_run(tmp_path / "runs")
    for _ in range(2):
        harness = Harness(config)
        events = [harness.started(folder), *harness.epochs(folder, [1, 2, 3])]
        harness.writer.take([*events, harness.finished(folder)])
        harness.writer.close()
    assert sorted(only(config)) == ["digits/gru", "digits/gru/seed-0"]
    run = only(config)["digits/gru/seed-0"]
    history = Store(config).client.get_metric_history(run.info.run_id, "train/loss")
    assert [point.step for point in history] == [1, 2, 3]


def test_a_restored_run_arrives_without_having_started(config, tmp_path):
    folder = write_run(tmp_path / "runs")
    harness = Harness(config)
    harness.writer.take([harness.finished(folder)])
    harness.writer.close()
    assert only(config)["digits/gru/seed-0"].data.metrics["test/accuracy"] == 0.5


def test_a_failed_run_says_why_and_a_later_attempt_takes_it_over(config, tmp_path):
    folder = write_run(tmp_path / "runs")
    harness = Harness(config)
    harness.writer.take([harness.started(folder), *harness.epochs(folder, [1])])
    harness.writer.take([{"event": "run_failed", "seed": 0, "reason": "ran out of memory"}])
    harness.writer.close()
    run = only(config)["digits/gru/seed-0"]
    assert (run.info.status, run.data.tags["gatewise.reason"]) == ("FAILED", "ran out of memory")
    harness = Harness(config)
    harness.writer.take([harness.started(folder)])
    assert only(config)["digits/gru/seed-0"].info.status == "RUNNING"
    harness.writer.take([harness.finished(folder)])
    harness.writer.close()
    assert only(config)["digits/gru/seed-0"].info.status == "FINISHED"


def test_runs_left_open_are_marked_as_killed(config, tmp_path):
    folder = write_run(tmp_path / "runs")
    harness = Harness(config)
    harness.writer.take([harness.started(folder)])
    harness.writer.close()
    assert only(config)["digits/gru/seed-0"].info.status == "KILLED"


def test_a_store_that_goes_away_and_comes_back_misses_nothing(config, tmp_path):
    folder = write_run(tmp_path / "runs")
    harness = Harness(config)
    harness.writer.take([harness.started(folder), *harness.epochs(folder, [1])])
    harness.lose()
    harness.writer.take(harness.epochs(folder, [2]))
    harness.away = False
    harness.now += module.RETRY_SECONDS + 1
    harness.writer.take([*harness.epochs(folder, [3]), harness.finished(folder)])
    harness.writer.close()
    run = only(config)["digits/gru/seed-0"]
    history = Store(config).client.get_metric_history(run.info.run_id, "train/loss")
    assert sorted(point.step for point in history) == [1, 2, 3]
    assert harness.said == ["the MLflow store does not answer; training goes on"]


def test_a_store_that_stays_away_is_mentioned_and_the_mirror_delivers(config, tmp_path):
    folder = write_run(tmp_path / "runs")
    harness = Harness(config)
    harness.away = True
    harness.writer.take([harness.started(folder), *harness.epochs(folder, [1, 2, 3])])
    harness.writer.take([harness.finished(folder)])
    harness.writer.close()
    assert len(harness.said) == 2
    assert "training goes on" in harness.said[0]
    assert "`gatewise track` adds what is missing" in harness.said[1]
    assert mirror(config, tmp_path / "runs").added == ["digits/gru", "digits/gru/seed-0"]


def test_a_matched_model_logs_its_width_once_it_is_solved(config, tmp_path):
    folder = write_run(tmp_path / "runs", "gru-matched")
    harness = Harness(config)
    started = harness.started(folder)
    started["params"]["config"] |= {"hidden": None, "match": {"parameters": "lstm"}}
    harness.writer.variant = "gru-matched"
    harness.writer.take([started, harness.finished(folder)])
    harness.writer.close()
    assert only(config)["digits/gru-matched/seed-0"].data.params["config.hidden"] == "16"
    assert harness.said == []


def test_a_run_deleted_while_it_trains_is_written_anew(config, tmp_path):
    folder = write_run(tmp_path / "runs")
    harness = Harness(config)
    harness.writer.take([harness.started(folder), *harness.epochs(folder, [1])])
    Store(config).client.delete_run(only(config)["digits/gru/seed-0"].info.run_id)
    harness.writer.take(harness.epochs(folder, [2]))
    assert len(harness.said) == 1
    assert harness.said[0].endswith("training goes on")
    harness.writer.take([harness.finished(folder)])
    harness.writer.close()
    assert only(config)["digits/gru/seed-0"].info.status == "FINISHED"
    assert mirror(config, tmp_path / "runs").added == []


def test_system_metrics_are_logged_when_asked_for_and_bother_no_mirror(config, tmp_path):
    folder = write_run(tmp_path / "runs")
    harness = Harness(config.model_copy(update={"system_metrics": True}))
    harness.writer.take([harness.started(folder), *harness.epochs(folder, [1, 2, 3])])
    harness.writer.take([harness.finished(folder)])
    harness.writer.close()
    run = only(config)["digits/gru/seed-0"]
    held = run.data.metrics
    assert 0 <= held["system/cpu_utilization_percentage"] <= 100
    assert held["system/system_memory_usage_megabytes"] > 10
    load = Store(config).client.get_metric_history(run.info.run_id, "system/disk_usage_percentage")
    assert [point.step for point in load] == [1, 2, 3]
    assert "digits/gru/seed-0" not in mirror(config, tmp_path / "runs").completed
