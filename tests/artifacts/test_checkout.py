import subprocess

import pytest

from gatewise.artifacts import checkout


@pytest.fixture
def repository(tmp_path):
    """A repository with one commit."""

    def git(*arguments):
        named = ["git", "-c", "user.name=x", "-c", "user.email=x", *arguments]
        subprocess.run(named, cwd=tmp_path, check=True, capture_output=True)

    for name in ("params.yaml", "dvc.lock"):
        (tmp_path / name).write_text("one\n")
    git("init", "-q")
    git("add", ".")
    git("commit", "-qm", "one")
    return tmp_path


def test_files_that_differ_make_it_dirty_but_locks_and_new_ones_do_not(repository):
    assert not checkout.dirty(repository)
    (repository / "dvc.lock").write_text("two\n")
    (repository / "new.txt").write_text("new\n")
    assert not checkout.dirty(repository)
    (repository / "params.yaml").write_text("two\n")
    assert checkout.dirty(repository)


def test_revisions_have_commits_if_they_are_known(repository):
    head = checkout.commit(repository)
    assert len(head) == 40
    assert checkout.commit(repository, head[:9]) == head
    assert checkout.commit(repository, "elsewhere") is None
    assert checkout.shallow(repository) is False


def test_outside_of_a_repository_nothing_is_known(tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert checkout.commit(tmp_path) is None
    assert checkout.shallow(tmp_path) is None
    monkeypatch.setenv("PATH", "")
    assert checkout.commit(tmp_path) is None
