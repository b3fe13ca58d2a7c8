"""Stage `report`: reports/comparison.json -> reports/summary.md, reports/index.html."""

from __future__ import annotations

from gatewise.artifacts.comparison import Comparison
from gatewise.files import replacing
from gatewise.report import charts, page, summary, table
from pipeline import run


def main(_arguments: list[str]) -> None:
    """Write what people read, then print the table that ends `dvc repro`."""
    comparison = Comparison.read("reports/comparison.json")
    siblings = page.read_siblings("reports", comparison.tasks, comparison.study["variants"])
    with charts.unchecked():
        html = page.render(comparison, siblings)
    for path, text in (
        ("reports/summary.md", summary.render(comparison)),
        ("reports/index.html", html),
    ):
        with replacing(path) as temporary:
            temporary.write_text(text, encoding="utf-8")
    table.show(comparison)
    print("\nreports/index.html shows it with pictures; reports/summary.md in brief.")


if __name__ == "__main__":
    run(main)
