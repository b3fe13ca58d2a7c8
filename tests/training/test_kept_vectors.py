"""Vectors that are kept are those that would be made."""

from pathlib import Path

import numpy as np
import pytest

from gatewise.training import kept_vectors, word_vectors

TEXTS = [[2, 3, 4, 2], [5, 3], [4, 5, 6, 2, 3], [6, 2]]


@pytest.fixture
def made(monkeypatch):
    """What was computed, a width each."""
    widths = []
    compute = word_vectors.vectors

    def counted(documents, vocabulary, width):
        widths.append(width)
        return compute(documents, vocabulary, width)

    monkeypatch.setattr(word_vectors, "vectors", counted)
    return widths


def vectors(folder, texts=TEXTS, vocabulary=8, width=3, mode="portable"):
    documents = iter([np.array(text, dtype=np.int32) for text in texts])
    return kept_vectors.vectors(documents, vocabulary, width, folder, mode)


def files(folder):
    return sorted(folder.glob("*.safetensors"))


def same(one, other):
    return all(a.dtype == b.dtype and np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def test_a_second_run_finds_the_very_vectors(tmp_path, made):
    folder = tmp_path / "vectors"
    plain = vectors(None)
    first, second = vectors(folder), vectors(folder)
    assert same(plain, first)
    assert same(first, second)
    assert made == [3, 3]  # without a folder, and once with


@pytest.mark.parametrize(
    "other",
    [
        {"texts": [*TEXTS, [2, 4]]},
        {"texts": [[2, 3, 4, 2, 5, 3], *TEXTS[2:]]},  # the same words, cut otherwise
        {"vocabulary": 9},
        {"width": 2},
        {"mode": "native"},
    ],
)
def test_whatever_decides_them_tells_them_apart(tmp_path, other):
    vectors(tmp_path)
    vectors(tmp_path, **other)
    assert len(files(tmp_path)) == 2


@pytest.mark.parametrize("damage", [lambda b: b[:-9], lambda b: b[:-1] + bytes([b[-1] ^ 1])])
def test_a_damaged_file_is_made_anew(tmp_path, made, damage):
    first = vectors(tmp_path)
    (path,) = files(tmp_path)
    path.write_bytes(damage(path.read_bytes()))
    assert same(first, vectors(tmp_path))
    assert same(first, vectors(tmp_path))
    assert len(made) == 2


def test_texts_without_company_are_kept_as_well(tmp_path, made):
    for _ in range(2):
        found, words = vectors(tmp_path, texts=[[2], [3]])
        assert found.shape == (0, 3)
        assert len(words) == 0
    assert len(made) == 1


def test_where_nothing_can_be_written_they_are_only_made(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    assert same(vectors(None), vectors(Path(blocked)))


def test_the_oldest_make_room(tmp_path, monkeypatch):
    for width in (1, 2, 3):
        vectors(tmp_path, width=width)
    monkeypatch.setattr(kept_vectors, "MOST_BYTES", max(f.stat().st_size for f in files(tmp_path)))
    vectors(tmp_path, width=1)  # used: nothing is removed by reading
    assert len(files(tmp_path)) == 3
    vectors(tmp_path, width=4, texts=TEXTS[:2])
    assert len(files(tmp_path)) == 1
