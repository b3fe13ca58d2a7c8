"""The data section of the report, from real reports of preparation."""

from pathlib import Path
from typing import Any

import pandas as pd
import pandera.errors
import pytest

from benchmarks.hardening import damage
from gatewise.artifacts.data_report import Check, DataReport
from gatewise.artifacts.prepared import index_schema
from gatewise.config import TaskConfig
from gatewise.data import sources
from gatewise.data.preparation.build import prepare
from gatewise.errors import GatewiseError
from tests import sounds


def report(folder: Path, **more: Any) -> DataReport:
    home = sounds.folder(folder / "mine")
    (home / "yes" / "s00_nohash_1.wav").write_bytes(
        (home / "yes" / "s01_nohash_0.wav").read_bytes()
    )
    config = TaskConfig.model_validate(
        {
            "source": {"kind": "audio-folder", "path": str(home), "group": "/([^_]+)_"},
            "features": {"kind": "log-mel", "sample_rate": 8000},
            "allow": {"duplicates": "the <same> take"},
            **more,
        }
    )
    sources.fetch(config.source, folder / "raw")
    return prepare("mine", config, folder / "raw", folder / "prepared")[1]


def rendered(data: DataReport) -> str:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    from gatewise.report import words

    environment = Environment(
        loader=PackageLoader("gatewise.report", "."), autoescape=True, undefined=StrictUndefined
    )
    scroll = "{% macro scroll(label) %}{{ caller() }}{% endmacro %}"
    page = environment.from_string(scroll + '{% include "data.html.j2" %}')
    return page.render(name="mine", report=data, words=words)


def test_equal_examples_under_two_labels_are_shown(tmp_path: Path) -> None:
    data = report(tmp_path)
    assert "stand under several labels" not in rendered(data)
    said = ["yes/a.wav (yes) = no/b.wav (no)"]
    data = data.model_copy(update={"contradictions": 1, "contradicting": said})
    html = " ".join(rendered(data).split())
    assert "1 contents stand under several labels: yes/a.wav (yes) = no/b.wav (no)." in html


@pytest.mark.parametrize("resample", [False, True])
def test_the_section_says_what_was_certified(tmp_path: Path, resample: bool) -> None:
    split = {"validation": 0.25, "test": 0.25, "resample": resample}
    data = report(tmp_path, split=split)
    html = " ".join(rendered(data).split())
    assert "61 examples in 30 groups, 2 labels" in html
    assert "no group lies in two splits" in html
    assert ("drawn for each seed from 30 groups" in html) == resample
    assert ("class balance" in html) != resample
    leaks = data.certificate["duplicates"].count
    assert ("accepted because: the &lt;same&gt; take" in html) == bool(leaks)
    assert data.digest in html


def test_the_section_without_leaks_is_plain(tmp_path: Path) -> None:
    data = report(tmp_path)
    clean = {**data.certificate, "duplicates": Check(claim="none", count=0)}
    data = data.model_copy(update={"certificate": clean})
    assert "Certified: nothing leaks between splits" in rendered(data)


def index(**changes: Any) -> pd.DataFrame:
    frame = pd.DataFrame(
        {
            "id": ["a", "b", "c"],
            "label": [0, 1, 0],
            "group": ["g", "h", "i"],
            "split": ["train", "validation", "test"],
            "start": [0, 2, 5],
            "length": [2, 3, 1],
        }
    )
    return frame.assign(**changes)


def test_a_sound_index_passes() -> None:
    index_schema(2).validate(index())


@pytest.mark.parametrize(
    "changes",
    [
        {"label": [0, 2, 0]},
        {"id": ["a", "a", "c"]},
        {"split": ["train", "dev", "test"]},
        {"length": [2, 0, 1]},
        {"start": [0, 1, 5]},
        {"start": [0, 3, 6]},
        {"extra": 1},
    ],
)
def test_a_broken_index_does_not(changes: dict[str, Any]) -> None:
    with pytest.raises((pandera.errors.SchemaError, pandera.errors.SchemaErrors)):
        index_schema(2).validate(index(**changes))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> DataReport:
    return report(tmp_path_factory.mktemp("made"))


# Not one bit: of a letter or a digit that changed DVC's lock knows.
@pytest.mark.parametrize("kind", [kind for kind in damage.KINDS if kind != "one bit"])
def test_a_damaged_report_is_named(tmp_path: Path, made: DataReport, kind: str) -> None:
    path = tmp_path / "toy.json"
    made.write(path)
    damage.spoil(path, kind)
    with pytest.raises((GatewiseError, FileNotFoundError), match=r"toy\.json"):
        DataReport.read(path)
