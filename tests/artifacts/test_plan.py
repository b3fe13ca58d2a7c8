import pytest

from gatewise import config
from gatewise.artifacts import plan
from gatewise.errors import GatewiseError


@pytest.fixture
def study(project):
    return config.load(project / "params.yaml")


def test_every_task_and_variant_gets_a_plan_that_reads_back(study, tmp_path):
    plans = plan.lay_out(study)
    assert len(plans) == len(study.tasks) * len(study.variants)
    plan.write(study, tmp_path / "plan")
    for written in plans:
        assert (
            plan.RunPlan.read(plan.path(written.task, written.variant, tmp_path / "plan"))
            == written
        )


def changed(before, after, root):
    """Which plan files differ between two studies."""
    texts = []
    for number, study in enumerate((before, after)):
        folder = root / str(number)
        plan.write(study, folder)
        texts.append({p.relative_to(folder): p.read_text() for p in folder.rglob("*.json")})
    names = texts[0].keys() | texts[1].keys()
    return {str(n.with_suffix("")) for n in names if texts[0].get(n) != texts[1].get(n)}


def with_width(study, variant, hidden):
    raw = study.model_dump(mode="json")
    raw["variants"][variant]["hidden"] = hidden
    return config.parse(raw)


def test_a_width_concerns_its_own_variant_and_what_is_matched_to_it(study, tmp_path):
    assert changed(study, with_width(study, "gru", 20), tmp_path / "gru") == {
        *(f"{task}/variants/gru" for task in study.tasks),
        "probes/gru",
    }
    matched = ("lstm", "gru-matched")
    assert changed(study, with_width(study, "lstm", 20), tmp_path / "lstm") == {
        *(f"{task}/variants/{variant}" for task in study.tasks for variant in matched),
        *(f"probes/{variant}" for variant in matched),
    }


def test_how_many_workers_concerns_no_run(study, tmp_path):
    raw = study.model_dump(mode="json")
    raw["execution"]["workers"] = 7
    assert changed(study, config.parse(raw), tmp_path) == set()


def test_what_counts_as_evidence_concerns_the_comparison_alone(study, tmp_path):
    raw = study.model_dump(mode="json")
    raw["compare"]["rope"] = 0.2
    assert changed(study, config.parse(raw), tmp_path) == {"compare"}


def test_a_training_setting_of_one_task_leaves_its_data_alone(study, tmp_path):
    raw = study.model_dump(mode="json")
    raw["tasks"]["digits"]["train"]["epochs"] = 77
    assert changed(study, config.parse(raw), tmp_path) == {
        f"digits/variants/{variant}" for variant in study.variants
    }


def test_a_plan_of_another_version_is_refused(tmp_path):
    path = tmp_path / "x.json"
    path.write_text('{"task": "digits"}')
    with pytest.raises(GatewiseError, match="not a plan of this version"):
        plan.RunPlan.read(path)
    with pytest.raises(GatewiseError, match="dvc repro plan"):
        plan.RunPlan.read(tmp_path / "absent.json")
