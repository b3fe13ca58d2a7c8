"""The one typed reader of `reports/comparison.json`."""

import pytest

from gatewise.artifacts.comparison import Comparison
from gatewise.errors import GatewiseError
from gatewise.files import read_json, write_json
from tests.evidence_runs import pair, summary, task_comparison, whole_comparison


def comparison(metric="accuracy"):
    variants = {"lstm": summary(0.8, 0.82), "gru": summary(0.9, 0.91)}
    pairs = pair("gru", "lstm", "gru"), pair("rnn", "lstm", primary=False, p_value=0.2)
    return whole_comparison({"digits": task_comparison(variants, *pairs, metric=metric)})


def test_what_is_written_is_read(tmp_path):
    comparison().write(tmp_path / "comparison.json")
    assert Comparison.read(tmp_path / "comparison.json") == comparison()


def test_the_metric_says_which_way_it_goes_and_in_what_unit(tmp_path):
    comparison("log_loss").write(tmp_path / "comparison.json")
    assert read_json(tmp_path / "comparison.json")["tasks"]["digits"]["metric"] == {
        "name": "log_loss",
        "direction": "lower",
        "unit": "nats",
        "rope": 0.005,
    }


@pytest.mark.parametrize(
    "spoil",
    [
        lambda task: task.update(metric="accuracy"),  # as earlier versions wrote it
        lambda task: task.update(surprise=1),
        lambda task: task["pairs"][0].pop("verdict"),
    ],
)
def test_a_file_of_another_version_is_refused(tmp_path, spoil):
    path = tmp_path / "comparison.json"
    comparison().write(path)
    plain = read_json(path)
    spoil(plain["tasks"]["digits"])
    write_json(path, plain)
    with pytest.raises(GatewiseError, match=r"of another version .*; run `dvc repro -f compare`"):
        Comparison.read(path)


def test_a_missing_file_is_named_or_nothing(tmp_path):
    with pytest.raises(GatewiseError, match=r"comparison\.json: missing; run `dvc repro compare`"):
        Comparison.read(tmp_path / "comparison.json")
    assert Comparison.read_if_made(tmp_path / "comparison.json") is None


@pytest.mark.parametrize(("metric", "leader"), [("accuracy", "gru"), ("log_loss", "lstm")])
def test_the_leader_is_best_whichever_way_the_metric_goes(metric, leader):
    assert comparison(metric).task("digits").leader == leader


def test_an_unknown_task_is_named():
    with pytest.raises(GatewiseError, match="no task 'words'; it has digits"):
        comparison().task("words")


def test_pairs_are_known_in_any_order():
    task = comparison().task("digits")
    assert task.pair("lstm", "gru") == task.pair("gru", "lstm") == task.pairs[0]
    assert task.pair("gru", "rnn") is None
    assert task.pairs_with("lstm") == task.pairs
    assert task.primary == task.pairs[:1]


def test_the_deciding_p_value_is_corrected_for_primary_pairs_only():
    primary, secondary = comparison().task("digits").pairs
    assert (primary.winner, primary.other("gru"), primary.deciding_p) == ("gru", "lstm", 0.5)
    assert (secondary.winner, secondary.deciding_p) == (None, 0.2)
