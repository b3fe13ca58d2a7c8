import numpy as np
import pytest

from gatewise.data.preparation import near_duplicates
from gatewise.data.preparation.near_duplicates import jaccard, shingles


def sentence(seed: int, words: int = 12) -> list[str]:
    draw = np.random.default_rng(seed)
    return ["".join(map(chr, draw.integers(97, 123, 6))) for _ in range(words)]


def similarity(one: str, other: str) -> float:
    return jaccard(shingles(one), shingles(other))


def test_similarity_is_jaccard_of_character_runs() -> None:
    assert similarity("Same, words!", "same words") == 1
    assert similarity("abcdef", "abcdeg") == pytest.approx(1 / 3)
    assert similarity(" ".join(sentence(1)), " ".join(sentence(2))) == 0


def test_edited_copies_in_another_part_are_found_and_others_are_not() -> None:
    texts, parts, wanted = [], [], []
    for seed in range(300):
        words = sentence(seed, 20)
        texts.append(" ".join(words))
        parts.append("test")
        if seed % 3 == 0:  # an edited copy in training
            words[seed % 20] = "new"
            wanted.append(len(texts))
            texts.append(" ".join(words))
            parts.append("train")
        if seed % 3 == 1:  # an edited copy in the same part
            texts.append(" ".join([*words, "more"]))
            parts.append("test")
    keys = near_duplicates.band_keys(texts)
    pairs = near_duplicates.crossing(keys, parts, texts.__getitem__)
    rows = [pair.row for pair in pairs]
    assert set(rows) <= set(wanted)
    assert len(rows) >= 0.95 * len(wanted)
    for pair in pairs:
        assert pair.other == pair.row - 1
        assert pair.similarity == similarity(texts[pair.row], texts[pair.other])
        assert pair.similarity >= near_duplicates.THRESHOLD


def test_banding_finds_pairs_at_the_threshold() -> None:
    # 1 - (1 - 0.8^5)^12 = 0.99
    missed = 0
    for seed in range(100):
        words = sentence(seed, 30)
        other = [*words[:27], *sentence(seed + 1000, 3)]
        pair = [" ".join(words), " ".join(other)]
        assert 0.75 < similarity(*pair) < 0.9
        keys = near_duplicates.band_keys(pair)
        missed += not (keys[0] == keys[1]).any()
    assert missed <= 5


def test_boilerplate_costs_no_pairs() -> None:
    texts = ["the same sentence again"] * 5000 + ["the same sentence again!"]
    calls = []

    def read(row: int) -> str:
        calls.append(row)
        return texts[row]

    parts = ["train"] * 5000 + ["test"]
    pairs = near_duplicates.crossing(near_duplicates.band_keys(texts), parts, read)
    assert [pair.row for pair in pairs] == list(range(5000))
    assert len(calls) < 13 * 5001


def test_keys_do_not_depend_on_company() -> None:
    texts = [" ".join(sentence(seed)) for seed in range(5)]
    assert np.array_equal(
        near_duplicates.band_keys(texts)[3], near_duplicates.band_keys([texts[3]])[0]
    )


def test_a_run_is_of_characters_in_any_script() -> None:
    # No five characters in a row are shared, though five bytes of UTF-8 are, many times.
    assert similarity("今天天气很好我们去公园", "今天天气不好我们去学校") == 0
    assert similarity("今天天气很好", "今天天气很坏") == similarity("abcdef", "abcdeg")
