"""Data that no study can be made of are refused in one sentence, and nothing is written."""

import os
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from gatewise.data.understanding import Ambiguous, Options, understand
from gatewise.errors import GatewiseError
from tests.data.understanding import layouts
from tests.data.understanding.layouts import LABELS, clips, cross, delimited, renamed, rows

Build = Callable[[Path], Path]


def fifo(root: Path) -> Path:
    os.mkfifo(root / "d.csv")
    return root / "d.csv"


def fifo_inside(root: Path) -> Path:
    clips(root, cross("{}/{}.wav", ("a", "b"), range(40)))
    os.mkfifo(root / "a" / "99.wav")
    return root


def junk(root: Path) -> Path:
    (root / "d.csv").write_bytes(np.random.default_rng(0).bytes(20_000))
    return root / "d.csv"


def junk_without_zeros(root: Path) -> Path:
    bytes_ = np.random.default_rng(0).integers(1, 256, 20_000, dtype=np.uint8).tobytes()
    (root / "d.csv").write_bytes(bytes_)
    return root / "d.csv"


def junk_sounds(root: Path) -> Path:
    for number in range(80):
        path = root / "ab"[number % 2] / f"{number}.wav"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(np.random.default_rng(number).bytes(500))
    return root


def wide(root: Path) -> Path:
    given = [{**row, **{f"f{n}": str(n) for n in range(398)}} for row in rows()]
    return delimited(root / "d.csv", given)


def texts(root: Path) -> Path:
    return layouts.text_files(root, "{label}/{n}.txt")


def one_label_of_texts(root: Path) -> Path:
    return layouts.text_files(root, "{label}/{n}.txt", [r for r in rows() if r["label"] == "sport"])


def touch(name: str) -> Build:
    def build(root: Path) -> Path:
        (root / name).write_bytes(b"something")
        return root / name

    return build


def table(change: Callable[[int, dict[str, str]], dict[str, str]], count: int = 90) -> Build:
    return lambda root: delimited(
        root / "d.csv", [change(number, row) for number, row in enumerate(rows(count))]
    )


def _linked(link: Path, target: Path) -> Path:
    link.symlink_to(target)
    return link


def _empty(path: Path) -> Path:
    path.touch()
    return path


def _named(root: Path, ending: str, count: int) -> Path:
    for number in range(count):
        (root / f"{number}{ending}").write_bytes(b"x")
    return root


def _ragged(path: Path) -> Path:
    lines = [f"{row['text']},{row['label']}" for row in rows()]
    lines[38] += ",more"
    path.write_text("\n".join(["text,label", *lines]) + "\n")
    return path


def _elsewhere(root: Path) -> Path:
    names = cross("{}{}.wav", "ab", range(35))
    clips(root / "audio", names)
    delimited(root / "list.csv", [{"path": n, "label": n[0]} for n in names])
    return root


def _lists(root: Path) -> Path:
    clips(root, cross("{}/{}.wav", ("a", "b"), range(40)))
    for name in ("testing", "validation"):
        (root / f"{name}_list.txt").write_text("a/1.wav\n")
    return root


