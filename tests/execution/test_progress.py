import io

import pytest
from rich.console import Console

from gatewise.execution.progress import Display


@pytest.mark.parametrize(
    ("metric", "line"),
    [
        ("accuracy", "test accuracy 96.1 %, 3 epochs (1 of 2 trained)"),
        ("log_loss", "test log loss 0.143 nats, 3 epochs (1 of 2 trained)"),
    ],
)
def test_a_finished_run_is_told_by_the_primary_metric(metric, line):
    stream = io.StringIO()
    display = Display("toy/gru", 2, 5, metric, Console(file=stream, width=200))
    values = {"train_loss": 0.2, "validation_loss": 0.3}
    values |= {"validation_accuracy": 0.9, "validation_log_loss": 0.3}
    with display:
        display.started(0)
        display.epoch(0, 1, values)
        display.finished(0, 3, {"accuracy": 0.961, "log_loss": 0.143})
    assert stream.getvalue().strip() == f"toy/gru seed 0: {line}"
