"""What is understood of folders and tables as people have them, or asked, or refused."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gatewise.data.understanding import Ambiguous, Options, Understanding, understand
from tests import sounds
from tests.data.understanding import layouts
from tests.data.understanding.layouts import LABELS, clips, cross, delimited, renamed, rows

WORDS = ("up", "down", "left")
TAKES = range(1, 25)
PEOPLE = ("ann", "bob", "eve", "max")
SPLITS = ("train", "validation", "test")

Build = Callable[[Path], Path]
Expected = dict[str, Any]
"""Fields of `Understanding`, and of its source; what is not given is not compared."""


def facts(found: Understanding) -> dict[str, Any]:
    """What the table of layouts is written in."""
    return {
        "labels": sorted(found.labels),
        "splits": found.split_sizes if found.splits == "published" else None,
        "groups": found.groups,
        "kind": found.source["kind"],
        **{name: found.source.get(name) for name in ("text", "label", "group", "split")},
        **{name: found.source.get(name) for name in ("layout", "name", "columns", "without")},
        **{name: found.source.get(name) for name in ("delimiter", "encoding", "quoting")},
        "header": found.source.get("header", True),
        "examples": found.examples,
        "script": found.script,
        "leaks": found.leaks,
        "duplicates": found.duplicates,
    }


# --- sounds --------------------------------------------------------------------------------


def label_folders(root: Path) -> Path:
    return clips(root, cross("{}/{:03}.wav", WORDS, TAKES))


def speaker_hashes(root: Path) -> Path:
    return clips(root, cross("{}/{}ab_nohash_{}.wav", WORDS, range(8), range(3)))


def split_folders(*names: str) -> Build:
    return lambda root: clips(root, cross("{}/{}/{}.wav", names, WORDS, range(10)))


def commands(home: str) -> Build:
    def build(root: Path) -> Path:
        names = cross("{}/s{:02}_nohash_{}.wav", WORDS, range(12), range(2))
        path = clips(root / home, names)
        for listing, people in (("testing", (0, 1)), ("validation", (2, 3))):
            chosen = [n for n in names if int(n.split("/s")[1][:2]) in people]
            (path / f"{listing}_list.txt").write_text("".join(f"{n}\n" for n in chosen))
        clips(path, ["_background_noise_/hum.wav"], samples=9_000)
        return path

    return build


def background_noise(root: Path) -> Path:
    clips(root, cross("_background_noise_/{}.wav", ("hum", "wind")), samples=9_000)
    return speaker_hashes(root)


def audiofolder(root: Path) -> Path:
    names = cross("data/{}-{}.wav", WORDS, range(25))
    clips(root, names)
    given = [{"file_name": n, "label": n[5:].split("-")[0]} for n in names]
    delimited(root / "metadata.csv", given)
    return root


def audiofolder_splits(root: Path) -> Path:
    for split in ("train", "test"):
        names = cross("{}-{}.wav", WORDS, range(15))
        clips(root / split, names, samples={"train": 400, "test": 300}[split])
        given = [
            {"file_name": n, "intent": n.split("-")[0], "speaker": f"p{i % 5}{split}"}
            for i, n in enumerate(names)
        ]
        layouts.jsonl(root / split / "metadata.jsonl", given)
    return root


def listed(name: str, column: str = "path", slash: str = "/", **names: str) -> Build:
    """A table of sounds beside them, and the table given."""

    def build(root: Path) -> Path:
        files = cross("clips/{}{}.wav", "abcd", range(18))
        clips(root, files)
        given = [
            {"path": file.replace("/", slash), "label": WORDS[i % 3], "speaker": f"p{i % 6}"}
            for i, file in enumerate(files)
        ]
        delimiter = "\t" if name.endswith(".tsv") else ","
        return delimited(root / name, renamed(given, path=column, **names), delimiter)

    return build


def listed_inside(root: Path) -> Path:
    listed("labels.csv")(root)
    return root


SOUNDS: dict[str, tuple[Build, Expected]] = {
    "a folder a label": (label_folders, {"labels": sorted(WORDS), "groups": None, "splits": None}),
    "speakers as hashes": (speaker_hashes, {"groups": 8, "group": "([^/]+)_nohash_"}),
    "split folders": (
        split_folders("train", "validation", "test"),
        {"splits": dict.fromkeys(SPLITS, 30), "labels": sorted(WORDS), "layout": "split/label"},
    ),
    "split folders by other names": (
        split_folders("Training", "Dev", "Testing"),
        {"splits": dict.fromkeys(SPLITS, 30)},
    ),
    "train and eval": (split_folders("train", "eval"), {"splits": {"train": 30, "test": 30}}),
    "train alone": (
        lambda root: clips(root, cross("train/{}/{}.wav", WORDS, TAKES)),
        {"splits": None, "labels": sorted(WORDS)},
    ),
    "label, numbered speaker and take in names": (
        lambda root: clips(root, cross("{}_s{:02}_{}.wav", WORDS, range(6), range(4))),
        {"labels": sorted(WORDS), "groups": 6},
    ),
    "label runs into a number": (
        lambda root: clips(root, cross("{}{}.wav", WORDS, TAKES)),
        {"labels": sorted(WORDS), "groups": None},
    ),
    "labels in the names of split folders": (
        lambda root: clips(root, cross("{}/{}_{}.wav", ("train", "test"), WORDS, range(12))),
        {"labels": sorted(WORDS), "splits": {"train": 36, "test": 36}, "layout": "split"},
    ),
    "speakers in the names below labels": (
        lambda root: clips(
            root, cross("{0}/{0}_{1}_{2}.wav", (3, 5), ("01", "02", "03"), range(12))
        ),
        {"labels": ["3", "5"], "groups": 3},
    ),
    "numbered speakers above words": (
        lambda root: clips(root, cross("speaker{}/{}/{}.wav", range(1, 7), WORDS, range(4))),
        {"labels": sorted(WORDS), "groups": 6, "layout": "group/label"},
    ),
    "words above numbered speakers": (
        lambda root: clips(root, cross("{}/p{}/{}.wav", WORDS, (225, 226, 227), range(8))),
        {"labels": sorted(WORDS), "groups": 3, "layout": "label/group"},
    ),
    "splits, speakers, words": (
        lambda root: clips(
            root,
            [
                *cross("train/s0{}/{}/{}.wav", range(5), WORDS, range(3)),
                *cross("test/s1{}/{}/{}.wav", range(5), WORDS, range(3)),
            ],
        ),
        {"splits": {"train": 45, "test": 45}, "groups": 10, "layout": "split/group/label"},
    ),
    "Speech Commands": (
        commands("SpeechCommands/speech_commands_v0.02"),
        {
            "kind": "speech-commands",
            "splits": {"train": 48, "validation": 12, "test": 12},
            "labels": sorted(WORDS),
            "groups": 12,
        },
    ),
    "background noise without lists": (
        background_noise,
        {"without": ["_background_noise_"], "labels": sorted(WORDS), "groups": 8},
    ),
    "audiofolder": (audiofolder, {"labels": sorted(WORDS), "columns": None, "splits": None}),
    "audiofolder with splits": (
        audiofolder_splits,
        {
            "columns": {"label": "intent", "group": "speaker"},
            "groups": 10,
            "splits": {"train": 45, "test": 45},
        },
    ),
    "a table of sounds": (
        listed("clips.csv"),
        {"columns": {"group": "speaker"}, "groups": 6, "labels": sorted(WORDS)},
    ),
    "a table with other names and backslashes": (
        listed("clips.tsv", "file", "\\", label="word", speaker="client_id"),
        {"columns": {"path": "file", "label": "word", "group": "client_id"}, "groups": 6},
    ),
    "a table within the folder": (listed_inside, {"columns": {"group": "speaker"}, "groups": 6}),
}

# --- texts ---------------------------------------------------------------------------------


def files(root: Path, **parts: list[dict[str, str]]) -> Path:
    """A table a split."""
    for name, given in parts.items():
        delimited(root / f"{name}.csv", given)
    return root


def by_content(root: Path) -> Path:
    """Names of columns that say nothing."""
    given = [
        {"c1": f"{n:04}", "c2": row["label"], "c3": row["text"], "c4": SPLITS[min(n // 60, 2)]}
        for n, row in enumerate(rows(150))
    ]
    return delimited(root / "d.csv", given)


def glue(root: Path) -> Path:
    """Published without the labels of the test set."""
    delimited(root / "train.tsv", rows(90), "\t")
    delimited(root / "dev.tsv", rows(150)[90:], "\t")
    delimited(root / "test.tsv", [{"text": row["text"]} for row in rows(60)], "\t")
    return root


def accents(root: Path) -> Path:
    given = [{**row, "text": f"le café {row['text']} était fermé"} for row in rows()]
    return delimited(root / "d.csv", given, ";", encoding="cp1252")


def stray_quotes(root: Path) -> Path:
    """A text that begins with a quote, in a table written without any."""
    given = [f"{row['label']},{row['text']}" for row in rows()]
    given[10] = 'sport,"never say die they said'
    given[20] = 'money,up 3" at the close'
    (root / "d.csv").write_text("label,text\n" + "\n".join(given) + "\n")
    return root / "d.csv"


def chinese(root: Path) -> Path:
    texts = {
        "sport": "球队在加时赛后赢得了比赛",
        "money": "央行本季度再次提高利率",
        "food": "把洋葱和大蒜炒香",
    }
    given = [
        {"文本": f"{texts[label]}{chr(0x4E00 + n)}", "类别": label}
        for n, label in ((n, LABELS[n % 3]) for n in range(90))
    ]
    return delimited(root / "d.csv", given)


TEXTS: dict[str, tuple[Build, Expected]] = {
    "CSV": (
        lambda root: delimited(root / "d.csv", rows()),
        {"text": "text", "label": "label", "labels": sorted(LABELS), "splits": None},
    ),
    "packed CSV of other names": (
        lambda root: delimited(root / "d.csv.gz", renamed(rows(), text="review", label="stars")),
        {"text": "review", "label": "stars"},
    ),
    "semicolons in a western encoding": (accents, {"delimiter": ";", "encoding": "cp1252"}),
    "UTF-16": (
        lambda root: delimited(root / "d.csv", rows(), encoding="utf-16"),
        {"encoding": "utf-16", "examples": 90},
    ),
    "TSV without a header": (
        lambda root: delimited(root / "d.tsv", rows(), "\t", header=False),
        {"text": "1", "label": "2", "header": False, "examples": 90},
    ),
    "TSV with quotes": (
        lambda root: delimited(root / "d.tsv", rows(), "\t", quoting=1),
        {"quoting": "standard", "text": "text", "labels": sorted(LABELS)},
    ),
    "stray quotes": (stray_quotes, {"quoting": "none", "examples": 90}),
    "JSON lines": (
        lambda root: layouts.jsonl(root / "d.jsonl", renamed(rows(), text="a", label="b")),
        {"text": "a", "label": "b"},
    ),
    "Parquet with a split column": (
        lambda root: layouts.parquet(
            root / "d.parquet",
            [
                {**row, "set": ("train", "train", "dev", "test")[n // 3 % 4]}
                for n, row in enumerate(rows(120))
            ],
        ),
        {"split": "set", "splits": {"train": 60, "validation": 30, "test": 30}},
    ),
    "columns by content": (
        by_content,
        {
            "text": "c3",
            "label": "c2",
            "split": "c4",
            "splits": {"train": 60, "validation": 60, "test": 30},
        },
    ),
    "a file a split": (
        lambda root: files(root, train=rows(90), dev=rows(120)[90:], test=rows(150)[120:]),
        {"splits": {"train": 90, "validation": 30, "test": 30}},
    ),
    "published splits that leak": (
        lambda root: files(root, train=rows(90), test=rows(100)[80:]),
        {"splits": {"train": 90, "test": 20}, "leaks": {"duplicates": 10}, "duplicates": 10},
    ),
    "a test file without labels": (glue, {"splits": {"train": 90, "test": 60}}),
    "films are groups": (
        lambda root: delimited(
            root / "d.csv", [{**row, "movie_name": f"Film {n % 7}"} for n, row in enumerate(rows())]
        ),
        {"group": "movie_name", "groups": 7},
    ),
    "number and name of a class": (
        lambda root: delimited(
            root / "d.csv",
            [
                {
                    "label": str(LABELS.index(row["label"])),
                    "label_text": row["label"],
                    **{"text": row["text"]},
                }
                for row in rows()
            ],
        ),
        {"label": "label_text", "labels": sorted(LABELS)},
    ),
    "an index of pandas": (
        lambda root: delimited(
            root / "d.csv", [{"": str(n), **row} for n, row in enumerate(rows())]
        ),
        {"text": "text", "label": "label"},
    ),
    "Chinese": (chinese, {"script": "characters", "text": "文本", "label": "类别"}),
}


@pytest.mark.parametrize("name", [*SOUNDS, *TEXTS])
def test_understood(tmp_path: Path, name: str) -> None:
    build, expected = (SOUNDS | TEXTS)[name]
    path = build(tmp_path / "mine") if name in SOUNDS else build(_made(tmp_path / "mine"))
    found = facts(understand(path))
    assert {key: found[key] for key in expected} == expected


def _made(path: Path) -> Path:
    path.mkdir()
    return path


# --- what is asked -------------------------------------------------------------------------


def spoken_digits(root: Path) -> Path:
    """As the Free Spoken Digit Dataset names its files."""
    return clips(root, cross("{}_{}_{}.wav", range(5), PEOPLE, range(4)))


def two_labels(root: Path) -> Path:
    given = [
        {"s": row["text"], "a": row["label"], "b": "xyz"[n % 7 % 3]} for n, row in enumerate(rows())
    ]
    return delimited(root / "d.csv", given)


def two_texts(root: Path) -> Path:
    given = [
        {"question": row["text"], "answer": sentence_of(row), "label": row["label"]}
        for row in rows()
    ]
    return delimited(root / "d.csv", given)


def sentence_of(row: dict[str, str]) -> str:
    return " ".join(reversed(row["text"].split()))


def cyrillic(root: Path) -> Path:
    given = [
        {"text": f"команда победила в матче {n} раз", "label": LABELS[n % 3]} for n in range(90)
    ]
    return delimited(root / "d.csv", given, encoding="cp1251")


def maybe_group(root: Path) -> Path:
    given = [{**row, "who": f"u{n % 30}"} for n, row in enumerate(rows(240))]
    return delimited(root / "d.csv", given)


ASKED: dict[str, tuple[Build, list[dict[str, Any]], Expected]] = {
    "spoken digits": (
        spoken_digits,
        [
            {"pattern": "^(?P<label>[^_]+)_(?P<group>[^_]+)_"},
            {"pattern": "^(?P<group>[^_]+)_(?P<label>[^_]+)_"},
        ],
        {"labels": list("01234"), "groups": 4},
    ),
    "people and words": (
        lambda root: clips(root, cross("{}/{}/{}.wav", PEOPLE, WORDS, range(6))),
        [{"layout": "group/label"}, {"layout": "label/group"}],
        {"labels": sorted(WORDS), "groups": 4},
    ),
    "classes of classes": (
        lambda root: clips(
            root,
            [
                *cross("animal/{}/{}.wav", ("cat", "dog"), TAKES),
                *cross("tool/{}/{}.wav", ("saw", "axe"), TAKES),
            ],
        ),
        [{"layout": "label/group"}, {"layout": "group/label"}],
        {"labels": ["animal", "tool"], "groups": 4},
    ),
    "training and validation without a test": (
        split_folders("train", "val"),
        [{"layout": "*/label"}],
        {"labels": sorted(WORDS), "splits": None},
    ),
    "splits beside labels": (
        lambda root: clips(
            root, [*cross("train/{}/{}.wav", WORDS, TAKES), *cross("noise/{}/{}.wav", WORDS, TAKES)]
        ),
        [{"layout": "label"}],
        {"labels": ["noise", "train"]},
    ),
    "two columns of labels": (two_labels, [{"label": "a"}, {"label": "b"}], {"label": "a"}),
    "two columns of text": (
        two_texts,
        [{"text": "question"}, {"text": "answer"}],
        {"text": "question"},
    ),
    "Cyrillic of some encoding": (
        cyrillic,
        [{"encoding": "cp1251"}],
        {"encoding": "cp1251", "labels": sorted(LABELS)},
    ),
    "who may be a group": (
        maybe_group,
        [{"group": "who"}, {"group": "none"}],
        {"group": "who", "groups": 30},
    ),
    "a header or a row": (
        lambda root: delimited(
            root / "d.csv",
            [{"alpha beta": r["text"], "gamma": f"{r['label']} {n}"} for n, r in enumerate(rows())],
        ),
        [{"header": True}, {"header": False}],
        {},
    ),
}


@pytest.mark.parametrize("name", ASKED)
def test_asked(tmp_path: Path, name: str) -> None:
    build, choices, expected = ASKED[name]
    path = build(_made(tmp_path / "mine"))
    with pytest.raises(Ambiguous) as asked:
        understand(path)
    readings = asked.value.readings
    assert [dict(reading.choice) for reading in readings][: len(choices)] == choices
    for reading in readings:
        assert reading.flags in str(asked.value)
    if not expected:
        return
    likelier = understand(path, Options(likelier=True))
    assert {key: facts(likelier)[key] for key in expected} == expected
    guess = next(note for note in likelier.notes if note.certainty == "guess")
    assert all(reading.flags in " ".join(guess.otherwise) for reading in readings[1:])
    said = understand(path, Options(**readings[0].choice))
    assert said.labels == likelier.labels


def test_what_was_said_goes_first(tmp_path: Path) -> None:
    path = two_labels(_made(tmp_path / "mine"))
    found = understand(path, Options(label="b", name="mine"))
    assert (found.source["label"], found.name) == ("b", "mine")
    assert sorted(found.labels) == list("xyz")


def test_a_test_set_that_stays_apart(tmp_path: Path) -> None:
    train = delimited(tmp_path / "texts.csv", rows(90))
    test = delimited(tmp_path / "later.csv", rows(150)[90:])
    found = understand(train, test=test)
    assert found.split_sizes == {"train": 90, "test": 60}
    home = clips(tmp_path / "here", cross("{}/{}.wav", WORDS, TAKES))
    away = clips(tmp_path / "there", cross("{}/{}.wav", WORDS, range(8)), samples=300)
    found = understand(home, test=away)
    assert found.split_sizes == {"train": 72, "test": 24}
    assert found.source["path"] == {"train": str(home), "test": str(away)}
    assert sorted(found.labels) == sorted(WORDS)


def test_what_is_measured_of_sounds(tmp_path: Path) -> None:
    home = clips(tmp_path / "mine", cross("{}/{}.wav", WORDS, TAKES), samples=4_000)
    padded = sounds.noise(7, 4_000)
    padded[:2_000] = 0
    (home / "up" / "half.wav").write_bytes(sounds.encoded(padded))
    (home / "up" / "copy.wav").write_bytes((home / "down" / "1.wav").read_bytes())
    (home / "up" / "broken.wav").write_bytes(b"no sound")
    (home / "up" / "fast.wav").write_bytes(sounds.wav(99, rate=16_000, samples=4_000))
    (home / "readme.md").write_text("mine")
    found = understand(home)
    assert found.labels == {"up": 28, "down": 24, "left": 24}
    assert (found.duplicates, found.contradictions) == (1, 1)
    assert found.unusable == {"not decodable as sound": 1}
    assert found.rates == {8_000: 74, 16_000: 1}
    assert found.lengths.tolist() == [0.25] + 74 * [0.5]
    assert found.active_lengths is not None
    assert found.active_lengths[:2].tolist() == [0.25, 0.26]  # whole frames of 20 ms
    assert found.bytes == sum(file.stat().st_size for file in home.rglob("*.wav"))
    assert any("readme.md" in line for line in found.skipped)
    assert found.sampled is None


def test_what_is_measured_of_texts(tmp_path: Path) -> None:
    given = [
        *rows(90),
        {"text": "One more.", "label": "sport"},
        {"text": "one MORE", "label": "food"},
    ]
    given.append({"text": " ", "label": "food"})
    found = understand(delimited(tmp_path / "mine.csv", given))
    assert (found.duplicates, found.contradictions) == (1, 1)
    assert found.unusable == {"empty text": 1}
    assert found.lengths[0] == 2
    assert found.lengths[-1] == 12
    assert found.word_counts is not None
    counts = found.word_counts.tolist()
    assert counts == sorted(counts, reverse=True)
    assert sum(counts) == found.lengths.sum()
    assert found.active_lengths is None
    assert found.rates == {}


def test_of_many_sounds_some_are_listened_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gatewise.data.understanding import facts as measured

    home = label_folders(tmp_path / "mine")
    heard = []
    listen = measured._listen
    monkeypatch.setattr(measured, "LISTENED_CLIPS", 10)
    monkeypatch.setattr(measured, "_listen", lambda *one: heard.append(one) or listen(*one))
    found = understand(home)
    assert found.sampled == len(heard) == 10
    assert len(found.lengths) == found.examples == 72
    monkeypatch.setattr(measured, "LISTENED_BYTES", 3 * (home / "up" / "001.wav").stat().st_size)
    assert understand(home).sampled == 3
    monkeypatch.setattr(measured, "LONGEST_LISTENED", 10)
    assert understand(home).sampled == 0
