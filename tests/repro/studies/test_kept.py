"""Studies side by side: nothing is lost, whatever the moment of a kill."""

import os
from pathlib import Path

import pytest

from gatewise import config
from gatewise.artifacts.tuning_lock import TuningLock
from gatewise.errors import GatewiseError
from gatewise.files import write_json
from gatewise.repro import leftovers
from gatewise.repro.studies import kept


def params(task):
    return (
        f"tasks: {{{task}: {{source: {{kind: digits}}, features: {{kind: frames}}}}}}\n"
        "variants: {lstm: {cell: lstm, hidden: 4}}\n"
        "seeds: auto\n"
    )


@pytest.fixture
def root(tmp_path):
    (tmp_path / "dvc.yaml").write_text("stages: {}\n")
    (tmp_path / "params.yaml").write_text(params("digits"))
    (tmp_path / "dvc.lock").write_text("schema: '2.0'\n")
    (tmp_path / "seeds.lock").write_text("seeds:\n  digits: {lstm: 12}\n")
    (tmp_path / "tuning.lock").write_text("kept: {}\n")
    return tmp_path


def contents(folder):
    return {name: (folder / name).read_text() for name in kept.FILES if (folder / name).exists()}


def test_a_new_study_takes_the_place_of_one_that_is_kept(root):
    before = contents(root)
    assert kept.begin("doors", params("doors"), root=root) == ("doors", "digits")
    assert contents(root / "studies/digits") == before
    assert kept.present(root) == "doors"
    assert list(config.load(root / "params.yaml").tasks) == ["doors"]
    assert config.load(root / "params.yaml").seeds_of("doors", "lstm") == list(range(8))
    assert TuningLock.read(root / "tuning.lock") == TuningLock()
    assert not (root / "dvc.lock").exists()


def test_a_study_comes_back_with_its_locks_and_the_other_is_kept_as_it_became(root):
    before = contents(root)
    kept.begin("doors", params("doors"), root=root)
    (root / "dvc.lock").write_text("what doors computed\n")
    (root / "params.yaml").write_text(params("doors") + "# edited\n")
    assert kept.use("digits", root=root) == "doors"
    assert contents(root) == before
    assert kept.use("doors", root=root) == "digits"
    assert (root / "dvc.lock").read_text() == "what doors computed\n"
    assert (root / "params.yaml").read_text().endswith("# edited\n")


def test_the_present_study_is_kept_under_the_name_that_is_asked_for(root):
    kept.begin("doors", params("doors"), keep_as="spoken", root=root)
    assert [(one.name, one.tasks, one.present) for one in kept.listing(root)] == [
        ("doors", ("doors",), True),
        ("spoken", ("digits",), False),
    ]


def test_names_that_are_taken_get_a_number_or_are_refused(root):
    kept.begin("digits", params("digits") + "# other\n", root=root)
    assert kept.present(root) == "digits-2"
    with pytest.raises(GatewiseError, match="another study 'digits' already"):
        kept.begin("doors", params("doors"), keep_as="digits", root=root)
    assert kept.present(root) == "digits-2"


def test_the_same_study_again_changes_nothing(root):
    kept.begin("doors", params("doors"), root=root)
    (root / "dvc.lock").write_text("what doors computed\n")
    assert kept.begin("doors", params("doors"), root=root) == ("doors", None)
    assert kept.use("doors", root=root) is None
    assert (root / "dvc.lock").read_text() == "what doors computed\n"


@pytest.mark.parametrize("name", ["digts", "../digits", "present", ".hidden"])
def test_unknown_names_are_refused_with_the_nearest(root, name):
    kept.begin("doors", params("doors"), root=root)
    with pytest.raises(GatewiseError, match=r"no study is kept as .*allowed: digits, doors"):
        kept.use(name, root=root)


@pytest.mark.parametrize("name", ["Spoken", "a b", "../a", "present", "a" * 101])
def test_names_that_cannot_be_folders_are_refused(root, name):
    before = contents(root)
    with pytest.raises(GatewiseError, match="cannot be a study's name"):
        kept.begin("doors", params("doors"), keep_as=name, root=root)
    assert contents(root) == before


def test_it_is_refused_outside_of_a_project(tmp_path):
    with pytest.raises(GatewiseError, match="run from the project's folder"):
        kept.use("digits", root=tmp_path)


def test_a_present_study_that_cannot_be_read_is_kept_all_the_same(root):
    (root / "params.yaml").write_text("tasks: [\n")
    assert kept.begin("doors", params("doors"), root=root) == ("doors", "study")
    assert (root / "studies/study/params.yaml").read_text() == "tasks: [\n"


class Killed(BaseException):
    """Ends a block wherever it is, as a kill does."""


def steps(monkeypatch):
    """Counts what writes or removes something; `stop` says after how many it is killed."""
    state = {"done": 0, "stop": None}

    def counted(write):
        def wrapped(*arguments, **keys):
            if state["stop"] is not None and state["done"] >= state["stop"]:
                raise Killed
            state["done"] += 1
            return write(*arguments, **keys)

        return wrapped

    for name in ("replace", "rename", "unlink", "write_bytes", "write_text"):
        monkeypatch.setattr(Path, name, counted(getattr(Path, name)))
    return state


def test_a_kill_at_any_moment_loses_nothing_and_the_next_command_ends_what_was_begun(
    root, monkeypatch
):
    """At each moment: the study that left is whole, and bringing it back gives it as it was."""
    before = contents(root)
    kept.begin("doors", params("doors"), root=root)
    (root / "dvc.lock").write_text("what doors computed\n")
    doors = contents(root)
    state = steps(monkeypatch)
    moments = 0
    while True:
        state.update(done=0, stop=moments)
        try:
            kept.use("digits", root=root)
        except Killed:
            state["stop"] = None
            kept.use("digits", root=root)
            assert contents(root) == before
            assert contents(root / "studies/doors") == doors
        else:
            break
        finally:
            state["stop"] = None
        kept.use("doors", root=root)
        assert contents(root) == doors
        moments += 1
    assert moments > 8


def test_what_was_edited_after_a_kill_is_not_written_over(root, monkeypatch):
    kept.begin("doors", params("doors"), root=root)
    copy = kept._copy
    monkeypatch.setattr(kept, "_copy", lambda *_: (_ for _ in ()).throw(Killed))
    with pytest.raises(Killed):
        kept.use("digits", root=root)
    monkeypatch.setattr(kept, "_copy", copy)
    (root / "params.yaml").write_text(params("digits") + "# edited meanwhile\n")
    kept.use("doors", root=root)
    assert "# edited meanwhile" in (root / "studies/digits/params.yaml").read_text()


def test_no_study_changes_places_while_dvc_works(root):
    kept.begin("doors", params("doors"), root=root)
    before = contents(root)
    (root / leftovers.RWLOCK).parent.mkdir(parents=True)
    write_json(root / leftovers.RWLOCK, {"data": {"write": {"pid": os.getpid(), "cmd": "dvc"}}})
    with pytest.raises(GatewiseError, match="DVC is at work"):
        kept.use("digits", root=root)
    with pytest.raises(GatewiseError, match="DVC is at work"):
        kept.begin("words", params("words"), root=root)
    assert (contents(root), kept.present(root)) == (before, "doors")
