"""What is understood of folders of text files, or asked."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gatewise.data import checking
from gatewise.data.understanding import Ambiguous, Options, Understanding, understand
from gatewise.repro.studies import proposal, writing
from gatewise.repro.studies.timing import Pace
from tests.data.understanding.layouts import LABELS, rows, text_files

Build = Callable[[Path], Path]


def facts(found: Understanding) -> dict[str, Any]:
    return {
        "kind": found.source["kind"],
        "labels": sorted(found.labels),
        "examples": found.examples,
        "splits": found.split_sizes if found.splits == "published" else None,
        "groups": found.groups,
        "script": found.script,
        "unusable": found.unusable,
        **{name: found.source.get(name) for name in ("layout", "name", "group", "without")},
        **{name: found.source.get(name) for name in ("encoding", "fallback")},
    }


def newsgroups(root: Path) -> Path:
    """Names without endings, and the list of authors beside the folders."""
    text_files(root, "{label}/3{n:04}")
    (root / "AUTHORS").write_text("who wrote what")
    return root


def film_reviews(root: Path) -> Path:
    """As IMDb's reviews come: splits, texts without a label, lists beside the folders."""
    text_files(root / "train", "{label}/{n}_7.txt", rows(60))
    text_files(
        root / "test", "{label}/{n}_8.txt", [r | {"text": r["text"] + " too"} for r in rows()]
    )
    for number in range(30):
        path = root / "train" / "unsup" / f"{number}_0.txt"
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"nobody said what {number} is")
    (root / "README").write_text("Large Movie Review Dataset")
    (root / "train" / "urls_pos.txt").write_text("http://example.org")
    (root / "train" / "labeledBow.feat").write_text("9 0:9")
    return root


def with_accents(encoding: str) -> Build:
    """Every third text has letters beyond ASCII."""

    def build(root: Path) -> Path:
        given = [
            r | {"text": r["text"] + " café"} if n % 3 == 0 else r for n, r in enumerate(rows())
        ]
        return text_files(root, "{label}/{n}.txt", given, encoding)

    return build


def some_empty(root: Path) -> Path:
    given = [r | {"text": ""} if n < 2 else r for n, r in enumerate(rows())]
    return text_files(root, "{label}/{n}.txt", given)


UNDERSTOOD: dict[str, tuple[Build, dict[str, Any]]] = {
    "a folder a label": (
        lambda root: text_files(root, "{label}/{n}.txt"),
        {
            "kind": "text-folder",
            "labels": sorted(LABELS),
            "examples": 90,
            "splits": None,
            "groups": None,
            "layout": None,
            "script": "words",
        },
    ),
    "names without endings": (newsgroups, {"labels": sorted(LABELS), "examples": 90}),
    "splits, unlabelled texts and notes": (
        film_reviews,
        {
            "labels": sorted(LABELS),
            "splits": {"train": 60, "test": 90},
            "layout": "split/label",
            "without": ["unsup"],
            "groups": None,
        },
    ),
    "authors in the names below labels": (
        lambda root: (
            [
                text_files(root, f"{{label}}/author{who}_{{n}}.txt", rows()[who::5])
                for who in range(5)
            ]
            and root
        ),
        {"groups": 5, "labels": sorted(LABELS)},
    ),
    "counts in the names, twice": (
        lambda root: text_files(root, "{label}/{n}_7.txt"),
        {"groups": None, "labels": sorted(LABELS)},
    ),
    "numbered authors above labels": (
        lambda root: (
            text_files(root / "author1", "{label}/{n}.txt", rows()[:45]).parent
            and text_files(root / "author2", "{label}/{n}.txt", rows()[45:]).parent
        ),
        {"groups": 2, "layout": "group/label"},
    ),
    "labels in the names": (
        lambda root: text_files(root, "{label}_{n}.txt"),
        {"labels": sorted(LABELS), "name": "^(?P<label>[^_]+)_"},
    ),
    "in an encoding of the west": (
        with_accents("latin-1"),
        {"fallback": "cp1252", "encoding": None, "unusable": {}},
    ),
    "UTF-16 by its mark": (with_accents("utf-16"), {"fallback": None, "encoding": None}),
    "some empty": (some_empty, {"unusable": {"empty text": 2}, "examples": 90}),
}


@pytest.mark.parametrize("name", UNDERSTOOD)
def test_understood(tmp_path: Path, name: str) -> None:
    build, expected = UNDERSTOOD[name]
    path = tmp_path / "mine"
    path.mkdir()
    found = facts(understand(build(path)))
    assert {key: found[key] for key in expected} == expected


def test_people_above_labels_are_asked_about(tmp_path: Path) -> None:
    for number, person in enumerate(("ann", "bob", "eve")):
        text_files(tmp_path / person, "{label}/{n}.txt", rows()[30 * number : 30 * number + 30])
    with pytest.raises(Ambiguous) as asked:
        understand(tmp_path)
    layouts = [reading.choice["layout"] for reading in asked.value.readings]
    assert layouts == ["group/label", "label/group"]
    assert understand(tmp_path, Options(layout="group/label")).groups == 3


def test_a_test_set_stays_apart(tmp_path: Path) -> None:
    train = text_files(tmp_path / "train-mails", "{label}/{n}.txt")
    later = [r | {"text": "later " + r["text"]} for r in rows(30)]
    test = text_files(tmp_path / "june", "{label}/{n}.txt", later)
    found = understand(train, test=test)
    assert found.split_sizes == {"train": 90, "test": 30}


def test_options_of_tables_say_nothing_of_folders(tmp_path: Path) -> None:
    path = with_accents("latin-1")(tmp_path)
    assert understand(path, Options(encoding="latin-1")).source["encoding"] == "latin-1"
    with pytest.raises(Exception, match=r"--delimiter says nothing here.*text-folder"):
        understand(path, Options(delimiter=";"))


def test_a_study_is_written_for_them(tmp_path: Path) -> None:
    found = understand(some_empty(tmp_path))
    proposed = proposal.propose(found, timer=lambda *_: Pace(0.001, 2))
    text = writing.render(proposed)
    assert "kind: text-folder" in text
    assert "on_bad: skip" in text


def test_they_are_checked_as_other_data_are(tmp_path: Path) -> None:
    path = text_files(tmp_path, "{label}/{n}.txt")
    assert checking.guess(path, {}).kind == "text-folder"  # type: ignore[attr-defined]
