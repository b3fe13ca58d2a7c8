import pytest
from scipy import stats

from gatewise.evidence import gradients
from tests.probe_reports import gradient, report

ALPHA = 0.05


def verdicts(found):
    return [finding.verdict for finding in found]


def test_gradients_are_judged_at_the_stated_distance():
    probes = {"lstm": report({}, left=-0.5), "rnn": report({}, left=-12.0)}
    found = gradients.alive(probes, "lstm", "rnn", ALPHA)
    assert verdicts(found) == ["supported"] * 2
    assert [finding.where for finding in found] == ["initial", "trained"]
    assert "reaches 50 steps back" in found[0].sentence
    assert verdicts(gradients.vanishes(probes, "rnn", ALPHA)) == ["supported"] * 2
    assert verdicts(gradients.vanishes(probes, "lstm", ALPHA)) == ["refuted"] * 2
    assert gradients.alive(probes, "lstm", "gru", ALPHA) == []


def test_a_gradient_that_scatters_about_the_bound_is_left_open():
    def scattered(*left):
        decay = gradient(-1).initial.model_copy(update={"left": left})
        return {"rnn": report({}, gradient=gradient(-1).model_copy(update={"initial": decay}))}

    def first(*left):
        return gradients.vanishes(scattered(*left), "rnn", ALPHA)[0]

    assert first(-1.0, -2.0, -2.5, -4.0).verdict == "inconclusive"
    assert first(-5.0, -6.0, -6.5, -7.0).verdict == "supported"
    assert first(-5.0).verdict == "inconclusive", "one seed decides nothing"
    assert first(-5.0, -6.0, -6.5, -7.0).interval == pytest.approx(
        stats.ttest_1samp([-5.0, -6.0, -6.5, -7.0], 0).confidence_interval(0.95)
    )
