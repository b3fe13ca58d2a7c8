"""What MLflow is told of a comparison, in the metric's own unit and direction."""

from gatewise.tracking import verdicts
from tests.evidence_runs import pair, record, summary, task_comparison, whole_comparison


def losses():
    variants = {"gru": summary(0.14, 0.146), "lstm": summary(0.2, 0.21)}
    better = pair("gru", "lstm", "gru", difference=-0.062, ci=(-0.07, -0.05))
    return whole_comparison({"toy": task_comparison(variants, better, metric="log_loss")})


def test_notes_of_a_variant_are_in_the_metrics_unit():
    notes = verdicts.variant_notes(losses(), "toy", "gru")
    assert "Test log loss (lower is better) **0.143 ± 0.010 nats** over 2 seeds" in notes
    assert "interval 0.133 to 0.153 nats." in notes
    assert "gru beats lstm (difference -0.0620 nats, interval -0.0700 to -0.0500" in notes
    assert verdicts.variant_notes(losses(), "toy", "rnn") == ""
    assert verdicts.variant_notes(None, "toy", "gru") == ""


def test_a_task_becomes_a_run_with_its_evidence_as_metrics():
    content = verdicts.of_task("toy", losses(), ["parent"])
    assert content.params == {"metric": "log_loss", "alpha": "0.05"}
    assert content.tags["gatewise.verdict"] == "gru beats lstm"
    assert content.metrics["test/gru-lstm/difference", 0] == -0.062
    assert content.metrics["test/gru-lstm/difference_low", 0] == -0.07
    assert ("test/gru-lstm/seeds_needed", 0) not in content.metrics
    assert b"test log loss, nats" in content.artifacts["verdict.svg"]()


def test_an_interval_is_that_of_these_very_runs():
    records = [
        record("toy", "gru", seed, 0.8, metrics={"test": {"log_loss": loss}})
        for seed, loss in enumerate((0.14, 0.146))
    ]
    known = verdicts.known(losses(), "toy", "gru", records)
    assert known["test/log_loss_low"] < 0.143 < known["test/log_loss_high"]
    assert "test/log_loss_shortfall" not in known
    assert verdicts.known(losses(), "toy", "gru", records[:1]) == {}
    assert verdicts.known(losses(), "toy", "lstm", records) == {}
