import io
import json
import re
from html import escape as html_escape

import pandas as pd
import pytest
from rich.console import Console

from gatewise.config.metrics import METRICS
from gatewise.evidence import comparison
from gatewise.report import charts, page, plots, table, words
from gatewise.report import summary as markdown_summary
from tests.evidence_runs import (
    LABELS,
    pair,
    record,
    study,
    summary,
    task_comparison,
    whole_comparison,
    write_card,
    write_run,
)


@pytest.fixture
def root(tmp_path):
    for task in ("toy", "tones"):
        write_card(tmp_path, task, synthetic=task == "tones")
        for variant, score in (("lstm", 0.8), ("gru", 0.9)):
            for seed in range(8):
                write_run(tmp_path, record(task, variant, seed, score + 0.004 * (seed % 3)))
    return tmp_path


@pytest.fixture
def evidence(root):
    return comparison.gather(study(tasks=("toy", "tones"), seeds=8), root)


@pytest.fixture
def compared(evidence):
    return comparison.compare(study(tasks=("toy", "tones"), seeds=8), evidence)


def printed(compared):
    stream = io.StringIO()
    table.show(compared, Console(file=stream, width=120))
    return stream.getvalue()


def test_the_end_table_answers(compared):
    text = printed(compared)
    for expected in ("toy made up", "(synthetic data)", "gru beats lstm", "1,234", "primary"):
        assert expected in text
    row = next(line for line in text.splitlines() if line.strip().startswith("lstm"))
    assert re.search(r"80\.[34] ± 0\.3 %", row)


def test_the_end_table_ends_with_a_line_an_answer(compared):
    ends = [line for line in printed(compared).splitlines() if line.startswith("answer ")]
    assert ends == [f"answer {n}: {t.answer.sentence}." for n, t in compared.tasks.items()]


def test_what_dvc_compares_holds_no_choice_but_every_shortfall(compared):
    for name, by_variant in plots.headline(compared).items():
        answer = compared.tasks[name].answer
        assert {v: row["shortfall"] for v, row in by_variant.items()} == {
            v: own.shortfall for v, own in answer.by_variant.items()
        }
        assert "choice" not in str(by_variant)


def test_promise_and_outcome_are_on_the_page(compared):
    html = page.render(compared)
    for task in compared.tasks.values():
        (first, *_) = words.promised(task, compared.power)
        assert html_escape(first) in html


def test_warnings_reach_the_reader(compared):
    task = compared.tasks["toy"].model_copy(
        update={"warnings": ("toy/gru: no usable run for seed 3",)}
    )
    compared = compared.model_copy(update={"tasks": {"toy": task}, "warnings": ("too few seeds",)})
    for text in (printed(compared), markdown_summary.render(compared), page.render(compared)):
        assert "no usable run for seed 3" in text
        assert "too few seeds" in text


def test_summary_and_page_hold_the_same_answers(compared):
    markdown, html = markdown_summary.render(compared), page.render(compared)
    for task in compared.tasks.values():
        for line in words.answer(task):
            assert line in markdown
        for line in words.verdicts(task):
            assert html_escape(line) in html
        parts = words.answer_parts(task.answer)
        assert f"<strong>{parts.take}</strong>: {html_escape(parts.why)}" in html
        assert all(html_escape(line) in html for line in parts.beside)
    assert "<script src" not in html
    assert 'href="http' not in html


def test_names_are_escaped_in_the_page(compared):
    task = compared.tasks["toy"].model_copy(update={"title": "<script>alert(1)</script>"})
    compared = compared.model_copy(update={"tasks": {"toy": task}})
    assert "<script>alert" not in page.render(compared)


def test_absent_figures_are_said_to_be_absent(compared):
    row = next(
        line
        for line in markdown_summary.render(compared).splitlines()
        if line.startswith("| gru |")
    )
    assert row.endswith("| n/a | n/a |")


def test_runs_that_a_race_saved_are_reported(compared):
    assert "The race saved" not in words.footnote(compared)
    task = task_comparison({"lstm": summary(*[0.5] * 7), "gru": summary(*[0.4] * 5)})
    raced = whole_comparison({"toy": task}, looks=[5, 7])
    for text in (printed(raced), markdown_summary.render(raced), page.render(raced)):
        assert "The race saved 2 runs against" in " ".join(text.split())


def test_verdicts_in_words():
    accuracy = METRICS["accuracy"]
    fields = {"difference": -0.0123, "ci": (-0.02, -0.005), "p_value_holm": 0.0469}
    assert words.sentence(pair("gru", "lstm", "lstm", **fields), accuracy) == (
        "lstm beats gru (difference -1.23 points, interval -2.00 to -0.50, p = 0.0469)."
    )
    undecided = pair("gru", "lstm", seeds_needed=1200)
    assert "undecided, needs about 1,200 more seeds (" in words.sentence(undecided, accuracy)
    equal = pair("gru", "lstm", "equivalent")
    assert "equivalent within ±0.5 points" in words.sentence(equal, accuracy)
    # Another p decides equivalence than the one that found no difference.
    equal = pair("gru", "lstm", "equivalent", p_value_holm=0.7, p_equivalence_holm=0.0012)
    assert "p of equivalence = 0.0012)" in words.sentence(equal, accuracy)
    assert words.deciding_p(equal) == "0.0012 (equivalence)"
    nothing = pair("gru", "lstm", difference=None)
    assert "no seed finished with both" in words.sentence(nothing, accuracy)
    assert words.p_value(1e-9) == "< 0.0001"


