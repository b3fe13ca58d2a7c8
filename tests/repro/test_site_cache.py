import shutil

import pytest

from gatewise.repro import dvc, site_cache

LOCAL = ".dvc/config.local"


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A checkout whose configuration is this project's own."""
    home = tmp_path / "project"
    (home / ".dvc").mkdir(parents=True)
    (home / ".dvc/config").write_text(
        "[core]\n    analytics = false\n    # beside the project\n"
        "    site_cache_dir = .gatewise/dvc-site\n['remote \"shared\"']\n    url = /50%/off\n"
    )
    monkeypatch.chdir(home)
    return home


def test_the_path_is_absolute_where_experiments_read_it(project, monkeypatch):
    site_cache.settle()
    assert f"site_cache_dir = {project}/.gatewise/dvc-site" in (project / LOCAL).read_text()
    monkeypatch.setattr(dvc, "call", lambda *_words, **_how: pytest.fail("it is settled"))
    site_cache.settle()


def test_a_checkout_that_was_moved_gets_its_own(project, tmp_path, monkeypatch):
    (project / LOCAL).write_text("[core]\n    site_cache_dir = /old/.gatewise/dvc-site\n")
    moved = shutil.move(project, tmp_path / "moved")
    monkeypatch.chdir(moved)
    site_cache.settle()
    assert f"site_cache_dir = {moved}/.gatewise/dvc-site" in (moved / LOCAL).read_text()


@pytest.mark.parametrize("place", ["config", "config.local"])
def test_a_place_that_somebody_chose_stays(project, place, monkeypatch):
    (project / ".dvc" / place).write_text("[core]\n    site_cache_dir = /mine\n")
    monkeypatch.setattr(dvc, "call", lambda *_words, **_how: pytest.fail("it was chosen"))
    site_cache.settle()


def test_outside_a_project_nothing_is_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    site_cache.settle()
    assert list(tmp_path.iterdir()) == []
