import pytest

from gatewise import config
from gatewise.artifacts import plan
from gatewise.errors import GatewiseError


@pytest.fixture
def study(project):
    """The shipped one before its first round: how far the race has come is no part of a plan."""
    return config.parse(config.load(project / "params.yaml").model_dump(mode="json"))


def test_every_task_and_variant_gets_a_plan_that_reads_back(study, tmp_path):
    plans = plan.lay_out(study)
    assert len(plans) == len(study.tasks) * len(study.variants)
    plan.write(study, tmp_path / "plan")
    for written in plans:
        assert (
            plan.RunPlan.read(plan.path(written.task, written.variant, tmp_path / "plan"))
            == written
        )


def test_what_stages_read_is_what_was_declared(study, tmp_path):
    plan.write(study, tmp_path)
    for name, task in study.tasks.items():
        assert plan.SourcePlan.read(tmp_path / name / "source.json").source == task.source
        settings = plan.SequencesPlan.read(tmp_path / name / "sequences.json").settings
        assert (settings.features, settings.split) == (task.features, task.split)
        costs = plan.CostsPlan.read(tmp_path / name / "costs.json")
        assert list(costs.runs) == list(study.variants)
    declared = plan.ComparePlan.read(tmp_path / "compare.json").study()
    apart = set(plan.WITHOUT_EVIDENCE)
    assert declared.model_dump(exclude=apart) == study.model_dump(exclude=apart)


def test_the_comparison_knows_how_far_rounds_of_seeds_have_come(study, tmp_path):
    raw = study.model_dump(mode="json") | {"seeds": {"first": 4, "step": 2, "cap": 10}}
    plan.write(config.parse(raw).with_reached(config.Reached(everywhere=6)), tmp_path)
    declared = plan.ComparePlan.read(tmp_path / "compare.json").study()
    assert declared.seed_list == list(range(6))
    assert declared.looks == [4, 6, 8, 10]


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
    everywhere = {"compare", *(f"{task}/costs" for task in study.tasks)}
    assert changed(study, with_width(study, "gru", 20), tmp_path / "gru") == {
        *(f"{task}/{stage}/gru" for task in study.tasks for stage in ("tuning", "variants")),
        "probes/gru",
        *everywhere,
    }
    matched = ("lstm", "gru-matched")
    assert changed(study, with_width(study, "lstm", 20), tmp_path / "lstm") == {
        *(f"{task}/variants/{variant}" for task in study.tasks for variant in matched),
        *(f"{task}/tuning/{variant}" for task in study.tasks for variant in matched),
        *(f"probes/{variant}" for variant in matched),
        *everywhere,
    }


@pytest.mark.parametrize(
    ("section", "key", "value"),
    [
        ("execution", "workers", 7),
        ("execution", "devices", 2),
        ("tracking", "uri", "sqlite:///elsewhere.db"),
        ("gate", "margin", 0.2),
    ],
)
def test_how_wide_to_compute_and_where_to_log_concerns_no_stage(
    study, tmp_path, section, key, value
):
    raw = study.model_dump(mode="json")
    raw[section][key] = value
    assert changed(study, config.parse(raw), tmp_path) == set()


def test_what_counts_as_evidence_concerns_the_comparison_alone(study, tmp_path):
    raw = study.model_dump(mode="json")
    raw["compare"]["rope"] = 0.2
    assert changed(study, config.parse(raw), tmp_path) == {"compare"}


def test_an_added_seed_costs_the_same_and_moves_a_baseline_only_with_its_split(study, tmp_path):
    raw = study.model_dump(mode="json")
    raw["seeds"] = 9
    assert changed(study, config.parse(raw), tmp_path) == {
        "compare",
        "digits/baseline",  # whose splits are drawn anew for each seed
        "commands/baseline",  # whose kind of split is open until its groups are known
        *(f"{task}/variants/{variant}" for task in study.tasks for variant in study.variants),
    }


def test_a_training_setting_of_one_task_leaves_its_data_alone(study, tmp_path):
    raw = study.model_dump(mode="json")
    raw["tasks"]["digits"]["train"]["epochs"] = 77
    assert changed(study, config.parse(raw), tmp_path) == {
        "compare",
        "digits/costs",
        *(f"digits/{stage}/{v}" for v in study.variants for stage in ("tuning", "variants")),
    }


def test_how_settings_are_tuned_concerns_the_choice_and_the_comparison_alone(study, tmp_path):
    raw = study.model_dump(mode="json")
    raw["tasks"]["digits"]["tuning"] = {"trials": 5}
    assert changed(study, config.parse(raw), tmp_path) == {
        "compare",
        *(f"digits/tuning/{variant}" for variant in study.variants),
    }


def test_equal_arithmetic_looks_at_all_variants(study, tmp_path):
    raw = study.model_dump(mode="json")
    raw["tuning"] = {"trials": 3, "budget": "macs"}
    before = config.parse(raw)
    wider = changed(before, with_width(before, "gru", 20), tmp_path)
    assert {"digits/tuning/lstm", "digits/tuning/gru"} <= wider


def test_the_digest_of_a_plan_knows_augmentation_and_no_seed(study):
    commands = next(p for p in plan.lay_out(study) if p.task == "commands")
    assert commands.model_copy(update={"seeds": (99,)}).sha256 == commands.sha256
    assert commands.model_copy(update={"augment": None}).sha256 != commands.sha256


def test_a_plan_of_another_version_is_refused(tmp_path):
    path = tmp_path / "x.json"
    path.write_text('{"task": "digits"}')
    with pytest.raises(GatewiseError, match=r"of another version .*dvc repro -f plan"):
        plan.RunPlan.read(path)
    with pytest.raises(GatewiseError, match="dvc repro plan"):
        plan.RunPlan.read(tmp_path / "absent.json")
