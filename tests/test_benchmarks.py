import json
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
import yaml

from benchmarks import breakdown, result, tasks, verdict
from benchmarks.__main__ import last
from benchmarks.result import Result, measured, ratios, table
from gatewise import config
from gatewise.artifacts import tuned
from gatewise.artifacts.tuned import Choice, Trial, Tuned
from tests.evidence_runs import record, study, write_run

ROOT = Path(__file__).parents[1]


def test_limits_hold_on_their_own_side():
    assert Result("a", 1, "s", checked=1.0, limit=1.1).kept
    assert not Result("a", 1, "s", checked=1.2, limit=1.1).kept
    assert Result("a", 1, "s", checked=2.0, limit=1.8, better="higher").kept
    assert not Result("a", 1, "s", checked=1.7, limit=1.8, better="higher").kept
    assert Result("a", 1, "s", checked=1.7).kept is None


def test_ratios_are_taken_within_rounds():
    # Twice as slow a machine in the second round changes no ratio.
    assert ratios([2, 4, 2], [1, 2, 1]) == 2


def test_the_table_shows_limits_and_the_last_measurement():
    rows = [
        measured("a", [1.0, 2.0, 3.0], "s", what="to b", checked=1.5, limit=1.2).plain(),
        Result("c", 3.0, "ms").plain(),
    ]
    _, _, first, second = table(rows, {"a": 4.0}).splitlines()
    assert first == "| a | 2 (1 to 3) | s | to b | 1.5 | ≤ 1.2 | **no** | 0.50 |"
    assert second == "| c | 3 | ms |  |  |  |  |  |"


def test_a_quick_measurement_is_compared_with_a_quick_one(tmp_path, monkeypatch):
    monkeypatch.setattr("benchmarks.__main__.RESULTS", tmp_path)
    assert last(quick=True) is None
    for name, quick in (("20260101T000000", True), ("20260102T000000", False)):
        (tmp_path / f"{name}.json").write_text(json.dumps({"quick": quick, "time": name}))
    assert last(quick=True)["time"] == "20260101T000000"
    assert last(quick=False)["time"] == "20260102T000000"


def test_tasks_are_trained_as_in_the_default_study(project):
    study = config.load(project / "params.yaml")
    for kind, task in (("clips", "commands"), ("frames", "digits"), ("text", "reviews")):
        ours, theirs = tasks.plan(kind).train, study.train_for(task)
        assert (ours.epochs, ours.batch_size) == (theirs.epochs, theirs.batch_size)


@pytest.mark.parametrize("kind", ["clips", "frames", "text"])
def test_the_bare_loop_does_the_same_work(tmp_path, kind):
    from benchmarks import run

    prepared = tasks.write(tmp_path / "task", kind, 200)
    plan = tasks.plan(kind, hidden=4, epochs=2)
    ours, bare = [], []
    with run.checkpoints() as saves:
        run.ours(plan, tmp_path / "task")(lambda _, row: ours.append(row["validation_loss"]))
    run.bare(plan, 0, prepared, lambda _, scores: bare.append(scores["loss"]))
    assert ours == bare
    assert len(saves) == 2
    assert min(saves) > 0


@pytest.mark.parametrize(("kind", "cell"), [("clips", "lstm"), ("frames", "rnn"), ("text", "gru")])
def test_the_plain_loop_trains_the_same_model(tmp_path, kind, cell):
    import torch

    from benchmarks import plain
    from gatewise.models.classifier import SequenceClassifier
    from gatewise.models.complexity import Sizes
    from gatewise.training.datamodule import TaskData

    prepared = tasks.write(tmp_path / "task", kind, 200)
    plan = tasks.plan(kind, cell=cell, hidden=4, epochs=2)
    sizes = Sizes.of(prepared.card)
    ours, theirs = SequenceClassifier(plan.config, sizes), plain.Classifier(plan, sizes)
    theirs.load_state_dict(dict(zip(theirs.state_dict(), ours.parameters(), strict=True)))
    for batch in TaskData(prepared, 0, 16, None).val_dataloader():
        torch.testing.assert_close(
            theirs(batch.inputs, batch.lengths), ours(batch.inputs, batch.lengths)
        )
    assert 0 <= plain.train(plan, 0, prepared) <= 1


def test_a_benchmark_hands_its_results_to_the_suite(tmp_path, monkeypatch):
    path = tmp_path / "results.json"
    monkeypatch.setattr("sys.argv", ["benchmark", "--quick", "--json", str(path)])
    result.main(lambda quick: [Result("a", 2.0 if quick else 1.0, "s")], "About.")
    assert [row["value"] for row in json.loads(path.read_text())] == [2.0]


