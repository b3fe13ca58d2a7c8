import pytest

from gatewise.artifacts.tuning_summary import VariantTuning
from gatewise.config.metrics import METRICS
from gatewise.evidence.leaders import leaders

ACCURACY, LOSS = METRICS["accuracy"], METRICS["log_loss"]
ROPE = 0.005


def variant(declared, tuned):
    return VariantTuning(
        trials=(),
        best=(),
        chosen={},
        declared_score=declared,
        tuned_score=tuned,
        test_score=None,
        chance_of_another=0.0,
        budget=(),
        training_macs=1.0,
        saved_macs=None,
    )


def lead(metric=ACCURACY, **scores):
    return leaders({name: variant(*both) for name, both in scores.items()}, metric, ROPE)


def test_a_variant_that_leads_at_one_rate_and_not_after_tuning_is_told():
    found = lead(lstm=(0.945, 0.959), gru=(0.86, 0.981))
    assert (found.declared, found.tuned) == ("lstm", "gru")
    assert found.sentence == (
        "The settings decide which leads: lstm as declared, gru after tuning "
        "(validation, lstm and gru: 94.5 % and 86.0 % declared, 95.9 % and 98.1 % tuned)."
    )


@pytest.mark.parametrize(
    ("scores", "said"),
    [
        ({"lstm": (0.9, 0.95), "gru": (0.8, 0.952)}, "lstm leads at the declared settings alone"),
        ({"lstm": (0.9, 0.95), "gru": (0.897, 0.97)}, "gru leads after tuning alone"),
        ({"lstm": (0.9, 0.95), "gru": (None, 0.97)}, "The settings decide which leads"),
    ],
)
def test_what_is_practically_equal_is_said_to_be(scores, said):
    assert lead(**scores).sentence.startswith(said)


@pytest.mark.parametrize(
    "scores",
    [
        {"lstm": (0.9, 0.95), "gru": (0.898, 0.952)},
        {"lstm": (0.9, 0.95), "gru": (0.8, 0.9)},
        {"lstm": (None, 0.95), "gru": (None, 0.97)},
        {"lstm": (0.9, 0.95)},
    ],
)
def test_nothing_is_said_where_nothing_changes(scores):
    assert lead(**scores).sentence is None


def test_of_a_loss_the_lowest_leads():
    found = lead(LOSS, lstm=(0.4, 0.3), gru=(0.5, 0.2))
    assert (found.declared, found.tuned) == ("lstm", "gru")
    assert "0.400 nats and 0.500 nats declared" in found.sentence


def test_a_variant_that_diverged_is_named_so():
    found = lead(gru=(None, 0.97), lstm=(0.9, 0.95))
    assert found.declared == "lstm"
    assert "90.0 % and diverged declared" in found.sentence
