"""Screenshots for docs/review.md: `python docs/screenshots.py [TASK]` in a mirrored project.

Starts `gatewise ui` on a port of its own, finds the pages through MLflow's client and takes them
with the machine's own Chromium, headless. Needs the development dependencies and a browser
(Debian: `apt install chromium`).
"""

import shutil
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from urllib.parse import quote, urlencode

from playwright.sync_api import Page, sync_playwright

from gatewise.cli_tracking import tracking_config
from gatewise.registry import CHAMPION, Registry
from gatewise.tracking.store import Store

TARGET = Path(__file__).parent / "images"
PORT = 5055
SIZE = {"width": 1400, "height": 900}
SETTLE = 2500  # milliseconds that MLflow's charts take to draw after the network is quiet


def pages(task: str) -> dict[str, str]:
    """Address of each screenshot."""
    store = Store(tracking_config(), create=False)
    experiment = store.experiment(task)
    runs = {run.info.run_name: run for run in store.all_runs(task).values()}
    variants = sorted(n for n, r in runs.items() if r.data.tags["gatewise.kind"] == "variant")
    seeds = sorted(name for name in runs if name.startswith(f"{variants[0]}/seed-"))
    base = f"#/experiments/{experiment}"
    ids = "[" + ",".join(f'"{runs[name].info.run_id}"' for name in seeds) + "]"
    compared = urlencode({"runs": ids, "experiments": f'["{experiment}"]'})
    chosen = quote("tags.`gatewise.kind` = 'variant'")
    found = {
        "variants": f"{base}/runs?searchFilter={chosen}",
        "curves": f"#/compare-runs?{compared}",
        "seed": f"{base}/runs/{runs[seeds[0]].info.run_id}",
    }
    if task in runs:
        found["comparison"] = f"{base}/runs/{runs[task].info.run_id}"
    registry = Registry(store, task)
    champion = registry.version(CHAMPION)
    if champion is not None:
        found["champion"] = f"#/models/{registry.name}/versions/{champion.version}"
    return found


def take(page: Page, name: str, address: str) -> None:
    """One screenshot."""
    page.goto("about:blank")
    page.goto(f"http://127.0.0.1:{PORT}/{address}", wait_until="networkidle")
    page.wait_for_timeout(SETTLE)
    page.keyboard.press("Escape")  # whatever the interface wants to tell its new user
    page.screenshot(path=TARGET / f"{name}.png")
    print(TARGET / f"{name}.png")


def main(task: str = "digits") -> None:
    """Take them all."""
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        sys.exit("error: no chromium on the path; install it (Debian: apt install chromium)")
    found = pages(task)
    TARGET.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "gatewise.cli", "ui", "--port", str(PORT)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait(f"http://127.0.0.1:{PORT}/health")
        with sync_playwright() as playwright:
            chromium = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox"])
            page = chromium.new_page(viewport=SIZE)
            for name, address in found.items():
                take(page, name, address)
            chromium.close()
    finally:
        server.terminate()
        server.wait()


def _wait(address: str, seconds: float = 120) -> None:
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