def test_losses_are_told_in_nats_and_the_lower_one_wins(root, monkeypatch, capsys):
    from gatewise.artifacts import plan
    from pipeline import compare as compare_stage
    from pipeline import report as report_stage

    monkeypatch.chdir(root)
    plan.write(study(tasks=("toy",), metric="log_loss", seeds=8))
    compare_stage.main([])
    capsys.readouterr()
    report_stage.main([])
    html, scripts = (root / "reports/index.html").read_text().split("<script", 1)
    specs = scripts.split("</script>", 1)[0]
    texts = {
        "table": capsys.readouterr().out,
        "summary": (root / "reports/summary.md").read_text(),
        "page": html,
    }
    for name, text in texts.items():
        assert "gru beats lstm" in text, name
        assert "test log loss (lower is better)" in text, name
        assert re.search(r"0\.09\d ± 0\.00\d nats", text), name
        assert "±0.005 nats" in text, name
        assert "points" not in text, name
    assert "points" not in specs
    assert "difference -0.1000 nats" in texts["summary"]
    assert "test difference in log loss, nats" in specs
    assert "test log loss, nats" in specs
    assert "validation log loss, nats" in specs
    assert "Target" not in texts["page"]  # no cost was measured


def test_a_study_of_several_metrics_states_each_ones_equivalence():
    variants = {"gru": summary(0.9), "lstm": summary(0.8)}
    tasks = {
        metric: task_comparison(variants, pair("gru", "lstm"), metric=metric)
        for metric in ("accuracy", "balanced_accuracy", "log_loss")
    }
    assert words.footnote(whole_comparison(tasks)).endswith("within ±0.5 points or ±0.005 nats.")


@pytest.mark.parametrize(
    ("metric", "title"),
    [("accuracy", "test accuracy"), ("balanced_accuracy", "test balanced accuracy")],
)
def test_scores_have_their_metrics_title(metric, title):
    task = task_comparison({"gru": summary(0.961, 0.963)}, metric=metric)
    text = markdown_summary.render(whole_comparison({"toy": task}))
    assert f"| {title} |" in text
    assert "| 96.2 ± 1.0 % | 95.2 to 97.2 |" in text


def test_curves_are_means_over_seeds_and_early_stops_keep_their_last_value(tmp_path):
    write_run(tmp_path, record("toy", "gru", 0, 0.8, epochs_run=4))
    write_run(tmp_path, record("toy", "gru", 1, 0.6, epochs_run=2))
    frame = plots.curves(comparison.gather(study(seeds=2), tmp_path)).set_index("epoch")
    assert list(frame.index) == [1, 2, 3, 4]
    assert frame.loc[4, "validation_accuracy"] == pytest.approx((0.8 + 0.6) / 2)
    assert frame.loc[1, "validation_accuracy"] == pytest.approx((0.2 + 0.3) / 2)


def test_confusion_counts_every_prediction_of_every_seed(evidence):
    frame = plots.confusion(evidence)
    toy = frame[(frame.task == "toy") & (frame.variant == "gru")]
    assert toy["count"].sum() == 8 * 60
    assert set(toy.actual) == set(LABELS)
    assert toy.groupby("actual").share.sum().to_numpy() == pytest.approx(1.0)
    right = toy[toy.actual == toy.predicted]["count"].sum()
    assert right == sum(round((0.9 + 0.004 * (s % 3)) * 60) for s in range(8))


def test_stages_write_everything(root, monkeypatch, capsys):
    from gatewise.artifacts import plan
    from gatewise.files import read_json
    from pipeline import compare as compare_stage
    from pipeline import report as report_stage

    monkeypatch.chdir(root)
    plan.write(study(tasks=("toy", "tones"), seeds=8))
    compare_stage.main([])
    first = (root / "reports/comparison.json").read_bytes()
    compare_stage.main([])
    assert (root / "reports/comparison.json").read_bytes() == first
    assert set(pd.read_csv("reports/plots/cost.csv").variant) == {"lstm", "gru"}
    assert set(pd.read_csv("reports/plots/curves.csv").task) == {"toy", "tones"}
    metrics = read_json("reports/metrics.json")
    assert metrics["toy"]["gru"]["accuracy"] == pytest.approx(0.9035)
    capsys.readouterr()
    report_stage.main([])
    assert "gru beats lstm" in capsys.readouterr().out
    assert "gru beats lstm" in (root / "reports/summary.md").read_text()
    assert (root / "reports/index.html").stat().st_size > 3000


def test_dvc_templates_are_json_with_dvcs_anchors(project):
    templates = sorted((project / ".dvc/plots").glob("gatewise_*.json"))
    assert len(templates) == 4
    for template in templates:
        spec = json.loads(template.read_text())
        assert spec["data"]["values"] == "<DVC_METRIC_DATA>"
        assert "<DVC_METRIC_Y>" in template.read_text()


def test_the_front_holds_what_nothing_else_beats():
    points = [(3, 90), (1, 80), (2, 95), (2, 70), (4, 95), (5, 96)]
    assert charts.front(points, METRICS["accuracy"]) == [(1, 80), (2, 95), (5, 96)]
    assert charts.front(points, METRICS["log_loss"]) == [(1, 80), (2, 70)]


def test_text_inside_scripts_cannot_end_them():
    text = page.embeddable({"a": "</script><b>\u2028"})
    assert "<" not in text
    assert json.loads(text) == {"a": "</script><b>\u2028"}


def test_a_study_with_nothing_but_scores_still_gets_a_page():
    pairs = [pair("gru", "lstm", difference=None, ci=None, p_value_holm=None)]
    task = task_comparison({"gru": summary(0.9), "lstm": summary(0.8)}, *pairs)
    text = page.render(whole_comparison({"toy": task}))
    assert "no seed finished with both" in text
    assert "Not measured." in text
