import pytest

from gatewise.config.tuning import Range
from gatewise.evidence.edges import edges, warnings, widened
from tests.evidence.tunings import RATES, choice, trial


def test_the_range_to_try_goes_on_beyond_the_edge():
    rates = RATES["learning_rate"]
    assert widened("learning_rate", rates, 0.09) == Range(low=1e-3, high=0.32)
    assert widened("learning_rate", rates, 0.0011) == Range(low=0.00032, high=1e-1)
    linear = Range(low=0.1, high=0.3, scale="linear")
    assert widened("dropout", linear, 0.29) == Range(low=0.1, high=0.35, scale="linear")


def test_it_holds_a_declared_value_that_lies_outside():
    assert widened("learning_rate", RATES["learning_rate"], 30.0) == Range(low=1e-3, high=30.0)


def test_whole_numbers_stay_whole():
    assert widened("batch_size", Range(low=16, high=66), 66) == Range(low=16, high=94)


def test_what_cannot_be_widened_is_no_edge():
    dropout = Range(low=0.0, high=0.5, scale="linear")
    assert widened("dropout", dropout, 0.0) is None
    assert widened("dropout", dropout, 0.49) == Range(low=0.0, high=0.62, scale="linear")
    assert widened("dropout", Range(low=0.0, high=0.9, scale="linear"), 0.89).high < 1


@pytest.mark.parametrize("at_edge", [(), ("learning_rate",)])
def test_edges_are_those_of_the_choice(at_edge):
    made = choice([trial(0, 0.5), trial(1, 0.6, learning_rate=0.099)], at_edge)
    found = edges("gru", RATES, [made])
    assert [(edge.variant, edge.setting, edge.value) for edge in found] == [
        ("gru", name, 0.099) for name in at_edge
    ]


def at_edge(*trials, **keys):
    return edges("gru", RATES, [choice(trials, ("learning_rate",), **keys)])


def test_an_edge_is_named_where_the_score_rises_up_to_it():
    rising = [trial(i, 0.5 + 0.1 * i, learning_rate=rate) for i, rate in enumerate((0.01, 0.09))]
    assert [edge.value for edge in at_edge(*rising)] == [0.09]
    assert [edge.value for edge in at_edge(*rising, chance=None)] == [0.09]
    falling = [trial(i, 0.5 - 0.1 * i, learning_rate=rate) for i, rate in enumerate((0.0011, 0.01))]
    assert [edge.value for edge in at_edge(*falling)] == [0.0011]


def test_a_choice_that_resamples_do_not_repeat_is_no_edge():
    rising = [trial(i, 0.5 + 0.001 * i, learning_rate=rate) for i, rate in enumerate((0.01, 0.09))]
    assert at_edge(*rising, chance=0.4) == []


@pytest.mark.parametrize("status", ["complete", "diverged", "pruned"])
def test_a_best_between_two_that_were_tried_is_no_edge(status):
    score = 0.6 if status == "complete" else None
    tried = [trial(0, 0.7, learning_rate=0.09), trial(1, score, status, learning_rate=0.2)]
    assert at_edge(*tried) == []
    # What was never trained says nothing.
    assert len(at_edge(tried[0], trial(1, None, "skipped", learning_rate=0.2))) == 1


def test_of_several_seeds_each_end_is_named_once_with_the_value_farthest_out():
    made = [
        choice([trial(0, 0.5, learning_rate=rate)], ("learning_rate",))
        for rate in (0.0012, 0.09, 0.099, 0.0011)
    ]
    assert [edge.value for edge in edges("gru", RATES, made)] == [0.0011, 0.099]


def test_variants_at_the_same_edge_share_a_warning():
    high = choice([trial(0, 0.5, learning_rate=0.099)], ("learning_rate",))
    low = choice([trial(0, 0.5, learning_rate=0.0011)], ("learning_rate",))
    found = [
        edge
        for variant, made in (("gru", high), ("lstm", high), ("rnn", low))
        for edge in edges(variant, RATES, [made])
    ]
    first, second = warnings("toy", found)
    assert "0.099 by gru and lstm" in first
    assert first.endswith("widen tuning.space: learning_rate: {low: 0.001, high: 0.32}.")
    assert "0.0011 by rnn" in second
    assert warnings("toy", []) == []
