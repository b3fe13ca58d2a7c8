"""The gate against a revision, whose runs only `dvc.lock` and DVC's cache or remote still know."""

import shutil

import pytest
from typer.testing import CliRunner

from gatewise.cli.main import app
from gatewise.files import read_json
from tests.delivery.gate.projects import command, committed, copied, git, project, tracked

pytestmark = pytest.mark.slow
FAST = {"gate": {"resamples": 200, "margin": 0.02}}


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A project whose last commit made it worse, pushed to its remote."""
    home = tmp_path_factory.mktemp("home")
    folder = tracked(project(home / "project", **FAST))
    command(folder, "dvc", "push", "--quiet")
    worse = project(home / "worse", skill=0.8, luck=1, **FAST)
    for name in ("runs", "data"):
        shutil.rmtree(folder / name)
        shutil.copytree(worse / name, folder / name)
    committed(folder)
    command(folder, "dvc", "push", "--quiet")
    return home


@pytest.fixture
def home(finished, tmp_path, monkeypatch):
    """A copy of it; the working directory is its project."""
    home = copied(finished, tmp_path / "home")
    config = home / "project/.dvc/config"
    config.write_text(config.read_text().replace(str(finished), str(home)))
    monkeypatch.chdir(home / "project")
    return home


def gate(*arguments):
    done = CliRunner().invoke(app, ["gate", *arguments])
    assert "Traceback" not in done.output
    return done


def test_the_runs_of_a_revision_come_from_the_cache_or_else_from_the_remote(home):
    commit = git(home / "project", "rev-parse", "HEAD~1").strip()
    for _ in range(2):
        done = gate("--against", "HEAD~1")
        assert done.exit_code == 1, done.output
        found = read_json("reports/gate.json")
        assert found["against"] == f"revision {commit[:9]}"
        (check,) = found["tasks"]["toy"]["checks"]
        assert -0.15 < check["difference"]["value"] < -0.05
        shutil.rmtree(".dvc/cache")
        shutil.rmtree("reports/data")
        command(home / "project", "dvc", "pull", "--quiet", "reports/data/toy.json")
    assert gate("--against", "HEAD").exit_code == 0, "against itself"


@pytest.mark.parametrize("lost", ["everything", "one file"])
def test_a_revision_that_nobody_kept_is_refused(home, lost):
    shutil.rmtree(".dvc/cache")
    if lost == "everything":
        shutil.rmtree(home / "remote")
    else:
        largest = max(
            (p for p in (home / "remote").rglob("*") if p.is_file()), key=lambda p: p.stat().st_size
        )
        largest.unlink()
    done = gate("--against", "HEAD~1")
    assert done.exit_code == 3
    assert "cannot be had (dvc get: neither DVC's cache nor its remote holds " in done.output
    assert done.output.count("\n") == 1
    assert not (home / "project/reports/gate.json").exists()


def test_a_revision_without_a_study_is_refused(home):
    project = home / "project"
    git(project, "checkout", "-q", "--orphan", "before")
    git(project, "rm", "-rqf", "--cached", ".")
    git(project, "-c", "user.name=x", "-c", "user.email=x", "commit", "-qm", "x", "--allow-empty")
    done = gate("--against", "before")
    assert done.exit_code == 3
    assert done.output.startswith("error: revision ")
