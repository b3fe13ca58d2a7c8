import pytest

from gatewise.artifacts.tuned import Tuned
from gatewise.tracking import names
from gatewise.tracking.content import KIND, PARENT
from gatewise.tracking.mirror import check, mirror
from gatewise.tracking.store import Store
from gatewise.tracking.trials import everything
from tests.evidence.tunings import choice, trial, tuned

SCORE = names.final("validation", "accuracy")


def made(variant="gru", **keys):
    trials = [
        trial(0, [0.5, 0.6], learning_rate=0.01, dropout=0.0),
        trial(1, [0.7, 0.9], learning_rate=0.02, dropout=0.2),
        trial(2, None, "diverged", learning_rate=0.9, dropout=0.1),
    ]
    return tuned(variant, choice(trials), task="digits", **keys)


def write(folder, *several):
    for one in several:
        one.write(folder / "data" / "tuned" / one.task / f"{one.variant}.json")


def by_name(config):
    return {run.info.run_name: run for run in Store(config).all_runs("digits").values()}


def test_trials_are_runs_under_a_tuning_run_and_name_what_was_tried(config, folders, tmp_path):
    write(tmp_path, made())
    mirror(config, folders)
    runs = by_name(config)
    parent, chosen = runs["digits/gru/tuning"], runs["digits/gru/trial-1"]
    assert parent.data.tags[KIND] == "tuning"
    assert chosen.data.tags[KIND] == "trial"
    assert chosen.data.tags[PARENT] == parent.info.run_id
    assert chosen.data.params == {"train.learning_rate": "0.02", "config.dropout": "0.2"}
    assert chosen.data.metrics[SCORE] == pytest.approx(0.8)
    assert chosen.data.tags["gatewise.chosen"] == "true"
    assert parent.data.metrics[SCORE] == pytest.approx(0.8)
    bad = runs["digits/gru/trial-2"]
    assert bad.data.tags["gatewise.outcome"] == "diverged"
    assert SCORE not in bad.data.metrics


def test_the_names_are_those_of_the_studys_own_runs(config, folders, tmp_path):
    write(tmp_path, made())
    mirror(config, folders)
    run = by_name(config)["digits/gru/seed-0"]
    assert SCORE in run.data.metrics
    assert {"train.learning_rate", "config.dropout"} <= set(run.data.params)


def test_a_second_mirror_adds_nothing_and_a_check_finds_nothing_amiss(config, folders, tmp_path):
    write(tmp_path, made(), made("lstm"))
    mirror(config, folders)
    again = mirror(config, folders)
    assert (again.added, again.completed, again.unchanged) == ([], [], 6 + 2 * 4)
    assert check(config, folders) == []
    name = "digits/lstm/trial-0"
    Store(config).client.delete_run(by_name(config)[name].info.run_id)
    assert check(config, folders) == [f"{name}: not in the store"]
    assert mirror(config, folders).added == [name]


def test_another_search_leaves_the_earlier_one_as_history(tmp_path):
    first = [content.key for content, _parent in _all(tmp_path, made())]
    second = [content.key for content, _parent in _all(tmp_path, made(seeds=3))]
    assert len(first) == len(set(first)) == 4
    assert not set(first) & set(second)


def test_seeds_that_chose_for_themselves_have_their_own_trials(tmp_path):
    several = {seed: choice([trial(0, 0.5), trial(1, 0.6)]) for seed in (0, 1)}
    found = _all(tmp_path, tuned("gru", several, task="digits"))
    names = [content.name for content, _parent in found]
    assert names[1:3] == ["digits/gru/seed-0/trial-0", "digits/gru/seed-0/trial-1"]
    assert len({content.key for content, _parent in found}) == 5


def test_nothing_is_there_where_nothing_was_tuned(tmp_path):
    bare = Tuned(task="digits", variant="gru", metric="accuracy")
    assert _all(tmp_path, bare) == []
    assert list(everything(["other"], tmp_path / "data" / "tuned")) == []


def _all(folder, one):
    write(folder, one)
    return list(everything([one.task], folder / "data" / "tuned"))
