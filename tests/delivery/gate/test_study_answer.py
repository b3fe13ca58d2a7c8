"""The study's own answer in the gate's report."""

from gatewise.config import GateConfig
from gatewise.config.metrics import METRICS
from gatewise.delivery.gate import report
from gatewise.delivery.gate.assessment import Result, TaskResult, study_answer
from gatewise.delivery.gate.promotion import Promotion
from gatewise.delivery.gate.rule import PASS
from tests.evidence_runs import answer, summary, task_comparison, whole_comparison

NONE = Promotion("toy", False, None, "nothing was decided")


def test_reviewers_read_what_to_take():
    task = TaskResult("toy", METRICS["accuracy"], PASS, [], NONE, answer="take gru: it is cheap")
    result = Result("main", PASS, {"toy": task})
    assert "- this study's answer: take gru: it is cheap" in report.as_markdown(
        result, GateConfig()
    )
    assert report.as_json(result, GateConfig())["tasks"]["toy"]["answer"] == task.answer


def test_without_a_comparison_there_is_none():
    compared = whole_comparison(
        {"toy": task_comparison({"gru": summary(0.9)}, answer=answer("gru"))}
    )
    assert study_answer("toy", compared).startswith("take gru: ")
    assert study_answer("other", compared) is None
    assert study_answer("toy", None) is None
