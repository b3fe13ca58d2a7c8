"""The gate over whole (small) projects: like with like, slices, budgets, data, refusals."""

import json
import shutil
import subprocess
import zipfile

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from benchmarks.hardening import damage
from gatewise import config
from gatewise.cli.main import app
from gatewise.delivery.gate import costs, snapshot
from gatewise.delivery.gate.assessment import assess
from gatewise.delivery.gate.reference import opened
from gatewise.errors import GatewiseError
from gatewise.files import read_json, write_json
from tests.delivery.gate.projects import copied, drop, project
from tests.evidence_runs import timing
from tests.records import name_files

FAST = {"gate": {"resamples": 200, "margin": 0.02}}


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    """The project that others stand against."""
    return project(tmp_path_factory.mktemp("then") / "project", **FAST)


def gated(candidate, reference, monkeypatch):
    """The gate's result over the project `candidate`."""
    monkeypatch.chdir(candidate)
    study = config.load()
    with opened(str(reference), list(study.tasks)) as references:
        return assess(study, references)


def only(result):
    (check,) = result.tasks["toy"].checks
    return check


def test_a_project_against_itself_passes_with_no_difference_at_all(reference, monkeypatch):
    result = gated(reference, reference, monkeypatch)
    check = only(result)
    assert result.verdict == "pass"
    assert (check.overall.value, check.overall.se) == (0.0, 0.0)
    assert not any(b.violated for b in check.budgets)
    assert not any(f.violated for f in check.data)
    assert check.notes == []


def test_luck_alone_passes_and_a_fall_does_not(reference, tmp_path, monkeypatch):
    lucky = project(tmp_path / "lucky", luck=1, **FAST)
    assert gated(lucky, reference, monkeypatch).verdict == "pass"
    worse = project(tmp_path / "worse", skill=0.8, luck=1, **FAST)
    result = gated(worse, reference, monkeypatch)
    assert result.verdict == "regression"
    assert only(result).reasons[-1].startswith("worse than the reference (-")


def test_a_class_that_falls_is_named_although_the_whole_is_within_its_margin(tmp_path, monkeypatch):
    wide = {"gate": {"resamples": 200, "margin": 0.2}}
    before = project(tmp_path / "before", **wide)
    after = project(tmp_path / "after", weak_class=0.3, **wide)
    result = gated(after, before, monkeypatch)
    assert result.verdict == "regression"
    assert "class left" in only(result).fallen
    assert "class right" not in only(result).fallen
    assert any(reason.startswith("class left fell by") for reason in only(result).reasons)


def test_new_test_examples_are_put_to_the_reference_and_it_says_so(
    reference, tmp_path, monkeypatch
):
    more = project(tmp_path / "more", examples=900, **FAST)
    check = only(gated(more, reference, monkeypatch))
    assert any("evaluated on" in note and "new to it" in note for note in check.notes)
    # Untrained weights guess: the candidate is far better on what is new.
    assert check.slices["new examples"].reference < 0.7 < check.slices["new examples"].candidate
    assert check.slices["known examples"].value == pytest.approx(0.0, abs=0.03)
    size = next(f for f in check.data if f.check == "size")
    assert size.figures.new_examples == 300


def test_without_weights_it_refuses_when_test_data_changed(reference, tmp_path, monkeypatch):
    bare = copied(reference, tmp_path / "bare")
    drop(bare, "weights.safetensors")
    more = project(tmp_path / "more", examples=900, **FAST)
    with pytest.raises(GatewiseError, match="like cannot be compared with like"):
        gated(more, bare, monkeypatch)
    assert gated(reference, bare, monkeypatch).verdict == "pass"


def test_a_changed_front_end_is_asked_through_the_raw_data(reference, tmp_path, monkeypatch):
    more = project(tmp_path / "more", examples=900, **FAST)
    card = read_json(more / "data/prepared/toy/task.json")
    card["front_end"]["normalise"] = "clip"
    write_json(more / "data/prepared/toy/task.json", card)
    with pytest.raises(GatewiseError, match=r"data/raw/toy: missing, and the front end changed"):
        gated(more, reference, monkeypatch)


