import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gatewise.cli.main import app
from gatewise.config import source_kinds
from gatewise.errors import GatewiseError
from tests import sounds
from tests.data.understanding import test_kinds as kinds

runner = CliRunner(env={"COLUMNS": "200"})


def test_sources_lists_every_source_with_licence_and_needs() -> None:
    result = runner.invoke(app, ["sources"])
    assert result.exit_code == 0
    for kind in source_kinds():
        assert kind in result.stdout
    assert "synthetic speech" in result.stdout
    assert "CC BY 4.0" in result.stdout


@pytest.mark.parametrize("kind", source_kinds())
def test_every_option_of_every_source_is_explained(kind: str) -> None:
    from gatewise.config import source_class

    result = runner.invoke(app, ["sources", kind])
    assert result.exit_code == 0
    for name, field in source_class(kind).model_fields.items():
        if name != "kind":
            assert name in result.stdout
            plain = {"title", "licence", "encoding", "label", "root"}
            assert field.description or name in plain, f"{kind}.{name} has no docstring"


def test_unknown_source() -> None:
    result = runner.invoke(app, ["sources", "digit"])
    assert isinstance(result.exception, GatewiseError)
    assert "did you mean digits" in str(result.exception)


def test_check_certifies_a_folder(tmp_path: Path) -> None:
    home = sounds.folder(tmp_path / "mine")
    (home / "yes" / "s01_nohash_9.wav").write_bytes(b"no sound")
    options = ["data", "check", str(home), "--group", r"([^/]+)_nohash_"]
    result = runner.invoke(app, options)
    assert isinstance(result.exception, GatewiseError)
    assert "yes/s01_nohash_9.wav: not decodable as sound" in str(result.exception)
    assert "give --on-bad skip" in str(result.exception)
    result = runner.invoke(app, [*options, "--on-bad", "skip"])
    assert result.exit_code == 0, result.exception
    assert "labels: no 30, yes 30" in result.stdout
    assert "60 examples, 2 labels, 30 groups" in result.stdout
    assert "unusable (skipped): 1" in result.stdout
    assert "no group lies in two splits" in result.stdout


def test_check_takes_the_columns_of_metadata(tmp_path: Path) -> None:
    home = sounds.folder(tmp_path / "mine")
    rows = [
        f"{path.relative_to(home)},{path.parent.name},{path.name[:3]}"
        for path in sorted(home.rglob("*.wav"))
    ]
    (home / "metadata.csv").write_text("\n".join(["file_name,word,who", *rows]) + "\n")
    options = ["--label", "word", "--group", "who"]
    result = runner.invoke(app, ["data", "check", str(home), *options])
    assert result.exit_code == 0, result.exception
    assert "60 examples, 2 labels, 30 groups" in result.stdout
    by_folder = runner.invoke(app, ["data", "check", str(home), "--layout", "label"])
    assert by_folder.exit_code == 0, by_folder.exception


def test_check_finds_a_leak_and_fails(tmp_path: Path) -> None:
    home = sounds.folder(tmp_path / "mine", groups=30)
    rows = ["path,label,split"]
    for place, path in enumerate(sorted(home.rglob("*.wav"))):
        split = ["train", "train", "validation", "test"][place % 4]
        rows.append(f"mine/{path.relative_to(home)},{path.parent.name},{split}")
    copy = home / "yes" / "copy.wav"
    copy.write_bytes((home / "yes" / "s00_nohash_0.wav").read_bytes())
    rows += ["mine/yes/copy.wav,yes,train", "mine/yes/copy.wav,yes,test"][:1]
    first = next(row for row in rows if "yes/s00" in row)
    rows[-1] = "mine/yes/copy.wav,yes," + ("test" if first.endswith("train") else "train")
    table = tmp_path / "list.csv"
    table.write_text("\n".join(rows) + "\n")
    result = runner.invoke(app, ["data", "check", str(table), "--json"])
    assert isinstance(result.exception, GatewiseError)
    assert "duplicates: 1 violations" in str(result.exception)
    report = json.loads(result.stdout)
    assert report["certificate"]["duplicates"]["count"] == 1
    assert not report["certified"]
    assert "give --allow duplicates" in str(result.exception)
    allowed = runner.invoke(app, ["data", "check", str(table), "--allow", "duplicates=known"])
    assert allowed.exit_code == 0, allowed.exception


