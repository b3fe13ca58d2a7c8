"""What `dvc metrics` lists."""

from gatewise.artifacts.data_report import Check
from gatewise.report import compared_numbers
from tests.evidence_runs import summary, task_comparison, whole_comparison

from .test_page_in_browser import DATA_REPORT


def test_every_number_is_one_that_somebody_compares(tmp_path):
    task = task_comparison({"gru": summary(0.5, 0.6), "lstm": summary(0.4, 0.5)})
    DATA_REPORT.write(tmp_path / "toy.json")
    found = compared_numbers.document(whole_comparison({"toy": task, "tones": task}), tmp_path)
    assert found["toy"]["data_violations"] == 0
    assert found["toy"]["gru"]["accuracy"] == 0.55
    assert found["toy"]["gru"]["std"] == 0.01
    assert "data_violations" not in found["tones"], "its data have no report"
    leaves = [value for variants in found.values() for value in variants.values()]
    numbers = [n for leaf in leaves for n in (leaf.values() if isinstance(leaf, dict) else [leaf])]
    assert all(number is None or isinstance(number, int | float) for number in numbers)


def test_violations_that_the_study_allows_are_not_counted():
    certificate = {
        "groups": Check(claim="no group stands in two splits", count=2),
        "duplicates": Check(claim="none", count=3, allowed="echoes on purpose"),
        "normalisation": Check(claim="none", how="by construction"),
    }
    report = DATA_REPORT.model_copy(update={"certificate": certificate})
    assert compared_numbers.violations(report) == 2
