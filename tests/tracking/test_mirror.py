import pytest
from filelock import FileLock

from gatewise.errors import GatewiseError
from gatewise.tracking import mirror as module
from gatewise.tracking.content import CONTENT, CURVES, PARENT
from gatewise.tracking.mirror import mirror
from gatewise.tracking.store import Store

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
    assert run.data.params["model.hidden"] == "16"
    assert run.data.metrics["test_accuracy"] == 0.51
    assert run.data.metrics["best_validation_accuracy"] == 0.51
    assert run.data.metrics["best_epoch"] == 2
    assert run.inputs.dataset_inputs[0].dataset.digest == "d" * 36
    assert parent.data.metrics["test_accuracy_mean"] == pytest.approx(0.505)
    assert parent.data.metrics["test_accuracy_std"] == pytest.approx(0.0070710678)
    curve = Store(config).client.get_metric_history(run.info.run_id, "train_loss")
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
    assert parent.data.metrics["seeds"] == 3
    assert parent.data.metrics["test_accuracy_mean"] == pytest.approx(0.51)


def test_another_model_of_the_same_name_gets_its_own_parent(config, tmp_path):
    mirror_of = tmp_path / "before"
    write_run(mirror_of, "gru", 0)
    mirror(config, mirror_of)
    write_run(tmp_path / "after", "gru", 0, key="other", train={"epochs": 9})
    mirror(config, tmp_path / "after")
    runs = list(Store(config).all_runs("digits").values())
    assert (
        sorted(run.info.run_name for run in runs) == ["digits/gru"] * 2 + ["digits/gru/seed-0"] * 2
    )
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
