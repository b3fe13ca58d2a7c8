"""The report in a real browser; skipped where there is none."""

import os
import shutil

import pytest

from gatewise.evidence import comparison
from gatewise.files import write_json
from gatewise.report import page, plots
from tests.evidence_runs import record, study, write_card, write_run

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "chrome"))), None)
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium; on Debian: apt-get install chromium"),
]
VARIANTS = {"rnn": 0.6, "lstm": 0.8, "gru": 0.81, "gru-matched": 0.82}


# As `gatewise.data.preparation.build` describes a task whose split is drawn anew for each seed.
DATA_REPORT = {
    "certified": True,
    "certificate": {"groups": {"claim": "no group stands in two splits", "count": 0}},
    "examples": 60,
    "groups": 6,
    "labels": 2,
    "label_counts": {"left": 30, "right": 30},
    "licence": "MIT",
    "digest": "0" * 64,
    "split": "drawn anew for each seed",
    "steps": {"min": 4, "median": 8, "max": 12},
    "duplicates": 0,
    "unusable": {"count": 0, "examples": []},
    "flaws": {},
    "skipped_by_source": {},
}


def probed():
    """As the `probe` stage describes a variant, two seeds of it."""
    from gatewise.config import ProbeConfig
    from gatewise.diagnostics import probes

    lengths = dict.fromkeys(("adding_lengths", "copy_lengths", "parity_lengths"), (2, 4, 8))
    seed = {"scores": [0.95, 0.92, 0.4], "extrapolated": [0.95, 0.7, 0.3]}
    curves = {when: [-0.1 * k for k in range(20)] for when in ("initial", "trained")}
    found = {name: [seed | curves] * 2 for name in probes.PROBLEMS}
    return probes.summarise(found, ProbeConfig(**lengths))


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """A report with every kind of chart, table and section."""
    root = tmp_path_factory.mktemp("report")
    timing = {"median": 2.0, "q1": 1.9, "q3": 2.2, "rounds": [1.9, 1.95, 2.0, 2.0, 2.1, 2.2]}
    for task in ("toy", "tones"):
        write_card(root, task, synthetic=task == "tones")
        for variant, score in VARIANTS.items():
            for seed in range(4):
                write_run(root, record(task, variant, seed, score + 0.01 * seed), split_seed=seed)
        cost = {
            "train_step_ms": timing,
            "inference_ms_batch_1": timing,
            "train_seconds_per_epoch": 1.5,
            "peak_memory_mb": 3.0,
            "size_bytes": 4000,
            "kernel": "fused",
        }
        write_json(
            root / "reports" / "cost" / f"{task}.json",
            {
                "device": "cpu (some processor)",
                "threads": 1,
                "versions": {"torch": "2"},
                "variants": dict.fromkeys(VARIANTS, cost),
            },
        )
        write_json(root / "reports" / "data" / f"{task}.json", DATA_REPORT)
        baseline = {
            "title": "majority class",
            "mean": 0.3,
            "std": None,
            "ci": None,
            "values": [0.3],
        }
        write_json(
            root / "reports" / "baselines" / f"{task}.json", {"baselines": {"majority": baseline}}
        )
    for variant in VARIANTS:
        write_json(root / "reports" / "probes" / f"{variant}.json", probed())
    declared = study(tuple(VARIANTS), ("toy", "tones"), seeds=4)
    evidence = comparison.gather(declared, root)
    probes = comparison.read_probes(VARIANTS, root / "reports")
    found = comparison.compare(declared, evidence, probes=probes)
    plots.write(root / "reports" / "plots", evidence, found)
    path = root / "index.html"
    siblings = page.read_siblings(root / "reports", found["tasks"], VARIANTS)
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
    # a task: two forests, three costs, two curves, four confusions; three probes, two gradients
    assert charts.count() == 2 * (2 + 3 + 2 + 4) + 3 + 2
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
    assert steps.all_inner_texts() == ["gru / lstm\t1.00 (1.00 to 1.00)"] * 2


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
