import functools
import io
import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from gatewise.cli import new, understood
from gatewise.cli.main import app
from gatewise.data.understanding import Ambiguous, Understanding
from gatewise.errors import GatewiseError
from gatewise.repro.studies import proposal
from gatewise.repro.studies.timing import Pace
from tests import checkouts
from tests.data.understanding import test_kinds as kinds
from tests.data.understanding.layouts import clips, cross, delimited, rows
from tests.data.understanding.test_layouts import label_folders, speaker_hashes, spoken_digits

runner = CliRunner(env={"COLUMNS": "110"})


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that a study can be written to."""
    home = tmp_path / "project"
    home.mkdir()
    (home / "dvc.yaml").write_text("stages: {}\n")
    (home / "params.yaml").write_text("tasks: {before: {}}\n")
    (home / "seeds.lock").write_text("reached: 0\n")
    (home / "tuning.lock").write_text("kept: {}\n")
    monkeypatch.chdir(home)
    return home


@pytest.fixture(autouse=True)
def _no_timing(monkeypatch: pytest.MonkeyPatch) -> None:
    """This machine's pace as if it had been measured, which takes seconds."""
    quick = functools.partial(proposal.propose, timer=lambda *_: Pace(0.01, 2))
    monkeypatch.setattr(proposal, "propose", quick)


@pytest.fixture
def table(tmp_path: Path) -> Path:
    return delimited(tmp_path / "news.csv", rows())


def test_a_dry_run_prints_and_writes_nothing(project: Path, table: Path) -> None:
    before = {path: path.read_bytes() for path in project.rglob("*") if path.is_file()}
    result = runner.invoke(app, ["new", str(table), "--dry-run"])
    assert result.exit_code == 0, result.exception
    said = " ".join(result.stdout.split())
    assert "90 texts with 3 labels; the task will be called news" in said
    assert "column 'text'" in result.stdout
    assert "metric: accuracy  # all labels are as frequent" in result.stdout
    assert "nothing was written" in result.stdout
    assert "\x1b" not in result.stdout
    assert {path: path.read_bytes() for path in project.rglob("*") if path.is_file()} == before


def test_the_study_is_written_and_the_one_before_is_kept(project: Path, table: Path) -> None:
    options = ["--name", "mine", "--metric", "macro_f1", "--as", "first", "--minutes", "1"]
    result = runner.invoke(app, ["new", str(table), *options])
    assert result.exit_code == 0, result.exception
    study = yaml.safe_load((project / "params.yaml").read_text())
    assert list(study["tasks"]) == ["mine"]
    assert study["tasks"]["mine"]["metric"] == "macro_f1"
    assert study["tasks"]["mine"]["source"]["path"] == str(table)
    assert "the one before is kept as first" in result.stdout
    last = result.stdout.rstrip().splitlines()[-3:]
    assert [line.strip().split("  ")[0] for line in last] == [
        "gatewise repro",
        "gatewise plan",
        "gatewise use first",
    ]
    kept = yaml.safe_load((project / "studies" / "first" / "params.yaml").read_text())
    assert list(kept["tasks"]) == ["before"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--name", "My Data"], "--name: 'My Data' cannot be a name"),
        (["--metric", "acuracy"], "--metric: 'acuracy' .*did you mean accuracy"),
        (["--metric", "log_loss"], "--metric: 'log_loss' cannot be chosen here"),
        (["--quoting", "some"], "--quoting: 'some'; allowed: standard, none"),
        (["--label", "lable"], "no column 'lable'; did you mean label"),
        (["--pattern", "("], "not a regular expression"),
        (["--as", "Not A Name"], "cannot be a study's name"),
    ],
)
def test_what_is_typed_wrongly_is_refused_before_anything_is_written(
    project: Path, table: Path, options: list[str], said: str
) -> None:
    data = table
    if options[0] == "--pattern":
        data = clips(table.parent / "s", cross("{}_{}.wav", "ab", range(40)))
    result = runner.invoke(app, ["new", str(data), *options])
    assert isinstance(result.exception, GatewiseError)
    with pytest.raises(GatewiseError, match=said):
        raise result.exception
    assert sorted(path.name for path in project.iterdir() if path.is_file()) == [
        "dvc.yaml",
        "params.yaml",
        "seeds.lock",
        "tuning.lock",
    ]
    assert "before" in (project / "params.yaml").read_text()


