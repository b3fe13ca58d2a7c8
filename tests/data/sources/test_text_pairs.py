"""Pairs of texts of one's own, in the forms that people have them."""

import gzip
import json

import pandas as pd
import pytest
from pydantic import ValidationError

from gatewise.config import source_class
from gatewise.data import sources
from gatewise.errors import GatewiseError

TMX = """<?xml version="1.0" encoding="{encoding}"?>
<!DOCTYPE tmx SYSTEM "tmx14.dtd">
<tmx version="1.4"><header srclang="{source}" datatype="plaintext"/><body>
{units}</body></tmx>
"""


def source(path, **options):
    settings = {"kind": "text-pairs", "path": path, **options}
    return source_class("text-pairs").model_validate(settings)


def fetch(tmp_path, path, **options):
    options = {name: str(value) if name == "targets" else value for name, value in options.items()}
    return sources.fetch(source(str(path), **options), tmp_path / "raw")


def pairs(raw):
    texts = pd.read_parquet(raw.folder / "documents.parquet")["text"]
    return list(zip(texts, raw.manifest["label"], strict=True))


def table(path, text):
    path.write_text(text)
    return path


# --- tables --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "names", ["source,target", "src,tgt", "question,answer", "en,es", "a,text"]
)
def test_columns_are_found_by_name_or_left_over(tmp_path, names):
    path = table(tmp_path / "own.csv", f"{names}\nopen it,Abrir.\nshut it,cerrar\n")
    expected = [("open it", "abrir ."), ("shut it", "cerrar")]
    if names == "a,text":  # the text is given, what is left is said
        expected = [("Abrir.", "open it"), ("cerrar", "shut it")]
    assert pairs(fetch(tmp_path, path)) == expected


def test_columns_that_could_be_several_are_asked_for(tmp_path):
    path = table(tmp_path / "own.tsv", "en\tes\tde\nopen\tabrir\töffnen\n")
    with pytest.raises(
        GatewiseError, match=r"which column is the source and which the target.*'de'"
    ):
        fetch(tmp_path, path)
    chosen = fetch(tmp_path, path, columns={"source": "en", "target": "de"})
    assert pairs(chosen) == [("open", "öffnen")]
    with pytest.raises(GatewiseError, match="no column 'fr'"):
        fetch(tmp_path, path, columns={"source": "en", "target": "fr"})


def test_groups_and_splits_are_taken(tmp_path):
    text = "source,target,group,split\na b,x y,one,train\nc d,z,two,dev\ne f,w,two,test\n"
    rows = fetch(tmp_path, table(tmp_path / "own.csv", text)).manifest
    assert rows["group"].tolist() == ["one", "two", "two"]
    assert rows["split"].tolist() == ["train", "validation", "test"]
    assert rows["id"].tolist() == ["row-1", "row-2", "row-3"]
    with pytest.raises(GatewiseError, match=r"line 2: split 'somewhere'; allowed: train"):
        fetch(tmp_path / "a", table(tmp_path / "b.csv", "source,target,split\na,b,somewhere\n"))
    with pytest.raises(GatewiseError, match="line 2: the group is empty"):
        fetch(tmp_path / "a", table(tmp_path / "b.csv", "source,target,group\na,b,\n"))


def test_a_file_for_each_split(tmp_path):
    files = {}
    for split in ("train", "test"):
        text = f"source,target\nopen {split},abrir\n"
        files[split] = str(table(tmp_path / f"{split}.csv", text))
    raw = sources.fetch(source(files), tmp_path / "raw")
    assert raw.manifest["split"].tolist() == ["train", "test"]
    assert raw.manifest["id"].tolist() == ["train-1", "test-1"]
    table(tmp_path / "test.csv", "source,target,split\nopen,abrir,train\n")
    with pytest.raises(GatewiseError, match=r"test\.csv, line 2: names a split, although"):
        sources.fetch(source(files), tmp_path / "again")