def test_the_plain_tokenising_gives_the_same_tokens(tmp_path):
    import numpy as np

    from benchmarks import preparation

    raw = preparation.write_documents(tmp_path / "raw", 60)
    preparation.tokenise(raw, tmp_path)
    preparation.plain_tokens(raw, tmp_path)
    ours, plain = (np.load(tmp_path / name) for name in ("sequences.npy", "plain.npy"))
    assert len(ours) == 60 * 40
    np.testing.assert_array_equal(ours, plain)


def line(second, process, role, activity="other"):
    return breakdown.Sample(float(second), process, role, activity)


def test_a_breakdown_adds_up_to_the_time_of_dvc():
    samples = [line(t, "1", "dvc") for t in range(21)]
    samples += [line(t, "2", "stage prepare digits") for t in range(2, 7)]
    samples += [line(t, "3", "in stage") for t in range(4, 7)]
    samples += [line(t, "4", "stage train digits gru") for t in range(8, 19)]
    samples += [line(t, "7", "in stage", "MLflow" if t > 16 else "other") for t in range(9, 18)]
    # Two workers on two cores from 10 to 16; one of them is done at 14.
    samples += [line(t, "5", "worker", "steps") for t in range(10, 17)]
    samples += [line(t, "6", "worker", "steps" if t % 2 else "batches") for t in range(10, 15)]
    listed = breakdown.breakdown(sorted(samples), width=2)
    rows = {part: seconds for part, _, seconds in listed}
    assert sum(rows.values()) == 20
    assert rows["dvc"] == 6
    assert rows["start"] == rows["prepare"] == 2
    assert rows["train: steps"] == 4
    assert rows["train: batches"] == 1
    assert rows["train: idle"] == 1
    assert rows["train: around"] + rows["train: MLflow"] == 4
    whole, *parts = breakdown.results(listed)
    assert whole.value == sum(part.value for part in parts) == 20
    assert sum(part.checked for part in parts) == pytest.approx(1)


def test_a_process_notes_what_it_does(tmp_path):
    program = (
        "import time\n"
        "code = compile('def training_step():\\n time.sleep(0.5)', 'training/module.py', 'exec')\n"
        "space = {'time': time}\n"
        "exec(code, space)\n"
        "import os, sys\n"
        "if os.fork() == 0:\n"
        "    sys.argv = ['/study/pipeline/train.py']\n"
        "    time.sleep(0.5)\n"
        "    os._exit(0)\n"
        "space['training_step']()\n"
        "os.wait()\n"
    )
    timeline = Path(breakdown.__file__).with_name("timeline")
    environment = {**os.environ, "PYTHONPATH": str(timeline), "GATEWISE_TIMELINE": str(tmp_path)}
    subprocess.run([sys.executable, "-c", program], env=environment, check=True)
    samples = breakdown.read(tmp_path)
    assert {("else", "steps"), ("in stage", "other")} <= {(s.role, s.activity) for s in samples}


def test_keras_gets_the_same_sequences(tmp_path):
    from benchmarks import keras_peer

    prepared = tasks.write(tmp_path / "task", "text", 100)
    given = keras_peer.arrays(prepared)
    index = prepared.index[prepared.index["split"] == "train"]
    assert len(given["x_train"]) == len(index) == len(given["y_train"])
    for (start, length), row in zip(
        index[["start", "length"]].to_numpy(), given["x_train"], strict=True
    ):
        assert list(row[:length]) == list(prepared.sequences[start : start + length])
        assert not row[length:].any()


def test_without_keras_its_benchmark_is_skipped_in_a_sentence(tmp_path, monkeypatch, capsys):
    from benchmarks import keras_peer

    monkeypatch.setattr(keras_peer, "PYTHON", tmp_path / "python")
    assert keras_peer.measure(quick=True) == []
    assert "skipped; `make keras`" in capsys.readouterr().out


def test_a_task_is_answered_when_its_line_is_first_printed():
    printed = [
        (1.0, "Running stage 'compare':\n"),
        (2.0, "\x1b[1manswer digits: take gru\x1b[0m\n"),
        (3.0, "  answer commands: take lstm\n"),
        (4.0, "answer digits: take gru still\n"),
        (5.0, "the answer reviews: is not at the line's beginning\n"),
        (6.0, "answer elsewhere: no task of this study\n"),
    ]
    tasks = ["commands", "digits", "reviews"]
    assert verdict.first_answers(printed, tasks) == {"digits": 2.0, "commands": 3.0}


def test_the_fixed_design_has_as_many_seeds_as_there_may_be():
    text = (ROOT / "docs/studies/tiny.yaml").read_text()
    assert verdict.fixed_design(text) == text
    auto = re.sub(r"(?m)^seeds:.*$", "seeds: {first: 3, step: 2, cap: 9}", text)
    assert re.search(r"(?m)^seeds: 9$", verdict.fixed_design(auto))


