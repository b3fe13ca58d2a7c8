from collections import Counter
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from gatewise.artifacts.objectives.base import OTHERWISE
from gatewise.training.alternatives import Alternatives

ROWS = [[5], [1, 2, OTHERWISE, 3], [4, 4, 4], [0, OTHERWISE, 6, 7, 8, OTHERWISE, 9, 9]]
ANSWERS = [[[5]], [[1, 2], [3]], [[4, 4, 4]], [[0], [6, 7, 8], [9, 9]]]


@pytest.fixture
def prepared():
    lengths = [len(row) for row in ROWS]
    index = pd.DataFrame({"target_start": np.cumsum(lengths) - lengths, "target_length": lengths})
    return SimpleNamespace(targets=np.concatenate(ROWS).astype(np.int32), index=index)


def shown(alternatives, rows, epoch):
    symbols, lengths = alternatives.of(np.asarray(rows), epoch)
    assert symbols.dtype == np.int64
    for row, length in zip(symbols, lengths, strict=True):
        assert (row[length:] == 0).all()
    return [row[:length].tolist() for row, length in zip(symbols, lengths, strict=True)]


def test_each_epoch_shows_one_right_answer_whole(prepared):
    alternatives = Alternatives(prepared, 0)
    assert alternatives.counts.tolist() == [1, 2, 1, 3]
    seen = [Counter() for _ in ROWS]
    for epoch in range(300):
        for row, answer in enumerate(shown(alternatives, range(4), epoch)):
            assert answer in ANSWERS[row]
            seen[row][tuple(answer)] += 1
    for answers, counted in zip(ANSWERS, seen, strict=True):
        assert len(counted) == len(answers)
        assert min(counted.values()) > 300 / len(answers) - 40, "none is preferred"


def test_what_is_shown_hangs_on_no_batch_and_on_no_epoch_before(prepared):
    together = [shown(Alternatives(prepared, 3), range(4), epoch) for epoch in range(20)]
    resumed = Alternatives(prepared, 3)
    for epoch in (17, 4):
        for row in (3, 1, 0, 2):
            assert shown(resumed, [row], epoch) == [together[epoch][row]]
    others = [shown(Alternatives(prepared, 4), range(4), epoch) for epoch in range(20)]
    assert others != together


def test_lengths_of_the_usual_answer_and_of_the_longest(prepared):
    alternatives = Alternatives(prepared, 0)
    assert alternatives.first_lengths().tolist() == [1, 2, 3, 1]
    assert alternatives.longest(np.array([0, 1])) == 2
    assert alternatives.longest(np.array([0, 3])) == 3
