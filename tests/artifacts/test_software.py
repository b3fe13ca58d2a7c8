import shutil
import subprocess
import sys

import pytest

from gatewise.artifacts import software
from gatewise.config import VariantConfig
from gatewise.errors import GatewiseError
from tests.tasks import make_plan


@pytest.fixture
def ours(project, tmp_path, monkeypatch):
    """A copy of the package's sources that a test may edit; gives its folder."""
    root = tmp_path / "src" / "gatewise"
    shutil.copytree(software.ROOT, root, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(software, "ROOT", root)
    forget()
    yield root
    forget()


def forget():
    """As in a new process."""
    for function in vars(software).values():
        if hasattr(function, "cache_clear"):
            function.cache_clear()


def digests():
    """What decides runs of three variants, by their names."""
    forget()
    plans = [
        make_plan("gru"),
        make_plan("lstm-projected"),
        make_plan("mgu").model_copy(update={"reference": VariantConfig(cell="mut1", hidden=8)}),
    ]
    return {plan.variant: software.run_digest(plan) for plan in plans}


def changed(before):
    return {name for name, digest in digests().items() if digest != before[name]}


def append(path, text):
    path.write_text(path.read_text() + text)


def test_comments_docstrings_and_layout_change_nothing(ours):
    before = digests()
    for path in ours.rglob("*.py"):
        lines = path.read_text().replace('"""', '"""As was said: ', 1)
        path.write_text("# A comment.\n\n" + lines + "\n# The end.\n")
    assert changed(before) == set()


def test_a_new_cell_source_or_metric_changes_nothing(ours):
    before = digests()
    cell = (ours / "models/cells/gru.py").read_text()
    (ours / "models/cells/mine.py").write_text(cell.replace('name="', 'name="my-'))
    shutil.copy(ours / "data/sources/digits.py", ours / "data/sources/mine.py")
    metrics = (ours / "config/metrics.py").read_text()
    entry = '        Metric("accuracy"'
    assert entry in metrics
    mine = '        Metric("mine", "mine", True, PERCENT, _mine, by_class=False),\n'
    (ours / "config/metrics.py").write_text(
        metrics.replace(entry, mine + entry).replace(
            "METRICS = {", "def _mine(counts):\n    return _accuracy(counts)\n\n\nMETRICS = {"
        )
    )
    assert changed(before) == set()


@pytest.mark.parametrize(
    ("edited", "concerned"),
    [
        ("models/cells/stock.py", {"gru"}),
        ("models/cells/fast_gru.py", {"gru"}),
        ("models/cells/lstm.py", {"lstm-projected"}),
        ("models/cells/gru.py", {"mgu"}),
        ("models/cells/mut.py", {"mgu"}),  # the reference whose budget it meets
        ("models/cells/staged.py", {"lstm-projected", "mgu"}),
        ("models/cells/base.py", {"gru", "lstm-projected", "mgu"}),
        ("models/cells/minimal.py", set()),
        ("models/classifier.py", {"gru", "lstm-projected", "mgu"}),
        ("training/scoring.py", {"gru", "lstm-projected", "mgu"}),
        ("artifacts/splits.py", {"gru", "lstm-projected", "mgu"}),
        ("streams.py", {"gru", "lstm-projected", "mgu"}),
        ("execution/progress.py", set()),
        ("tracking/writer.py", set()),
        ("report/page.py", set()),
        ("data/sources/digits.py", set()),
    ],
)
def test_an_edit_concerns_the_variants_that_use_it(ours, edited, concerned):
    before = digests()
    append(ours / edited, "\nSOMETHING = 1\n")
    assert changed(before) == concerned


def test_how_the_primary_metric_is_counted_decides(ours):
    accuracy, f1 = software.metric_digest("accuracy"), software.metric_digest("macro_f1")
    path = ours / "config/metrics.py"
    text = path.read_text().replace('"macro-F1"', '"F1 of classes"')
    path.write_text(text)
    forget()
    assert (software.metric_digest("accuracy"), software.metric_digest("macro_f1")) == (
        accuracy,
        f1,
    )
    assert "both > 0)" in text
    path.write_text(text.replace("both > 0)", "both >= 0)"))
    forget()
    assert software.metric_digest("accuracy") == accuracy
    assert software.metric_digest("macro_f1") != f1
    append(path, "\n\ndef _ratio(above, below):\n    return above\n")
    forget()
    assert software.metric_digest("accuracy") != accuracy


def test_data_beside_a_module_count(ours):
    before = software.result_digest("gatewise.data.sources.digits")
    append(ours / "data/sources/digits_speakers.csv", "\n")
    forget()
    assert software.result_digest("gatewise.data.sources.digits") != before


def test_imports_with_dots_and_in_functions_are_followed(ours):
    append(ours / "streams.py", "\ndef late():\n    from .evidence import claims\n")
    append(ours / "evidence/__init__.py", "\nfrom . import ranking\n")
    found = software.closure(["gatewise.streams"])
    assert {"gatewise.evidence", "gatewise.evidence.claims", "gatewise.evidence.ranking"} <= found


def test_what_only_type_checkers_import_is_not_followed():
    assert "gatewise.artifacts.prepared" not in software.closure(["gatewise.artifacts.splits"])


def test_every_cell_is_found_in_its_own_module():
    pytest.importorskip("torch")
    from gatewise.models import cells

    for name in cells.names():
        assert software.cell_module(name) == cells.get(name).__module__
    with pytest.raises(GatewiseError, match="gatewise cells"):
        software.cell_module("none-such")


def test_nothing_heavy_is_imported_for_a_key(project):
    code = (
        "import sys; from gatewise.artifacts import software; from tests.tasks import make_plan; "
        "software.run_digest(make_plan()); print({'torch', 'pytorch_lightning'} & {*sys.modules})"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=project, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "set()"


def test_an_objective_decides_the_runs_of_its_own_tasks_alone(ours):
    plans = {kind: make_plan().model_copy(update={"objective": kind}) for kind in
             ("classify", "forecast")}  # fmt: skip
    before = {kind: software.run_digest(plan) for kind, plan in plans.items()}
    assert before["classify"] != before["forecast"]
    path = ours / "artifacts" / "objectives" / "forecast.py"
    path.write_text(
        path.read_text().replace("return 2 * torch.maximum", "return 3 * torch.maximum")
    )
    (ours / "artifacts" / "objectives" / "another.py").write_text("class Objective: ...\n")
    forget()
    after = {kind: software.run_digest(plan) for kind, plan in plans.items()}
    assert after["classify"] == before["classify"]
    assert after["forecast"] != before["forecast"]
