"""A task's answer in MLflow."""

from gatewise.tracking import verdicts
from tests.evidence_runs import answer, pair, summary, task_comparison, whole_comparison


def test_the_comparison_run_says_what_to_take():
    task = task_comparison(
        {"lstm": summary(0.8, 0.82), "gru": summary(0.81, 0.83)},
        pair("gru", "lstm"),
        answer=answer("gru", "lstm", caveats=("the test set is small",)),
    )
    found = verdicts.of_task("toy", whole_comparison({"toy": task}), [])
    assert found.tags["gatewise.choice"] == "gru"
    assert found.tags["gatewise.contenders"] == "gru, lstm"
    assert found.tags["gatewise.answer"] == task.answer.sentence
    assert f"- {task.answer.sentence}." in found.notes
    assert "> the test set is small" in found.notes


def test_without_an_answer_there_is_no_tag():
    task = task_comparison({"gru": summary(0.81, 0.83)})
    found = verdicts.of_task("toy", whole_comparison({"toy": task}), [])
    assert "gatewise.choice" not in found.tags
