import pytest
import torch

from gatewise.data.frontends import tokens
from gatewise.models.word_dropout import PADDING, UNKNOWN, WordDropout


def test_the_ids_are_those_of_the_tokenizers():
    assert (PADDING, UNKNOWN) == (tokens.PAD_ID, tokens.UNKNOWN_ID)


@pytest.mark.parametrize("p", [0.1, 0.5])
def test_so_many_words_become_unknown_and_padding_stays(p):
    torch.manual_seed(0)
    ids = torch.randint(2, 50, (200, 300))
    ids[150:] = PADDING
    read = WordDropout(p).train()(ids)
    assert torch.equal(read[150:], ids[150:])
    changed = read != ids
    assert (read[changed] == UNKNOWN).all()
    assert changed[:150].float().mean() == pytest.approx(p, abs=0.01)


def test_nothing_is_dropped_or_drawn_in_evaluation_or_without_a_share():
    ids = torch.randint(2, 50, (4, 5))
    before = torch.get_rng_state()
    assert torch.equal(WordDropout(0.9).eval()(ids), ids)
    assert torch.equal(WordDropout(0.0).train()(ids), ids)
    assert torch.equal(torch.get_rng_state(), before)
