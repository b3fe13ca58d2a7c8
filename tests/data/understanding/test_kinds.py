"""Pairs, transcripts and series among folders and tables: understood, asked or refused."""

import numpy as np
import pandas as pd
import pytest

from gatewise.data.understanding import Ambiguous, Options, understand
from gatewise.errors import GatewiseError
from tests.data.understanding.layouts import clips, cross, delimited, jsonl, parquet, rows

SENTENCE = "open the big green door of my old house while it rains and the light is on"
ENGLISH = SENTENCE.split()
SPANISH = {word: f"{word[::-1]}o" for word in ENGLISH}


def english(number):
    draw = np.random.default_rng(number)
    return " ".join(draw.choice(ENGLISH, 3 + number % 4).tolist()) + f" {number}"


def spanish(number):
    return " ".join(SPANISH.get(word, word) for word in english(number).split())


def pairs(one="en", other="es", count=90, **more):
    made = [{one: english(n), other: spanish(n)} for n in range(count)]
    return [row | {name: give(n) for name, give in more.items()} for n, row in enumerate(made)]


def lines(root, name, texts):
    (root / name).write_text("\n".join(texts) + "\n")
    return root / name


def aligned(root, first="own.en", other="own.es", count=90):
    lines(root, first, [english(n) for n in range(count)])
    lines(root, other, [spanish(n) for n in range(count)])
    return root


def memory(root, languages=("en", "es"), source="en"):
    said = {"en": english, "es": spanish, "de": lambda n: f"haus {spanish(n)}"}
    units = "".join(
        "<tu>"
        + "".join(f'<tuv xml:lang="{one}"><seg>{said[one](n)}</seg></tuv>' for one in languages)
        + "</tu>"
        for n in range(90)
    )
    text = f'<tmx version="1.4"><header srclang="{source}"/><body>{units}</body></tmx>'
    (root / "own.tmx").write_text(text)
    return root / "own.tmx"


def sounds(root, count=90):
    return clips(root, [f"{n:03}.wav" for n in range(count)])


def transcripts(root, path="path", text="text", **more):
    sounds(root)
    made = [{path: f"{n:03}.wav", text: english(n)} for n in range(90)]
    given = [row | {name: give(n) for name, give in more.items()} for n, row in enumerate(made)]
    return delimited(root / "d.csv", given)


def ljspeech(root):
    sounds(root / "wavs")
    lines(root, "metadata.csv", [f"{n:03}|No. {n}|number {english(n)}" for n in range(90)])
    return root


def months(series=5, length=48, **more):
    return [
        {"id": f"m{s}", "month": str(month), "visitors": f"{100 + s + 10 * np.sin(m):.2f}"}
        | {name: give(s, m) for name, give in more.items()}
        for s in range(series)
        for m, month in enumerate(pd.period_range("2020-01", periods=length, freq="M"))
    ]


def wide(periods=60, freq="D", **more):
    days = pd.date_range("2020-01-01", periods=periods, freq=freq)
    return [
        {"date": str(day.date()), "north": f"{m + 0.5 * (m % 7)}", "south": f"{m % 5 + m / 3:.3f}"}
        | {name: give(m) for name, give in more.items()}
        for m, day in enumerate(days)
    ]


