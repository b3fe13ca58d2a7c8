"""Data flows one way, and so do imports: a module imports only what stands before it."""

import ast

import pytest

from gatewise.serving_pyfunc import CODE
from gatewise.training.finished import DECISIVE

LAYERS = [
    # foundations
    ["errors"],
    ["files", "streams", "warm", "config"],
    ["manifest", "prepared", "plan", "runs"],
    # data
    ["sources", "decoding", "features", "text", "splits", "augment", "duplicates", "_sequences"],
    ["certificate", "transforms"],
    ["prepare"],
    ["checking"],
    # models
    ["cells"],
    ["initialisation", "sizes", "lengths"],
    ["models"],
    ["budget"],
    # runs
    ["evaluation"],
    ["training", "profiling", "probes"],
    # evidence
    ["statistics", "outcomes"],
    ["across", "sampling", "sequential", "baselines"],
    ["paired", "flips", "findings"],
    ["claims"],
    ["comparison"],
    ["report"],
    # around it
    ["leftovers"],
    ["dvc"],
    ["rounds"],
    ["serving"],
    ["serving_pyfunc", "serving_http"],
    ["tracking"],
    ["registry"],
    ["gate"],
    ["retraining", "verification"],
    ["cli_config", "cli_cells", "cli_data", "cli_tracking"],
    ["cli_models", "cli_gate"],
    ["cli_retrain", "cli_verify"],
    ["cli"],
]


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


def test_imports_point_one_way(project):
    root = project / "src" / "gatewise"
    height = {name: level for level, names in enumerate(LAYERS) for name in names}
    wrong = []
    for path in sorted(root.rglob("*.py")):
        module = path.relative_to(root).with_suffix("").parts[0]
        if module == "__init__":
            continue
        assert module in height, f"{module}: say in LAYERS where it stands"
        for other in set(imports(path)) - {module}:
            # Neighbours of one level may use each other; two of them never both ways round.
            if height[other] > height[module]:
                wrong.append(f"{path.relative_to(root)} imports {other}")
    assert wrong == []


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
