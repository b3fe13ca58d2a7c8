"""The report in a real browser; skipped where there is none."""

import os
import shutil

import pytest

from gatewise.artifacts import tuned
from gatewise.artifacts.baselines import BaselineReport, BaselineScore
from gatewise.artifacts.context import ContextReport, ContextScores
from gatewise.artifacts.data_report import Check, DataReport, Examples, Quantiles
from gatewise.evidence import comparison
from gatewise.report import page, plots
from gatewise.tracking import review
from tests.evidence.tunings import RATES, choice, trial
from tests.evidence.tunings import tuned as make_tuned
from tests.evidence_runs import (
    cost_report,
    record,
    study,
    variant_cost,
    write_card,
    write_run,
)
from tests.probe_reports import problem, runs
from tests.probe_reports import report as probe_report

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "chrome"))), None)
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium; on Debian: apt-get install chromium"),
]
TASKS, SEEDS = ("toy", "tones", "tunes"), 7
VARIANTS = {"rnn": 0.6, "lstm": 0.8, "gru": 0.81, "gru-matched": 0.82}


# As `gatewise.data.preparation.build` describes a task whose split is drawn anew for each seed.
DATA_REPORT = DataReport(
    title="made up",
    synthetic=True,
    licence="MIT",
    digest="0" * 64,
    examples=60,
    groups=6,
    labels=2,
    duplicates=0,
    contradictions=0,
    skipped_by_source={},
    unusable=Examples(count=0, examples=[]),
    flaws={},
    steps=Quantiles(min=4, q05=4, median=8, q95=12, max=12),
    split="drawn anew for each seed",
    label_counts={"left": 30, "right": 30},
    certificate={"groups": Check(claim="no group stands in two splits", count=0)},
    certified=True,
)


def probed():
    """As the `probe` stage describes a variant: three problems, two of several lengths."""
    starts = {"torch": runs((500, 510, None, 530)), "chrono": runs((200, 210, 220, 230), "chrono")}
    problems = {
        "adding": problem("adding", [100, 100, 50, 100]),
        "copy": problem("copy", [0, 20, 0, 0]),
        "counting": problem("counting", [30] * 4, reach=[30, 60, 40, 60]),
    }
    return probe_report(problems, starts, left=-3.0)


def contexts(task):
    """As the `context` stage describes a task whose last four steps say it all."""
    rows = tuple((0.3, 0.5, 0.7 + 0.01 * seed, 0.7 + 0.01 * seed) for seed in range(4))
    scored = ContextScores(seeds=tuple(range(4)), scores=rows)
    return ContextReport(
        task=task,
        metric="accuracy",
        steps=(1, 2, 4, 8),
        median_length=6,
        step_seconds=0.02,
        variants=dict.fromkeys(VARIANTS, scored),
    )


def tuned_variant(variant, place):
    """Trials of two settings, of which a later variant likes a higher rate."""
    kinds = ["torch", "chrono"]
    trials = [
        trial(i, 0.8 - abs(i - place) / 20, learning_rate=0.002 * 2**i, init=kinds[i % 2])
        for i in range(6)
    ]
    trials.append(trial(6, None, "diverged", learning_rate=0.1, init="torch"))
    space = {**RATES, "init": kinds}
    return make_tuned(variant, choice(trials, ("learning_rate",)), space)


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """A report with every kind of chart, table and section."""
    root = tmp_path_factory.mktemp("report")
    cost = variant_cost(1.9, 1.95, 2.0, 2.0, 2.1, 2.2)
    baseline = BaselineScore(
        title="majority class", mean=0.3, std=None, ci=None, values=(0.3,), seeds=(0,)
    )
    for task in TASKS:
        write_card(root, task, synthetic=task == "tones")
        for i, (variant, score) in enumerate(VARIANTS.items()):
            for seed in range(SEEDS):
                # The seeds' order differs between variants: there are several contenders.
                place = (seed * (i + 1)) % SEEDS
                run = record(task, variant, seed, score + 0.008 * place)
                write_run(root, run, split_seed=seed)
        costs = cost_report(**dict.fromkeys(VARIANTS, cost))
        costs.write(root / "reports" / "cost" / f"{task}.json")
        DATA_REPORT.write(root / "reports" / "data" / f"{task}.json")
        baselines = BaselineReport(task=task, metric="accuracy", baselines={"majority": baseline})
        baselines.write(root / "reports" / "baselines" / f"{task}.json")
        contexts(task).write(root / "reports" / "context" / f"{task}.json")
    for place, variant in enumerate(VARIANTS):
        tuned_variant(variant, place).write(tuned.path("toy", variant, root / "data" / "tuned"))
        probed().write(root / "reports" / "probes" / f"{variant}.json")
    declared = study(tuple(VARIANTS), TASKS, seeds=SEEDS)
    evidence = comparison.gather(declared, root)
    probes = comparison.read_probes(VARIANTS, root / "reports")
    found = comparison.compare(declared, evidence, probes=probes)
    plots.write(root / "reports" / "plots", evidence, found)
    path = root / "index.html"
    siblings = page.read_siblings(root / "reports", found.tasks, VARIANTS)
    path.write_text(page.render(found, siblings))
    return path


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        # Chromium's own sandbox cannot start as root, as which containers usually run.
        flags = ["--no-sandbox"] if os.geteuid() == 0 else []
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        yield opened
        opened.close()


