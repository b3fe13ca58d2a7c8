"""What the stages of `dvc.yaml` depend on is what they use."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from gatewise.artifacts import software

SOURCES = Path("src/gatewise")
# Imported by everything, and never by itself a reason to run a stage again: messages, how files
# are replaced, and settings, which stages get by their plan files.
FOUNDATIONS = ("gatewise", "gatewise.config", "gatewise.errors", "gatewise.files")
# What runs a stage but changes no result: an edit of the progress display trains nothing.
RUNNING = (*FOUNDATIONS, "gatewise.execution", "gatewise.tracking")


@pytest.fixture(scope="module")
def stages(project):
    return yaml.safe_load((project / "dvc.yaml").read_text())["stages"]


def covered(stage, module):
    """Whether a module's file is, or lies below, a dependency of a stage; or says nothing."""
    file = software.path_of(module)
    path = SOURCES.parent / file.relative_to(software.ROOT.parent)
    deps = {Path(dep) for dep in stage["deps"]}
    return bool(deps & {path, *path.parents}) or len(ast.parse(file.read_text()).body) <= 1


def imported(path):
    """Modules of ours that a stage's file imports, at its top and in functions."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("gatewise"):
            inside = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from (name for name in [node.module, *inside] if software.path_of(name))


def test_the_library_knows_nothing_of_dvc(project):
    for path in (project / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                assert "dvc" not in [alias.name.split(".")[0] for alias in node.names], path
            elif isinstance(node, ast.ImportFrom):
                assert (node.module or "").split(".")[0] != "dvc", path


def test_every_source_that_a_key_counts_is_a_dependency_of_training(stages):
    from gatewise.models import cells

    counted = software.run_modules(cells.names())
    assert {m for m in counted if not covered(stages["train"], m)} == set()
    assert covered(stages["train"], software.METRICS)


def test_every_source_that_decides_a_trial_is_a_dependency_of_tuning(stages):
    from gatewise.models import cells

    deciding = ("execution.search", "execution.tuning", "training.trial", "evidence.choosing")
    counted = software.run_modules(cells.names()) | {f"gatewise.{name}" for name in deciding}
    assert {m for m in counted if not covered(stages["tune"], m)} == set()


@pytest.mark.parametrize("module", ["execution.progress", "tracking.writer", "report.page"])
def test_what_shows_and_logs_is_no_dependency_of_training(stages, module):
    assert not covered(stages["train"], f"gatewise.{module}")


@pytest.mark.parametrize(
    "name",
    [
        *("plan", "fetch", "prepare", "tune", "train", "profile", "baseline"),
        *("context", "probe", "compare", "report"),
    ],
)
def test_a_stage_depends_on_what_it_imports(project, stages, name):
    file = project / "pipeline" / f"{name}.py"
    assert f"pipeline/{name}.py" in stages[name]["deps"]
    starts = [
        module
        for module in imported(file)
        if module != "gatewise" and not module.startswith(RUNNING[1:])
    ]
    used = software.closure(starts, apart=RUNNING)
    assert {module for module in used if not covered(stages[name], module)} == set()


def test_every_stage_has_its_file_and_every_file_its_stage(project, stages):
    files = {path.stem for path in (project / "pipeline").glob("*.py")} - {"__init__"}
    assert files == set(stages)


def test_a_stage_hands_itself_over_before_it_imports_what_is_slow(project, stages):
    """Under `dvc repro` the process that DVC starts only asks the warm one, which has all that."""
    slow = ("mlflow", "pandas", "pytorch_lightning", "scipy", "sklearn", "torch")
    code = (
        f"import importlib, sys\nfor name in {sorted(stages)}:\n"
        "    importlib.import_module(f'pipeline.{name}')\n"
        f"print([name for name in {slow} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=project, check=True, capture_output=True, text=True
    )
    assert done.stdout.strip() == "[]"


def test_stages_other_than_plan_read_no_parameters(project, stages):
    """`load_operation` is the one way around the plans: it holds nothing that changes a result."""
    for name, stage in stages.items():
        reads = "config.load(" in (project / "pipeline" / f"{name}.py").read_text()
        assert reads == ("params.yaml" in stage["deps"]) == (name == "plan")
