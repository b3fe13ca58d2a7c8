import pytest

from gatewise.errors import GatewiseError
from gatewise.tracking import task_comparison
from tests.tracking.test_registry import comparison


def test_an_unknown_task_is_named():
    with pytest.raises(GatewiseError, match="no task 'words'; it has digits"):
        task_comparison.of(comparison("gru"), "words")


@pytest.mark.parametrize(("metric", "leader"), [("accuracy", "gru"), ("log_loss", "lstm")])
def test_the_leader_is_best_whichever_way_the_metric_goes(metric, leader):
    stored = comparison("undecided", gru=0.9, lstm=0.8)
    stored["tasks"]["digits"]["metric"] = metric
    assert task_comparison.of(stored, "digits").leader == leader


def test_pairs_are_known_in_any_order():
    found = task_comparison.of(comparison("gru"), "digits")
    assert found.pair("lstm", "gru") == found.pair("gru", "lstm") == found.pairs[0]
    assert found.pair("gru", "rnn") is None
    assert found.evidence("lstm").startswith("gru beats lstm")