def test_a_plain_loop_counts_a_measured_run_as_often_as_ours_trained_it():
    ours = verdict.Reproduced({"digits": 50.0}, 100.0)
    loop = {("digits", "gru"): verdict.Loop(20.0, 8), ("digits", "lstm"): verdict.Loop(30.0, 13)}
    rows = verdict.results(ours, 150.0, loop, left_out=7)
    by_name = {row.name: row for row in rows}
    assert by_name["first task answered"].value == 50.0
    assert by_name["the fixed design, at least"].checked == 1.5
    name = "21 runs of plain Lightning, from 2 measured (7 of ours it has none for)"
    assert by_name[name].checked == (8 * 20 + 13 * 30) / 100
    assert by_name[name].kept


def test_a_study_that_prints_no_answer_answers_at_its_end():
    rows = verdict.results(verdict.Reproduced({}, 100.0), None, {})
    assert [row.value for row in rows] == [100.0, 100.0]


def test_a_stage_takes_until_the_next_one_is_begun():
    printed = [
        (1.0, "Running stage 'plan':\n"),
        (3.0, "Running stage 'train@digits-gru':\n"),
        (4.0, "digits/gru seed 0: trained\n"),
        (7.0, "Running stage 'train@digits-gru-matched':\n"),
        (9.0, "Running stage 'compare':\n"),
        (20.0, ""),
    ]
    seconds = {stage: verdict.stage_seconds(printed, stage) for stage in ("train", "compare")}
    assert seconds == {"train": 6.0, "compare": 11.0}
    assert verdict.stage_seconds([], "train") == 0.0


def test_a_study_is_made_of_its_runs_and_its_trials(tmp_path):
    for seed in range(3):
        write_run(tmp_path, record("toy", "gru", seed, 0.9))
    trial = Trial(number=0, settings={}, status="complete", scores=(0.5, 0.6), mean=0.55)
    pruned = Trial(number=1, settings={}, status="pruned", scores=(0.4, 0.4), mean=0.4)
    choice = Choice(trials=(trial, pruned), chosen=0, chance_of_another=None)
    for variant, found in (("gru", choice), ("lstm", None)):
        made = Tuned(task="toy", variant=variant, metric="accuracy", choice=found)
        made.write(tuned.path("toy", variant, tmp_path / "data" / "tuned"))
    declared = study(("lstm", "gru"))
    assert verdict.trained(tmp_path, declared) == {("toy", "gru"): 7, ("toy", "lstm"): 0}


def test_the_soak_adds_up_what_it_tried():
    from benchmarks.hardening.table import LOST, REFUSED, SURVIVED, Tally
    from benchmarks.hardening.table import table as soak

    tallies = [
        Tally("file: cut", Counter({REFUSED: 2, SURVIVED: 1})),
        Tally("file: cut", Counter({LOST: 1})),
        Tally("request: odd", Counter({REFUSED: 5}), "slowest 1 s"),
    ]
    _, _, cut, odd, total = soak(tallies).splitlines()
    assert cut == "| file: cut | 4 | 2 | 1 | 1 |  |"
    assert odd == "| request: odd | 5 | 5 | 0 | 0 | slowest 1 s |"
    assert total == "| **all** | 9 | 7 | 1 | 1 |  |"


def test_every_kind_of_damage_changes_a_file_and_can_be_undone(tmp_path):
    from benchmarks.hardening import damage

    path = tmp_path / "x.json"
    for kind in damage.KINDS:
        damage.whole_again(path, b'{"a": 1}')
        damage.spoil(path, kind)
        assert not path.is_file() or path.is_symlink() or path.read_bytes() != b'{"a": 1}', kind
    damage.whole_again(path, b"x")
    assert path.read_bytes() == b"x"


def test_the_soaks_own_study_is_a_study(tmp_path):
    from benchmarks.hardening import project

    (tmp_path / "params.yaml").write_text(yaml.safe_dump(project.STUDY, sort_keys=False))
    assert config.load(tmp_path / "params.yaml").runs == 8
    # And every file that a stage depends on is in its checkout.
    project.make(tmp_path / "made")
    stages = yaml.safe_load((tmp_path / "made" / "dvc.yaml").read_text())["stages"]
    fixed = {dep for stage in stages.values() for dep in stage["deps"] if "." in dep}
    fixed = {dep for dep in fixed if "$" not in dep and not dep.startswith(("data/", "reports/"))}
    assert all((tmp_path / "made" / name).exists() for name in fixed), fixed


