import shutil
import sqlite3

import pytest
from filelock import FileLock

from gatewise.config import TrackingConfig
from gatewise.errors import GatewiseError
from gatewise.tracking import mirror as module
from gatewise.tracking.content import CONTENT, CURVES, PARENT
from gatewise.tracking.mirror import check, mirror
from gatewise.tracking.store import Store
from tests.evidence_runs import pair, summary, task_comparison, whole_comparison

from .conftest import write_run


def by_name(config):
    return {run.info.run_name: run for run in Store(config).all_runs("digits").values()}


def test_an_empty_store_gets_every_run_under_its_parent(config, folders):
    outcome = mirror(config, folders)
    assert sorted(outcome.added) == sorted(
        [
            "digits/gru",
            "digits/gru/seed-0",
            "digits/gru/seed-1",
            "digits/lstm",
            "digits/lstm/seed-0",
            "digits/lstm/seed-1",
        ]
    )
    runs = by_name(config)
    run, parent = runs["digits/gru/seed-1"], runs["digits/gru"]
    assert run.info.status == "FINISHED"
    assert run.data.tags[PARENT] == parent.info.run_id
    assert run.data.tags["dvc.stage"] == "train@digits-gru"
    assert run.data.params["config.hidden"] == "16"
    assert run.data.metrics["test/accuracy"] == 0.51
    assert run.data.metrics["validation/best_accuracy"] == 0.51
    assert run.data.metrics["train/best_epoch"] == 2
    assert run.inputs.dataset_inputs[0].dataset.digest == "d" * 36
    assert parent.data.metrics["test/accuracy_mean"] == pytest.approx(0.505)
    assert parent.data.metrics["test/accuracy_std"] == pytest.approx(0.0070710678)
    curve = Store(config).client.get_metric_history(run.info.run_id, "train/loss")
    assert [(point.step, point.value) for point in curve] == [
        (epoch, 1 + 1 / (epoch + 2)) for epoch in (1, 2, 3)
    ]


def test_a_second_mirror_changes_nothing(config, folders, tmp_path):
    mirror(config, folders)
    before = (tmp_path / "mlflow.db").read_bytes()
    outcome = mirror(config, folders)
    assert (outcome.added, outcome.completed, outcome.unchanged) == ([], [], 6)
    assert (tmp_path / "mlflow.db").read_bytes() == before


def test_only_what_is_missing_is_added(config, folders):
    mirror(config, folders)
    store = Store(config)
    runs = by_name(config)
    store.client.delete_run(runs["digits/gru/seed-0"].info.run_id)
    store.client.delete_tag(runs["digits/lstm/seed-1"].info.run_id, "dvc.stage")
    outcome = mirror(config, folders)
    assert outcome.added == ["digits/gru/seed-0"]
    assert outcome.completed == ["digits/lstm/seed-1"]
    assert mirror(config, folders).unchanged == 6


def test_an_added_seed_moves_the_parents_aggregates(config, folders):
    mirror(config, folders)
    write_run(folders, "gru", 2)
    outcome = mirror(config, folders)
    assert outcome.added == ["digits/gru/seed-2"]
    assert outcome.completed == ["digits/gru"]
    parent = by_name(config)["digits/gru"]
    assert parent.data.tags["gatewise.seeds"] == "0, 1, 2"
    assert parent.data.metrics["test/accuracy_mean"] == pytest.approx(0.51)


def test_seeds_of_another_augmentation_get_a_parent_of_their_own(config, tmp_path):
    mirror_of = tmp_path / "before"
    write_run(mirror_of, "gru", 0)
    mirror(config, mirror_of)
    changed = {"augment": {"time_shift": 0.2}, "plan_sha256": "of other augmentation"}
    write_run(tmp_path / "after", "gru", 1, key="other", **changed)
    mirror(config, tmp_path / "after")
    runs = list(Store(config).all_runs("digits").values())
    assert sorted(run.info.run_name for run in runs) == ["digits/gru"] * 2 + [
        "digits/gru/seed-0",
        "digits/gru/seed-1",
    ]
    shift = [run.data.params.get("augment.time_shift") for run in runs]
    assert sorted(filter(None, shift)) == ["0.2", "0.2"]  # the later parent and its seed
    assert len({run.data.tags.get(PARENT) for run in runs}) == 3  # none, and two parents


def test_a_parameter_changed_behind_our_back_is_reported(config, folders):
    store = Store(config)
    mirror(config, folders)
    run = by_name(config)["digits/gru/seed-0"]
    store.client.delete_tag(run.info.run_id, CONTENT)
    write_run(folders.parent / "other", "gru", 0, threads=2)
    with pytest.raises(GatewiseError, match=r"holds threads = '1' where the run's folder says '2'"):
        mirror(config, folders.parent / "other")


def test_non_finite_metrics_are_kept_and_stay_equal(config, tmp_path):
    folder = write_run(tmp_path / "runs", "gru", 0, epochs=1)
    path = folder / "curves.csv"
    path.write_text(",".join(["epoch", *CURVES]) + "\n1,0.1,inf,nan,1,1,1\n")
    mirror(config, tmp_path / "runs")
    assert mirror(config, tmp_path / "runs").unchanged == 2


