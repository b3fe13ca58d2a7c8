"""MLflow's pages as a reviewer's new browser shows them; skipped where there is none.

Every test sees a store of one machine, by `gatewise ui`, and a team's server on PostgreSQL. With
`GATEWISE_REVIEW=<folder of a mirrored project>` the same tests look at that project and leave the
screenshots of docs/review.md in docs/images.
"""

import os
import shutil
import subprocess
import sys
import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
from typer.testing import CliRunner

from gatewise.artifacts.tuned import path as tuned_path
from gatewise.cli.main import app
from gatewise.config import TrackingConfig
from gatewise.config.tuning import Range
from gatewise.evidence import comparison
from gatewise.tracking import answers, experiments, links, pages, verdicts, views
from gatewise.tracking.mirror import mirror
from gatewise.tracking.registry import CHAMPION, Registry
from gatewise.tracking.store import Store
from tests.evidence.tunings import choice, trial, tuned
from tests.evidence_runs import cost_report, record, study, variant_cost, write_card, write_run

from .servers import MlflowServer, free_port, postgres, postgres_programs

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "chrome"))), None)
REVIEWED = os.environ.get("GATEWISE_REVIEW")
IMAGES = Path(__file__).parents[2] / "docs" / "images"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium; on Debian: apt-get install chromium"),
]
PATIENCE = 90_000
SCORES = {"gru": 0.8, "lstm": 0.7}
RATES = (0.002, 0.004, 0.008, 0.016)
# What a chart shows: numbers of its bars, lines or points along the axis of values.
DRAWN = """() => [...document.querySelectorAll('.js-plotly-plot')].map(plot => {
  const name = /^(test|time|validation|train)\\/\\S+/m;
  let card = plot;
  while (card && !name.test(card.innerText ?? '')) card = card.parentElement;
  const title = card?.innerText.match(name)[0] ?? '';
  const numbers = (plot.data ?? []).flatMap(trace => [...(trace.orientation === 'h'
    ? trace.x ?? [] : trace.y ?? [])]).map(Number).filter(Number.isFinite);
  return {title, numbers};
})"""


def write_study(root, seeds=3):
    """Run folders and the comparison of a small study."""
    write_card(root, "toy")
    for variant, score in SCORES.items():
        for seed in range(seeds):
            write_run(root, record("toy", variant, seed, score + 0.01 * seed), split_seed=seed)
        write_trials(root, variant, score)
    cost = variant_cost(1.9, 2.0, 2.1)
    costs = cost_report(**dict.fromkeys(SCORES, cost))
    costs.write(root / "reports" / "cost" / "toy.json")
    declared = study(tuple(SCORES), seeds=seeds)
    found = comparison.compare(declared, comparison.gather(declared, root))
    found.write(root / "reports" / "comparison.json")


def write_trials(root, variant, score):
    """A search over two settings."""
    trials = [
        trial(i, score - abs(i - 2) / 20, learning_rate=rate, dropout=0.1 * (i % 3))
        for i, rate in enumerate(RATES)
    ]
    space = {
        "learning_rate": Range(low=RATES[0], high=RATES[-1]),
        "dropout": Range(low=0.0, high=0.5, scale="linear"),
    }
    tuned(variant, choice(trials), space).write(tuned_path("toy", variant, root / "data/tuned"))


def crown(task):
    """Let the best variant's first seed be in use, as `gatewise promote` would; links follow."""
    store = Store(TrackingConfig())
    run = next(
        run for run in store.all_runs(task).values() if run.info.run_name == f"{task}/gru/seed-0"
    )
    registry = Registry(store, task)
    store.client.create_registered_model(registry.name, tags={"gatewise.task": task})
    source = f"{run.info.artifact_uri}/model"
    version = store.client.create_model_version(registry.name, source, run.info.run_id)
    registry.promote(version, "the only one")
    experiments.refresh(TrackingConfig())


