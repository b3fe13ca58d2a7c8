"""Data flows one way, and so do imports: a module imports only what stands before it."""

import ast

import pytest

from gatewise.execution.finished_runs import DECISIVE
from gatewise.serving.pyfunc import CODE


def imports(path, *, top=False):
    """Modules of the package that a file imports, at its top or also inside functions."""
    tree = ast.parse(path.read_text())
    for node in tree.body if top else ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == "gatewise":
            yield from (alias.name for alias in node.names if not alias.name.startswith("__"))
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("gatewise."):
            yield node.module.split(".")[1]
        elif isinstance(node, ast.Import):
            names = (alias.name for alias in node.names)
            yield from (name.split(".")[1] for name in names if name.startswith("gatewise."))


@pytest.mark.parametrize("forbidden", ["dvc"])
def test_the_library_knows_nothing_of_dvc(project, forbidden):
    for path in (project / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                assert forbidden not in [alias.name.split(".")[0] for alias in node.names], path
            elif isinstance(node, ast.ImportFrom):
                assert (node.module or "").split(".")[0] != forbidden, path


@pytest.mark.parametrize(
    ("listed", "apart"),
    [
        (CODE, set()),
        # Settings are part of a run's key by their values; messages and paths change no number.
        (DECISIVE, {"config", "errors", "files", "plan"}),
    ],
    ids=["what a model carries", "what decides a run"],
)
def test_lists_of_modules_hold_what_these_import(project, listed, apart):
    root = project / "src" / "gatewise"
    known = apart | {name.partition("/")[0].removesuffix(".py") for name in listed}
    for name in listed:
        files = (root / name).rglob("*.py") if (root / name).is_dir() else [root / name]
        for path in files:
            assert set(imports(path, top=True)) <= known, path
