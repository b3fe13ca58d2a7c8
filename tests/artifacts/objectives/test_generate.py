"""Generated texts: metrics by hand and as sacrebleu has them, losses, and what is judged."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sacrebleu.metrics import BLEU, CHRF
from torchmetrics.functional.text import bleu_score, chrf_score, word_error_rate

from gatewise.artifacts import objectives
from gatewise.artifacts.objectives.base import OTHERWISE, SILENT, UNHEARD, Answered
from gatewise.config import TrainConfig
from gatewise.config.metrics import METRICS

NAMES = ["cat", "mat", "on", "sat", "the"]
CAT, MAT, ON, SAT, THE = range(5)
END = len(NAMES)


def asks(**options):
    return objectives.of({"kind": "generate", **options}, NAMES)


def answered(references, said, **options):
    """An evaluated batch: `references` rows as they are stored."""
    longest = max(map(len, references))
    targets = torch.zeros(len(references), longest, dtype=torch.int64)
    for row, symbols in enumerate(references):
        targets[row, : len(symbols)] = torch.tensor(symbols)
    spoken = torch.full((len(said), max(1, *map(len, said))), SILENT)
    for row, symbols in enumerate(said):
        spoken[row, : len(symbols)] = torch.tensor(symbols, dtype=torch.int64)
    logs = torch.full((len(said), longest + 1), -0.5)
    lengths = torch.tensor([len(symbols) for symbols in references])
    return Answered(logs, lengths, targets, lengths, spoken)


def scored(references, said, **options):
    return asks(**options).scores([answered(references, said)])


def test_a_case_by_hand():
    # the cat sat on the mat / the cat the cat on the mat (Papineni et al. 2002, clipped counts)
    reference = [THE, CAT, SAT, ON, THE, MAT]
    said = [THE, CAT, THE, CAT, ON, THE, MAT]
    found = scored([reference], [said])
    # Five of seven words (`the` twice, `cat` once), pairs `the cat`, `on the`, `the mat` of six,
    # `on the mat` of five runs of three, none of four: half a match.
    expected = (5 / 7 * 3 / 6 * 1 / 5 * 0.5 / 4) ** 0.25
    assert found["bleu"] == pytest.approx(expected, rel=1e-6)
    assert found["token_error_rate"] == pytest.approx(2 / 6, rel=1e-6)
    assert found["exact_match"] == 0


def test_chrf_by_hand():
    # `mat` said for `cat`: of three letters two are right, of two pairs one, no run of three.
    precision = recall = (2 / 3 + 1 / 2 + 0) / 3
    expected = 5 * precision * recall / (4 * precision + recall)
    assert scored([[CAT]], [[MAT]])["chrf"] == pytest.approx(expected, rel=1e-6)


def test_short_texts_are_penalised_and_the_best_alternative_counts():
    found = scored([[THE, CAT, SAT, ON, THE, MAT]], [[THE, CAT, SAT, ON]])
    assert found["bleu"] == pytest.approx(math.exp(1 - 6 / 4), rel=1e-6)
    either = [THE, MAT, OTHERWISE, THE, CAT, SAT, ON]
    found = scored([either, either], [[THE, CAT, SAT, ON], [THE, MAT]])
    assert found["exact_match"] == 1
    assert found["token_error_rate"] == 0
    assert found["chrf"] == pytest.approx(1)
    # The lower rate, not the fewer edits: one of four is better than one of two.
    found = scored([either], [[THE, CAT, SAT, SAT]])
    assert found["token_error_rate"] == pytest.approx(1 / 4)


def test_silence_and_what_cannot_be_said_are_errors():
    found = scored([[CAT, UNHEARD], [THE]], [[CAT, CAT], []])
    assert found["token_error_rate"] == pytest.approx(2 / 3, rel=1e-6)
    assert found["exact_match"] == 0
    assert found["bleu"] == 0
    # An unknown word is as long as words are: two of its runs of one and two letters were missed.
    assert 0 < found["chrf"] < scored([[CAT, CAT], [THE]], [[CAT, CAT], []])["chrf"]


texts = st.lists(st.integers(0, 4), min_size=1, max_size=9)
examples = st.lists(
    st.tuples(st.lists(texts, min_size=1, max_size=3), st.lists(st.integers(0, 4), max_size=9)),
    min_size=1,
    max_size=8,
)


def row(alternatives):
    found = []
    for text in alternatives:
        found += ([OTHERWISE] if found else []) + text
    return found


def named(symbols):
    return " ".join(NAMES[k] for k in symbols)


@given(examples)
@settings(max_examples=60, deadline=None)
def test_corpus_scores_from_sums_are_those_of_sacrebleu(drawn):
    references, said = zip(*drawn, strict=True)
    found = asks().predictions([answered([row(own) for own in references], said)])
    counts = asks().counts(found)[0]
    hypotheses = [named(own) for own in said]
    most = max(map(len, references))
    streams = [[named(own[k]) if k < len(own) else None for own in references] for k in range(most)]
    for name, scorer in (("bleu", BLEU(force=True)), ("chrf", CHRF())):
        expected = scorer.corpus_score(hypotheses, streams).score / 100
        assert METRICS[name].from_counts(counts) == pytest.approx(expected, rel=1e-12, abs=1e-12)


@given(examples, st.integers(0, 1_000))
@settings(max_examples=20, deadline=None)
def test_any_resample_of_examples_scores_as_if_it_were_the_corpus(drawn, seed):
    references, said = zip(*drawn, strict=True)
    rows = [row(own) for own in references]
    counts = asks().predictions([answered(rows, said)])["counts"]
    chosen = np.random.default_rng(seed).integers(len(rows), size=len(rows))
    again = asks().predictions([answered([rows[k] for k in chosen], [said[k] for k in chosen])])
    for name in asks().metrics:
        score = METRICS[name].from_counts
        resampled = score(counts[chosen].sum(0)[:, None])
        assert resampled == pytest.approx(score(again["counts"].sum(0)[:, None]), rel=1e-12)


def test_torchmetrics_agrees_where_nothing_has_to_be_smoothed():
    references = [[THE, CAT, SAT, ON, THE, MAT], [THE, MAT, SAT, ON, THE, CAT, OTHERWISE, THE, MAT]]
    said = [[THE, CAT, SAT, ON, THE, CAT], [THE, MAT, SAT, ON, THE]]
    found = scored(references, said)
    hypotheses = [named(own) for own in said]
    texts = [[named(references[0])], [named(references[1][:6]), named(references[1][7:])]]
    assert found["bleu"] == pytest.approx(float(bleu_score(hypotheses, texts)), rel=1e-6)
    first = [own[0] for own in texts]
    assert found["token_error_rate"] == pytest.approx(float(word_error_rate(hypotheses, first)))


def test_torchmetrics_agrees_on_letters_where_both_texts_have_as_many():
    # Elsewhere it averages F-scores over orders, and sacrebleu precision and recall.
    references, said = [[THE, CAT, SAT, ON, THE, MAT]], [[THE, MAT, SAT, ON, THE, CAT]]
    texts = [named(said[0])], [[named(references[0])]]
    expected = float(chrf_score(*texts, n_word_order=0))
    assert scored(references, said)["chrf"] == pytest.approx(expected, rel=1e-6)


def test_bleu_cuts_texts_as_it_is_told():
    said, reference = [[CAT, SAT, MAT, THE]], [[CAT, SAT, MAT, ON]]
    spaced, letters = (asks(tokenize=t, unit="character") for t in ("13a", "char"))
    part = answered(reference, said)
    assert spaced.scores([part])["bleu"] == 0  # one word that is wrong
    assert letters.scores([part])["bleu"] > 0.5


def test_metrics_of_nothing_are_no_numbers():
    for name in asks().metrics:
        assert np.isnan(METRICS[name].from_counts(np.zeros((32, 1))))


# --- losses --------------------------------------------------------------------------------


def taught(logits, targets, lengths):
    lengths = torch.tensor(lengths)
    return Answered(logits, lengths, torch.tensor(targets), lengths)


def test_the_loss_is_the_mean_over_symbols_and_the_end():
    logits = torch.randn(2, 4, END + 1, generator=torch.Generator().manual_seed(1))
    logs = logits.log_softmax(-1)
    part = taught(logits, [[CAT, SAT, ON], [THE, 0, 0]], [3, 1])
    first = logs[0, 0, CAT] + logs[0, 1, SAT] + logs[0, 2, ON] + logs[0, 3, END]
    second = logs[1, 0, THE] + logs[1, 1, END]
    expected = -float(first / 4 + second / 2) / 2
    assert float(asks().loss(part)) == pytest.approx(expected, rel=1e-6)
    # The same from log-probabilities, as evaluation has them; an alternative changes nothing.
    given_logs = torch.zeros(2, 4)
    given_logs[0] = torch.stack([logs[0, k, s] for k, s in enumerate([CAT, SAT, ON, END])])
    given_logs[1, :2] = torch.stack([logs[1, 0, THE], logs[1, 1, END]])
    rows = [[CAT, SAT, ON, OTHERWISE, MAT], [THE, OTHERWISE, MAT, MAT, 0]]
    evaluated = taught(given_logs, rows, [5, 4])
    assert float(asks().loss(evaluated)) == pytest.approx(expected, rel=1e-6)


def test_symbols_that_cannot_be_said_are_left_out():
    logits = torch.randn(1, 3, END + 1, generator=torch.Generator().manual_seed(2))
    logs = logits.log_softmax(-1)
    expected = -float(logs[0, 0, CAT] + logs[0, 2, END]) / 2
    part = taught(logits, [[CAT, UNHEARD]], [2])
    assert float(asks().loss(part)) == pytest.approx(expected, rel=1e-6)
    given_logs = torch.tensor([[float(logs[0, 0, CAT]), -math.inf, float(logs[0, 2, END])]])
    part = part._replace(outputs=given_logs)
    assert float(asks().loss(part)) == pytest.approx(expected, rel=1e-6)


def test_labels_are_smoothed_in_training_and_padding_is_not():
    logits = torch.randn(2, 4, END + 1, generator=torch.Generator().manual_seed(3))
    part = taught(logits, [[CAT, SAT, ON], [THE, 0, 0]], [3, 1])
    smooth = TrainConfig(label_smoothing=0.1)
    logs = logits.log_softmax(-1)
    own = float(asks().loss(part))
    uniform = -(logs[0].mean(-1).mean() + logs[1, :2].mean(-1).mean()) / 2
    expected = 0.9 * own + 0.1 * float(uniform)
    assert float(asks().loss(part, smooth)) == pytest.approx(expected, rel=1e-5)
    longer = torch.cat([logits, torch.randn(2, 3, END + 1)], 1)
    padded = part._replace(outputs=longer)
    assert float(asks().loss(padded, smooth)) == pytest.approx(expected, rel=1e-5)


def test_one_who_knows_nothing_loses_the_logarithm_of_all_outputs():
    part = taught(torch.zeros(1, 3, END + 1), [[CAT, SAT]], [2])
    assert float(asks().loss(part)) == pytest.approx(asks().guessing(NAMES))


# --- what is told --------------------------------------------------------------------------


def test_answers_are_texts_with_their_probability():
    part = Answered(
        torch.tensor([[math.log(0.25)]]), torch.tensor([3]), torch.zeros(1, 1),
        said=torch.tensor([[THE, CAT, SILENT]]),
    )  # fmt: skip
    (answer,) = asks().answers([part], NAMES)
    assert (answer.said, answer.symbols) == ("the cat", ["the", "cat"])
    assert answer.cells() == ("the cat", "25.0 %")
    (letters,) = asks(unit="character").answers([part], NAMES)
    assert letters.text == "thecat"


def test_alternatives_are_shown_beside_each_other():
    part = answered([[THE, CAT, OTHERWISE, CAT, UNHEARD]], [[THE, MAT]])
    shown = asks().shown(asks().predictions([part]), NAMES)
    assert shown.truth == ["the cat | cat \N{REPLACEMENT CHARACTER}"]
    assert shown.answer == ["the mat"]
    assert shown.measure.tolist() == [0.5]


def test_a_model_is_judged_by_words_whatever_their_numbers_in_other_data():
    part = answered([[THE, CAT, OTHERWISE, CAT]], [[THE, CAT]])
    own = asks().judgeable(asks().predictions([part]), NAMES)
    renamed = ["a", *NAMES]
    other = objectives.of({"kind": "generate"}, renamed)
    told = answered([[0]], [[THE + 1, CAT + 1]])
    anew = other.judge([told], list(own["truth"]), renamed)
    np.testing.assert_allclose(anew["counts"][0][:14], own["counts"][0][:14])
    assert list(anew["truth"]) == list(own["truth"])
