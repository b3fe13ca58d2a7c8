"""What is added to the software and used by nothing makes nothing anew."""

import re
import shutil

import pytest

from tests.checkouts import run

CELL = '''"""A cell that the study does not use."""

from gatewise.models.cells.stock import GRU


class Mine(GRU, name="mine"):
    """A GRU by another name."""

    source = "nowhere"
'''
METRIC = '        Metric("mine", "mine", True, PERCENT, _accuracy, by_class=False),\n'


def contents(folder, *patterns):
    """Bytes of files by path."""
    paths = {path for pattern in patterns for path in folder.glob(pattern)}
    return {path: path.read_bytes() for path in paths if path.is_file()}


@pytest.mark.slow
def test_a_new_cell_source_and_metric_make_nothing_anew(finished, tmp_path):
    study = shutil.copytree(finished.folder, tmp_path / "study", symlinks=True)
    made = ("data/raw/**/*", "data/prepared/**/*", "runs/**/*", "reports/cost/*")
    before = contents(study, *made, "reports/probes/*", "reports/baselines/*")
    kept = {path.name for path in study.glob(".gatewise/runs/*/*")}

    package = study / "src/gatewise"
    (package / "models/cells/mine.py").write_text(CELL)
    source = (package / "data/sources/digits.py").read_text()
    (package / "data/sources/mine.py").write_text(source.replace('"digits"', '"mine"'))
    metrics = package / "config/metrics.py"
    first = '        Metric("accuracy"'
    metrics.write_text(metrics.read_text().replace(first, METRIC + first))
    stock = package / "models/cells/stock.py"
    stock.write_text("# A comment in a cell that is used.\n" + stock.read_text())

    printed = run(study, "dvc", "repro")

    assert "mine" in run(study, "gatewise", "cells")
    started = set(re.findall(r"Running stage '([^']+)'", printed))
    assert {"fetch@digits", "train@digits-gru", "profile@digits", "probe@gru"} <= started
    unchanged = set(re.findall(r"(\S+): unchanged: kept from before", printed))
    stages = {"fetch", "prepare", "profile", "probe", "baseline", "context"}
    assert unchanged == {name for name in started if name.partition("@")[0] in stages}
    assert {path.name for path in study.glob(".gatewise/runs/*/*")} == kept
    assert contents(study, *made, "reports/probes/*", "reports/baselines/*") == before
