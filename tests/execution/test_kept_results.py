from pathlib import Path

import pytest

from benchmarks.hardening import damage
from gatewise.execution.kept_results import RECORD, KeptResult

OUTPUTS = [Path("data/toy"), Path("reports/toy.json")]


class Stage:
    """A stage that counts how often it made its outputs."""

    def __init__(self):
        self.made = 0

    def __call__(self, decisive="as ever"):
        def make():
            self.made += 1
            OUTPUTS[0].mkdir(parents=True, exist_ok=True)
            (OUTPUTS[0] / "part").write_text(f"{decisive} {self.made}")
            OUTPUTS[1].parent.mkdir(exist_ok=True)
            OUTPUTS[1].unlink(missing_ok=True)
            OUTPUTS[1].write_text(str(self.made))

        return KeptResult("stage", "toy", [decisive], OUTPUTS).make(make)


@pytest.fixture
def stage(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return Stage()


def remove_outputs():
    """As DVC does before it runs a stage."""
    (OUTPUTS[0] / "part").unlink()
    OUTPUTS[0].rmdir()
    OUTPUTS[1].unlink()


def test_a_result_is_put_back_under_an_equal_key(stage, capsys):
    assert stage()
    remove_outputs()
    assert not stage()
    assert (OUTPUTS[0] / "part").read_text() == "as ever 1"
    assert OUTPUTS[1].read_text() == "1"
    assert "stage@toy: unchanged: kept from before" in capsys.readouterr().out


def test_what_decides_the_result_makes_it_anew(stage):
    stage()
    remove_outputs()
    assert stage("another")
    assert (OUTPUTS[0] / "part").read_text() == "another 2"


@pytest.mark.parametrize("damage", ["changed", "missing", "unreadable"])
def test_a_damaged_result_is_made_anew(stage, damage):
    stage()
    kept = Path(".gatewise/kept/stage/toy")
    if damage == "changed":
        (kept / OUTPUTS[0] / "part").write_text("by somebody else")
    elif damage == "missing":
        (kept / OUTPUTS[1]).unlink()
    else:
        (kept / RECORD).write_text("{")
    assert stage()
    assert stage.made == 2


def test_a_failure_keeps_nothing(stage):
    def fail():
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        KeptResult("stage", "toy", ["as ever"], OUTPUTS).make(fail)
    assert not Path(".gatewise").exists()


@pytest.mark.parametrize("kind", damage.KINDS)
@pytest.mark.parametrize("name", ["data/toy/part", "reports/toy.json", RECORD])
def test_any_damage_is_named_and_made_anew(stage, capsys, name, kind):
    stage()
    remove_outputs()
    damage.spoil(Path(".gatewise/kept/stage/toy") / name, kind, seed=2)
    made = stage()
    assert OUTPUTS[0].joinpath("part").read_text() == f"as ever {stage.made}"
    assert made == (stage.made == 2)
    if made and not (name == RECORD and kind in ("one bit", "a link to nowhere")):
        assert f"toy/{name} is damaged; made anew" in capsys.readouterr().err
    assert made or (name, kind) == (RECORD, "one bit")
    remove_outputs()
    assert not stage()


def test_a_file_that_was_never_kept_is_not_put_back(stage):
    stage()
    remove_outputs()
    Path(".gatewise/kept/stage/toy/data/toy/stray").write_text("from elsewhere")
    assert stage()
    assert [path.name for path in OUTPUTS[0].iterdir()] == ["part"]


def test_what_is_made_ahead_touches_no_output_and_is_found(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    output = Path("reports/toy.json")
    made = []

    def make(root):
        made.append(root)
        (root / output).parent.mkdir(parents=True)
        (root / output).write_text("made")

    def result(decisive="as ever"):
        return KeptResult("stage", "toy", [decisive], [output])

    assert result().make_ahead(make)
    assert not output.exists()
    assert not result().make_ahead(make)  # it is there already
    assert not made[0].exists()
    assert not result().make(lambda: pytest.fail("made twice"))
    assert output.read_text() == "made"
    assert result("another").make_ahead(make)
    assert len(made) == 2
    assert "kept from before" in capsys.readouterr().out