def test_repeated_sources_and_lists_are_alternatives(tmp_path):
    rows = [
        {"source": "hi", "target": "hola"},
        {"source": "bye", "target": ["adiós", "chao", "adiós"]},
        {"source": "hi", "target": "buenas"},
        {"source": "hi", "target": "Buenas"},
    ]
    path = table(tmp_path / "own.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    raw = fetch(tmp_path, path)
    assert pairs(raw) == [("hi", "buenas\nhola"), ("bye", "adiós\nchao")]
    assert raw.card.skipped == {"joined to an earlier row of the same text": 2}
    apart = fetch(tmp_path / "apart", path, alternatives=False)
    assert [label for _, label in pairs(apart)] == ["hola", "adiós\nchao", "buenas", "buenas"]
    frame = tmp_path / "own.parquet"
    pd.DataFrame(rows[1:2]).to_parquet(frame)
    assert pairs(fetch(tmp_path / "b", frame)) == [("bye", "adiós\nchao")]


def test_equal_sources_of_other_groups_stay_apart(tmp_path):
    text = "source,target,group\nhi,hola,a\nhi,buenas,b\nhi,chao,a\n"
    raw = fetch(tmp_path, table(tmp_path / "own.csv", text))
    assert pairs(raw) == [("hi", "hola\nchao"), ("hi", "buenas")]


@pytest.mark.parametrize(
    ("punctuation", "expected"),
    [
        ("apart", "¿ don't pay 3.50 , e-mail me ! ( now )"),
        ("dropped", "don't pay 3.50 e-mail me now"),
        ("kept", "¿don't pay 3.50, e-mail me! (now)"),
    ],
)
def test_signs_of_targets(tmp_path, punctuation, expected):
    text = 'source,target\na,"¿Don\'t pay 3.50,  e-mail\nme! (now)"\n'
    path = table(tmp_path / "own.csv", text)
    assert pairs(fetch(tmp_path, path, punctuation=punctuation)) == [("a", expected)]


def test_vowel_signs_are_no_punctuation_and_case_may_stay(tmp_path):
    path = table(tmp_path / "own.csv", "source,target\nhindi,हिन्दी।\nname,Ann\n")
    raw = fetch(tmp_path, path, lowercase=False)
    assert pairs(raw) == [("hindi", "हिन्दी ।"), ("name", "Ann")]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (",abrir", "the source is empty"),
        ("open,", "a target is empty"),
        ("open,  ", "a target is empty"),
    ],
)
def test_an_empty_side_is_named_or_left_out(tmp_path, row, said):
    path = table(tmp_path / "own.csv", f"source,target\nshut,cerrar\n{row}\n")
    with pytest.raises(GatewiseError, match=rf"own\.csv, line 3: {said}; .*on_empty: skip"):
        fetch(tmp_path, path)
    raw = fetch(tmp_path / "b", path, on_empty="skip")
    assert pairs(raw) == [("shut", "cerrar")]
    assert raw.card.skipped == {said: 1}


def test_a_missing_reference_and_odd_values_are_named(tmp_path):
    path = table(tmp_path / "a.jsonl", '{"source": "a", "target": "b"}\n{"source": "c"}\n')
    with pytest.raises(GatewiseError, match=r"a\.jsonl, line 2: no column 'target'"):
        fetch(tmp_path, path)
    path = table(tmp_path / "b.jsonl", '{"source": "a", "target": []}\n')
    with pytest.raises(GatewiseError, match=r"b\.jsonl, line 1: there is no target"):
        fetch(tmp_path, path)
    path = table(tmp_path / "c.jsonl", '{"source": "a", "target": {"es": "b"}}\n')
    with pytest.raises(GatewiseError, match=r"c\.jsonl, line 1: column 'target' holds an object"):
        fetch(tmp_path, path)