def test_examples_that_the_reference_was_trained_on_are_left_out(reference, tmp_path, monkeypatch):
    moved = copied(reference, tmp_path / "moved")
    path = moved / "data/prepared/toy/index.parquet"
    index = pd.read_parquet(path)
    index.loc[index["group"] == "speaker-1", "split"] = "train"
    index.loc[index["group"] == "speaker-0", "split"] = "test"
    index.to_parquet(path, index=False)
    check = only(gated(reference, moved, monkeypatch))
    assert any("left out: the reference was trained on them" in note for note in check.notes) is (
        False  # both were tested on these very examples: stored predictions of a test stay valid
    )
    table = next((moved / "runs/toy/gru").glob("seed-*/predictions.parquet"))
    for path in table.parent.parent.glob("seed-*/predictions.parquet"):
        predictions = pd.read_parquet(path)
        predictions[predictions["group"] != "speaker-1"].to_parquet(path, index=False)
        name_files(path.parent)
    check = only(gated(reference, moved, monkeypatch))
    assert any("left out: the reference was trained on them" in note for note in check.notes)
    assert check.overall.seeds == 4


def test_a_larger_model_breaks_its_budget(reference, tmp_path, monkeypatch):
    changes = {"parameters": 5000, "macs_per_step": 4000, "hidden": 40}
    large = project(tmp_path / "large", variants={"gru": changes}, **FAST)
    check = only(gated(large, reference, monkeypatch))
    broken = {b.name for b in check.budgets if b.violated}
    assert {"parameters", "macs", "size"} <= broken
    assert check.verdict == "regression"
    latency = next(b for b in check.budgets if b.name == "latency")
    assert latency.candidate > 0
    assert latency.note == ""


def test_latency_counts_beyond_chance_only(reference, tmp_path, monkeypatch):
    larger = {"parameters": 2100, "hidden": 21}
    candidate = project(tmp_path / "larger", variants={"gru": larger}, **FAST)
    moments = [1.0, 9.0, 1.0, 1.0, 2.0, 30.0, 1.0]  # the machine's mood, the same for both
    for ratios, violated in (
        ((1.26, 1.3, 1.5, 1.4, 1.3, 1.6, 1.5), True),
        ((1.2, 1.3, 1.5, 1.4, 1.3, 1.6, 1.5), False),
        ((1.1,) * 7, False),
    ):
        rounds = {
            "reference": moments,
            "candidate": [a * b for a, b in zip(ratios, moments, strict=True)],
        }
        timed = {who: timing(*ms) for who, ms in rounds.items()}
        monkeypatch.setattr(costs, "_take_turns", lambda _, found=timed: found)
        check = only(gated(candidate, reference, monkeypatch))
        latency = next(b for b in check.budgets if b.name == "latency")
        assert latency.violated == violated


def test_labels_may_change_only_as_allowed(reference, tmp_path, monkeypatch):
    grown = project(tmp_path / "grown", **FAST)
    card = read_json(grown / "data/prepared/toy/task.json")
    card["labels"].append("up")
    write_json(grown / "data/prepared/toy/task.json", card)
    result = gated(grown, reference, monkeypatch)
    assert result.verdict == "regression"
    assert "added up; if that is meant, put them under gate.data.new_labels" in " ".join(
        only(result).reasons
    )
    text = (grown / "params.yaml").read_text().replace("gate:", "gate:\n  data: {new_labels: [up]}")
    (grown / "params.yaml").write_text(text)
    assert gated(grown, reference, monkeypatch).verdict == "pass"