def test_outside_a_project_only_a_dry_run_goes(
    tmp_path: Path, table: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = runner.invoke(app, ["new", str(table)])
    assert "run from the project's folder" in str(result.exception)
    assert runner.invoke(app, ["new", str(table), "--dry-run"]).exit_code == 0


def test_without_a_terminal_both_readings_are_named(project: Path, tmp_path: Path) -> None:
    home = spoken_digits(tmp_path / "digits")
    result = runner.invoke(app, ["new", str(home), "--dry-run"])
    assert isinstance(result.exception, Ambiguous)
    assert "labels 0, 1, 2, ... 5 in all, groups ann" in str(result.exception)
    assert "labels ann, bob, eve, ... 4 in all" in str(result.exception)
    assert "take the first with --yes" in str(result.exception)
    result = runner.invoke(app, ["new", str(home), "--dry-run", "--yes"])
    assert result.exit_code == 0, result.exception
    assert "the likelier of 2" in result.stdout
    assert "guess" in result.stdout


def test_on_a_terminal_a_person_chooses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from gatewise.data.understanding import Options

    home = spoken_digits(tmp_path / "digits")
    typed = io.StringIO("7\n2\n")
    monkeypatch.setattr(typed, "isatty", lambda: True)
    monkeypatch.setattr(sys, "stdin", typed)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    found = new.understood_or_asked(home, Options(), None)
    assert sorted(found.labels) == ["ann", "bob", "eve", "max"]
    said = capsys.readouterr().err
    assert "1  labels 0, 1, 2, ... 5 in all" in said
    assert "2  labels ann, bob" in said
    assert "there is no 7 among them" in said


def shown(path: Path, found: Understanding, width: int) -> str:
    from rich.console import Console

    console = Console(file=io.StringIO(), width=width)
    understood.show(path, found, console)
    written = console.file
    assert isinstance(written, io.StringIO)
    return written.getvalue()


def test_the_table_fits_wide_and_narrow_terminals(tmp_path: Path) -> None:
    from gatewise.data.understanding import understand

    home = speaker_hashes(tmp_path / "words")
    found = understand(home)
    for width in (120, 80, 60, 40):
        lines = shown(home, found, width).splitlines()
        assert max(map(len, lines)) <= width
        text = " ".join(" ".join(lines).split())
        assert "72 sounds with 3 labels" in text
        assert "8, the largest of 9 examples" in text
        assert "8,000 Hz (72)" in text
        assert "the speaker's hash before _nohash_ in each name" in text
    narrow = shown(home, found, 40).splitlines()
    assert "labels" in narrow
    assert "group (certain)" in narrow


def test_histograms() -> None:
    import numpy as np

    whole = np.repeat([1.0, 2.0, 3.0], [1, 8, 4])
    assert understood.histogram(whole) == "▁█▄"
    assert understood.histogram(whole, plain=True) == ".%="
    assert understood.histogram(np.ones(5)) == ""
    spread = np.linspace(0, 1, 1_000)
    assert len(understood.histogram(spread, bins=10)) == 10
    assert set(understood.histogram(spread, bins=10)) == {"█"}


def test_neither_blocks_nor_colours_where_a_terminal_has_none(table: Path) -> None:
    from rich.console import Console

    from gatewise.data.understanding import understand

    found = understand(table)
    written = io.BytesIO()
    plain = io.TextIOWrapper(written, encoding="ascii", errors="backslashreplace")
    understood.show(
        table, found, Console(file=plain, width=100, force_terminal=True, no_color=True)
    )
    plain.flush()
    text = written.getvalue().decode()
    assert "\\u2588" not in text
    assert re.search(r"\d \|[ .:=+*#%-]+\|", text)
    assert "\x1b[3" not in text  # no colour; bold and dim are none


# --- to the answer -------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("kind", ["sounds", pytest.param("texts", marks=pytest.mark.weekly)])
def test_from_a_folder_or_table_to_the_answer(kind: str, tmp_path: Path) -> None:
    project = checkouts.checkout(Path(__file__).parents[2], tmp_path / "project")
    checkouts.run(project, "git", "init", "-q")
    if kind == "sounds":
        data = label_folders(tmp_path / "mine")
    else:
        data = delimited(tmp_path / "mine.csv", rows(150))
    command = [sys.executable, "-m", "gatewise.cli.main", "new", str(data), "--run", "--yes"]
    said = checkouts.run(project, *command, "--minutes", "0.3", "--as", "before")
    comparison: dict[str, Any] = json.loads((project / "reports/comparison.json").read_text())
    answer = comparison["tasks"]["mine"]["answer"]["sentence"]
    end = said[said.rindex("the page:") - len(answer) - 100 :]
    assert answer in end
    assert (project / "reports" / "index.html").as_uri() in end
    assert "gatewise predict runs/mine/" in end
    back = checkouts.run(project, sys.executable, "-m", "gatewise.cli.main", "use", "before")
    assert "before is back; the study that was here is kept as mine" in back


# --- more than labels ----------------------------------------------------------------------


def test_a_study_of_pairs_is_written(project: Path, tmp_path: Path) -> None:
    table = kinds.delimited(tmp_path / "faq.csv", kinds.pairs("question", "answer"))
    result = runner.invoke(app, ["new", str(table), "--metric", "chrf"])
    assert result.exit_code == 0, result.exception
    said = " ".join(result.stdout.split())
    assert "90 pairs of texts; the task will be called faq" in said
    assert "'answer' is said to 'question', by their names" in said
    assert "different words" in said
    task = yaml.safe_load((project / "params.yaml").read_text())["tasks"]["faq"]
    assert task["source"]["columns"] == {"source": "question", "target": "answer"}
    assert (task["objective"]["kind"], task["metric"]) == ("generate", "chrf")


def test_a_study_of_series_is_written(project: Path, tmp_path: Path) -> None:
    table = kinds.delimited(tmp_path / "visits.csv", kinds.months(length=60))
    result = runner.invoke(app, ["new", str(table), "--horizon", "6", "--rnn"])
    assert result.exit_code == 0, result.exception
    said = " ".join(result.stdout.split())
    assert "5 series, to be forecast 6 steps ahead" in said
    assert "a value every month, season of 12 steps" in said
    study = yaml.safe_load((project / "params.yaml").read_text())
    assert study["tasks"]["visits"]["objective"] == {"kind": "forecast", "horizon": 6, "season": 12}
    assert "rnn" in study["variants"]


def test_a_study_of_transcripts_fits_a_narrow_terminal(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "spoken"
    home.mkdir()
    table = kinds.transcripts(home)
    narrow = CliRunner(env={"COLUMNS": "50"})
    result = narrow.invoke(app, ["new", str(table.parent), "--dry-run"])
    assert result.exit_code == 0, result.exception
    said = " ".join(result.stdout.split())
    assert "90 sounds with a text each" in said
    assert "different characters" in said
    assert "kind: transcribe" in said


def test_what_is_asked_wrongly_is_refused_first(project: Path, table: Path) -> None:
    for options, said in (
        (["--objective", "sing"], "--objective: unknown objective 'sing'"),
        (["--objective", "forecast", "--metric", "bleu"], "--metric: 'bleu' cannot be chosen"),
        (["--metric", "log_loss"], "--metric: 'log_loss' cannot be chosen"),
    ):
        result = runner.invoke(app, ["new", str(table), *options])
        assert isinstance(result.exception, GatewiseError)
        assert said in str(result.exception)