def test_looking_refuses_before_anything_is_fetched(tmp_path):
    path = table(tmp_path / "own.csv", "en,es,de\na,b,c\n")
    with pytest.raises(GatewiseError, match="cannot tell which column"):
        source(str(path)).look()
    assert source(str(path)).reads() == [path]
    with pytest.raises(GatewiseError, match="no such file"):
        source(str(tmp_path / "nowhere.csv")).look()
    with pytest.raises(GatewiseError, match="cannot tell the format"):
        source(str(table(tmp_path / "own.doc", "x"))).look()


# --- two files, line by line ---------------------------------------------------------------


def two(tmp_path, first, second, encoding="utf-8"):
    (tmp_path / "own.en").write_text(first, encoding=encoding)
    (tmp_path / "own.es").write_text(second, encoding=encoding)
    return tmp_path / "own.en", tmp_path / "own.es"


def test_lines_answer_each_other(tmp_path):
    one, other = two(tmp_path, "open, it\nshut\n", "ábrelo\ncerrar\n", "latin-1")
    raw = fetch(tmp_path, one, targets=other, encoding="latin-1")
    assert pairs(raw) == [("open, it", "ábrelo"), ("shut", "cerrar")]
    assert source(str(one), targets=str(other)).reads() == [one, other]
    with pytest.raises(GatewiseError, match=r"own\.es, line 1: byte 0xe1 is not utf-8"):
        fetch(tmp_path / "b", one, targets=other)


def test_packed_lines_are_read(tmp_path):
    for name, line in (("a.en.gz", b"open\n"), ("a.es.gz", b"abrir\n")):
        (tmp_path / name).write_bytes(gzip.compress(line))
    raw = fetch(tmp_path, tmp_path / "a.en.gz", targets=tmp_path / "a.es.gz")
    assert pairs(raw) == [("open", "abrir")]


def test_numbers_of_lines_must_agree(tmp_path):
    one, other = two(tmp_path, "a\nb\nc\n", "x\ny\n")
    with pytest.raises(GatewiseError, match=r"own\.es: ends after 2 lines, .*own\.en goes on"):
        fetch(tmp_path, one, targets=other)
    with pytest.raises(GatewiseError, match=r"own\.es: ends after 2 lines, .*own\.en goes on"):
        fetch(tmp_path / "b", other, targets=one)
    one, other = two(tmp_path, "a\n\nc\n", "x\ny\nz\n")
    with pytest.raises(
        GatewiseError, match=r"own\.en, line 2 \(and .*own\.es\): the source is empty"
    ):
        fetch(tmp_path / "c", one, targets=other)
    one, other = two(tmp_path, "", "")
    with pytest.raises(GatewiseError, match="no lines"):
        fetch(tmp_path / "d", one, targets=other)


def test_files_of_targets_match_those_of_sources(tmp_path):
    with pytest.raises(ValidationError, match="targets: name a file for each that path names"):
        source({"train": "a", "test": "b"}, targets={"train": "c"})
    with pytest.raises(ValidationError, match=r"columns: .* read line by line have none"):
        source("a", targets="b", columns={"source": "x"})
    files = {split: str(table(tmp_path / split, f"open {split}\n")) for split in ("train", "test")}
    others = {split: str(table(tmp_path / f"to-{split}", "abrir\n")) for split in files}
    raw = sources.fetch(source(files, targets=others), tmp_path / "raw")
    assert raw.manifest["split"].tolist() == ["train", "test"]


# --- translation memories ------------------------------------------------------------------


def unit(**texts):
    inner = "".join(
        f'<tuv xml:lang="{language}"><seg>{text}</seg></tuv>'
        for language, said in texts.items()
        for text in ([said] if isinstance(said, str) else said)
    )
    return f"<tu>{inner}</tu>\n"


def memory(path, *units, source="en", encoding="UTF-8"):
    text = TMX.format(units="".join(units), source=source, encoding=encoding)
    path.write_bytes(text.encode(encoding))
    return path


