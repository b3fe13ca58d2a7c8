import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
import yaml

from benchmarks import breakdown, measurement, result, study_log, tasks, verdict
from benchmarks.__main__ import ASKED_FOR, DOCUMENT, NAMES, PUBLISHED
from benchmarks.measurement import Measurement
from benchmarks.result import Result, measured, ratios, table
from gatewise import config

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
    assert first == "| a | 2 (1 to 3) s | to b | 1.5 | ≤ 1.2 | **no** | 0.50 |"
    assert second == "| c | 3 ms |  |  |  |  |  |"
    assert result.cells(Result("d", 2330.4, "clips/s").plain())[1] == "2,330 clips/s"


def made(name, day, value=1.0, quick=False):
    """A measurement of one row."""
    return Measurement(
        name=name,
        time=f"2026-01-{day:02d}T12:00:00+00:00",
        load_before=0.25,
        seconds=90.0,
        quick=quick,
        instructions="portable",
        machine={"processor": "a chip", "cores": 2, "torch": "2.14.1"},
        results=[Result(f"row of {name}", value, "s").plain()],
    )


def test_a_quick_measurement_is_compared_with_a_quick_one(tmp_path):
    assert measurement.newest(measurement.read(tmp_path), quick=True) == {}
    kept = [made("run", 1, quick=True), made("run", 3), made("run", 2), made("study", 1)]
    for one in kept:
        one.write(tmp_path)
    found = measurement.read(tmp_path)
    assert measurement.newest(found, quick=True) == {"run": kept[0]}
    assert measurement.newest(found, quick=False) == {"run": kept[1], "study": kept[3]}


def test_a_part_measured_again_is_published_with_its_own_date(tmp_path):
    document, published = tmp_path / "page.md", tmp_path / "published.json"
    document.write_text(f"before\n{measurement.BEGIN}\nold\n{measurement.END}\nafter\n")
    first = measurement.merged(published, [made("run", 1), made("study", 1)])
    measurement.publish(document, first)
    again = measurement.merged(published, [made("study", 5, 2.0), made("run", 9, quick=True)])
    measurement.publish(document, again)
    text = document.read_text()
    assert text.startswith("before\n")
    assert text.endswith("\nafter\n")
    assert "old" not in text
    where = "0.25 | 1.5 | portable | 2 cores, a chip; torch 2.14.1 |"
    assert f"| `run` | 2026-01-01 | {where}" in text
    assert f"| `study` | 2026-01-05 | {where}" in text
    assert "| `study` | row of study | 2 s |  |  |  |  |" in text
    assert text.count("row of run") == 1
    with pytest.raises(SystemExit, match="no lines"):
        measurement.publish(published, again)


def test_the_page_shows_what_is_published(tmp_path):
    page = DOCUMENT.read_text()
    assert page.count(measurement.BEGIN) == page.count(measurement.END) == 1
    if PUBLISHED.is_file():
        found = {
            one.name: one for one in measurement.merged(Path(shutil.copy(PUBLISHED, tmp_path)), [])
        }
        ordered = [found[name] for name in (*NAMES, *ASKED_FOR) if name in found]
        assert measurement.page(ordered) in page


@pytest.mark.parametrize("name", [*NAMES, *ASKED_FOR])
def test_every_benchmark_of_the_suite_is_a_module_that_is_explained(name):
    assert (ROOT / "benchmarks" / f"{name}.py").is_file()
    assert f"| `{name}` | " in DOCUMENT.read_text()


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


