import torch

from gatewise.artifacts.objectives.base import OTHERWISE, UNHEARD
from gatewise.models import references


def test_the_first_of_several_answers_is_cut_out():
    rows = torch.tensor(
        [
            [3, 1, OTHERWISE, 2, 0, 0],
            [4, 4, 4, 0, 0, 0],
            [2, OTHERWISE, 1, OTHERWISE, 0, 1],
            [UNHEARD, 1, 1, 1, 0, 0],
        ]
    )
    symbols, lengths = references.first(rows, torch.tensor([4, 3, 6, 4]))
    assert lengths.tolist() == [2, 3, 1, 4]
    assert symbols.tolist() == [[3, 1, 0, 0], [4, 4, 4, 0], [2, 0, 0, 0], [UNHEARD, 1, 1, 1]]


def test_rows_without_any_padding():
    rows = torch.tensor([[1, 2], [0, 1]])
    symbols, lengths = references.first(rows, torch.tensor([2, 2]))
    assert symbols.tolist() == rows.tolist()
    assert lengths.tolist() == [2, 2]
