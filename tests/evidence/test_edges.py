import pytest

from gatewise.config.tuning import Range
from gatewise.evidence.edges import edges, widened
from tests.evidence.tunings import RATES, choice, trial


def test_the_range_to_try_goes_on_beyond_the_edge():
    rates = RATES["learning_rate"]
    assert widened("learning_rate", rates, 0.09) == Range(low=1e-3, high=0.32)
    assert widened("learning_rate", rates, 0.0011) == Range(low=3.2e-4, high=1e-1)


def test_it_holds_a_declared_value_that_lies_outside():
    assert widened("learning_rate", RATES["learning_rate"], 3.0) == Range(low=1e-3, high=3.0)


def test_what_cannot_be_widened_is_no_edge():
    dropout = Range(low=0.0, high=0.5, scale="linear")
    assert widened("dropout", dropout, 0.0) is None
    assert widened("dropout", dropout, 0.49) == Range(low=0.0, high=0.62, scale="linear")
    assert widened("dropout", Range(low=0.0, high=0.9, scale="linear"), 0.89).high < 1


@pytest.mark.parametrize("at_edge", [(), ("learning_rate",)])
def test_edges_are_those_of_the_choice(at_edge):
    made = choice([trial(0, 0.5), trial(1, 0.6, learning_rate=0.099)], at_edge)
    found = list(edges("gru", RATES, made))
    assert [(edge.variant, edge.setting, edge.value) for edge in found] == [
        ("gru", name, 0.099) for name in at_edge
    ]
