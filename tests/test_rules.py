"""The benchmark of the rules behind `gatewise new`: its tables, and what it compares."""

from dataclasses import asdict

import numpy as np
import pytest

from benchmarks.rules import sets, settings, table
from benchmarks.rules.runs import Score
from benchmarks.rules.settings import GRID, RULES
from benchmarks.rules.table import BY_HAND, SetScores
from gatewise import config
from gatewise.repro.studies import learning
from tests.repro.studies.understandings import sounds, texts

POINTS = ["base", "other"]


def scores(test, validation=None, seeds=2):
    """Both cells' scores: `test` and, unless given, as much on validation."""
    return [
        Score(cell, seed, test if validation is None else validation, test + seed / 100, 3.0)
        for seed in range(seeds)
        for cell in settings.CELLS
    ]


def one_set(name, base, other, hand=0.8):
    return SetScores(
        name, {BY_HAND: scores(hand), "base": scores(*base), "other": scores(*other)}, 0.75
    )


def test_settings_stand_beside_those_by_hand_seed_by_seed():
    rows = table.beside_hand([one_set("mails", (0.81,), (0.7,))], "base")
    assert rows[1] == ["mails", "lstm", "80.5", "81.5", "+1.0 ± 0.0", "3, 3", "75.0"]
    assert [row[1] for row in rows[1:]] == ["lstm", "gru"]


def test_a_set_that_is_held_out_has_no_say():
    good, bad = (0.70, 0.90), (0.90, 0.70)  # test scores say the opposite of validation's
    found = [
        one_set("mine", base=(0.70, 0.99), other=(0.90, 0.10)),
        one_set("first", base=bad, other=good),
        one_set("second", base=bad, other=good),
    ]
    assert table.choice(found[1:], POINTS) == "other"
    row = table.held_out(found, POINTS)[1]
    assert row == ["mine", "other", "+10.0", "-10.0", "+10.0 (other)"]


def test_of_equals_the_rules_are_chosen():
    found = [one_set("mails", (0.8,), (0.8,))]
    assert table.choice(found, POINTS) == "base"


def test_by_hand_is_what_the_default_study_says(project):
    study = config.load(project / "params.yaml")
    known = {one.name: one.hand for one in sets.all_sets()}
    for task in ("commands", "reviews"):
        data = (sounds if task == "commands" else texts)()
        written = settings.by_hand(data, known[task])
        assert written.train_for(data.name) == study.train_for(task)
        assert written.tasks[data.name].features == study.tasks[task].features
        assert written.tasks[data.name].model == study.tasks[task].model
        assert written.variants["lstm"].hidden == study.variants["lstm"].hidden


@pytest.mark.parametrize("point", GRID, ids=lambda point: point.name)
def test_points_change_the_rules_for_their_own_study_alone(point):
    before = {name: getattr(learning, name) for name in point.constants}
    many = sounds(labels={"up": 6000, "down": 3000}, lengths=np.ones(9000))
    unlike = [
        data.name
        for data in (texts(), sounds(), many)
        if settings.by_rules(data, point) != settings.by_rules(data)
    ]
    assert bool(unlike) == (point is not RULES)
    assert {name: getattr(learning, name) for name in point.constants} == before


def test_a_run_is_not_trained_twice(tmp_path, monkeypatch):
    from benchmarks.rules import runs

    known = runs.Runs(tmp_path)
    monkeypatch.setattr(runs.Runs, "_key", lambda self, study, cell, seed: f"{cell}{seed}")
    kept = [Score(cell, 0, 0.5, 0.6, 1.0) for cell in settings.CELLS]
    lines = [runs.line(f"{one.cell}0", one) for one in kept]
    (tmp_path / "scores.jsonl").write_text("".join(lines))
    assert runs.Runs(tmp_path).scores(None, 0) == kept
    assert not known._known
    assert asdict(kept[0])["cell"] == "lstm"
