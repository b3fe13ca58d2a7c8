import io
import re

import pytest
from rich.console import Console

from gatewise.config.tuning import Range
from gatewise.evidence import comparison
from gatewise.evidence import tuning as evidence
from gatewise.report import page, plots, summary, table, tuning, tuning_words
from tests.evidence.tunings import RATES, choice, of_scores, trial, tuned
from tests.evidence_runs import (
    pair,
    record,
    study,
    task_comparison,
    whole_comparison,
    write_card,
    write_run,
)
from tests.evidence_runs import summary as scores

SPACE = {**RATES, "init": ("torch", "chrono")}


@pytest.fixture
def compare(tmp_path):
    def run(*several, **keys):
        write_card(tmp_path, "toy")
        for one in several:
            one.write(tmp_path / "data" / "tuned" / "toy" / f"{one.variant}.json")
        for variant in ("lstm", "gru"):
            for seed in range(4):
                write_run(tmp_path, record("toy", variant, seed, 0.8))
        declared = study(seeds=4, **keys)
        return comparison.compare(declared, comparison.gather(declared, tmp_path))

    return run


def test_an_untuned_study_says_nothing_of_tuning(compare):
    html = page.render(compare())
    assert "toy--tuning" not in html


def test_page_and_summary_say_what_tuning_turns_round(compare):
    compared = compare(of_scores("lstm", 0.7, 0.75), of_scores("gru", 0.6, 0.9))
    html, markdown = page.render(compared), summary.render(compared)
    sentence = "common settings favour lstm, tuning turns that round to gru"
    assert sentence in html
    assert sentence in markdown
    for expected in ("learning_rate 0.002", "60.0 %", "90.0 %", "25.0 %", "scrambled Sobol points"):
        assert expected in html
    assert "| gru | learning_rate 0.002 | 60.0 % | 90.0 % | 80.0 % | 25.0 % |" in markdown
    assert "chart-toy--tuning-learning_rate" in html
    assert "chart-toy--tuning-budget" in html


@pytest.mark.parametrize(
    ("gru", "words"),
    [
        ((0.7, 0.9), "common settings hide the lead of gru"),
        ((0.9, 0.75), None),
        ((0.6, 0.75), "the lead of lstm is one of common settings and goes with tuning"),
    ],
)
def test_other_ways_in_which_settings_matter(compare, gru, words):
    compared = compare(of_scores("lstm", 0.7, 0.75), of_scores("gru", *gru))
    said = tuning_words.sentences(compared.tasks["toy"])
    if words is None:
        assert said == []
    else:
        assert words in said[0]


def test_an_edge_is_a_warning_with_the_range_to_try(compare):
    edge = choice([trial(0, 0.5), trial(1, 0.6, learning_rate=0.09)], ("learning_rate",))
    compared = compare(tuned("gru", edge), of_scores("lstm", 0.7, 0.75))
    for text in (page.render(compared), summary.render(compared)):
        assert (
            "toy: learning_rate was chosen at the edge of 0.001 to 0.1 (log): 0.09 by gru" in text
        )
        assert "widen tuning.space: learning_rate: {low: 0.001, high: 0.32}" in text
        assert "learning_rate 0.09 (at the edge in learning_rate)" in text


def test_pictures_hold_every_whole_trial_of_every_variant(compare):
    def made(*scores):
        kinds = ["torch", "chrono"]
        done = [
            trial(i, score, learning_rate=0.002 * (i + 1), init=kinds[i % 2])
            for i, score in enumerate(scores)
        ]
        return choice([*done, trial(9, None, "diverged", learning_rate=0.1, init="torch")])

    several = [tuned(name, made(0.5, 0.7, 0.6), SPACE) for name in ("lstm", "gru")]
    task = compare(*several).tasks["toy"]
    figures = {figure.key: figure for figure in tuning.figures("toy", task)}
    assert set(figures) == {f"toy--tuning-{name}" for name in ("learning_rate", "init", "budget")}
    rows = tuning.trials(task.tuning, "learning_rate", task.metric.definition)
    assert [(row["variant"], row["value"], row["is"]) for row in rows] == [
        (variant, value, kind)
        for variant in ("lstm", "gru")
        for value, kind in (
            (0.002, "declared"),
            (0.004, "chosen"),
            (0.006, "tried"),
            (0.1, "diverged"),
        )
    ]
    assert rows[0]["score"] == 50.0
    assert "score" not in rows[3]
    scales = str(figures["toy--tuning-learning_rate"].spec)
    assert "'type': 'log'" in scales
    assert "gru from 50.0 %" in figures["toy--tuning-budget"].alternative


def comparison_of(*several):
    """A comparison of tuned variants, `gru` against `lstm` being the primary pair."""
    pairs = [pair("gru", "lstm"), pair("rnn", "lstm", primary=False)]
    tested = {one.variant: scores(0.7, 0.8) for one in several}
    found = evidence.summarise({one.variant: one for one in several}, pairs, tested, 0.005)
    return whole_comparison({"toy": task_comparison(tested, *pairs, tuning=found)})


