"""Simple opponents of models that generate texts."""

import numpy as np
import pytest

from gatewise.diagnostics import baselines
from gatewise.diagnostics.opponents import _letter_table, _nearest, _positions, _word_table
from gatewise.diagnostics.opponents._letter_table import Alphabets
from tests.translated import make, pairs


@pytest.fixture(scope="module")
def translated(tmp_path_factory):
    return make(tmp_path_factory.mktemp("translated"), pairs(240))[0]


def test_a_word_table_translates_word_for_word_and_a_memory_repeats_what_it_has(translated):
    report = baselines.evaluate(translated, [0, 1], 1.0, 0.05, 200)
    found = report.baselines
    assert list(found) == ["memory", "table"]  # no German number is an English one
    assert found["table"].values == (pytest.approx(1.0),)
    assert 0.01 < found["memory"].mean < 0.9
    assert report == baselines.evaluate(translated, [0, 1], 1.0, 0.05, 200)


def test_what_is_the_same_in_both_languages_is_copied(tmp_path):
    said = [(f"{text} ok", f"{said} ok") for text, said in pairs()]
    prepared, _ = make(tmp_path, said, metric="token_error_rate")
    found = baselines.evaluate(prepared, [0], 1.0, 0.05, 200).baselines
    assert found["copy"].title == "the input, where it can be said"
    tested = [len(text.split()) for k, (_, text) in enumerate(said) if k % 8 == 7]
    # Of every text the last word alone is said.
    assert found["copy"].mean == pytest.approx(1 - len(tested) / sum(tested), rel=1e-6)


def test_letters_say_more_among_their_neighbours(tmp_path):
    # `s` says Z between vowels, `x` two symbols at once, `h` nothing.
    draws = np.random.default_rng(0)
    vowels, said = {"a": "A", "e": "E"}, {}
    while len(said) < 160:
        word = "".join(draws.choice(list("aesxht"), draws.integers(4, 8)))
        sounds = []
        for place, letter in enumerate(word):
            around = word[max(0, place - 1) : place] + word[place + 1 : place + 2]
            voiced = len(around) == 2 and set(around) <= vowels.keys()
            sounds += {"s": ["Z" if voiced else "S"], "x": ["K", "S"], "h": []}.get(
                letter, [letter.upper()]
            )
        if sounds:
            said[word] = " ".join(sounds)
    prepared, _ = make(
        tmp_path,
        list(said.items()),
        metric="exact_match",
        features={"kind": "tokens", "tokenizer": "character", "min_frequency": 1},
        allow={"near-duplicates": "letters drawn at random"},
    )
    found = baselines.evaluate(prepared, [0], 1.0, 0.05, 200).baselines
    assert list(found) == ["memory", "table", "window"]
    assert found["memory"].mean < 0.3 < found["table"].mean < found["window"].mean - 0.05
    assert found["window"].mean > 0.8


def test_letters_are_divided_as_they_say_it():
    of = Alphabets(letters=3, symbols=4)
    inputs = [np.array(own) for own in ([0, 1], [0, 2], [2, 1, 0], [1], [0], [2, 2])]
    # 0 says symbol 0, 1 says symbols 1 and 2, 2 says nothing.
    texts = [np.array(own) for own in ([0, 1, 2], [0], [1, 2, 0], [1, 2], [0], [])]
    divided = _letter_table.divide(inputs[:5], texts[:5], of)
    said = [[of.symbols_of(one) for one in own.tolist()] for own in divided]
    assert said == [[[0], [1, 2]], [[0], []], [[], [1, 2], [0]], [[1, 2]], [[0]]]
    (table,) = _letter_table.learn(inputs, texts, of, [0])
    assert table.say(np.array([2, 1, 1, 0])).tolist() == [1, 2, 1, 2, 0]


def test_a_word_that_is_said_for_none_takes_nobodys_place():
    # Symbol 9 stands in every text and is for no word: the table must not give it to any.
    draws = np.random.default_rng(1)
    inputs = [draws.permutation(8)[:3] for _ in range(60)]
    texts = [np.append(own, 9) for own in inputs]
    table = _word_table.learn(inputs, texts, vocabulary=10)
    assert table.say(np.array([3, 1, 7])).tolist() == [3, 1, 7]
    assert table.say(np.array([8])).tolist() == []  # training lacks it


def test_the_nearest_text_shares_rare_words():
    train = [np.array(own) for own in ([1, 2, 3], [1, 2, 4], [5, 6, 7])]
    asked = [np.array(own) for own in ([4, 1], [7, 8], [3, 2, 1])]
    assert _nearest.texts(train, asked, runs=2).tolist() == [1, 2, 0]


def test_nearest_frames_are_those_at_the_smallest_distance():
    draws = np.random.default_rng(2)
    train, asked = draws.normal(size=(40, 6)), draws.normal(size=(9, 6))
    expected = np.linalg.norm(asked[:, None] - train, axis=2).argmin(axis=1)
    np.testing.assert_array_equal(_nearest.frames(train, asked), expected)


def test_sequences_of_any_length_are_cut_into_parts_of_their_own():
    short, long = np.ones((3, 2)), np.repeat(np.arange(24.0)[:, None], 2, axis=1)
    found = _nearest.pooled([short, long])
    assert found.shape == (2, 2 * _nearest.SEGMENTS)
    np.testing.assert_allclose(found[0], 1)
    np.testing.assert_allclose(found[1][::2], np.arange(12) * 2 + 0.5)


def test_places_are_learnt_by_themselves_and_end():
    draws = np.random.default_rng(3)
    symbols = draws.integers(3, size=(300, 2))
    inputs = np.eye(3)[symbols].reshape(300, 6)
    texts = [own[: 1 + (own[0] > 0)] for own in symbols]  # symbol 0 ends a text
    model = _positions.Positions(inputs, texts, symbols=3)
    for _ in range(60):
        model.learn()
    right = [np.array_equal(*both) for both in zip(model.say(inputs), texts, strict=True)]
    assert np.mean(right) > 0.95
