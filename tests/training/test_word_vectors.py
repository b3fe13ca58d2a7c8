"""Vectors of words from the company that they keep."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gatewise.artifacts.prepared import Prepared
from gatewise.config import VariantConfig
from gatewise.training import word_vectors
from gatewise.training.datamodule import TaskData
from gatewise.training.fit import fit
from tests.tasks import make_plan, write_task


def documents(*texts):
    return iter([np.array(text) for text in texts])


def test_nearer_words_count_more_and_texts_do_not_touch():
    counts = word_vectors.cooccurrences(documents([2, 3, 4], [5], [2, 3]), 7).toarray()
    window = word_vectors.WINDOW
    assert counts[2, 3] == counts[3, 2] == 2 * window
    assert counts[2, 4] == window - 1
    assert counts[5].sum() == 0
    assert np.array_equal(counts, counts.T)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(st.integers(1, 9), min_size=1, max_size=12), min_size=1, max_size=6))
def test_counts_are_those_of_a_plain_loop(texts):
    expected = np.zeros((10, 10), dtype=int)
    for text in texts:
        for i, left in enumerate(text):
            for j, right in enumerate(text):
                if 0 < abs(i - j) <= word_vectors.WINDOW:
                    expected[left, right] += word_vectors.WINDOW + 1 - abs(i - j)
    assert np.array_equal(word_vectors.cooccurrences(documents(*texts), 10).toarray(), expected)


def test_mutual_information_is_that_of_the_formula_and_never_negative():
    counts = word_vectors.cooccurrences(documents([0, 1, 2, 0, 1]), 3)
    found = word_vectors.ppmi(counts).toarray()
    table = counts.toarray()
    words, total = table.sum(1), table.sum()
    shares = words**0.75 / (words**0.75).sum()
    for i in range(3):
        for j in range(3):
            if table[i, j]:
                information = math.log(table[i, j] / total / (words[i] / total * shares[j]))
                assert found[i, j] == pytest.approx(max(information, 0.0), abs=1e-12)
            else:
                assert found[i, j] == 0


def test_words_of_like_company_start_alike():
    draws = np.random.default_rng(0)
    # 10 and 11 stand where 20 to 24 do, 12 and 13 where 30 to 34 do.
    texts = []
    for _ in range(400):
        pair, company = (10, 20) if draws.integers(2) else (12, 30)
        around = company + draws.integers(5, size=4)
        texts.append([*around[:2], pair + draws.integers(2), *around[2:]])
    found, words = word_vectors.vectors(documents(*texts), 40, 8)
    of = dict(zip(words.tolist(), found, strict=True))
    cosine = lambda a, b: float(of[a] @ of[b]) / 8  # noqa: E731  # all have a length of sqrt(8)
    assert cosine(10, 11) > 0.9
    assert cosine(12, 13) > 0.9
    assert abs(cosine(10, 12)) < 0.5


def test_vectors_are_as_long_as_those_of_a_random_start_and_the_same_every_time():
    draws = np.random.default_rng(1)
    texts = [draws.integers(2, 60, 12) for _ in range(200)]
    found, words = word_vectors.vectors(iter(texts), 64, 16)
    again, _ = word_vectors.vectors(iter(texts), 64, 16)
    assert found.tobytes() == again.tobytes()
    assert np.allclose((found**2).mean(axis=1), 1)
    assert set(words) <= set(range(2, 60))


@pytest.mark.parametrize("texts", [[], [[5]], [[5], [6]], [[5, 5]]])
def test_where_no_two_words_meet_all_stay_random(texts):
    found, words = word_vectors.vectors(documents(*texts), 9, 4)
    assert found.shape == (0, 4)
    assert len(words) == 0


def test_fewer_words_than_elements_leave_the_last_ones_zero():
    found, words = word_vectors.vectors(documents([2, 3, 4, 2, 4], [3, 2]), 9, 16)
    assert len(found) == len(words) > 0
    assert np.all(np.isfinite(found))


def test_a_run_starts_from_the_training_split_alone(tmp_path):
    """What stands in test texts does not matter; what stands in training texts does."""
    prepared = write_task(tmp_path / "task", text=True)
    declared = start(VariantConfig(cell="gru", hidden=4, embedding=4, embeddings="cooccurrence"))
    data = TaskData(prepared, 0, 16)
    first = _weights(declared, prepared)

    def changed(split):
        sequences = np.array(prepared.sequences)
        row = data.rows[split][0]
        start, length = prepared.index.loc[row, ["start", "length"]]
        sequences[start : start + length] = 19
        return Prepared(prepared.card, sequences, prepared.index)

    assert torch.equal(_weights(declared, changed("test")), first)
    assert not torch.equal(_weights(declared, changed("train")), first)


def start(config):
    return make_plan(config=config, epochs=4)


def _weights(declared, prepared):
    from gatewise.training.fit import _model

    return _model(declared, declared.config, 0, TaskData(prepared, 0, 16)).embedding.weight


def test_padding_stays_zero_and_a_run_learns(tmp_path):
    prepared = write_task(tmp_path / "task", text=True)
    config = {"cell": "lstm", "hidden": 8, "embedding": 8, "embeddings": "cooccurrence"}
    declared = start(VariantConfig(**config, word_dropout=0.1))
    assert not _weights(declared, prepared)[0].any()
    result = fit(declared, 0, prepared)
    assert result.curves[-1]["train_loss"] < result.curves[0]["train_loss"]
