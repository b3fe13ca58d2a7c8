import pandas as pd
import pytest

from gatewise.config import CompareConfig
from gatewise.config.metrics import METRICS
from gatewise.evidence.variant_summary import epochs_to_target, summarise
from tests.evidence_runs import record, variant_cost


def curves(column, **values):
    """Curves of one seed of each variant."""
    return pd.concat(
        pd.DataFrame(
            {
                "variant": v,
                "seed": 0,
                "epoch": range(1, len(curve) + 1),
                f"validation_{column}": curve,
            }
        )
        for v, curve in values.items()
    )


def test_the_target_is_a_share_of_the_best_score():
    table = curves("accuracy", gru=[0.5, 0.85, 0.9], lstm=[0.5, 0.6, 0.86], rnn=[0.1, 0.2, 0.3])
    target, reached = epochs_to_target(table, METRICS["accuracy"], ["gru", "lstm", "rnn"])
    assert target == 0.855
    assert reached == {"gru": (3,), "lstm": (3,), "rnn": (None,)}


def test_the_target_of_a_loss_lies_as_much_above_the_lowest():
    table = curves("log_loss", gru=[0.5, 0.21, 0.2], lstm=[0.9, 0.22, 0.209], rnn=[0.9, 0.8, 0.7])
    target, reached = epochs_to_target(table, METRICS["log_loss"], ["gru", "lstm", "rnn"])
    assert target == 0.211
    assert reached == {"gru": (2,), "lstm": (3,), "rnn": (None,)}


def test_without_curves_of_the_metric_there_is_no_target():
    table = curves("accuracy", gru=[0.5, 0.9])
    assert epochs_to_target(table, METRICS["log_loss"], ["gru"]) == (None, {})
    assert epochs_to_target(None, METRICS["accuracy"], ["gru"]) == (None, {})


@pytest.mark.parametrize(("reached", "seconds"), [((2, 4), 7.5), ((2, None), None), ((), None)])
def test_seconds_to_the_target_need_every_seed_to_reach_it(reached, seconds):
    records = [record("toy", "gru", seed, 0.9) for seed in (1, 0)]
    found = summarise(
        {0: 0.9, 1: 0.9},
        METRICS["accuracy"],
        records,
        CompareConfig(),
        cost=variant_cost(1.0),
        reached=reached,
    )
    assert found.seconds_to_target == seconds
    assert found.seeds == (0, 1)


def test_runs_without_a_usable_score_are_left_out():
    records = [record("toy", "gru", seed, 0.9, best_epoch=seed + 1) for seed in range(3)]
    found = summarise({0: 0.9, 2: 0.8}, METRICS["log_loss"], records, CompareConfig())
    assert (found.seeds, found.values, found.best_epochs) == ((0, 2), (0.9, 0.8), (1, 3))
    assert found.generalisation_gap == pytest.approx(-0.01)  # the loss is lower in training
    assert found.latency_ms is None