def soaked(tmp_path):
    """What a small study leaves, as far as the soak looks at names."""
    for name in (
        "data/plan/sounds/source.json",
        "data/plan/texts/source.json",
        "data/plan/texts/tuning/gru.json",
        "data/plan/probes/lstm.json",
        "data/plan/compare.json",
        "data/raw/sounds/manifest.parquet",
        "data/prepared/texts/tokenizer.json",
        "data/tuned/texts/gru.json",
        "runs/texts/gru/metrics.json",
        "runs/texts/gru/seed-0/run.json",
        "runs/texts/gru/seed-1/run.json",
        "reports/comparison.json",
        "reports/data/texts.json",
        "reports/plots/curves.csv",
        f".gatewise/runs/ab/{'ab' * 32}/run.json",
        f".gatewise/trials/ab/{'ab' * 32}/trial.json",
        ".gatewise/kept/probe/gru/kept.json",
        "kept/sounds-gru.zip",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text('{"task": "texts", "variant": "gru"}')
    return tmp_path


def test_the_soak_damages_every_kind_of_file_in_every_way(tmp_path):
    from benchmarks.hardening import damage, files

    folder = soaked(tmp_path)
    names = files.written(folder)
    assert len(names) == 18 + len(files.SINGLE)
    every = files.cases(folder, None, 0)
    assert len(set(every)) == len(names) * len(damage.KINDS)
    # One stands for all tasks, variants, seeds and keys.
    kinds = files.cases(folder, 0, 0)
    assert len({name for name, _ in kinds}) == len(names) - 2
    assert {kind for _, kind in kinds} == set(damage.KINDS)
    assert files.cases(folder, 7, 0) == kinds[:7]


def test_every_file_has_commands_that_read_it(tmp_path):
    from benchmarks.hardening import files, readers

    folder = soaked(tmp_path)
    read = {name: readers.of(folder, name) for name in files.written(folder)}
    assert all(read.values())
    assert read["data/plan/texts/tuning/gru.json"][-1] == ("pipeline.tune", "texts", "gru")
    assert read["data/plan/probes/lstm.json"][-1] == ("pipeline.probe", "lstm")
    assert read["data/plan/compare.json"][-1] == ("pipeline.compare",)
    assert read[".gatewise/kept/probe/gru/kept.json"] == [("pipeline.probe", "gru")]
    assert read[f".gatewise/runs/ab/{'ab' * 32}/run.json"] == [("pipeline.train", "texts", "gru")]
    assert read["kept/sounds-gru.zip"][0][-1] == "sounds"
    stages = {command[0].removeprefix("pipeline.") for some in read.values() for command in some}
    assert {"prepare", "train", "compare", "report", "fetch", "context"} <= stages


def test_a_copy_is_put_back_whatever_was_done_to_it(tmp_path):
    from benchmarks.hardening import damage
    from benchmarks.hardening.copies import Copy

    base = tmp_path / "base"
    for name in ("a/one.json", "a/two.json", "b/three.json"):
        (base / name).parent.mkdir(parents=True, exist_ok=True)
        (base / name).write_text('{"name": 1}')
    (base / "empty").mkdir()
    copy = Copy(base, tmp_path / "copy")
    for kind in damage.KINDS:
        damage.spoil(copy.folder / "a" / "one.json", kind)
        (copy.folder / "b" / "three.json").unlink()
        (copy.folder / "b").rmdir()
        (copy.folder / "new").mkdir()
        (copy.folder / "new" / "file").write_text("x")
        copy.restore("a/one.json")
        there = {str(p.relative_to(copy.folder)) for p in copy.folder.rglob("*")}
        left = there - {str(p.relative_to(base)) for p in base.rglob("*")}
        assert left <= {"new"}, kind  # an empty folder is no matter
        for path in base.rglob("*.json"):
            again = copy.folder / path.relative_to(base)
            assert again.is_file(), kind
            assert not again.is_symlink(), kind
            assert again.read_bytes() == path.read_bytes(), kind
        (copy.folder / "new").rmdir()


@pytest.mark.parametrize(
    ("status", "output", "program", "why"),
    [
        (0, "done", "", None),
        (1, "error: x.json: damaged; make it anew", "", None),
        (1, "nothing that helps", "", "status 1 without a sentence"),
        (0, "Traceback (most recent call last):\n", "", "a traceback"),
        (1, "error: x\nTraceback (most recent call last):\n", "", "a traceback"),
        (None, "", "", "no end"),
        (-11, "", "dvc", "status -11 without a sentence"),
        (1, "'./dvc.lock' is invalid.", "dvc", None),
    ],
)
def test_how_a_command_ended_is_judged(status, output, program, why):
    from benchmarks.hardening import files
    from benchmarks.hardening.project import Said

    found = files.failure(Said(status, output), program)
    assert found is None if why is None else found.startswith(why)