def test_another_leader_is_told_wherever_answers_are():
    """A variant outside of the primary pairs can be what tuning brings to the top, too."""
    compared = comparison_of(
        of_scores("lstm", 0.7, 0.75), of_scores("gru", 0.6, 0.7), of_scores("rnn", 0.5, 0.9)
    )
    sentence = (
        "The settings decide which leads: lstm as declared, rnn after tuning (validation, lstm "
        "and rnn: 70.0 % and 50.0 % declared, 75.0 % and 90.0 % tuned)."
    )
    stream = io.StringIO()
    table.show(compared, Console(file=stream))
    for text in (stream.getvalue(), summary.render(compared), page.render(compared)):
        assert sentence in " ".join(text.split())  # whatever the width
    assert tuning_words.sentences(compared.tasks["toy"]) == [sentence]


def test_the_table_holds_declared_chosen_and_test_scores_of_each_variant():
    compared = comparison_of(of_scores("lstm", 0.7, 0.75), of_scores("gru", 0.6, 0.9))
    row = "| gru | learning_rate 0.002 | 60.0 % | 90.0 % | 75.0 % | 25.0 % | 2 | 1.8e+07 |"
    assert row in summary.render(compared)
    html = page.render(compared)
    cells = ("gru", "learning_rate 0.002", "60.0 %", "90.0 %", "75.0 %", "25.0 %", "2", "1.8e+07")
    found = re.findall(r"<td[^>]*>([^<]*)</td>", html.split('id="toy--tuning"')[1])
    assert tuple(found[len(cells) : 2 * len(cells)]) == cells
    assert "saved by pruning" not in html


def test_work_that_pruning_saved_and_points_that_diverged_are_told():
    made = choice([trial(0, None, "diverged"), trial(1, 0.8), trial(2, 0.5, "pruned")])
    text = summary.render(comparison_of(tuned("gru", made), of_scores("lstm", 0.7, 0.75)))
    assert "saved by pruning" in text
    assert "| diverged | 80.0 % |" in text
    assert "1 diverged, 1 complete, 1 pruned" in text


def test_a_chance_that_cannot_be_told_is_not_told():
    known = of_scores("gru", 0.6, 0.9)
    blind = known.choice.model_copy(update={"chance_of_another": None})
    text = summary.render(comparison_of(known.model_copy(update={"choice": blind})))
    assert "| 60.0 % | 90.0 % | 75.0 % | not known | 2 |" in text


def test_what_seeds_chose_for_themselves_is_listed_by_choice():
    first, second = of_scores("gru", 0.6, 0.8).choice, of_scores("gru", 0.9, 0.8).choice
    compared = comparison_of(tuned("gru", {0: first, 1: second, 2: first}))
    assert "| learning_rate 0.002 by seed 0, 2; learning_rate 0.001 by seed 1 |" in summary.render(
        compared
    )
    found = compared.tasks["toy"]
    rows = tuning.trials(found.tuning, "learning_rate", found.metric.definition)
    assert [row["is"] for row in rows] == ["chosen", "chosen"]


def test_a_setting_of_listed_values_has_a_place_for_each_of_them():
    made = choice([trial(i, 0.5 + i / 10, learning_rate=0.01, init="torch") for i in range(2)])
    found = comparison_of(tuned("gru", made, SPACE)).tasks["toy"]
    spec = next(f.spec for f in tuning.figures("toy", found) if f.key.endswith("init"))
    assert "'domain': ['torch', 'chrono']" in str(spec)


def test_dvc_plots_get_the_budget_and_nothing_where_nothing_was_tuned():
    compared = comparison_of(of_scores("lstm", 0.7, 0.75), of_scores("gru", 0.6, 0.9))
    frame = plots.tuning_budget(compared)
    assert list(frame.columns) == ["task", "variant", "trials", "expected", "low", "high"]
    gru = frame[frame.variant == "gru"]
    assert list(gru.trials) == [1, 2]
    assert list(gru.expected) == pytest.approx([0.6, 0.9])
    bare = whole_comparison({"toy": task_comparison({"gru": scores(0.9)})})
    assert plots.tuning_budget(bare).empty
    assert list(plots.tuning_budget(bare).columns) == list(frame.columns)
    assert "Every variant chose" not in summary.render(bare)


def test_how_it_was_done_is_one_sentence():
    made = evidence.summarise({"gru": of_scores("gru", 0.5, 0.6)}, [], {}, 0.005)
    text = tuning_words.how(made)
    assert "2 trials of 2 seeds each" in text
    assert "0.001 to 0.1 (log)" in text
    linear = made.model_copy(update={"space": {"dropout": Range(low=0, high=1, scale="linear")}})
    assert "dropout 0 to 1 (linear)" in tuning_words.how(linear)