UNDERSTOOD = {
    "two texts named by language": (
        lambda root: delimited(root / "d.csv", pairs()),
        "generate",
        {"columns": {"source": "en", "target": "es"}},
    ),
    "target before source": (
        lambda root: delimited(root / "d.tsv", pairs("target", "source"), "\t"),
        "generate",
        {"columns": {"source": "source", "target": "target"}},
    ),
    "questions with answers, by whom and in which split": (
        lambda root: parquet(
            root / "d.parquet",
            pairs(
                "question",
                "answer",
                120,
                author=lambda n: f"a{n % 9}",
                part=lambda n: ("train", "dev", "test")[n % 3],
            ),
        ),
        "generate",
        {
            "columns": {
                **{"source": "question", "target": "answer"},
                **{"split": "part", "group": "author"},
            }
        },
    ),
    "spellings and phonemes": (
        lambda root: delimited(
            root / "d.csv",
            [
                {"word": f"w{'abcdefghij'[n // 10]}{'klmnopqrst'[n % 10]}", "phonemes": f"W {n}"}
                for n in range(90)
            ],
        ),
        "generate",
        {"columns": {"source": "word", "target": "phonemes"}},
    ),
    "lists of answers": (
        lambda root: jsonl(
            root / "d.jsonl",
            [{"question": english(n), "answers": [spanish(n), "yes"]} for n in range(90)],
        ),
        "generate",
        {"columns": {"source": "question", "target": "answers"}},
    ),
    "a table a split": (
        lambda root: (
            delimited(
                delimited(root / "train.csv", pairs()).parent / "test.csv", pairs(count=120)[90:]
            ).parent
        ),
        "generate",
        {"columns": {"source": "en", "target": "es"}},
    ),
    "a file with another beside it": (
        lambda root: aligned(root) / "own.en",
        "generate",
        {"path": "own.en", "targets": "own.es"},
    ),
    "files called source and target": (
        lambda root: aligned(root, "train.src", "train.tgt"),
        "generate",
        {"path": "train.src", "targets": "train.tgt"},
    ),
    "a translation memory": (memory, "generate", {"languages": ["en", "es"]}),
    "a folder with a translation memory": (
        lambda root: memory(root).parent,
        "generate",
        {"languages": ["en", "es"]},
    ),
    "LJSpeech": (ljspeech, "transcribe", {"kind": "transcripts", "columns": None}),
    "a table of sounds with texts": (
        lambda root: transcripts(root, speaker=lambda n: f"p{n % 7}"),
        "transcribe",
        {"columns": {"path": "path", "text": "text", "group": "speaker"}},
    ),
    "Hugging Face's folder": (
        lambda root: (
            transcripts(root, "file_name", "transcription").rename(root / "metadata.csv").parent
        ),
        "transcribe",
        {"columns": {"path": "file_name", "text": "transcription"}},
    ),
    "a folder with a table of its sounds' texts": (
        lambda root: transcripts(root).parent,
        "transcribe",
        {"columns": {"path": "path", "text": "text"}},
    ),
    "a value a row": (
        lambda root: delimited(root / "d.csv", months()),
        "forecast",
        {"id": "id", "time": "month", "value": "visitors", "layout": None},
    ),
    "a series a column": (
        lambda root: delimited(root / "d.csv", wide()),
        "forecast",
        {"time": "date", "layout": "wide"},
    ),
    "one series among other numbers": (
        lambda root: delimited(root / "d.csv", months(price=lambda s, m: f"{m / 7:.3f}")),
        "forecast",
        {"id": "id", "value": "visitors"},
    ),
    "labels of several words": (
        lambda root: delimited(
            root / "d.csv",
            [
                {"text": english(n), "intent": ("turn it on", "turn it off")[n % 2]}
                for n in range(90)
            ],
        ),
        "classify",
        {"text": "text", "label": "intent"},
    ),
    "two texts and a label": (
        lambda root: delimited(
            root / "d.csv", pairs("text", "comment_of", label=lambda n: "ab"[n % 2])[:90]
        ),
        "classify",
        {"label": "label"},
    ),
}


@pytest.mark.parametrize("name", UNDERSTOOD)
def test_understood(tmp_path, name):
    build, objective, expected = UNDERSTOOD[name]
    root = tmp_path / "mine"
    root.mkdir()
    found = understand(build(root), Options(text="text") if "two texts and" in name else None)
    assert found.objective == objective
    source = dict(found.source)
    for key in ("path", "targets"):
        if isinstance(source.get(key), str):
            source[key] = source[key].rsplit("/", 1)[-1]
    assert {key: source.get(key) for key in expected} == expected
    if objective != "classify":
        assert found.labels == {}
    assert found.examples == sum(found.split_sizes.values())


