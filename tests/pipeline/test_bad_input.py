"""Every bad input ends in one sentence, or is skipped and counted; never in a traceback."""

import struct
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gatewise.config import TaskConfig
from gatewise.data import sources
from gatewise.data.preparation.build import prepare
from gatewise.errors import GatewiseError
from tests import sounds

CLIP = sounds.wav(9999)


def lying_wav(promise: int) -> bytes:
    place = CLIP.index(b"data") + 4
    return CLIP[:place] + struct.pack("<I", promise) + CLIP[place + 4 :]


@dataclass(frozen=True)
class BadClip:
    name: str
    data: bytes
    reason: str


BAD_CLIPS = [
    BadClip("truncated", CLIP[: len(CLIP) // 2], "truncated: the header promises 4000 bytes"),
    BadClip("no-data", CLIP[:40], "truncated: no sound after the header"),
    BadClip("lies-long", lying_wav(1 << 20), "truncated: the header promises 1048576 bytes"),
    BadClip("lies-short", lying_wav(1001), "lies about the length"),
    BadClip("no-bytes", b"", "empty file"),
    BadClip("no-samples", sounds.wav(samples=0), "no samples"),
    BadClip(
        "nan",
        sounds.encoded(np.full((2000, 1), np.nan), subtype="FLOAT"),
        "samples that are not finite numbers",
    ),
    BadClip("seven", sounds.wav(channels=7), "7 channels; mix it down"),
    BadClip("fast", sounds.wav(rate=384_000), "sample rate 384000 Hz lies outside"),
    BadClip("text", b"this is no sound at all, only text " * 9, "not decodable as sound"),
]


def audio_task(path: Path, **more: Any) -> TaskConfig:
    return TaskConfig.model_validate(
        {
            "source": {"kind": "audio-folder", "path": str(path), "group": "/([^_]+)_"},
            "features": {"kind": "log-mel", "sample_rate": 8000, "n_fft": 256, "n_mels": 20},
            "split": {"validation": 0.25, "test": 0.25},
            **more,
        }
    )


def text_task(path: Path | str, **more: Any) -> TaskConfig:
    source = {"kind": "text-file", "path": str(path), **more.pop("source", {})}
    return TaskConfig.model_validate(
        {
            "source": source,
            "features": {"kind": "tokens"},
            "split": {"validation": 0.25, "test": 0.25},
            **more,
        }
    )


def play(config: TaskConfig, folder: Path) -> tuple[Any, dict[str, Any]]:
    sources.fetch(config.source, folder / "raw")
    return prepare("mine", config, folder / "raw", folder / "prepared")


@pytest.fixture(scope="module")
def spoilt(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = sounds.folder(tmp_path_factory.mktemp("spoilt") / "mine")
    for bad in BAD_CLIPS:
        (home / "yes" / f"s00_{bad.name}.wav").write_bytes(bad.data)
    return home


def test_bad_clips_are_skipped_and_counted(
    tmp_path: Path, spoilt: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    prepared, report = play(audio_task(spoilt, on_bad="skip"), tmp_path)
    assert report.examples == len(prepared.index) == 60
    assert report.unusable.count == len(BAD_CLIPS)
    said = {line.split(": ")[0]: line for line in report.unusable.examples}
    for bad in BAD_CLIPS:
        assert bad.reason in said[f"yes/s00_{bad.name}.wav"]
    assert f"warning: mine: skipped {len(BAD_CLIPS)}" in capsys.readouterr().err
    assert prepared.index["length"].min() > 0


def test_a_label_of_which_nothing_can_be_used_does_not_vanish(tmp_path: Path) -> None:
    home = sounds.folder(tmp_path / "mine")
    (home / "maybe").mkdir()
    for place in range(6):
        (home / "maybe" / f"s{place}_a.m4a").write_bytes(b"\0\0\0\x20ftypM4A ")
    message = r"no usable example is left of maybe, e\.g\. maybe/s0_a\.m4a: not decodable"
    with pytest.raises(GatewiseError, match=message):
        play(audio_task(home, on_bad="skip"), tmp_path)
    assert not (tmp_path / "prepared").exists()


@pytest.mark.parametrize("bad", BAD_CLIPS, ids=lambda bad: bad.name)
def test_a_bad_clip_fails_by_name(tmp_path: Path, bad: BadClip) -> None:
    home = sounds.folder(tmp_path / "mine")
    (home / "yes" / f"s00_{bad.name}.wav").write_bytes(bad.data)
    with pytest.raises(GatewiseError) as info:
        play(audio_task(home), tmp_path)
    assert f"yes/s00_{bad.name}.wav: " in str(info.value)
    assert bad.reason in str(info.value)
    assert "on_bad: skip" in str(info.value)
    assert not (tmp_path / "prepared").exists()


def test_a_wav_written_to_a_pipe_has_no_length_and_is_fine(tmp_path: Path) -> None:
    home = sounds.folder(tmp_path / "mine")
    place = CLIP.index(b"data") + 4
    piped = CLIP[:place] + b"\xff\xff\xff\xff" + CLIP[place + 4 :]
    (home / "yes" / "s00_piped.wav").write_bytes(piped)
    prepared, _ = play(audio_task(home), tmp_path)
    row = prepared.index.set_index("id").loc["yes/s00_piped.wav"]
    assert row["length"] == 1 + 2000 // 320


def test_flaws_are_listed_but_kept(tmp_path: Path) -> None:
    home = sounds.folder(tmp_path / "mine")
    flawed = {
        "silent": np.zeros((2000, 1)),
        "clipped": np.sign(sounds.noise(3)),
        "too short": sounds.noise(4, samples=100),
    }
    for flaw, samples in flawed.items():
        (home / "yes" / f"s00_{flaw}.wav").write_bytes(sounds.encoded(samples))
    prepared, report = play(audio_task(home), tmp_path)
    assert len(prepared.index) == 63
    assert {flaw: some.model_dump() for flaw, some in report.flaws.items()} == {
        flaw: {"count": 1, "examples": [f"yes/s00_{flaw}.wav"]} for flaw in sorted(flawed)
    }


def make_label_with_one_example(home: Path) -> TaskConfig:
    sounds.folder(home)
    (home / "rare").mkdir()
    (home / "rare" / "s00_x.wav").write_bytes(CLIP)
    return audio_task(home)


def make_link_loop(home: Path) -> TaskConfig:
    sounds.folder(home)
    (home / "yes" / "again").symlink_to(home)
    return audio_task(home)


def make_empty_folder(home: Path) -> TaskConfig:
    home.mkdir()
    return audio_task(home)


def make_nothing(home: Path) -> TaskConfig:
    return audio_task(home)


def make_loose_file(home: Path) -> TaskConfig:
    sounds.folder(home)
    (home / "loose.wav").write_bytes(CLIP)
    return audio_task(home)


def make_missing_file(home: Path) -> TaskConfig:
    home.mkdir()
    (home / "list.csv").write_text("path,label\ngone.wav,a\n")
    return TaskConfig.model_validate(
        {
            "source": {"kind": "audio-folder", "path": str(home / "list.csv")},
            "features": {"kind": "log-mel"},
        }
    )


def table(home: Path, content: str | bytes) -> Path:
    home.mkdir()
    path = home / "mine.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def many_rows() -> str:
    words = [f"{'abcdefgh'[i % 8] * 3}{i} {i * 7919} {'xyzw'[i % 4] * 4}" for i in range(60)]
    rows = [f"{word} said,{'ab'[i % 2]},s{i}," for i, word in enumerate(words)]
    return "text,label,who,part\n" + "\n".join(rows) + "\n"


def make_group_in_two_splits(home: Path) -> TaskConfig:
    lines = many_rows().splitlines()
    parts = ["train", "train", "train", "train", "test", "validation"]
    rows = [line + parts[i // 2 % 6] for i, line in enumerate(lines[1:])]
    rows.append("something else entirely,a,s0,test")
    path = table(home, "\n".join([lines[0], *rows]) + "\n")
    return text_task(path, source={"group": "who", "split": "part"})


def make_not_utf8(home: Path) -> TaskConfig:
    return text_task(table(home, (many_rows() + "caf\xe9,a,s,\n").encode("latin-1")))


def make_missing_column(home: Path) -> TaskConfig:
    return text_task(table(home, many_rows()), source={"label": "lable"})


def make_empty_csv(home: Path) -> TaskConfig:
    return text_task(table(home, ""))


def make_header_alone(home: Path) -> TaskConfig:
    return text_task(table(home, "text,label\n"))


def make_empty_text(home: Path) -> TaskConfig:
    return text_task(table(home, many_rows() + "  ,a,s,\n"))


def make_long_document(home: Path) -> TaskConfig:
    return text_task(table(home, many_rows() + "word " * 400_000 + ",a,s,\n"))


def make_unknown_split(home: Path) -> TaskConfig:
    return text_task(table(home, many_rows() + "x,a,s,other\n"), source={"split": "part"})


def make_half_a_split(home: Path) -> TaskConfig:
    return text_task(table(home, many_rows() + "x,a,s,test\n"), source={"split": "part"})


def make_one_label(home: Path) -> TaskConfig:
    return text_task(table(home, many_rows().replace(",b,", ",a,")))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (make_label_with_one_example, r"'rare' \(1 examples\) is missing from"),
        (make_link_loop, r"yes/again: this link leads back to .*remove the link"),
        (make_empty_folder, r"mine: no sound files \(\.wav, "),
        (make_nothing, "no such folder or table"),
        (make_loose_file, r"loose\.wav: lies in no label's folder"),
        (make_missing_file, r"gone\.wav: no such file"),
        (make_group_in_two_splits, "groups: 1 violations .* 's0' in test and train"),
        (make_not_utf8, r"mine\.csv, line 62: byte 0xe9 is not utf-8; save the file as UTF-8"),
        (make_missing_column, r"mine\.csv: no column 'lable'; did you mean label\?"),
        (make_empty_csv, r"mine\.csv: empty; its first line must name the columns"),
        (make_header_alone, r"mine\.csv: no rows"),
        (make_empty_text, "row-61: empty text; mend or remove it, or set tasks.mine.on_bad"),
        (make_long_document, "row-61: longer than 1,000,000 characters; split it"),
        (make_unknown_split, r"mine\.csv, row 61: split 'other'; allowed: train, validation, test"),
        (make_half_a_split, "60 of 61 examples have no split although others do"),
        (make_one_label, r"one label \(a\) leaves nothing to tell apart"),
    ],
    ids=lambda value: value.__name__.removeprefix("make_") if callable(value) else "",
)
def test_bad_input_is_one_clear_error(
    tmp_path: Path, make: Callable[[Path], TaskConfig], message: str
) -> None:
    with pytest.raises(GatewiseError, match=message):
        play(make(tmp_path / "mine"), tmp_path)
    assert not (tmp_path / "prepared").exists()


@pytest.mark.parametrize("make", [make_empty_text, make_long_document])
def test_bad_texts_can_be_skipped(tmp_path: Path, make: Callable[[Path], TaskConfig]) -> None:
    config = make(tmp_path / "mine").model_copy(update={"on_bad": "skip"})
    prepared, report = play(config, tmp_path)
    assert len(prepared.index) == 60
    assert report.unusable.count == 1


def test_a_leak_that_is_named_passes_and_is_printed(tmp_path: Path) -> None:
    config = make_group_in_two_splits(tmp_path / "mine")
    config = config.model_copy(update={"allow": {"groups": "one household, two phones"}})
    _, report = play(config, tmp_path)
    assert report.certified
    assert report.certificate["groups"].count == 1
    assert report.certificate["groups"].allowed == "one household, two phones"


@pytest.mark.weekly
@pytest.mark.slow
def test_a_huge_document_is_refused_in_bounded_memory(tmp_path: Path) -> None:
    import resource

    path = tmp_path / "huge.jsonl"
    with path.open("w") as file:
        file.write('{"label": "a", "text": "')
        for _ in range(200):
            file.write("words " * 175_000)
        file.write('"}\n{"label": "b", "text": "short"}\n')
    assert path.stat().st_size > 200_000_000
    source = text_task(path).source
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    raw = sources.fetch(source, tmp_path / "raw")
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    unit = 1 if sys.platform == "darwin" else 1024
    assert (after - before) * unit < 1.6e9
    assert raw.manifest["n_samples"].tolist() == [200 * 175_000 * 6, 5]
    assert (raw.folder / "documents.parquet").stat().st_size < 2_000_000