def visit(browser, report, width=1100, scheme="light", height=800):
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=scheme, offline=True
    )
    context.set_default_timeout(120_000)  # a loaded machine draws slowly
    opened = context.new_page()
    said = []
    opened.on("console", lambda message: said.append(message.text))
    opened.on("pageerror", lambda error: said.append(str(error)))
    requests = []
    opened.on("request", lambda request: requests.append(request.url))
    opened.goto(report.as_uri())
    opened.wait_for_selector("body[data-ready]", timeout=60_000)
    assert said == []
    assert [url for url in requests if not url.startswith(("file:", "data:"))] == []
    return opened


def test_every_chart_is_drawn_without_a_word_on_the_console(browser, report):
    opened = visit(browser, report)
    charts = opened.locator("[data-chart]")
    # a task: two forests, one context, three costs, two curves, four confusions; three probes, two
    # of them asked of more, two gradients; of the tuned one each of two settings, and the budget
    assert charts.count() == 3 * (2 + 1 + 3 + 2 + 4) + 3 + 2 + 2 + 3
    for i in range(charts.count()):
        drawn = charts.nth(i).locator("svg [role='graphics-symbol'], svg path")
        assert drawn.count() > 3, charts.nth(i).get_attribute("data-chart")


def test_how_much_past_a_task_needs_is_there_to_read(browser, report):
    opened = visit(browser, report)
    rows = opened.locator("#toy table").filter(has_text="needed, steps").locator("tbody tr")
    assert rows.count() == len(VARIANTS)
    assert rows.first.inner_text().split("\t")[:3] == [next(iter(VARIANTS)), "4", "30.0 %"]


def test_what_was_held_and_after_how_many_updates_is_there_to_read(browser, report):
    opened = visit(browser, report)
    held = opened.locator("#probes table").first.locator("tbody tr")
    assert held.count() == 3 * len(VARIANTS)
    adding = held.filter(has_text="adding problem").first.inner_text().split("\t")
    assert adding[2:5] == ["100", "100, 100, 50, 100", "100 steps"]
    starts = opened.locator("#probes table").nth(1).locator("tbody tr")
    assert starts.first.inner_text().split("\t")[1:4] == ["torch", "0.01", "3 of 4"]


def test_claims_baselines_and_costs_are_there_to_read(browser, report):
    opened = visit(browser, report)
    claims = opened.locator("#claims tbody tr")
    assert claims.count() == 21
    assert "not tested" in claims.filter(has_text="machine translation").inner_text()
    assert opened.get_by_text("majority class").count() == 3
    steps = opened.locator("#costs tr").filter(has_text="gru / lstm")
    assert steps.all_inner_texts() == ["gru / lstm\t1.00 (1.00 to 1.00)\t1.00"] * 3


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (375, 812)])
def test_the_first_screen_shows_all_answers(browser, report, width, height):
    opened = visit(browser, report, width, height=height)
    cards = opened.locator(".answer")
    assert cards.count() == len(TASKS)
    for i in range(len(TASKS)):
        said = cards.nth(i).locator("p:visible")
        assert cards.nth(i).locator(".take").inner_text().startswith("Take ")
        assert "below the best (95 %)" in cards.nth(i).inner_text()
        assert "the data do not say which" in cards.nth(i).inner_text()
        for k in range(said.count()):
            box = said.nth(k).bounding_box()
            assert box["y"] >= 0
            assert box["y"] + box["height"] <= height


def test_behind_an_answer_stand_its_bounds_and_the_pairs(browser, report):
    opened = visit(browser, report)
    card = opened.locator(".answer").first
    card.locator("summary").click()
    rows = card.locator("tbody tr").all_inner_texts()
    assert [row.split("\t")[0] for row in rows] == list(VARIANTS)
    assert "gru" in card.locator("li").first.inner_text()
    assert "7 paired seeds" in card.inner_text()


@pytest.mark.parametrize("width", [375, 768])
def test_nothing_scrolls_sideways(browser, report, width):
    opened = visit(browser, report, width)
    assert opened.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(browser, report, scheme):
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(visit(browser, report, scheme=scheme)).response["violations"]
    assert [(item["id"], item["nodes"][0]["html"]) for item in found] == []


def test_print_is_light_even_for_those_who_read_in_the_dark(browser, report):
    opened = visit(browser, report, scheme="dark")
    opened.emulate_media(media="print", color_scheme="dark")
    colours = "[getComputedStyle(document.body).color, getComputedStyle(document.body).background]"
    ink, paper = opened.evaluate(colours)
    assert ink == "rgb(0, 0, 0)"
    assert "rgb(255, 255, 255)" in paper


def test_links_to_mlflow_are_shown_where_they_lie_beside_the_report(browser, report):
    assert visit(browser, report).locator("#review").is_hidden()
    beside = report.with_name(page.REVIEW)
    known = {"toy": "https://mlflow.example/#/experiments/1", "bad": "javascript:alert(1)"}
    beside.write_text(review.render(known))
    try:
        shown = visit(browser, report).locator("#review a")
        shown.first.wait_for()
        assert shown.all_inner_texts() == ["toy"]
        assert shown.first.get_attribute("href") == "https://mlflow.example/#/experiments/1"
    finally:
        beside.unlink()


def test_the_file_is_small(report):
    assert report.stat().st_size < 5_000_000