def test_what_is_measured_of_pairs(tmp_path):
    given = [*pairs(), {"en": english(0), "es": "otro"}]
    found = understand(delimited(tmp_path / "d.csv", given))
    assert found.examples == 90
    assert found.said.unit == "word"
    assert found.said.several == 1
    assert found.said.lengths[0] == 4
    assert sum(found.said.counts) == found.said.lengths.sum() + 1, "with the other answer"
    assert any("joined to an earlier row" in line for line in found.skipped)
    assert found.word_counts is not None


def test_what_is_measured_of_transcripts(tmp_path):
    found = understand(transcripts(tmp_path))
    assert (found.kind, found.said.unit) == ("audio", "character")
    assert found.rates == {8_000: 90}
    (tmp_path / "few").mkdir()
    few = tmp_path / "few"
    sounds(few)
    said = [
        {"path": f"{n:03}.wav", "text": ("one two", "two one two", "two")[n % 3]} for n in range(90)
    ]
    found = understand(delimited(few / "d.csv", said), Options(objective="transcribe"))
    assert found.said.unit == "word"
    assert found.said.counts.tolist() == [120, 60]


@pytest.mark.parametrize(
    ("given", "unit", "season", "horizon"),
    [
        (lambda: months(length=60), "month", 12, 9),
        (lambda: months(length=30), "month", 1, 6),
        (lambda: wide(200), "day", 7, 7),
        (lambda: wide(80, "QS"), "quarter", 4, 4),
        (lambda: wide(300, "W"), "week", 52, 49),
        (lambda: [{"step": str(n), "value": str(n % 9 + n / 7)} for n in range(90)], "step", 1, 6),
    ],
)
def test_seasons_follow_from_the_step(tmp_path, given, unit, season, horizon):
    steps = understand(delimited(tmp_path / "d.csv", given())).steps
    assert (steps.unit, steps.season, steps.horizon) == (unit, season, horizon)


def test_season_and_horizon_can_be_said(tmp_path):
    path = delimited(tmp_path / "d.csv", months(length=60))
    steps = understand(path, Options(season=6, horizon=3)).steps
    assert (steps.season, steps.horizon) == (6, 3)


def test_series_that_cannot_be_used_are_counted(tmp_path):
    given = months() + [
        {"id": "short", "month": row["month"], "visitors": row["visitors"]} for row in months(1, 9)
    ]
    given += [{"id": "flat", "month": row["month"], "visitors": "1"} for row in months(1)]
    found = understand(delimited(tmp_path / "d.csv", given))
    assert found.examples == 7
    assert sum(found.unusable.values()) == 2
    assert any("too short" in why for why in found.unusable)


# --- asked ---------------------------------------------------------------------------------


def repeated_answers(root):
    given = [
        {"text": english(n), "what": f"the answer of number {n // 4} is this"} for n in range(92)
    ]
    return delimited(root / "d.csv", given)


ASKED = {
    "three languages": (
        lambda root: delimited(root / "d.csv", pairs(de=lambda n: f"haus {spanish(n)}")),
        [{"source": "en", "target": "es"}, {"source": "en", "target": "de"}],
    ),
    "long values that repeat": (
        repeated_answers,
        [{"objective": "classify"}, {"objective": "generate"}],
    ),
    "pairs that have a label": (
        lambda root: delimited(root / "d.csv", pairs(domain=lambda n: ("law", "art")[n % 2])),
        [{"objective": "generate"}, {"objective": "classify"}],
    ),
    "sounds with a text and a label": (
        lambda root: transcripts(root, word=lambda n: ("up", "down")[n % 2]),
        [{"objective": "transcribe"}, {"objective": "classify"}],
    ),
    "files of two languages": (
        aligned,
        [{"source": "en", "target": "es"}, {"source": "es", "target": "en"}],
    ),
    "a memory of three languages": (
        lambda root: memory(root, ("en", "es", "de")),
        [{"source": "en", "target": "de"}, {"source": "en", "target": "es"}],
    ),
    "a memory that names no source": (
        lambda root: memory(root, source="*all*"),
        [{"source": "en", "target": "es"}, {"source": "es", "target": "en"}],
    ),
    "several columns of values": (
        lambda root: delimited(
            root / "d.csv",
            [
                {"id": row["id"], "month": row["month"], "n": row["visitors"], "m": f"{i / 7:.2f}"}
                for i, row in enumerate(months())
            ],
        ),
        [{"value": "n"}, {"value": "m"}],
    ),
}