class Ui:
    """`gatewise ui` of the working directory."""

    def __init__(self):
        self.port = free_port()
        command = [sys.executable, "-m", "gatewise.cli.main", "ui", "--no-open"]
        environment = {k: v for k, v in os.environ.items() if not k.startswith("MLFLOW")}
        self.process = subprocess.Popen(
            [*command, "--port", str(self.port)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=environment,
            start_new_session=True,
        )
        self.links = {}
        for line in self.process.stdout:
            name, address = line.split(maxsplit=1)
            if address.startswith("(Ctrl-C"):
                break
            self.links[name] = address.strip()
        # The server goes on to log there; a full pipe would stop it.
        threading.Thread(target=self.process.stdout.read, daemon=True).start()
        deadline = time.monotonic() + 180
        while True:
            try:
                requests.get(f"http://127.0.0.1:{self.port}/health", timeout=2)
                return
            except requests.RequestException:
                assert time.monotonic() < deadline, "the pages did not come up"
                time.sleep(0.3)

    def end(self):
        os.killpg(self.process.pid, 9)
        self.process.wait()


def sqlite(root, _patch, stack):
    """The links and the address of a store of one machine."""
    if not REVIEWED:
        write_study(root)
        mirror(TrackingConfig(), "runs")
        crown("toy")
    served = Ui()
    stack.callback(served.end)
    return served.links, f"http://127.0.0.1:{served.port}"


def postgresql(root, patch, stack):
    """The same of a team's server."""
    write_study(root)
    arguments = ["--backend-store-uri", stack.enter_context(postgres())]
    arguments += ["--artifacts-destination", str(root / "artifacts")]
    server = MlflowServer(root, *arguments)
    stack.callback(server.kill)
    server.start()
    patch.setenv("MLFLOW_TRACKING_URI", server.uri)
    notes = mirror(TrackingConfig(), "runs").notes
    assert not [note for note in notes if "views" in note]
    beside = (root / "reports/review.html").read_text()
    assert beside.count(f'<li><a href="{server.uri}/#/experiments/') == 2
    crown("toy")
    printed = CliRunner().invoke(app, ["track", "--links"]).output.splitlines()
    return dict(line.split() for line in printed), server.uri


STORES = [
    sqlite,
    pytest.param(
        postgresql,
        marks=[
            pytest.mark.weekly,  # the pages are the same; `test_team` has the store every day
            pytest.mark.skipif(postgres_programs() is None, reason="PostgreSQL is not installed"),
            pytest.mark.skipif(bool(REVIEWED), reason="another store"),
        ],
    ),
]


@dataclass(frozen=True)
class Pages:
    """Where a study is shown."""

    links: dict[str, str]
    """As they are printed, by name."""
    base: str
    """Address of the server."""


@pytest.fixture(scope="module", params=STORES, ids=["sqlite", "postgresql"])
def ui(request, tmp_path_factory):
    """A mirrored study with trials and a champion, or the one that is to be photographed."""
    root = Path(REVIEWED) if REVIEWED else tmp_path_factory.mktemp("study")
    with pytest.MonkeyPatch.context() as patch, ExitStack() as stack:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        patch.chdir(root)
        printed, base = request.param(root, patch, stack)
        yield Pages(printed, base)


@pytest.fixture(scope="module")
def chromium():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        # Chromium's own sandbox cannot start as root, as which containers usually run.
        flags = ["--no-sandbox"] if os.geteuid() == 0 else []
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        yield opened
        opened.close()


@pytest.fixture
def browser(chromium):
    """A profile that has never seen MLflow."""
    context = chromium.new_context(viewport={"width": 1600, "height": 1000})
    context.set_default_timeout(PATIENCE)
    yield context
    context.close()


def task_of(ui):
    return next(name for name in ui.links if name != "whole_study" and name in ("toy", "digits"))


def photograph(page, name):
    if REVIEWED:
        page.wait_for_timeout(3000)
        page.screenshot(path=IMAGES / f"{name}.png")


def charts(page, wanted=1):
    """What is drawn, once there are charts; without any the wait fails."""
    page.wait_for_function(
        f"document.querySelectorAll('.js-plotly-plot').length >= {wanted}", timeout=PATIENCE
    )
    page.wait_for_timeout(1500)
    return page.evaluate(DRAWN)


def visit(browser, address, **size):
    page = browser.new_page()
    if size:
        page.set_viewport_size(size)
    page.goto(address, wait_until="domcontentloaded")
    return page


def test_the_printed_links_lead_to_the_answer_without_a_click(ui, browser):
    found = verdicts.read("reports")
    assert set(ui.links) == {"whole_study", *found.tasks}
    for name, address in ui.links.items():
        page = visit(browser, address)
        if name == "whole_study":
            page.get_by_text("What to take:").first.wait_for()
        else:
            page.get_by_text(answers.sentence(found.tasks[name])).first.wait_for()
        page.get_by_role("button", name="1 Answer").wait_for()
        photograph(page, "first-minute" if name == task_of(ui) else f"answer-{name}")
        page.close()


def view_addresses(ui):
    """Views of the task by name, with the columns that each should show."""
    store = Store(TrackingConfig(), create=False)
    task = task_of(ui)
    experiment = store.client.get_experiment(store.experiment(task))
    found = verdicts.read("reports")
    champion = Registry(store, task).version(CHAMPION)
    in_use = champion.run_id if champion is not None else None
    page = pages.of_task(store, task, found, store.all_runs(task), None, in_use)
    return experiment, page.views


def test_every_view_opens_with_its_columns_and_a_chart(ui, browser):
    experiment, made = view_addresses(ui)
    assert [view.name[:1] for view in made][:5] == ["1", "2", "3", "4", "5"]
    assert REVIEWED or [view.name for view in made[5:]] == ["6 Trials", "7 Champion"]
    for view in made:
        assert view.tag in experiment.tags
        address = f"{ui.base}/{links.experiment(experiment.experiment_id, view)}"
        table = address.replace("&compareRunsMode=CHART", "")
        page = visit(browser, table, width=3600, height=1000)
        for column in view.columns:
            title = column.partition(".")[2].strip("`")
            page.get_by_role("columnheader").filter(has_text=title).first.wait_for()
        page.close()
        page = visit(browser, f"{table}&compareRunsMode=CHART", width=1600, height=2000)
        kinds = [chart["type"] for chart in view.charts]
        drawn = charts(page, len(kinds) - kinds.count("PARALLEL"))
        assert any(any(chart["numbers"]) for chart in drawn[: len(view.charts)]), view.name
        if "PARALLEL" in kinds:  # not Plotly's: an axis for each setting, and the score
            page.locator(".parcoords .dimension").nth(2).wait_for()
        photograph(page, view.key.removeprefix("gatewise-"))
        page.close()


def test_the_views_menu_lists_them_in_reading_order(ui, browser):
    _experiment, made = view_addresses(ui)
    page = visit(browser, ui.links[task_of(ui)])
    page.get_by_role("button", name="1 Answer").click()
    page.get_by_text(made[-1].name).first.wait_for()
    text = page.get_by_role("menu").inner_text()
    places = [text.index(view.name) for view in made]
    assert places == sorted(places)


def test_no_chart_of_the_default_page_shows_only_zeros(ui, browser):
    address = ui.links[task_of(ui)].replace(f"{views.KEYS}1-answer", "")
    page = visit(
        browser,
        address.replace("viewStateShareKey=&", "") + "&compareRunsMode=CHART",
        width=1600,
        height=6000,
    )
    drawn = charts(page, 3)
    assert len(drawn) > 5
    empty = [chart["title"] for chart in drawn if not any(chart["numbers"])]
    assert empty == []
    assert drawn[0]["title"].startswith("test/"), "scores on the test split come first"


def test_run_pages_say_what_they_are_and_link_on(ui, browser):
    store = Store(TrackingConfig(), create=False)
    task = task_of(ui)
    runs = {run.info.run_name: run for run in store.all_runs(task).values()}
    run = runs[f"{task}/gru/seed-0"]
    path = links.run(run.info.experiment_id, run.info.run_id)
    page = visit(browser, f"{ui.base}/{path}")
    page.get_by_text(f"Seed 0 of gru on {task}").first.wait_for()
    page.get_by_role("link", name="all seeds of gru").wait_for()
    photograph(page, "seed")
    pair = page.get_by_role("link", name="lstm", exact=True).first.get_attribute("href")
    page.close()
    page = visit(browser, f"{ui.base}/{pair}")
    page.get_by_text(f"Seed 0 of lstm on {task}").first.wait_for()
    table = links.artifact(run.info.experiment_id, run.info.run_id, "worst_mistakes.json")
    page.close()
    page = visit(browser, f"{ui.base}/{table}")
    for title in ("group", "predicted", "confidence"):
        page.get_by_text(title, exact=True).first.wait_for()
    photograph(page, "worst-mistakes")
