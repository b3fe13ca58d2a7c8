"""The report in a real browser; skipped where there is none."""

import os
import shutil

import pytest

from gatewise.artifacts import tuned
from gatewise.artifacts.baselines import BaselineReport, BaselineScore
from gatewise.artifacts.data_report import Check, DataReport, Examples, Quantiles
from gatewise.evidence import comparison
from gatewise.report import page, plots
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

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "chrome"))), None)
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium; on Debian: apt-get install chromium"),
]
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
    """As the `probe` stage describes a variant, two seeds of it."""
    from gatewise.config import ProbeConfig
    from gatewise.diagnostics import probes

    lengths = dict.fromkeys(("adding_lengths", "copy_lengths", "parity_lengths"), (2, 4, 8))
    curves = {when: tuple(-0.1 * k for k in range(20)) for when in ("initial", "trained")}
    seed = probes.SeedResult((0.95, 0.92, 0.4), (0.95, 0.7, 0.3), curves)
    return probes.summarise(dict.fromkeys(probes.PROBLEMS, [seed] * 2), ProbeConfig(**lengths))


def tuned_variant(variant, place):
    """Six trials of two settings, of which a later variant likes a higher rate."""
    kinds = ["torch", "chrono"]
    trials = [
        trial(i, 0.8 - abs(i - place) / 20, learning_rate=0.002 * 2**i, init=kinds[i % 2])
        for i in range(6)
    ]
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
    for task in ("toy", "tones"):
        write_card(root, task, synthetic=task == "tones")
        for variant, score in VARIANTS.items():
            for seed in range(4):
                write_run(root, record(task, variant, seed, score + 0.01 * seed), split_seed=seed)
        costs = cost_report(**dict.fromkeys(VARIANTS, cost))
        costs.write(root / "reports" / "cost" / f"{task}.json")
        DATA_REPORT.write(root / "reports" / "data" / f"{task}.json")
        baselines = BaselineReport(task=task, metric="accuracy", baselines={"majority": baseline})
        baselines.write(root / "reports" / "baselines" / f"{task}.json")
    for place, variant in enumerate(VARIANTS):
        tuned_variant(variant, place).write(tuned.path("toy", variant, root / "data" / "tuned"))
        probed().write(root / "reports" / "probes" / f"{variant}.json")
    declared = study(tuple(VARIANTS), ("toy", "tones"), seeds=4)
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


def visit(browser, report, width=1100, scheme="light"):
    context = browser.new_context(
        viewport={"width": width, "height": 800}, color_scheme=scheme, offline=True
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
    # a task: two forests, three costs, two curves, four confusions; three probes, two gradients;
    # of the tuned one each of two settings, and the budget
    assert charts.count() == 2 * (2 + 3 + 2 + 4) + 3 + 2 + 3
    for i in range(charts.count()):
        drawn = charts.nth(i).locator("svg [role='graphics-symbol'], svg path")
        assert drawn.count() > 3, charts.nth(i).get_attribute("data-chart")


def test_claims_baselines_and_costs_are_there_to_read(browser, report):
    opened = visit(browser, report)
    claims = opened.locator("#claims tbody tr")
    assert claims.count() == 14
    assert "not tested" in claims.filter(has_text="machine translation").inner_text()
    assert opened.get_by_text("majority class").count() == 2
    steps = opened.locator("#costs tr").filter(has_text="gru / lstm")
    assert steps.all_inner_texts() == ["gru / lstm\t1.00 (1.00 to 1.00)\t1.00"] * 2


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


def test_the_file_is_small(report):
    assert report.stat().st_size < 5_000_000
