"""Evidence on metrics that are no means over examples: scores of resamples are those of corpora."""

import numpy as np
import pytest
from sacrebleu.metrics import BLEU, CHRF

from gatewise.config.metrics import METRICS
from gatewise.evidence import bootstrap, prediction_counts
from tests.said import NAMES, garbled, predictions, texts

REFERENCES = texts(80)
SAID = {
    variant: [garbled(REFERENCES, share, seed) for seed in (1, 2, 3)]
    for variant, share in (("lstm", 0.2), ("gru", 0.35))
}


@pytest.fixture(scope="module")
def runs():
    return {
        variant: {
            seed: prediction_counts.count(predictions(REFERENCES, said))
            for seed, said in enumerate(by_seed)
        }
        for variant, by_seed in SAID.items()
    }


def corpus(scorer, said, examples):
    def named(symbols):
        return " ".join(NAMES[k] for k in symbols)

    hypotheses = [named(said[k]) for k in examples]
    return scorer.corpus_score(hypotheses, [[named(REFERENCES[k]) for k in examples]]).score / 100


@pytest.mark.parametrize(("name", "scorer"), [("bleu", BLEU(force=True)), ("chrf", CHRF())])
def test_a_resample_of_groups_scores_as_the_corpus_of_its_examples(runs, name, scorer):
    own = runs["gru"][0]
    draws = bootstrap.Draws.make(1, len(own.groups), 5)
    stacked = bootstrap.stack([own], own.groups, 1)
    _, _, of_groups = bootstrap.resampled(stacked, draws, METRICS[name])
    for weights, found in zip(draws.groups.astype(int), of_groups, strict=True):
        drawn = np.repeat(own.groups, weights)
        examples = [2 * int(group[1:]) + k for group in drawn for k in (0, 1)]
        assert found == pytest.approx(corpus(scorer, SAID["gru"][0], examples), rel=1e-9)


@pytest.mark.parametrize("name", ["bleu", "chrf", "token_error_rate", "exact_match"])
def test_differences_have_their_noise_over_groups(runs, name):
    metric = METRICS[name]
    analysis = bootstrap.analyse(runs, [("lstm", "gru")], metric, 0.05)
    noise = analysis.pairs["lstm", "gru"]
    assert analysis.groups == 40
    assert noise.se_groups > 0
    assert all(metric.gain(bound) > 0 for bound in noise.ci)
    whole = [
        np.mean([metric.from_counts(own.counts.sum(0)) for own in runs[variant].values()])
        for variant in ("lstm", "gru")
    ]
    assert noise.ci[0] < whole[0] - whole[1] < noise.ci[1]


def test_the_same_references_are_the_same_test_set(runs):
    assert len({own.test_set for by_seed in runs.values() for own in by_seed.values()}) == 1
    assert not any(own.constant for own in runs["gru"].values())