def test_two_mirrors_do_not_work_at_once(config, folders, tmp_path):
    lock = tmp_path / ".gatewise" / "track.lock"
    lock.parent.mkdir()
    with FileLock(lock), pytest.raises(GatewiseError, match="another `gatewise track`"):
        mirror(config, folders, lock=lock)


def test_no_runs_is_an_error(config, tmp_path):
    with pytest.raises(GatewiseError, match="no finished runs"):
        mirror(config, tmp_path / "nothing")
    assert module.LOCK.name == "track.lock"


def test_check_names_every_kind_of_difference_and_writes_nothing(config, folders, tmp_path):
    mirror(config, folders)
    assert check(config, folders) == []
    store = Store(config)
    runs = by_name(config)
    one, two = runs["digits/gru/seed-0"].info.run_id, runs["digits/gru/seed-1"].info.run_id
    with sqlite3.connect(tmp_path / "mlflow.db") as database:
        database.execute(
            "DELETE FROM metrics WHERE run_uuid = ? AND key = 'train/loss' AND step = 2", (one,)
        )
        database.execute("DELETE FROM metrics WHERE run_uuid = ? AND key = 'test/loss'", (two,))
        database.execute(
            "DELETE FROM latest_metrics WHERE run_uuid = ? AND key = 'test/loss'", (two,)
        )
    store.client.delete_tag(two, "dvc.stage")
    store.client.delete_run(runs["digits/lstm/seed-0"].info.run_id)
    shutil.rmtree(tmp_path / "mlartifacts/gatewise/digits" / one)
    before = (tmp_path / "mlflow.db").read_bytes()
    assert sorted(check(config, folders)) == [
        "digits/gru/seed-0: metric train/loss at step 2, artifact curves.svg, artifact run.json",
        "digits/gru/seed-1: tag dvc.stage, metric test/loss",
        "digits/lstm/seed-0: not in the store",
    ]
    assert (tmp_path / "mlflow.db").read_bytes() == before


def test_check_makes_no_store(folders, tmp_path):
    with pytest.raises(GatewiseError, match="no store yet"):
        check(TrackingConfig(uri=f"sqlite:///{tmp_path}/none.db"), folders)
    assert not (tmp_path / "none.db").exists()


def test_the_comparison_becomes_a_run_with_verdict_picture_and_report(config, folders, tmp_path):
    reports = tmp_path / "reports"
    reports.mkdir()
    variants = {
        "gru": summary(0.5, 0.51, ci=(0.5, 0.51)),
        "lstm": summary(0.1, 0.2, ci=(0.1, 0.2)),
    }
    undecided = pair("gru", "lstm", seeds_needed=6)
    task = task_comparison(variants, undecided, title="Spoken digits")
    whole_comparison({"digits": task}).write(reports / "comparison.json")
    (reports / "index.html").write_text("<p>report")
    mirror(config, folders, reports)
    runs = by_name(config)
    found = runs["digits"]
    assert found.data.tags["gatewise.verdict"] == "undecided, needs about 6 more seeds"
    assert found.data.metrics["test/gru-lstm/difference_low"] == 0.01
    note = found.data.tags["mlflow.note.content"]
    assert "gru against lstm is undecided" in note
    assert f"get-artifact?run_uuid={found.info.run_id}&path=verdict.svg" in note
    files = {item.path for item in Store(config).client.list_artifacts(found.info.run_id)}
    assert files == {"pairs.json", "verdict.svg"}
    # The interval stands beside the mean, but only where it is about these very runs.
    assert runs["digits/gru"].data.metrics["test/accuracy_low"] == 0.5
    assert "test/accuracy_low" not in runs["digits/lstm"].data.metrics
    # A report that changed is attached anew.
    (reports / "index.html").write_text("<p>another report")
    assert mirror(config, folders, reports).completed == ["study"]
    assert check(config, folders, reports) == []


def test_the_lock_of_dvc_marks_the_runs(config, folders, tmp_path, monkeypatch):
    mirror(config, folders)
    # Only tags are lacking, so neither histories are read nor files made again.
    for costly in ("history", "add_artifacts", "complete"):
        monkeypatch.setattr(Store, costly, lambda *_, **__: pytest.fail("not needed"))
    (tmp_path / "dvc.lock").write_text(
        "stages:\n  train@digits-gru:\n    outs:\n    - {path: runs/digits/gru, md5: abc.dir}\n"
    )
    assert sorted(mirror(config, folders).completed) == [
        "digits/gru",
        "digits/gru/seed-0",
        "digits/gru/seed-1",
    ]
    assert by_name(config)["digits/gru/seed-0"].data.tags["dvc.lock"] == "abc.dir"


def test_a_read_only_store_is_one_sentence(config, folders, tmp_path):
    mirror(config, folders)
    write_run(folders, "gru", 2)
    uri = f"sqlite:///file:{tmp_path}/mlflow.db?mode=ro&uri=true"
    with pytest.raises(GatewiseError, match="read-only"):
        mirror(TrackingConfig(uri=uri), folders)
