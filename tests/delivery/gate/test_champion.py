"""The gate against the registry's champion: carried archives, promotion, what may be missing."""

import shutil
import zipfile
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gatewise import config as configuration
from gatewise.cli.main import app
from gatewise.delivery.gate import snapshot
from gatewise.delivery.gate.assessment import assess
from gatewise.delivery.gate.reference import opened, promote
from gatewise.errors import GatewiseError
from gatewise.tracking.mirror import mirror
from gatewise.tracking.registry import CHAMPION, REFERENCE, Registry
from gatewise.tracking.store import Store
from tests.delivery.gate.projects import project
from tests.evidence_runs import answer, summary, task_comparison, whole_comparison
from tests.tracking.conftest import empty_store  # noqa: F401

pytestmark = pytest.mark.slow
FAST = {"gate": {"resamples": 200, "margin": 0.02}}


@pytest.fixture
def home(empty_store, tmp_path, monkeypatch):  # noqa: F811
    """A store of the test's own."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    shutil.copy(empty_store, tmp_path / "mlflow.db")
    return tmp_path


def study_at(home, name, monkeypatch, **changes):
    """A project with its runs in the store; the working directory from now on."""
    uri = f"sqlite:///{home}/mlflow.db"
    folder = project(home / name, tracking={"uri": uri}, **FAST, **changes)
    monkeypatch.chdir(folder)
    study = configuration.load()
    assert mirror(study.tracking, "runs").notes == []
    return study, Store(study.tracking)


def against_champion(study, store):
    with opened("champion", ["toy"], store) as references:
        return assess(study, references)


def make_champion(study, store, variant="gru"):
    candidate = snapshot.read(".", "toy", "this study")[variant]
    evidence = {"gatewise.note": "x"}
    models = Registry(store, "toy")
    return promote(models, candidate, candidate.best("accuracy"), evidence, "for this test")


def call(*arguments):
    return CliRunner().invoke(app, [*arguments])


def test_from_the_first_champion_to_the_next(home, monkeypatch):
    study, store = study_at(home, "first", monkeypatch)
    result = against_champion(study, store)
    assert result.verdict == "pass"
    assert "no champion yet" in result.tasks["toy"].notes[0]
    assert (result.tasks["toy"].promotion.promote, result.tasks["toy"].promotion.variant) == (
        True,
        "gru",
    )
    assert make_champion(study, store) == "1"
    assert make_champion(study, store) == "1", "doing it again changes nothing"
    version = Registry(store, "toy").version(CHAMPION)
    assert version.tags[REFERENCE].startswith("reference/")

    # The champion against itself: all seeds, from what it carries.
    result = against_champion(study, store)
    (check,) = result.tasks["toy"].checks
    assert (result.verdict, check.overall.value, check.overall.seeds) == ("pass", 0.0, 4)
    assert result.tasks["toy"].promotion.reason == "the champion is one of these very runs"

    # Somewhere else, without the first project's files: worse, then better.
    shutil.rmtree(home / "first")
    study, store = study_at(home, "worse", monkeypatch, skill=0.8)
    result = against_champion(study, store)
    assert result.verdict == "regression"
    assert not result.tasks["toy"].promotion.promote
    study, store = study_at(home, "better", monkeypatch, skill=0.97, luck=3)
    result = against_champion(study, store)
    assert result.verdict == "pass"
    assert result.tasks["toy"].promotion.promote
    assert "better than the champion by" in result.tasks["toy"].promotion.reason
    assert make_champion(study, store) == "2"
    assert call("rollback", "toy").exit_code == 0
    assert Registry(store, "toy").version(CHAMPION).version in (1, "1")


def test_challengers_are_assessed_but_only_the_champions_successor_must_pass(home, monkeypatch):
    study, store = study_at(home, "first", monkeypatch)
    make_champion(study, store)
    small = {"parameters": 600, "macs_per_step": 400, "hidden": 4, "skill": 0.97}
    both = {"gru": {}, "small": small}
    study, store = study_at(home, "second", monkeypatch, variants=both)
    result = against_champion(study, store)
    checks = {check.variant: check for check in result.tasks["toy"].checks}
    assert (checks["gru"].must_pass, checks["small"].must_pass) == (True, False)
    assert result.tasks["toy"].promotion.variant == "small"
    study, store = study_at(home, "third", monkeypatch, variants={"small": small})
    (check,) = against_champion(study, store).tasks["toy"].checks
    assert check.must_pass, "the champion's variant is gone, so the best of the rest stands in"


def test_who_stands_in_for_a_champion_no_longer_studied_is_the_answers_choice(home, monkeypatch):
    study, store = study_at(home, "first", monkeypatch)
    make_champion(study, store)
    rest = {"small": {"skill": 0.9}, "large": {"skill": 0.97}}
    study, store = study_at(home, "second", monkeypatch, variants=rest)
    result = against_champion(study, store).tasks["toy"]
    assert [check.variant for check in result.main] == ["large"], "the best, without an answer"
    summaries = {"small": summary(0.9), "large": summary(0.97)}
    task = task_comparison(summaries, answer=answer("small", "large"))
    whole_comparison({"toy": task}).write(home / "second/reports/comparison.json")
    result = against_champion(study, store).tasks["toy"]
    assert [check.variant for check in result.main] == ["small"]
    assert "small stands in for gru: the answer's choice" in result.notes


def test_a_champion_promoted_without_an_archive_is_asked_as_a_lone_model(home, monkeypatch):
    study, store = study_at(home, "first", monkeypatch)
    make_champion(study, store)
    version = Registry(store, "toy").version(CHAMPION)
    name = Registry(store, "toy").name
    store.client.delete_model_version_tag(name, version.version, REFERENCE)
    (check,) = against_champion(study, store).tasks["toy"].checks
    assert any("was evaluated on" in note for note in check.notes)
    shutil.rmtree(home / "mlartifacts")
    with pytest.raises(GatewiseError, match="missing from the artifact store"):
        against_champion(study, store)


def test_a_champion_whose_archive_is_gone_is_refused(home, monkeypatch):
    study, store = study_at(home, "first", monkeypatch)
    make_champion(study, store)
    for path in home.rglob("reference/*.zip"):
        path.unlink()
    done = call("gate")
    assert done.exit_code == 3
    assert "missing from the artifact store" in done.output
    assert "`gatewise rollback`" in done.output


def cut_off(path):
    path.write_bytes(path.read_bytes()[:1000])


def one_bit(path):
    whole = bytearray(path.read_bytes())
    whole[len(whole) // 2] ^= 1
    path.write_bytes(whole)


def another_archive(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("runs/toy/gru/seed-0/run.json", "{}")


@pytest.mark.parametrize("damage", [cut_off, one_bit, another_archive])
def test_a_champion_whose_archive_is_damaged_is_refused(home, monkeypatch, damage):
    study, store = study_at(home, "first", monkeypatch)
    make_champion(study, store)
    (path,) = home.rglob("reference/*.zip")
    damage(path)
    done = call("gate")
    assert done.exit_code == 3
    assert "is damaged; `gatewise rollback`" in done.output
    assert not Path("reports/gate.json").exists()