PRINTED = """\
    1.0 [0 of 9 done, about 60 s left] plan
    2.0 [1 of 9 done, about 60 s left] tune digits-gru
    3.0 tune digits/gru trial 0 (1000000): validation accuracy 96 %, 9 epochs (1 of 2 trained)
    3.5 tune digits/gru trial 1 (1000000): validation accuracy 95 %, 9 epochs (2 of 2 trained)
    4.0 [2 of 9 done, about 50 s left] train digits-gru
    5.0 digits/gru seed 1: test accuracy 96.2 %, 9 epochs (1 of 3 trained)
    6.0 digits/gru seed 0: test accuracy 96.2 %, 9 epochs (2 of 3 trained)
    7.0 digits/gru seed 2: test accuracy 96.2 %, 9 epochs (3 of 3 trained)
   10.0 [3 of 9 done, about 40 s left] train digits-gru-matched
   10.1 digits/gru-matched: finished before: seed 0
   19.0 digits/gru-matched seed 1: test accuracy 96.2 %, 9 epochs (1 of 1 trained)
   19.5 \x1b[1manswer digits: take gru\x1b[0m
   20.0 [4 of 9 done, about 30 s left] compare
   30.0 answer digits: take gru still
   31.0 the answer commands: is not at the line's beginning
   32.0 answer elsewhere: no task of this study
   40.0 Running stage 'train@digits-gru':
   50.0 digits/gru seed 3: test accuracy 96.2 %, 9 epochs (1 of 1 trained)
   60.0 the end
"""


@pytest.fixture
def printed(tmp_path):
    """A study's log: three seeds of `gru` at two seconds, another one in a round of its own."""
    (tmp_path / "study.log").write_text(PRINTED)
    return study_log.read(tmp_path / "study.log")


def test_a_task_is_answered_when_its_line_is_first_printed(printed):
    assert study_log.answers(printed, ["commands", "digits"]) == {"digits": 19.5}


def test_trainings_are_counted_and_timed_by_stage(printed):
    gru, matched = ("digits", "gru"), ("digits", "gru-matched")
    found = study_log.batches(printed)
    assert found == [
        (gru, "trial", 2, 2.0),
        (gru, "seed", 3, 6.0),
        (matched, "seed", 1, 10.0),
        (gru, "seed", 1, 20.0),
    ]
    counted = {gru: {"seed": 4, "trial": 2}, matched: {"seed": 1, "trial": 0}}
    assert study_log.trainings(found) == counted


def test_a_log_is_read_as_it_was_written(printed, tmp_path):
    (tmp_path / "again.log").write_text("".join(map(study_log.written, printed)))
    assert study_log.read(tmp_path / "again.log") == printed
    (tmp_path / "none.log").write_text("answer digits: take gru\n")
    with pytest.raises(SystemExit, match=r"none\.log: no line begins with seconds"):
        study_log.read(tmp_path / "none.log")


def test_a_study_log_adds_up_by_kinds_of_stages(printed):
    found = study_log.by_kind(printed)
    assert found == {"start": 1.0, "plan": 1.0, "tune": 2.0, "train": 36.0, "compare": 20.0}
    assert sum(found.values()) == printed[-1].seconds


def tiny(**changes):
    """The tiny study's settings."""
    text = yaml.safe_load((ROOT / "docs/studies/tiny.yaml").read_text())
    return config.Study.model_validate({**text, **changes})


def test_seeds_that_were_left_out_take_what_the_others_took(printed):
    # 2 more of gru, which took 2 s in one round and 20 s in the other; 5 more of 10 s.
    more = verdict.left_out(study_log.batches(printed), 6)
    assert more == (2 * 11 + 5 * 10, 2 * 2 + 5 * 10, 2 * 20 + 5 * 10, 7, 3)


def test_a_plain_loop_counts_a_measured_run_as_often_as_ours_trained_it(printed):
    study = tiny(seeds={"first": 3, "step": 3, "cap": 6})
    rows = {r.name: r for r in verdict.results(printed, study, {("digits", "gru"): [30.0, 50.0]})}
    assert rows["first task answered"].value == rows["answer digits"].value == 19.5
    assert rows["the whole study"].value == 60.0
    fixed = rows["the fixed design, 7 more runs, from 3 stages' pace"]
    assert (fixed.value, fixed.low, fixed.high) == (132.0, 114.0, 150.0)
    assert fixed.checked == 132 / 60
    same = rows["these 6 trainings in plain Lightning, from 2 measured (1 of ours it has none for)"]
    assert (same.value, same.low, same.high) == (240.0, 180.0, 300.0)
    assert same.checked == 4.0
    assert same.kept
    assert rows["the fixed design's 8 trainings in plain Lightning"].value == 320.0