def test_memories_are_read_from_their_source_language(tmp_path):
    path = memory(
        tmp_path / "own.tmx",
        unit(**{"es": "abrir", "en": "open"}),
        unit(en="the &lt;<hi>big</hi>\n door<ph>{0}</ph>", es=["la puerta", "el portón"]),
        encoding="UTF-16",
    )
    assert pairs(fetch(tmp_path, path)) == [
        ("open", "abrir"),
        ("the <big door", "la puerta\nel portón"),
    ]


def test_languages_of_memories_are_asked_for_where_they_are_several(tmp_path):
    path = memory(tmp_path / "own.tmx", unit(**{"en-US": "open", "es": "abrir", "de": "öffnen"}))
    with pytest.raises(GatewiseError, match=r"has the languages de, en-us, es.*languages: \[en"):
        fetch(tmp_path, path)
    assert pairs(fetch(tmp_path, path, languages=["en", "de"])) == [("open", "öffnen")]
    with pytest.raises(GatewiseError, match=r"own\.tmx, line 4: there is no target"):
        fetch(tmp_path / "b", path, languages=["en", "fr"])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("<tmx><body><tu></body></tmx>", r"line 1: not TMX: mismatched tag"),
        ("source,target\na,b\n", r"line 1: not TMX: syntax error"),
        ("<tmx><body/></tmx>", "no translation units"),
        ('<!DOCTYPE t [<!ENTITY a "b">]><tmx/>', r"declares the entity 'a'"),
    ],
)
def test_what_is_no_memory_is_one_sentence(tmp_path, content, said):
    with pytest.raises(GatewiseError, match=said):
        fetch(tmp_path, table(tmp_path / "own.tmx", content))


# --- texts by language within a column --------------------------------------------------------


def translations(tmp_path, *rows, form="jsonl"):
    path = tmp_path / f"nested.{form}"
    if form == "parquet":
        pd.DataFrame({"translation": rows}).to_parquet(path)
        return path
    lines = [json.dumps({"id": k, "translation": row}) for k, row in enumerate(rows)]
    return table(path, "\n".join(lines) + "\n")


@pytest.mark.parametrize("form", ["jsonl", "parquet"])
def test_texts_by_language_are_pairs_of_those_that_are_asked_for(tmp_path, form):
    rows = {"en": "open", "es": "abrir"}, {"en": "shut", "es": "cerrar"}
    path = translations(tmp_path, *rows, form=form)
    found = pairs(fetch(tmp_path, path, languages=["en", "es"]))
    assert found == [("open", "abrir"), ("shut", "cerrar")]
    turned = sources.fetch(source(str(path), languages=["es", "en"]), tmp_path / "turned")
    assert pairs(turned) == [("abrir", "open"), ("cerrar", "shut")]


def test_languages_within_a_column_are_asked_for_and_looked_for(tmp_path):
    path = translations(tmp_path, {"en": "open", "es": "abrir"}, {"en": "shut"})
    with pytest.raises(GatewiseError, match=r"line 1: .* by language \('en', 'es'\); say which"):
        fetch(tmp_path, path)
    with pytest.raises(GatewiseError, match=r"line 2: column 'translation' has no 'es'"):
        fetch(tmp_path, path, languages=["en", "es"])
    flat = table(tmp_path / "flat.jsonl", '{"source": "a", "translation": "b"}\n')
    with pytest.raises(GatewiseError, match="holds no texts by language"):
        fetch(tmp_path, flat, languages=["en", "es"])
    alone = table(tmp_path / "alone.jsonl", '{"translation": {"en": "a", "es": "b"}}\n')
    with pytest.raises(GatewiseError, match=r"read with `languages: \[en, es\]`"):
        fetch(tmp_path, alone)
    with pytest.raises(ValidationError, match="give one of the two"):
        source(str(alone), languages=["en", "es"], columns={"source": "en"})