def test_check_reads_tables_of_texts(tmp_path: Path) -> None:
    table = tmp_path / "texts.csv"
    words = ["alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa"]
    rows = [f"{words[i % 10]} {words[i // 10]} {i * 7919},{'ab'[i % 2]}" for i in range(100)]
    table.write_text("question,kind\n" + "\n".join(rows) + "\n")
    options = ["--text", "question", "--label", "kind"]
    result = runner.invoke(app, ["data", "check", str(table), *options])
    assert result.exit_code == 0, result.exception
    assert "vocabulary" in result.stdout


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("nothing", [], "no such file or folder"),
        ("a.zip", [], "neither a folder nor a table"),
        ("a.csv", ["--on-bad", "ignore"], "allowed: fail, skip"),
        ("list.csv", ["--no-header"], "no column 'text'; allowed: 1, 2"),
        ("list.csv", ["--split", "part"], "no column 'part'"),
        ("a.csv", ["--allow", "leaks"], "allowed: groups, duplicates"),
        ("a.csv", ["--name", "x"], "needs named brackets"),
        ("a.csv", ["--quoting", "odd"], "allowed: standard, none"),
    ],
)
def test_check_says_what_it_cannot_do(
    tmp_path: Path, name: str, arguments: list[str], message: str
) -> None:
    if name != "nothing":
        (tmp_path / name).write_text("path,label\n")
    result = runner.invoke(app, ["data", "check", str(tmp_path / name), *arguments])
    assert isinstance(result.exception, GatewiseError)
    assert message in str(result.exception)


def test_check_prints_contradictions_and_labels(tmp_path: Path) -> None:
    home = sounds.folder(tmp_path / "mine", labels=tuple(f"w{place:02d}" for place in range(22)))
    (home / "w01" / "copy.wav").write_bytes((home / "w00" / "s00_nohash_0.wav").read_bytes())
    result = runner.invoke(app, ["data", "check", str(home)])
    assert result.exit_code == 0, result.exception
    assert "contradictions: 1 contents under several labels" in result.stdout
    assert "w00/s00_nohash_0.wav (w00) = w01/copy.wav (w01)" in result.stdout
    assert "and 2 more (--labels lists all)" in result.stdout
    assert "w21 30" in runner.invoke(app, ["data", "check", str(home), "--labels"]).stdout


# --- more than labels ----------------------------------------------------------------------


def checked(path: Path, *arguments: str) -> tuple[str, int]:
    """What is printed in one line, and the exit code."""
    result = runner.invoke(app, ["data", "check", str(path), *arguments])
    assert result.exception is None or isinstance(result.exception, GatewiseError), result.exception
    return " ".join(
        [*result.stdout.split(), *str(result.exception or "").split()]
    ), result.exit_code


def test_check_certifies_pairs(tmp_path: Path) -> None:
    path = kinds.delimited(tmp_path / "d.csv", kinds.pairs())
    said, code = checked(path)
    assert code == 0, said
    assert "90 examples" in said
    assert "near-duplicates" in said
    assert "labels:" not in said
    twice = [{"en": "open it", "es": "abrir"}, {"en": "Open it!", "es": "abrir"}]
    given = [
        row | {"split": ("train", "test")[n % 2]} for n, row in enumerate([*kinds.pairs(), *twice])
    ]
    said, code = checked(kinds.delimited(tmp_path / "e.csv", given))
    assert code == 1
    assert "--allow duplicates" in said


def test_check_certifies_a_memory_and_files_of_lines(tmp_path: Path) -> None:
    said, code = checked(kinds.memory(tmp_path))
    assert (code, "90 examples" in said) == (0, True)
    home = kinds.aligned(tmp_path)
    said, code = checked(home / "own.en", "--targets", str(home / "own.es"))
    assert (code, "90 examples" in said) == (0, True)


def test_check_certifies_series_in_time(tmp_path: Path) -> None:
    path = kinds.delimited(tmp_path / "d.csv", kinds.months(length=60))
    said, code = checked(path, "--horizon", "6")
    assert code == 0, said
    assert "5 groups" in said
    assert "before" in said, "the check of the order in time"
    said, code = checked(path, "--horizon", "40")
    assert code == 1
    assert "can be forecast 40 steps" in said


def test_check_certifies_transcripts(tmp_path: Path) -> None:
    path = kinds.delimited(
        kinds.sounds(tmp_path) / "d.csv",
        [{"path": f"{n:03}.wav", "text": ("la", "so")[n % 2]} for n in range(90)],
    )
    said, _ = checked(path, "--objective", "transcribe", "--on-bad", "skip")
    assert "90 examples" in said, said
    said, _ = checked(path, "--objective", "sing")
    assert "--objective: 'sing'; allowed: classify" in said
    said, _ = checked(path, "--time", "path", "--layout", "label")
    assert "--layout is for folders of labelled sounds" in said
