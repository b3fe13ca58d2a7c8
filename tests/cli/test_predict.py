"""`gatewise predict`: many inputs of many kinds, and a held-out set scored in one command."""

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from gatewise.cli.main import app
from gatewise.errors import GatewiseError
from gatewise.serving.predictor import Predictor
from tests import sounds
from tests.serving.test_predictor import model_folder
from tests.sounds import tree


@pytest.fixture(scope="module")
def audio(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return model_folder(tmp_path_factory.mktemp("audio"), "audio")


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return model_folder(tmp_path_factory.mktemp("text"), "text")


@pytest.fixture(scope="module")
def frames(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return model_folder(tmp_path_factory.mktemp("frames"), "frames")


def predict(*arguments: object) -> Result:
    return CliRunner(env={"COLUMNS": "200"}).invoke(app, ["predict", *map(str, arguments)])


def answers(*arguments: object) -> list[dict[str, object]]:
    done = predict(*arguments, "--format", "jsonl")
    assert done.exit_code == 0, done.exception
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_a_folder_is_answered_with_paths_as_given(audio: Path, tmp_path: Path) -> None:
    home = sounds.folder(tmp_path / "held", groups=2, labels=("left", "right"))
    found = answers(audio, home)
    names = [f"{home}/{label}/s0{n}_nohash_0.wav" for label in ("left", "right") for n in (0, 1)]
    assert [one["input"] for one in found] == names
    (alone,) = Predictor.load(audio)([{"audio": Path(names[0]).read_bytes()}])
    assert found[0]["label"] == alone.label
    assert found[0]["probability"] == pytest.approx(alone.probability, abs=1e-6)


def test_a_held_out_set_is_scored_in_one_command(audio: Path, tmp_path: Path) -> None:
    home = sounds.folder(tmp_path / "held", groups=3, labels=("left", "right", "up"))
    found = answers(audio, home, "--labels", "from-folder")
    right = sum(one["label"] == one["truth"] for one in found)
    done = predict(audio, home, "--labels", "from-folder")
    assert f"accuracy {100 * right / 9:.1f} % ({right} of 9 right)" in done.stdout
    assert "labels that the model does not know, and so cannot get right: up" in done.stdout
    assert "confusion" in done.stdout
    # Beside data the summary goes elsewhere.
    beside = predict(audio, home, "--labels", "from-folder", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(beside.stdout)))
    assert [row["truth"] for row in rows] == ["left"] * 3 + ["right"] * 3 + ["up"] * 3
    assert f"({right} of 9 right)" in beside.stderr


def test_one_bad_clip_does_not_lose_the_others(audio: Path, tmp_path: Path) -> None:
    home = sounds.folder(tmp_path / "held", groups=1)
    (home / "no" / "bad.wav").write_bytes(b"no sound at all")
    done = predict(audio, home)
    assert isinstance(done.exception, GatewiseError)
    assert f"{home}/no/bad.wav: audio: not decodable as sound" in str(done.exception)
    assert "--on-bad skip" in str(done.exception)
    skipped = predict(audio, home, "--on-bad", "skip", "--json")
    rows = [json.loads(line) for line in skipped.stdout.splitlines()]
    assert [("error" in row, "label" in row) for row in rows] == [
        (True, False),
        (False, True),
        (False, True),
    ]
    assert "1 of 3 could not be answered" in skipped.stderr


def test_tables_of_texts_and_of_sounds(text: Path, audio: Path, tmp_path: Path) -> None:
    table = tmp_path / "texts.tsv"
    table.write_text('sentence\tkind\n"a good film\tleft\na bad film"\t right\n')
    found = answers(text, table, "--column", "sentence", "--labels", "kind")
    assert [(one["input"], one["truth"]) for one in found] == [
        (f"{table}:1", "left"),
        (f"{table}:2", "right"),
    ]
    sounds.folder(tmp_path / "clips", groups=1)
    listed = tmp_path / "list.csv"
    listed.write_text("path\nclips\\no\\s00_nohash_0.wav\nclips/yes/s00_nohash_0.wav\n")
    found = answers(audio, listed, "--labels", "from-folder")
    assert [one["truth"] for one in found] == ["no", "yes"]
    assert found[0]["input"] == "clips\\no\\s00_nohash_0.wav"


def test_texts_in_files_are_read_as_training_reads_them(text: Path, tmp_path: Path) -> None:
    (tmp_path / "bom.txt").write_bytes(b"\xef\xbb\xbfa good film\n")
    from_file, given = answers(text, tmp_path / "bom.txt", "--text", "a good film")
    assert from_file["probabilities"] == given["probabilities"]
    assert given["input"] == "a good film"
    empty = predict(text, "--text", " ")
    assert "empty text" in str(empty.exception)


def test_many_are_answered_in_batches_as_alone(frames: Path, tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    for place in range(300):
        steps = draw.normal(0, 1, (int(draw.integers(1, 9)), 4))
        np.save(tmp_path / f"{place:03d}.npy", steps.astype("f"))
    found = answers(frames, tmp_path)
    assert len(found) == 300
    last = {"frames": np.load(tmp_path / "299.npy")}
    (alone,) = Predictor.load(frames)([last])
    assert found[-1]["probability"] == pytest.approx(alone.probability, abs=1e-6)


@pytest.mark.parametrize(
    ("names", "options", "said"),
    [
        (["test/left/a.wav", "test/right/b.wav"], ["--labels", "from-folder"], "*/label"),
        # Either level could be the labels; the model knows one of them.
        (["left/ann/a.wav", "right/bob/b.wav"], ["--labels", "from-folder"], "label"),
        (["ann/left/a.wav", "bob/right/b.wav"], ["--labels", "from-folder"], "*/label"),
        (["ann/left/a.wav", "bob/right/b.wav"], ["--layout", "group/label"], "group/label"),
        (["dev/left/a.wav", "test/right/b.wav"], ["--layout", "split/label"], "split/label"),
    ],
)
def test_folders_are_read_as_a_source_reads_them(
    audio: Path, tmp_path: Path, names: list[str], options: list[str], said: str
) -> None:
    done = predict(audio, tree(tmp_path / "held", *names), *options, "--json")
    assert done.exit_code == 0, done.exception
    assert [json.loads(row)["truth"] for row in done.stdout.splitlines()] == ["left", "right"]
    assert f"labels by folders, read as {said}: 2 labels (left, right)" in done.stderr


def test_a_label_that_stands_in_the_file_name(audio: Path, frames: Path, tmp_path: Path) -> None:
    pattern = "^(?P<label>[^_]+)_"
    home = tree(tmp_path / "held", "all/left_ann.wav", "all/right_bob.wav")
    found = answers(audio, home, "--name", pattern)
    assert [one["truth"] for one in found] == ["left", "right"]
    (one,) = answers(audio, home / "all" / "left_ann.wav", "--name", pattern)
    assert one["truth"] == "left"
    np.save(tmp_path / "right_1.npy", np.zeros((3, 4), np.float32))
    (one,) = answers(frames, tmp_path / "right_1.npy", "--name", pattern)
    assert one["truth"] == "right"


@pytest.mark.parametrize("name", ["metadata.csv", "metadata.jsonl"])
def test_a_folder_with_metadata(audio: Path, tmp_path: Path, name: str) -> None:
    home = tree(tmp_path / "held", "a/x.wav", "b/x.wav")
    for part, word in (("a", "left"), ("b", "right")):
        csv_text = f"file_name,word\nx.wav,{word}\n"
        jsonl = json.dumps({"file_name": "x.wav", "word": word}) + "\n"
        (home / part / name).write_text(csv_text if name.endswith("csv") else jsonl)
    found = answers(audio, home, "--labels", "word")
    assert [(one["input"], one["truth"]) for one in found] == [
        (f"{home}/a/x.wav", "left"),
        (f"{home}/b/x.wav", "right"),
    ]


def test_a_table_is_written_as_its_options_say(text: Path, tmp_path: Path) -> None:
    table = tmp_path / "texts.csv"
    table.write_bytes('left;"ein gr\xfcner Film\nright;ein Film\n'.encode("latin-1"))
    options = ["--no-header", "--delimiter", ";", "--quoting", "none", "--encoding", "latin-1"]
    found = answers(text, table, "--column", "2", "--labels", "1", *options)
    assert [one["truth"] for one in found] == ["left", "right"]
    (alone,) = answers(text, "--text", '"ein gr\xfcner Film')
    assert found[0]["probabilities"] == pytest.approx(alone["probabilities"], abs=1e-6)


def test_two_readings_are_refused_with_the_options_that_decide(audio: Path, tmp_path: Path) -> None:
    home = tree(tmp_path / "held", "ann/x/a.wav", "bob/y/b.wav")
    done = predict(audio, home, "--labels", "from-folder")
    assert "--layout label" in str(done.exception)
    assert "--layout */label" in str(done.exception)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "nothing to predict"),
        (["gone.wav"], "gone.wav: no such file"),
        (["empty"], "empty: no file to answer in it"),
        (["a.zip"], "this model takes .wav"),
        (["a.wav", "--labels", "word"], "names a column of a table"),
        (["empty", "--labels", "word"], "names a column of a table"),
        (["a.wav", "--layout", "label"], "--layout says what the folders below"),
        (["a.wav", "--layout", "word"], "--layout: 'word' is no role of a folder"),
        (["a.wav", "--layout", "*", "--name", "(?P<label>.)"], "--layout and --name say twice"),
        (["a.wav", "--name", "(?P<word>.)"], "--name: '(?P<word>.)' needs a named bracket"),
        (["a.wav", "--name", "("], "is not a regular expression"),
        (["a.wav", "--name", "(?P<label>z+)"], "a.wav: the pattern '(?P<label>z+)' finds no"),
        (["a.wav", "--quoting", "all"], "allowed: standard, none"),
        (["a.wav", "--format", "xml"], "allowed: table, jsonl, csv"),
        (["a.wav", "--on-bad", "ignore"], "allowed: fail, skip"),
    ],
)
def test_mistakes_are_named(
    audio: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "a.zip").write_bytes(b"x")
    (tmp_path / "a.wav").write_bytes(sounds.wav(1))
    done = predict(audio, *arguments)
    assert isinstance(done.exception, GatewiseError)
    assert message in str(done.exception)