@pytest.mark.parametrize("name", ASKED)
def test_asked(tmp_path, name):
    build, choices = ASKED[name]
    path = build(tmp_path)
    with pytest.raises(Ambiguous) as asked:
        understand(path)
    assert [dict(reading.choice) for reading in asked.value.readings][: len(choices)] == choices
    for reading in asked.value.readings:
        assert reading.flags in str(asked.value)
    likelier = understand(path, Options(likelier=True))
    said = understand(path, Options(**choices[0]))
    assert (likelier.objective, likelier.source) == (said.objective, said.source)
    assert any(note.certainty == "guess" for note in likelier.notes)


# --- refused -------------------------------------------------------------------------------


REFUSED = {
    "few pairs": (
        lambda root: delimited(root / "d.csv", pairs(count=40)),
        {},
        "40 examples in all, too few",
    ),
    "an empty side": (
        lambda root: delimited(root / "d.csv", [*pairs(), {"en": "open it", "es": ""}]),
        {},
        r"d\.csv, line 92: a target is empty",
    ),
    "lines that do not agree": (
        lambda root: aligned(root) / "own.en",
        {"targets": "{root}/short.es"},
        r"short\.es: ends after 1 lines, .*own\.en goes on",
    ),
    "a label of pairs": (
        lambda root: delimited(root / "d.csv", pairs()),
        {"source": "en", "target": "es", "time": "es"},
        "--time says nothing here",
    ),
    "a side that is not there": (
        lambda root: delimited(root / "d.csv", pairs()),
        {"source": "fr"},
        "--source: no column 'fr'; its columns are 'en', 'es'",
    ),
    "pairs where there is one text": (
        lambda root: delimited(root / "d.csv", [{"text": r["text"], "n": "1"} for r in rows()]),
        {"objective": "generate"},
        "no two columns of texts",
    ),
    "series without times": (
        lambda root: delimited(root / "d.csv", [{"x": str(n), "y": str(n)} for n in range(90)]),
        {"objective": "forecast"},
        "no column of times",
    ),
    "series that are too short": (
        lambda root: delimited(root / "d.csv", months(9, 5)),
        {"horizon": 12},
        "none of 9 series can be forecast 12 steps",
    ),
    "times that two columns tell apart": (
        lambda root: delimited(
            root / "d.csv",
            [
                {
                    "day": row["month"],
                    "store": "ab"[n % 2],
                    "item": "xy"[n // 2 % 2],
                    "sold": f"{n / 3}",
                }
                for row in months(1, 30)
                for n in range(4)
            ],
        ),
        {},
        "no single column tells the series apart",
    ),
    "two values for one time": (
        lambda root: delimited(root / "d.csv", [*months(), months()[-1]]),
        {"id": "id", "value": "visitors"},
        "two values for 2023-12",
    ),
    "transcripts without sounds": (
        lambda root: delimited(root / "d.csv", pairs()),
        {"objective": "transcribe"},
        "no column lists sound files",
    ),
    "sounds that nothing is heard in": (
        lambda root: clips(root, cross("{}/{}.wav", ("a", "b"), range(40))),
        {"horizon": 3},
        "--horizon says nothing here",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(tmp_path, name):
    build, options, said = REFUSED[name]
    path = build(tmp_path)
    lines(tmp_path, "short.es", ["uno"])
    options = {
        key: value.format(root=tmp_path) if isinstance(value, str) else value
        for key, value in options.items()
    }
    with pytest.raises(GatewiseError, match=said) as refusal:
        understand(path, Options(**options))
    assert not isinstance(refusal.value, Ambiguous)
    assert len(str(refusal.value).splitlines()) == 1