def test_drift_of_features_balance_and_size_is_caught(reference, tmp_path, monkeypatch):
    shifted = copied(reference, tmp_path / "shifted")
    path = shifted / "data/prepared/toy/sequences.npy"
    sequences = np.load(path)
    sequences[:, 0] += 1
    np.save(path, sequences)
    found = {f.check: f for f in only(gated(shifted, reference, monkeypatch)).data}
    assert found["features"].violated
    assert found["features"].figures.drifted == ["feature-0"]

    lopsided = copied(reference, tmp_path / "lopsided")
    path = lopsided / "data/prepared/toy/index.parquet"
    index = pd.read_parquet(path)
    gone = (index["label"] == 0) & (index["split"] == "train") & (index.index % 2 == 0)
    index[~gone].to_parquet(path, index=False)
    found = {f.check: f for f in only(gated(lopsided, reference, monkeypatch)).data}
    assert found["balance"].violated
    assert not found["size"].violated
    index[(index["split"] != "train") | (index.index % 3 == 0)].to_parquet(path, index=False)
    found = {f.check: f for f in only(gated(lopsided, reference, monkeypatch)).data}
    assert found["size"].violated
    assert not found["test set"].violated


def test_lost_test_examples_are_caught(reference, tmp_path, monkeypatch):
    less = copied(reference, tmp_path / "less")
    path = less / "data/prepared/toy/index.parquet"
    index = pd.read_parquet(path)
    index.loc[(index["split"] == "test") & (index.index % 2 == 0), "split"] = "train"
    index.to_parquet(path, index=False)
    found = {f.check: f for f in only(gated(less, reference, monkeypatch)).data}
    assert found["test set"].violated


def test_an_archive_says_as_much_as_the_project_itself(reference, tmp_path, monkeypatch):
    (one,) = snapshot.read(reference, "toy", "then").values()
    first = snapshot.pack(one, tmp_path / "first.zip")
    again = snapshot.pack(one, tmp_path / "again.zip")
    assert first.read_bytes() == again.read_bytes()
    assert first.stat().st_size < 300_000
    more = project(tmp_path / "more", examples=900, **FAST)
    by_folder = only(gated(more, reference, monkeypatch))
    by_archive = only(gated(more, first, monkeypatch))
    assert by_folder.overall == by_archive.overall
    assert [f.figures for f in by_folder.data] == [f.figures for f in by_archive.data]


@pytest.mark.parametrize("what", ["runs/toy/gru/seed-1", "model"])
def test_one_run_or_model_stands_against_every_seed(reference, tmp_path, monkeypatch, what):
    from gatewise.serving.predictor import gather

    run = reference / "runs/toy/gru/seed-1"
    if what == "model":
        target = tmp_path / "model"
        target.mkdir()
        gather(run, reference / "data/prepared", target)
        run = target
    check = only(gated(reference, run, monkeypatch))
    assert check.overall.seeds == 4
    if what == "model":
        assert any("was evaluated on" in note for note in check.notes)
        assert check.overall.reference < 0.7  # untrained


def call(*arguments):
    return CliRunner().invoke(app, [*arguments])


def test_the_command_writes_reports_and_exits_with_the_verdict(reference, tmp_path, monkeypatch):
    worse = project(tmp_path / "worse", skill=0.8, **FAST)
    monkeypatch.chdir(worse)
    done = call("gate", "--against", str(reference))
    assert done.exit_code == 1
    assert "## ❌ Gate: regression" in done.output
    found = json.loads((worse / "reports/gate.json").read_text())
    assert found["exit_code"] == 1
    assert found["tasks"]["toy"]["checks"][0]["difference"]["value"] < -0.03
    assert "| toy | gru |" in (worse / "reports/gate.md").read_text()
    assert call("gate", "--keep", "kept").exit_code == 0
    assert call("gate", "--against", "kept/toy-gru.zip").exit_code == 0


def test_few_seeds_and_much_doubt_are_undecided_with_what_would_settle_it(tmp_path, monkeypatch):
    narrow = {"gate": {"resamples": 200, "margin": 0.001}}
    before = project(tmp_path / "before", seeds=3, **narrow)
    after = project(tmp_path / "after", seeds=3, luck=5, skill=0.895, **narrow)
    result = gated(after, before, monkeypatch)
    check = only(result)
    assert result.verdict == "undecided"
    assert "would settle it" in check.reasons[-1]


def empty_archive(path):
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr("data/x", "nothing of use")


