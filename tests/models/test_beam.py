import itertools
import math

import pytest
import torch

from gatewise.artifacts.objectives.base import SILENT
from gatewise.models.attention import Memory
from gatewise.models.beam import Search, search
from gatewise.models.decoder import Encoded

SYMBOLS, LONGEST, EXAMPLES = 3, 3, 6
START = END = SYMBOLS


def model(seed=0, peak=2.0):
    """Logits of the next symbol after each text of each example: a table in place of a decoder."""
    draws = torch.Generator().manual_seed(seed)
    count = sum(SYMBOLS**length for length in range(LONGEST + 1))
    return peak * torch.randn((EXAMPLES, count, SYMBOLS + 1), generator=draws)


def place(text):
    """Number of a text in the table, by length and then in order."""
    before = sum(SYMBOLS**length for length in range(len(text)))
    return before + sum(symbol * SYMBOLS**k for k, symbol in enumerate(reversed(text)))


def decoder(table):
    """`Decoder.advance` whose state is the example and the text so far."""

    def advance(symbols, states, memory):
        example, text = states[0]
        length = text.shape[1]
        last = symbols.flatten()
        text = torch.cat([text, last[:, None]], 1)
        assert torch.equal(example.view(symbols.shape)[:, 0], memory.values[:, 0, 0].long())
        logits = torch.zeros(len(last), SYMBOLS + 1)
        for row, (which, said) in enumerate(
            zip(example.tolist(), text[:, 1:].tolist(), strict=True)
        ):
            known = [symbol for symbol in said if symbol < SYMBOLS]
            if len(known) == length:  # texts that have ended are advanced for nothing
                logits[row] = table[which, place(known)]
        return logits.view(*symbols.shape, -1), [(example, text)]

    return advance


def encoded():
    values = torch.arange(EXAMPLES, dtype=torch.float32)[:, None, None]
    state = (torch.arange(EXAMPLES), torch.zeros((EXAMPLES, 0), dtype=torch.int64))
    return Encoded(Memory(values, values, None), [state])


def log_probability(table, example, text):
    """Of a text and its end; after the longest only the end is left."""
    logs = [table[example, place(text[:k])].log_softmax(0)[symbol] for k, symbol in enumerate(text)]
    logs.append(table[example, place(text)].log_softmax(0)[END])
    return float(sum(logs))


def texts():
    return itertools.chain.from_iterable(
        itertools.product(range(SYMBOLS), repeat=length) for length in range(LONGEST + 1)
    )


def said(table, beam):
    found = search(decoder(table), encoded(), Search(beam, LONGEST, START, END))
    rows = [tuple(row[row != SILENT].tolist()) for row in found.symbols]
    return rows, found.log_probability.tolist()


@pytest.mark.parametrize("seed", range(4))
def test_a_beam_as_wide_as_there_are_texts_finds_the_best_of_all(seed):
    table = model(seed)
    rows, logs = said(table, 40)
    for example in range(EXAMPLES):
        best = max(
            texts(), key=lambda text: log_probability(table, example, text) / (len(text) + 1)
        )
        assert rows[example] == best
        assert logs[example] == pytest.approx(log_probability(table, example, best), abs=1e-4)


def one_by_one(table, example, beam):
    """The same search over lists."""
    texts_of = [((), 0.0, False)]
    for step in range(LONGEST + 1):
        grown = [one for one in texts_of if one[2]]
        for text, score, ended in texts_of:
            if ended:
                continue
            logs = table[example, place(text)].log_softmax(0).tolist()
            for symbol in range(SYMBOLS + 1):
                if symbol == END:
                    grown.append((text, score + logs[symbol], True))
                elif step < LONGEST:
                    grown.append(((*text, symbol), score + logs[symbol], False))
        grown.sort(key=lambda one: -one[1] / (len(one[0]) + one[2]))
        texts_of = grown[:beam]
    return texts_of[0][0]


@pytest.mark.parametrize("beam", [1, 2, 3, 5])
def test_narrow_beams_keep_what_a_search_over_lists_keeps(beam):
    for seed in range(6):
        table = model(seed)
        rows, _ = said(table, beam)
        assert rows == [one_by_one(table, example, beam) for example in range(EXAMPLES)]


def test_a_beam_of_one_is_greedy():
    for seed in range(6):
        table = model(seed)
        rows, logs = said(table, 1)
        for example in range(EXAMPLES):
            text = ()
            while len(text) < LONGEST and (k := int(table[example, place(text)].argmax())) != END:
                text = (*text, k)
            assert rows[example] == text
            assert logs[example] == pytest.approx(log_probability(table, example, text), abs=1e-4)


def test_a_wider_beam_finds_better_texts_somewhere():
    def mean(beam):
        return sum(
            log / (len(row) + 1)
            for seed in range(6)
            for row, log in zip(*said(model(seed), beam), strict=True)
        )

    assert mean(1) < mean(4) <= mean(40) + 1e-6


def test_nothing_is_said_where_the_end_comes_first():
    table = torch.full((EXAMPLES, 40, SYMBOLS + 1), -50.0)
    table[..., END] = 50.0
    found = search(decoder(table), encoded(), Search(2, LONGEST, START, END))
    assert found.symbols.shape == (EXAMPLES, 0)
    assert found.log_probability.tolist() == pytest.approx([0.0] * EXAMPLES, abs=1e-6)


def test_no_text_is_longer_than_allowed():
    table = torch.zeros((EXAMPLES, 40, SYMBOLS + 1))
    table[..., END] = -50.0
    rows, logs = said(table, 1)
    assert {len(row) for row in rows} == {LONGEST}
    expected = -LONGEST * math.log(SYMBOLS)
    assert all(log < expected - 40 for log in logs), "the end is said, however unlikely"
