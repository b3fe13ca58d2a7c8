"""The gate on generated texts: corpus scores of paired examples, and slices by error rate."""

import numpy as np
import pytest

from gatewise.config import GateConfig
from gatewise.config.metrics import METRICS
from gatewise.delivery.gate import interval, slices
from gatewise.delivery.gate.interval import PairedSeed
from tests.said import ASKS, NAMES, garbled, predictions, texts

EXAMPLES, LONG = 120, 7
REFERENCES = texts(EXAMPLES)
LENGTHS = np.array([len(own) for own in REFERENCES])
GROUPS = np.array([f"g{k % 12:02d}" for k in range(EXAMPLES)], dtype=object)


def judged(said):
    columns = predictions(REFERENCES, said).columns
    return ASKS.judged(ASKS.judgeable(columns, NAMES), NAMES)


def pair(seed, candidate, reference):
    return PairedSeed(
        seed=seed,
        ids=np.array([f"e{k}" for k in range(EXAMPLES)], dtype=object),
        groups=GROUPS,
        label=np.zeros(EXAMPLES, dtype=np.int64),
        candidate=judged(candidate),
        reference=judged(reference),
        length=LENGTHS,
        known=np.ones(EXAMPLES, dtype=bool),
    )


@pytest.fixture(scope="module")
def fallen():
    """A candidate that has gone worse at long texts alone, on four seeds."""
    found = []
    for seed in range(4):
        reference = garbled(REFERENCES, 0.2, seed)
        worse = garbled(REFERENCES, 0.6, seed + 50)
        kept = garbled(REFERENCES, 0.2, seed + 90)
        long = LENGTHS >= LONG
        candidate = [w if is_long else k for w, k, is_long in zip(worse, kept, long, strict=True)]
        found.append(pair(seed, candidate, reference))
    return found


def test_the_difference_is_that_of_whole_corpora(fallen):
    metric = METRICS["bleu"]
    found = interval.difference(fallen, metric, 500)
    scores = [
        [metric.from_counts(np.asarray(side.each).sum(0)[:, None]) for side in sides]
        for sides in ((p.candidate, p.reference) for p in fallen)
    ]
    assert found.value == pytest.approx(np.mean([a - b for a, b in scores]), rel=1e-9)
    assert found.bounds(0.05)[1] < 0


def test_slices_by_length_and_group_are_scored_by_error_rate(fallen):
    assert slices.scored_by(METRICS["bleu"]).name == "token_error_rate"
    metric = slices.scored_by(METRICS["chrf"])
    settings = GateConfig().slices.model_copy(update={"fewest": 20, "by": ("group", "length")})
    found = {
        name: interval.difference(chosen, metric, 300)
        for name, chosen in slices.cut(fallen, [], settings)
    }
    by_length = {name: one.value for name, one in found.items() if name.startswith("length")}
    assert len(by_length) >= 2
    longest, shortest = max(by_length, key=_first), min(by_length, key=_first)
    assert by_length[longest] > 0.2  # the error rate rose
    assert abs(by_length[shortest]) < 0.1
    assert sum(name.startswith("group") for name in found) == 12


def _first(name):
    return int(name.split()[1])
