"""Screenshots for docs/review.md: `python docs/screenshots.py [TASK]` in a mirrored project.

Starts `gatewise ui` on a port of its own, finds the pages through MLflow's client and takes them
with the machine's own Chromium, headless. Needs the development dependencies and a browser
(Debian: `apt install chromium`).
"""

import contextlib
import json
import shutil
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from urllib.parse import quote

from playwright.sync_api import Page, TimeoutError, sync_playwright

from gatewise.cli.tracking import tracking_config
from gatewise.tracking.registry import CHAMPION, Registry
from gatewise.tracking.store import Store

TARGET = Path(__file__).parent / "images"
PORT = 5055
SIZE = {"width": 1400, "height": 900}
WIDE = {"width": 2000, "height": 560}
PATIENCE = 15_000
COLUMNS = (
    "test_accuracy_mean",
    "test_accuracy_std",
    "test_accuracy_ci_low",
    "test_accuracy_ci_high",
)
# What stands on each page once it is drawn; without it there is no picture.
SHOWS = {
    "variants": "matching runs",
    "seed": "About this run",
    "comparison": "About this run",
    "champion": "gatewise.evidence",
    "curves": "Completed Runs",
}
NO_ASSISTANT = """
localStorage.setItem("mlflow.assistant.autoOpenedOnFirstLoad_v1", "true");
localStorage.setItem("mlflow.assistant.fab.autoOpenedOnFirstLoad_v1", "true");
localStorage.setItem("mlflow.assistant.panelOpen_v1", "false");
"""
SETTLE = 4000  # milliseconds that MLflow's charts take to draw after the network is quiet


def pages(task: str) -> dict[str, str]:
    """Address of each screenshot."""
    store = Store(tracking_config(), create=False)
    experiment = store.experiment(task)
    runs = {run.info.run_name: run for run in store.all_runs(task).values()}
    variants = sorted(n for n, r in runs.items() if r.data.tags["gatewise.kind"] == "variant")
    seeds = sorted(name for name in runs if name.startswith(f"{variants[0]}/seed-"))
    base = f"#/experiments/{experiment}"
    chosen = quote("tags.`gatewise.kind` = 'variant'")
    ids = [runs[name].info.run_id for name in seeds]
    found = {
        "variants": f"{base}/runs?searchFilter={chosen}",
        "curves": f"#/metric?{chart(ids, experiment)}",
        "seed": f"{base}/runs/{runs[seeds[0]].info.run_id}",
    }
    if task in runs:
        found["comparison"] = f"{base}/runs/{runs[task].info.run_id}"
    registry = Registry(store, task)
    champion = registry.version(CHAMPION)
    if champion is not None:
        found["champion"] = f"#/models/{registry.name}/versions/{champion.version}"
    return found


def chart(runs: list[str], experiment: str, metric: str = "validation_accuracy") -> str:
    """The query of the page that *Compare* and a click on a metric's name lead to."""
    settings: dict[str, object] = {
        "runs": runs,
        "metric": metric,
        "experiments": [experiment],
        "plot_metric_keys": [metric],
        "plot_layout": {"autosize": True},
        "line_smoothness": 1,
        "show_point": False,
        "deselected_curves": [],
        "last_linear_y_axis_range": [],
    }
    query = [f"{name}={quote(json.dumps(value))}" for name, value in settings.items()]
    return "&".join([*query, "x_axis=step", "y_axis_scale=linear"])  # these two are bare words


def take(page: Page, name: str, address: str) -> None:
    """One screenshot."""
    page.set_viewport_size(WIDE if name == "variants" else SIZE)
    page.goto("about:blank")
    page.goto(f"http://127.0.0.1:{PORT}/{address}", wait_until="domcontentloaded")
    page.get_by_text(SHOWS[name]).first.wait_for()
    # Some pages ask for news for ever, so the network alone does not tell when they are drawn.
    with contextlib.suppress(TimeoutError):
        page.wait_for_load_state("networkidle", timeout=PATIENCE)
    page.wait_for_timeout(SETTLE)
    if name == "variants":
        show_columns(page)
    page.screenshot(path=TARGET / f"{name}.png")
    print(TARGET / f"{name}.png")


def show_columns(page: Page) -> None:
    """Choose the columns that the text speaks of."""
    page.get_by_role("button", name="Columns", exact=True).click()
    for column in COLUMNS:
        page.get_by_placeholder("Search columns").fill(column)
        page.get_by_text(column, exact=True).last.click()
    page.keyboard.press("Escape")
    page.mouse.move(900, 500)
    page.wait_for_timeout(SETTLE)


def main(task: str = "digits") -> None:
    """Take them all."""
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        sys.exit("error: no chromium on the path; install it (Debian: apt install chromium)")
    found = pages(task)
    TARGET.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "gatewise.cli.main", "ui", "--port", str(PORT)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait(f"http://127.0.0.1:{PORT}/health")
        with sync_playwright() as playwright:
            chromium = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox"])
            page = chromium.new_page(viewport=SIZE)
            page.set_default_timeout(8 * PATIENCE)
            page.add_init_script(NO_ASSISTANT)
            for name, address in found.items():
                take(page, name, address)
            chromium.close()
    finally:
        server.terminate()
        server.wait()


def _wait(address: str, seconds: float = 300) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            urllib.request.urlopen(address, timeout=2)  # noqa: S310
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.3)


if __name__ == "__main__":
    main(*sys.argv[1:])
