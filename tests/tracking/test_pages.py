"""What the mirror writes on experiments, and keeps up to date."""

import pytest

from gatewise.tracking import connection, review, views
from gatewise.tracking.mirror import check, mirror
from gatewise.tracking.store import Store
from tests.evidence_runs import pair, summary, task_comparison, whole_comparison

from .conftest import write_run


def write_comparison(root, verdict="gru", **changes):
    variants = {"gru": summary(0.5, 0.51), "lstm": summary(0.4, 0.42)}
    task = task_comparison(variants, pair("gru", "lstm", verdict), title="Spoken digits")
    (root / "reports").mkdir(exist_ok=True)
    whole_comparison({"digits": task}, **changes).write(root / "reports/comparison.json")


def experiment(config, name="digits"):
    store = Store(config)
    return store.client.get_experiment(store.experiment(name))


@pytest.fixture
def mirrored(config, folders, tmp_path):
    write_comparison(tmp_path)
    outcome = mirror(config, folders)
    assert outcome.pages == ["digits", "whole_study"]
    return config


def test_an_experiment_says_the_answer_and_links_to_its_views(mirrored):
    found = experiment(mirrored)
    note = found.tags["mlflow.note.content"]
    assert note.splitlines()[0] == "**gru against lstm: gru beats lstm.**"
    assert "Compared on 20" in note
    number = found.experiment_id
    for key in ("1-answer", "2-variants", "3-seeds", "4-curves", "5-cost"):
        assert f"#/experiments/{number}/runs?viewStateShareKey=gatewise-{key}&workflow" in note
        assert f"{views.TAG}gatewise-{key}" in found.tags
    assert (found.tags["gatewise.kind"], found.tags["gatewise.task"]) == ("task", "digits")
    whole = experiment(mirrored, "whole_study")
    assert found.tags["gatewise.study"] == whole.tags["gatewise.study"]
    assert f"#/experiments/{number}/runs?viewStateShareKey" in whole.tags["mlflow.note.content"]


def test_a_second_mirror_writes_no_page_and_check_agrees(mirrored, folders, tmp_path):
    before = (tmp_path / "mlflow.db").read_bytes()
    assert mirror(mirrored, folders).pages == []
    assert (tmp_path / "mlflow.db").read_bytes() == before
    assert check(mirrored, folders) == []


def test_what_somebody_changed_is_named_and_mended(mirrored, folders):
    store = Store(mirrored)
    number = store.experiment("digits")
    tag = f"{views.TAG}gatewise-2-variants"
    store.client.delete_experiment_tag(number, tag)
    store.client.set_experiment_tag(number, f"{views.TAG}gatewise-9-old", "{}")
    store.client.set_experiment_tag(number, f"{views.TAG}mine", "{}")
    assert check(mirrored, folders) == [
        f"experiment digits: {tag}, {views.TAG}gatewise-9-old",
    ]
    assert mirror(mirrored, folders).pages == ["digits"]
    tags = experiment(mirrored).tags
    assert tag in tags
    assert f"{views.TAG}gatewise-9-old" not in tags
    assert f"{views.TAG}mine" in tags, "people's own views stay"


def test_an_mlflow_that_reads_no_views_gets_none(config, folders, tmp_path, monkeypatch):
    write_comparison(tmp_path)
    monkeypatch.setattr(connection, "version", lambda _uri: "3.13.2")
    outcome = mirror(config, folders)
    assert [note for note in outcome.notes if "saved views" in note] == [
        "no saved views were written: they are known to work in MLflow 3.15 up to below 4.0, and "
        "this is 3.13.2"
    ]
    tags = experiment(config).tags
    assert "mlflow.note.content" in tags
    assert not [name for name in tags if name.startswith(views.TAG)]
    (link, *_rest) = review.addresses(Store(config), "http://h").values()
    assert "viewStateShareKey" not in link
    assert check(config, folders) == []


def test_links_name_the_study_first_and_survive_a_new_store(mirrored, folders, tmp_path):
    first = review.addresses(Store(mirrored), "http://host:1")
    assert list(first) == ["whole_study", "digits"]
    (tmp_path / "mlflow.db").unlink()
    again = mirrored.model_copy(update={"uri": f"sqlite:///{tmp_path}/other.db"})
    mirror(again, folders)
    second = review.addresses(Store(again), "http://host:1")
    assert first == second
    assert "viewStateShareKey=gatewise-1-answer" in first["digits"]


def test_runs_of_earlier_studies_stay_and_are_marked(mirrored, folders, tmp_path):
    later = tmp_path / "later"
    write_run(later, "gru", 0, key="later", plan_sha256="another plan")
    mirror(mirrored, later)
    marks = {
        (run.info.run_name, run.data.tags["gatewise.key"]): run.data.tags["gatewise.current"]
        for run in Store(mirrored).all_runs("digits").values()
    }
    assert marks["digits/gru/seed-0", "later"] == "true"
    assert marks["digits/gru/seed-0", "gru-0"] == "false"


def test_seeds_link_to_their_parent_and_their_pairs(mirrored):
    runs = {run.info.run_name: run for run in Store(mirrored).all_runs("digits").values()}
    note = runs["digits/gru/seed-1"].data.tags["mlflow.note.content"]
    assert note.startswith("**Seed 1 of gru on digits**: test accuracy 51.0 %, number 1 of 2")
    assert f"runs/{runs['digits/gru'].info.run_id}?" in note
    assert f"runs/{runs['digits/lstm/seed-1'].info.run_id}?" in note
    assert runs["digits/lstm/seed-0"].info.run_id not in note


def test_sizes_are_parameters_of_a_variant_not_metrics(mirrored):
    runs = {run.info.run_name: run for run in Store(mirrored).all_runs("digits").values()}
    variant = runs["digits/gru"].data
    assert variant.params["parameters"] == "1234"
    assert variant.params["macs_per_step"] == "999"
    assert not [name for name in variant.metrics if "parameters" in name or "macs" in name]
    assert "train/epochs_std" not in variant.metrics


def test_the_whole_study_is_a_run_with_report_and_tables(config, folders, tmp_path):
    write_comparison(tmp_path)
    (tmp_path / "reports/index.html").write_text("<p>the report")
    mirror(config, folders)
    store = Store(config)
    (run,) = store.all_runs("whole_study").values()
    files = {item.path for item in store.client.list_artifacts(run.info.run_id)}
    assert files == {"answers.json", "comparison.json", "index.html"}
    assert run.data.tags["gatewise.answer.digits"] == "gru against lstm: gru beats lstm."
    assert '"answers.json"' in run.data.tags["mlflow.loggedArtifacts"]


def test_scores_of_kept_weights_are_no_curves(mirrored):
    store = Store(mirrored)
    runs = {run.info.run_name: run for run in store.all_runs("digits").values()}
    run_id = runs["digits/gru/seed-0"].info.run_id
    for name in ("test/accuracy", "validation/best_accuracy", "train/best_epoch"):
        (point,) = store.client.get_metric_history(run_id, name)
        assert point.step == 0, "MLflow draws a line through later steps"