def other_task(folder):
    shutil.copytree("runs", folder / "runs")
    (folder / "runs/toy").rename(folder / "runs/other")
    for path in folder.glob("runs/other/*/*/run.json"):
        write_json(path, {**read_json(path), "task": "other"})


@pytest.mark.parametrize(
    ("spoil", "arguments", "reason"),
    [
        (lambda p: None, ["--against", "nowhere"], "neither champion, nor a file or folder"),
        (lambda p: None, [], "switched off"),
        (lambda p: None, ["--against", "reports"], "neither a project"),
        (lambda p: (p / "x.zip").write_text("no"), ["--against", "x.zip"], "not an archive"),
        (lambda p: empty_archive(p / "x.zip"), ["--against", "x.zip"], "holds no run, but none of"),
        (
            lambda p: other_task(p / "other"),
            ["--against", "other"],
            "holds runs of other",
        ),
        (lambda p: None, ["--against", "REF", "--task", "tuy"], "no task 'tuy'; did you mean toy"),
        (
            lambda p: damage.spoil(p / "runs/toy/gru/seed-2/weights.safetensors", "one bit", 9),
            ["--keep", "there"],
            "weights.safetensors: damaged",
        ),
        (lambda p: shutil.rmtree(p / "runs"), ["--against", "REF"], "no finished run"),
        (
            lambda p: shutil.rmtree(p / "runs/toy/gru/seed-2"),
            ["--against", "REF"],
            "seed 2 has no finished run",
        ),
        (
            lambda p: (p / "reports/data/toy.json").unlink(),
            ["--against", "REF"],
            "toy.json: missing",
        ),
        (
            lambda p: (p / "runs/toy/gru/seed-2/predictions.parquet").write_bytes(b"PAR1 cut"),
            ["--against", "REF"],
            "predictions.parquet: damaged",
        ),
        (
            lambda p: (p / "runs/toy/gru/seed-2/run.json").write_text('{"task": '),
            ["--against", "REF"],
            "seed-2/run.json: not readable as JSON",
        ),
        (
            lambda p: (p / "params.yaml").write_text("from_the_future: 1\n"),
            ["--against", "REF"],
            "unknown key 'from_the_future'",
        ),
    ],
)
def test_what_keeps_it_from_a_verdict_is_one_sentence_and_code_3(
    reference, tmp_path, monkeypatch, spoil, arguments, reason
):
    mine = copied(reference, tmp_path / "mine")
    monkeypatch.chdir(mine)
    spoil(mine)
    subprocess.run(["git", "init", "-q"], check=True)
    done = call("gate", *(str(reference) if word == "REF" else word for word in arguments))
    assert done.exit_code == 3, done.output
    assert reason in done.output
    assert not (mine / "reports/gate.json").exists()


def test_a_leak_in_the_new_data_is_a_regression(reference, tmp_path, monkeypatch):
    leaky = copied(reference, tmp_path / "leaky")
    write_json(leaky / "reports/data/toy.json", {"certified": False})
    result = gated(leaky, reference, monkeypatch)
    assert result.verdict == "regression"
    assert "certificate of toy is not clean" in result.tasks["toy"].broken[0]


def test_a_revision_out_of_a_shallow_clones_reach_is_named(tmp_path, monkeypatch, reference):
    origin = copied(reference, tmp_path / "origin")

    def git(*arguments, cwd=origin):
        done = subprocess.run(
            ["git", "-c", "user.name=x", "-c", "user.email=x", *arguments],
            cwd=cwd, capture_output=True, text=True, check=True,
        )  # fmt: skip
        return done.stdout.strip()

    git("init", "-q")
    git("add", "params.yaml")
    git("commit", "-qm", "one")
    first = git("rev-parse", "HEAD")
    git("commit", "-qm", "two", "--allow-empty")
    git("clone", "-q", "--depth", "1", f"file://{origin}", str(tmp_path / "shallow"), cwd=tmp_path)
    monkeypatch.chdir(tmp_path / "shallow")
    done = call("gate", "--against", first)
    assert done.exit_code == 3
    assert "shallow; fetch the whole history" in done.output
