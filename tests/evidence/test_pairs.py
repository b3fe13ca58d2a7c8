import pytest

from gatewise.config.metrics import METRICS
from gatewise.evidence import pairs


@pytest.mark.parametrize(
    ("gain", "p", "p_equivalence", "verdict"),
    [
        (0.02, 0.01, 0.9, "a"),
        (-0.02, 0.01, 0.9, "b"),
        (0.001, 0.01, 0.01, "equivalent"),
        (0.001, 0.9, 0.05, "equivalent"),
        (0.02, 0.06, 0.9, "undecided"),
        (0.02, None, None, "undecided"),
    ],
)
def test_the_verdict_rule(gain, p, p_equivalence, verdict):
    assert pairs.decide(gain, p, p_equivalence, alpha=0.05) == verdict


def test_declared_pairs_come_first_and_as_declared():
    assert pairs.ordered(["a", "b", "c"], [("c", "a"), ("b", "gone")]) == [
        ("c", "a", True),
        ("a", "b", False),
        ("b", "c", False),
    ]


@pytest.mark.parametrize("metric", list(METRICS.values()), ids=list(METRICS))
def test_a_measured_pair_and_its_mirror_image_agree(metric):
    from gatewise.config import CompareConfig

    settings = CompareConfig(resamples=200)
    scores = {"a": {s: 0.6 + 0.001 * s for s in range(8)}, "b": dict.fromkeys(range(8), 0.5)}

    def judged(first, second):
        subject = pairs.Subject(first, second, True, range(8), None, None)
        measured = pairs.measure(subject, scores, metric, settings)
        return pairs.judge([(metric, measured)], settings)[0]

    straight, turned = judged("a", "b"), judged("b", "a")
    assert straight.verdict == turned.verdict == ("a" if metric.higher_is_better else "b")
    assert straight.difference == -turned.difference > 0
    assert straight.p_superiority == 1 - turned.p_superiority
    assert straight.almost_stochastic_order == turned.almost_stochastic_order