REFUSED: dict[str, tuple[Build, str]] = {
    "nothing there": (lambda root: root / "no", "no such file or folder"),
    "a link to nowhere": (
        lambda root: _linked(root / "link", root / "gone"),
        "a link to .*gone, which does not exist",
    ),
    "an empty folder": (lambda root: root, "empty; give a folder of sounds"),
    "an empty table": (lambda root: _empty(root / "d.csv"), "d.csv: empty"),
    "one label": (
        lambda root: clips(root, cross("up/{}.wav", range(70))),
        r"one label \(up\) leaves nothing to tell apart",
    ),
    "one label in a table": (
        table(lambda _, row: {**row, "label": "x"}),
        r"one label \('x', column 'label'\)",
    ),
    "a label with one example": (
        lambda root: clips(root, [*cross("{}/{}.wav", ("up", "down"), range(40)), "rare/1.wav"]),
        r"fewer than 3 examples, one for each split: rare \(1\); .* --without LABEL",
    ),
    "ten thousand labels": (
        table(lambda n, row: {**row, "label": f"L{n % 10_000}"}, 12_000),
        r"column 'label' has 10,000 different values in 12,000 rows, .*at most 1,000",
    ),
    "ten thousand folders": (
        lambda root: clips(root, cross("{}/{}.wav", range(1_001), range(1)), samples=10),
        "1,001 labels for 1,001 examples",
    ),
    "a test folder alone": (
        lambda root: clips(root, cross("test/{}/{}.wav", ("a", "b"), range(40))),
        "a test split alone, which leaves nothing to train on",
    ),
    "a test file alone": (
        lambda root: delimited(root / "test.csv", rows()).parent,
        r"a test split alone \(test.csv\)",
    ),
    "a test column alone": (
        table(lambda _, row: {**row, "split": "test"}),
        r"a test split alone \(column 'split'\)",
    ),
    "twenty examples": (
        lambda root: clips(root, cross("{}/{}.wav", ("a", "b"), range(10))),
        "20 examples in all, too few .* at least 60",
    ),
    "four hundred columns": (wide, "400 columns, too many to guess from; .* --text and --label"),
    "a pipe": (fifo, "not a regular file"),
    "a pipe among sounds": (fifo_inside, r"99\.wav: not a regular file"),
    "binary junk": (junk, "no text"),
    "binary junk without zeros": (junk_without_zeros, "no text"),
    "junk called wav": (junk_sounds, "cannot be decoded as sound, nor can any other of 80"),
    "a measured target": (
        table(lambda n, row: {"text": row["text"], "score": f"{n / 7:.3f}"}),
        r"column 'score' holds quantities \(0.000, .*cut it into classes",
    ),
    "numbers alone": (
        table(lambda n, row: {"x": f"{n / 3:.2f}", "label": row["label"]}),
        r"no column of text \(nothing that reads like one\)|no column of text",
    ),
    "a table of numbers": (
        table(lambda n, _: {"x": f"{n / 3:.2f}", "label": str(n % 3)}),
        "no column of text .*numbers alone, which are no sequences",
    ),
    "no labels": (
        table(lambda n, row: {"text": row["text"], "id": f"{n:05}"}),
        "no column of labels: none of 'id'",
    ),
    "one column": (table(lambda _, row: {"text": row["text"]}), "one column alone"),
    "pages": (
        lambda root: _named(root, ".html", 5),
        r"5 files whose texts stand among signs of their format \(\.html\); save them",
    ),
    "loose text files": (
        lambda root: _named(root, ".txt", 70),
        "no label's folder, and no pattern in their names",
    ),
    "texts of one label": (one_label_of_texts, r"one label \(sport\) leaves nothing to tell apart"),
    "a test split of texts": (
        lambda root: texts(root / "test").parent,
        "a test split alone, which leaves nothing to train on",
    ),
    "a spreadsheet": (touch("d.xlsx"), r"\.xlsx is not read; save it as CSV"),
    "an archive": (touch("d.zip"), "an archive; unpack it"),
    "one sound": (touch("d.wav"), "one sound; give the folder"),
    "text by another name": (touch("d.txt"), "neither a folder nor a table"),
    "sounds of another format": (
        lambda root: _named(root, ".m4a", 5),
        r"its sounds \(\.m4a\) are in formats that cannot be decoded",
    ),
    "pictures": (
        lambda root: _named(root, ".png", 5),
        r"no pattern in their names says the labels",
    ),
    "tables without splits": (
        lambda root: delimited(delimited(root / "a.csv", rows()).parent / "b.csv", rows()).parent,
        r"several tables \(a.csv, b.csv\).* give one of them",
    ),
    "two training files": (
        lambda root: (
            delimited(delimited(root / "train-0.csv", rows()).parent / "train-1.csv", rows()).parent
        ),
        "train-0.csv, train-1.csv are all of the split train; join them",
    ),
    "a ragged row": (
        lambda root: _ragged(root / "d.csv"),
        r"line 40: 3 fields where the header has 2",
    ),
    "names that say nothing": (
        lambda root: clips(root, cross("{:05}.wav", range(70))),
        "no pattern in their names says the labels",
    ),
    "sounds that lie elsewhere": (
        _elsewhere,
        r"lists 'a0.wav', and there is no such file; it lies in .*audio",
    ),
    "lists of Speech Commands elsewhere": (
        _lists,
        "the folder is called SpeechCommands/speech_commands_v0.01",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(tmp_path: Path, name: str) -> None:
    build, said = REFUSED[name]
    home = tmp_path / "mine"
    home.mkdir()
    path = build(home)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(GatewiseError) as refusal:
        understand(path)
    message = str(refusal.value)
    assert re.search(said, message), message
    assert str(home) in message or "d.csv" in message
    assert not isinstance(refusal.value, Ambiguous)
    assert len(message.splitlines()) == 1
    assert sorted(tmp_path.rglob("*")) == before


def test_no_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = delimited(tmp_path / "d.csv", rows())
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may read everything
    with pytest.raises(GatewiseError, match="no permission to read it; mend it"):
        understand(path)


def test_a_folder_within_that_cannot_be_entered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clips(tmp_path / "mine", cross("{}/{}.wav", ("a", "b"), range(40)))
    scandir = os.scandir

    def refuse(path: str) -> object:
        if Path(path).name == "b":
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(GatewiseError, match="mine/b: not readable: Permission denied"):
        understand(tmp_path / "mine")


def test_the_project_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = tmp_path / "here" / "project"
    (project / "data" / "raw" / "mine").mkdir(parents=True)
    for name in ("dvc.yaml", "params.yaml"):
        (project / name).touch()
    monkeypatch.chdir(project)
    with pytest.raises(GatewiseError, match="this project itself"):
        understand(Path())
    with pytest.raises(GatewiseError, match="a folder that holds this project"):
        understand(Path(".."))
    with pytest.raises(GatewiseError, match="made by this project, which empties data/raw"):
        understand(Path("data/raw/mine"))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(GatewiseError, match="a project, not data"):
        understand(project)


def test_a_column_that_is_not_there(tmp_path: Path) -> None:
    path = delimited(tmp_path / "d.csv", rows())
    with pytest.raises(GatewiseError, match="--label: no column 'lable'; did you mean label"):
        understand(path, Options(label="lable"))


def test_a_measured_target_is_refused_by_name_too(tmp_path: Path) -> None:
    given = [{**row, "score": f"{n / 7:.3f}"} for n, row in enumerate(rows())]
    path = delimited(tmp_path / "d.csv", given)
    assert understand(path).source["label"] == "label"
    with pytest.raises(GatewiseError, match="column 'score' holds quantities"):
        understand(path, Options(label="score"))


def test_rare_labels_can_be_left_out(tmp_path: Path) -> None:
    home = clips(tmp_path / "s", [*cross("{}/{}.wav", ("up", "down"), range(40)), "rare/1.wav"])
    found = understand(home, Options(without=("rare",)))
    assert sorted(found.labels) == ["down", "up"]
    path = delimited(tmp_path / "d.csv", [*rows(), {"text": "odd one", "label": "rare"}])
    found = understand(path, Options(without=("rare",)))
    assert sorted(found.labels) == sorted(LABELS)
    assert any("left out 1 examples of 'rare'" in line for line in found.skipped)
    with pytest.raises(GatewiseError, match="without: no label 'rar'; did you mean rare"):
        understand(path, Options(without=("rar",)))


def test_a_second_test_set(tmp_path: Path) -> None:
    path = delimited(tmp_path / "d.csv", rows())
    home = delimited(tmp_path / "both" / "train.csv", rows()).parent
    delimited(home / "test.csv", rows(100)[90:])
    with pytest.raises(GatewiseError, match="the data name a test split already"):
        understand(home, test=path)
    other = delimited(tmp_path / "other.csv", renamed(rows(), text="words"))
    with pytest.raises(GatewiseError, match="no column 'text'"):
        understand(path, test=other)


def test_many_columns_when_named(tmp_path: Path) -> None:
    found = understand(wide(tmp_path), Options(text="text", label="label"))
    assert found.examples == 90


def test_large_tables_are_looked_at_in_part(tmp_path: Path) -> None:
    given = rows(30_000)
    found = understand(layouts.parquet(tmp_path / "d.parquet", given))
    assert found.examples == 30_000


def test_options_that_say_nothing_of_such_data(tmp_path: Path) -> None:
    home = clips(tmp_path / "s", cross("{}/{}.wav", ("up", "down"), range(40)))
    with pytest.raises(GatewiseError, match=r"--label says nothing here.* by folders and names"):
        understand(home, Options(label="word"))
    table = delimited(tmp_path / "d.csv", rows())
    with pytest.raises(GatewiseError, match=r"--layout says nothing here.* text-file by a table"):
        understand(table, Options(layout="label"))


def test_long_texts_are_looked_at_in_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from gatewise.data.understanding import formats, profiles

    monkeypatch.setattr(profiles, "LOOKED_CHARACTERS", 50_000)
    given = [{**row, "text": f"{row['text']} " * 100} for row in rows()]
    path = delimited(tmp_path / "d.csv", given)
    found, kept = profiles.of(path, formats.find(path, Options()).how)
    assert found["text"].rows == len(kept) < 40
    assert max(len(row["text"]) for row in kept) <= profiles.LONGEST_KEPT
    assert understand(path).examples == 90