def test_a_study_that_prints_no_answer_answers_at_its_end(printed):
    lines = [line for line in printed if "answer" not in line.text]
    rows = verdict.results(lines, tiny(), {})
    assert [row.value for row in rows[:2]] == [60.0, 60.0]


def test_what_was_measured_is_not_measured_again(tmp_path, monkeypatch):
    made = []

    def clone(params, folder):
        folder.mkdir(exist_ok=True)
        (folder / "params.yaml").write_text(params)

    def reproduce(folder, log):
        made.append("study")
        log.write_text(PRINTED)

    def run_loop(folder, into, minutes):
        made.append(minutes)
        into.write_text('{"task": "digits", "variant": "gru", "seed": 0, "seconds": 30.0}\n')

    for stub in (clone, reproduce, run_loop):
        monkeypatch.setattr(verdict, stub.__name__, stub)
    monkeypatch.setattr(verdict, "prepare", lambda *_: None)
    text, keep = (ROOT / "docs/studies/tiny.yaml").read_text(), tmp_path / "keep"
    assert verdict.measure(text, keep, only="loop", minutes=2) == []
    first = verdict.measure(text, keep, only="study")
    assert verdict.measure(text, keep, minutes=3) == first
    assert made == [2, "study", 3]
    with pytest.raises(SystemExit, match="holds what another study or commit took"):
        verdict.measure(text.replace("seeds: 2", "seeds: 3"), keep)
    # A log from elsewhere stands for a study of one's own.
    (tmp_path / "mine.log").write_text(PRINTED)
    found = verdict.measure(text, tmp_path / "other", log=tmp_path / "mine.log", only="study")
    assert found[0].value == 19.5
    assert made == [2, "study", 3]


def test_the_loop_takes_each_run_once_and_then_seeds_while_time_lasts():
    from benchmarks.plain_lightning import in_turns

    plans = [tasks.plan("text", cell=cell, seeds=3) for cell in ("lstm", "gru")]
    spent = {("text", "lstm", 0): 50.0}
    found = []
    for key in in_turns(plans, spent, 100.0):
        found.append(key)
        spent[key] = 20.0
    # The first seeds whatever they take; a second of lstm would end at 120, that of gru at 90.
    assert found == [("text", "gru", 0), ("text", "gru", 1)]


@pytest.mark.weekly
@pytest.mark.slow
def test_the_loop_trains_in_lightning_and_goes_on_where_it_ended(tmp_path):
    from benchmarks import plain_lightning

    tasks.write(tmp_path / "data/prepared/reviews", "text", 60)
    text = yaml.safe_load((ROOT / "docs/studies/tiny.yaml").read_text())
    text["tasks"] = {"reviews": {**text["tasks"]["reviews"], "train": {"epochs": 1}}}
    text["variants"] = {name: {"cell": name, "hidden": 4} for name in ("gru", "mingru")}
    text["compare"]["primary"] = [["gru", "mingru"]]
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(text))
    into = tmp_path / "loop.jsonl"
    into.write_text('{"task": "reviews", "variant": "gru", "seed": 0, "seconds": 0.5}\n')
    # A process of its own: MLflow's autologging stays where it was switched on.
    told = [sys.executable, "-m", "benchmarks.plain_lightning", str(tmp_path), "--into", str(into)]
    subprocess.run(told, check=True, capture_output=True, cwd=ROOT)
    plain_lightning.loop(tmp_path, into, 10.0)  # nothing is left to do
    found = plain_lightning.read(into)
    # Two seeds of the cell that torch.nn has, none of the other.
    assert list(found) == [("reviews", "gru", 0), ("reviews", "gru", 1)]
    assert found["reviews", "gru", 0] == 0.5
    assert found["reviews", "gru", 1] > 0


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
