"""CTC, its decoding and its counts against brute force and another library's figures."""

import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchmetrics.functional.text import word_error_rate

from gatewise.artifacts.objectives._edits import distance, pairs
from gatewise.artifacts.objectives._prefixes import likeliest
from gatewise.artifacts.objectives.base import Answered
from gatewise.artifacts.objectives.transcribe import Objective, fewest_steps

SYMBOLS = 2
ASKS = Objective(kind="transcribe")


def logs(seed, steps, outputs=SYMBOLS + 1):
    draws = torch.Generator().manual_seed(seed)
    return (2 * torch.randn(steps, outputs, generator=draws)).log_softmax(-1)


def by_path(log_probabilities):
    """Probability of every text, from all paths one by one."""
    found = {}
    steps, outputs = log_probabilities.shape
    for path in itertools.product(range(outputs), repeat=steps):
        merged = [one for one, _ in itertools.groupby(path)]
        text = tuple(one - 1 for one in merged if one)
        chance = math.exp(sum(float(log_probabilities[t, k]) for t, k in enumerate(path)))
        found[text] = found.get(text, 0.0) + chance
    return found


@given(st.integers(0, 10_000), st.integers(1, 6))
@settings(max_examples=25, deadline=None)
def test_a_wide_beam_finds_the_likeliest_text_and_its_probability(seed, steps):
    given_logs = logs(seed, steps)
    every = by_path(given_logs)
    found = likeliest(given_logs.numpy(), beam=1024)
    best = max(every.values())
    assert found.probability == pytest.approx(best, rel=1e-5)
    assert every[found.symbols] == pytest.approx(best, rel=1e-5)


@given(st.integers(0, 10_000), st.integers(1, 6))
@settings(max_examples=25, deadline=None)
def test_the_greedy_text_is_that_of_the_likeliest_path(seed, steps):
    given_logs = logs(seed, steps)
    path = given_logs.argmax(-1).tolist()
    expected = tuple(one - 1 for one, _ in itertools.groupby(path) if one)
    found = likeliest(given_logs.numpy(), beam=1)
    assert found.symbols == expected
    assert found.probability == pytest.approx(math.exp(float(given_logs.max(-1).values.sum())))


def test_a_beam_finds_what_greedy_decoding_misses():
    # A text may be likelier than the blank although no single path of it is.
    given_logs = np.log(np.array([[0.4, 0.35, 0.25], [0.4, 0.35, 0.25]]))
    assert likeliest(given_logs, beam=1).symbols == ()
    assert likeliest(given_logs, beam=8).symbols == (0,)


@given(st.integers(0, 10_000), st.integers(2, 6), st.integers(1, 3))
@settings(max_examples=25, deadline=None)
def test_the_loss_is_that_of_all_paths_of_the_text(seed, steps, length):
    draws = np.random.default_rng(seed)
    text = draws.integers(SYMBOLS, size=length)
    if fewest_steps(text.tolist()) > steps:
        return
    outputs = logs(seed, steps)
    part = Answered(
        outputs[None], torch.tensor([steps]), torch.from_numpy(text)[None], torch.tensor([length])
    )
    expected = -math.log(by_path(outputs)[tuple(text.tolist())])
    assert float(ASKS.loss(part)) == pytest.approx(expected, rel=1e-4)


def slow_distance(a, b):
    if not a or not b:
        return len(a) + len(b)
    return min(
        slow_distance(a[1:], b[1:]) + (a[0] != b[0]),
        slow_distance(a[1:], b) + 1,
        slow_distance(a, b[1:]) + 1,
    )


@given(st.lists(st.integers(0, 2), max_size=5), st.lists(st.integers(0, 2), max_size=5))
@settings(deadline=None)
def test_edits_are_the_fewest(a, b):
    assert distance(a, b) == slow_distance(a, b) == distance(b, a)


@given(st.lists(st.integers(0, 2), max_size=6), st.lists(st.integers(0, 2), max_size=6))
@settings(deadline=None)
def test_paired_symbols_are_in_order_and_leave_as_few_edits_as_possible(a, b):
    found = pairs(a, b)
    assert all(i < k and j < m for (i, j), (k, m) in itertools.pairwise(found))
    replaced = sum(a[i] != b[j] for i, j in found)
    assert replaced + len(a) + len(b) - 2 * len(found) == distance(a, b)


def test_symbols_that_were_taken_for_each_other_are_counted():
    said = [[0, 1, 0], [0], []]
    targets = torch.tensor([[0, 1, 1], [1, 0, 0], [1, 0, 0]])
    part = Answered(certain(said), torch.full((3,), 12), targets, torch.tensor([3, 2, 1]))
    columns = ASKS.predictions([part])
    # Of the last two texts one symbol each was left out: it was taken for none.
    assert ASKS.confusion(columns).tolist() == [[2, 0], [1, 1]]
    many = {**columns, "reference": [np.array([99], np.int32), *columns["reference"][1:]]}
    assert ASKS.confusion(many) is None


def certain(texts, steps=12):
    """Outputs that say these texts."""
    outputs = torch.full((len(texts), steps, SYMBOLS + 1), -9.0)
    outputs[..., 0] = 9
    for row, text in enumerate(texts):
        for place, symbol in enumerate(text):
            outputs[row, 2 * place, 0] = -9
            outputs[row, 2 * place, symbol + 1] = 9
    return outputs


def test_the_error_rate_is_that_of_torchmetrics_and_hand():
    references = [[0, 1, 1], [1], [0, 0, 1, 0]]
    said = [[0, 1, 1], [0, 1], [0, 1, 0]]
    targets = torch.zeros(3, 4, dtype=torch.int64)
    for row, text in enumerate(references):
        targets[row, : len(text)] = torch.tensor(text)
    part = Answered(certain(said), torch.full((3,), 12), targets, torch.tensor([3, 1, 4]))
    scores = ASKS.scores([part])
    words = [[" ".join(map(str, text)) for text in texts] for texts in (said, references)]
    assert scores["symbol_error_rate"] == pytest.approx(float(word_error_rate(*words)))
    assert scores["symbol_error_rate"] == pytest.approx(2 / 8)
    assert scores["sequence_accuracy"] == pytest.approx(1 / 3)
    shown = ASKS.shown(ASKS.predictions([part]), ["no", "yes"])
    assert shown.truth[2] == "no no yes no"
    assert shown.wrong.tolist() == [False, True, True]


def test_what_decodes_to_nothing_is_stored_and_read(tmp_path):
    import pandas as pd

    from gatewise.artifacts import predictions

    part = Answered(
        certain([[], []]), torch.full((2,), 12), torch.zeros(2, 1).long(), torch.ones(2).long()
    )
    columns = ASKS.predictions([part])
    frame = pd.DataFrame({"id": ["a", "b"], "group": ["g", "h"], **columns_of(columns)})
    frame.to_parquet(tmp_path / "predictions.parquet", index=False)
    found = predictions.read(tmp_path / "predictions.parquet")
    assert found.digest == predictions.Predictions.of_frame(frame).digest
    assert [len(row) for row in found.columns["decoded"]] == [0, 0]


def columns_of(columns):
    return {name: list(values) for name, values in columns.items()}


def test_words_and_characters_are_symbols():
    assert ASKS.split(" one  two ") == ["one", "two"]
    letters = Objective(kind="transcribe", unit="character")
    assert letters.split(" ab  c ") == ["a", "b", " ", "c"]
    assert letters.join(letters.split("ab c")) == "ab c"
    assert fewest_steps("hello") == 6
