"""Which of our own files something is made of, and a digest of what they say.

A result depends on the code that made it. Which code that is follows from the imports, read from
the files without running them, so this needs neither torch nor any other library. Files are
compared as syntax trees without comments and docstrings: mending either changes nothing. (Trees
are written a little differently by each version of Python; so a digest holds for one.)

Cells are the exception to following imports: `gatewise.models.cells` imports all of its modules
by name, but a model is made of its own cell alone. Whoever asks says which cells are used. Nor can
it be read from imports which objective a task has: whoever asks names its modules.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import platform
import sys
from collections.abc import Iterable, Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

from gatewise.artifacts import objectives
from gatewise.artifacts.plan import RunPlan
from gatewise.config.objectives import DEFAULT
from gatewise.errors import GatewiseError
from gatewise.files import digest, sha256

ROOT = Path(__file__).parent.parent
CELLS = "gatewise.models.cells"
METRICS = "gatewise.config.metrics"
COUNTING = ("count", "count_predicted")
"""Functions there that count predictions, whatever the metric."""
RUN = "gatewise.training.one_run"
"""Where a run begins: it trains, scores and writes."""

APART = (
    "gatewise",  # the version's number; what the files say counts
    "gatewise.config",  # settings are part of a key by their values
    "gatewise.errors",  # messages
    "gatewise.files",  # how files are replaced and hashed, not what is written
    "gatewise.artifacts.plan",  # settings again
)
"""Modules whose text can change no result, and why."""

LIBRARIES = ("numba", "numpy", "pytorch-lightning", "scipy", "torch")
"""What computes the numbers of a run."""
_DATA = (".csv", ".j2")
_DISTRIBUTIONS = {"sklearn": "scikit-learn", "yaml": "pyyaml"}
"""Of modules that are called otherwise."""


def run_digest(plan: RunPlan) -> str:
    """sha256 over the software that decides the runs of a plan.

    That is what training imports, the cells of the variant and of its reference (whose budget it
    may have to meet), how the primary metric is counted (it chooses the best epoch), the versions
    of the libraries that compute, and the kind of processor.
    """
    return digest(
        {
            "sources": sources_digest(run_modules(plan.cells, plan.objective)),
            "metric": metric_digest(plan.metric),
            "libraries": {name: _version(name) for name in LIBRARIES},
            "machine": platform.machine(),
        }
    )


@functools.cache
def _version(distribution: str) -> str:
    """Of what is installed. Every trial's key asks, and metadata are slow to parse."""
    return metadata.version(distribution)


def run_modules(cells: Iterable[str], objective: str = DEFAULT) -> frozenset[str]:
    """Modules that decide runs of these cells on tasks of an objective."""
    return closure([RUN, objectives.module_of(objective)], cells=cells, apart=APART)


def result_digest(
    module: str, cells: Iterable[str] = (), objective: str = DEFAULT, more: Iterable[str] = ()
) -> str:
    """sha256 over the software that decides what a stage makes with `module`.

    All libraries count that are imported on the way, since any may shape the result.

    Args:
        module: where the stage's work begins.
        cells: cells that are used.
        objective: the task's.
        more: modules that are found by name, as that of the objective is.
    """
    starts = [module, objectives.module_of(objective), *more]
    modules = closure(starts, cells=cells, apart=APART)
    return digest({"sources": sources_digest(modules), "libraries": libraries(modules)})


def closure(
    starts: Iterable[str], *, cells: Iterable[str] = (), apart: Iterable[str] = ()
) -> frozenset[str]:
    """Modules of ours that `starts` import, at their top or in functions, and theirs.

    Args:
        starts: names of modules, which count as well.
        cells: names of cells that are used, as in `params.yaml`.
        apart: modules that are left out; of packages, all that lies in them.
    """
    left_out = tuple(apart)
    modules: set[str] = set()
    waiting = [*starts, *(cell_module(name) for name in cells)]
    while waiting:
        name = waiting.pop()
        if name in modules or _lies_in(name, left_out):
            continue
        modules.add(name)
        waiting += _imports(name)[0]
    return frozenset(modules)


def path_of(module: str) -> Path | None:
    """File of one of our modules; nothing if there is no such module."""
    stem = ROOT.parent.joinpath(*module.split("."))
    return next((p for p in (stem.with_suffix(".py"), stem / "__init__.py") if p.is_file()), None)


def sources_digest(modules: Iterable[str]) -> str:
    """sha256 over modules' syntax trees, without comments and docstrings, and their data."""
    return digest({name: _module_digest(name) for name in modules})


def libraries(modules: Iterable[str]) -> dict[str, str]:
    """Versions of the distributions that modules import, by name."""
    versions = {}
    for name in {library for module in modules for library in _imports(module)[1]}:
        distribution = _DISTRIBUTIONS.get(name, name)
        try:
            versions[distribution] = metadata.version(distribution)
        except metadata.PackageNotFoundError:
            continue  # part of another distribution that is imported as well
    return versions


@functools.cache
def cell_module(cell: str) -> str:
    """The module that defines the cell called `cell`.

    Raises:
        GatewiseError: there is none.
    """
    for path in sorted((ROOT / "models" / "cells").glob("*.py")):
        if f'name="{cell}"' in path.read_text(encoding="utf-8"):  # most need no parsing
            module = f"{CELLS}.{path.stem}"
            if cell in _cells_of(module):
                return module
    raise GatewiseError(f"unknown cell {cell!r}; `gatewise cells` lists those that there are")


@functools.cache
def metric_digest(metric: str) -> str:
    """sha256 over how examples are counted and how `metric` is computed from the counts.

    The other metrics of the registry do not enter, so that one can be added; nor does how a
    metric is shown.
    """
    definitions = dict(_definitions(_parse(METRICS)))
    decisive = [_entry(metric)[name] for name in ("higher_is_better", "from_counts")]
    used = {str(number): ast.dump(node) for number, node in enumerate(decisive)}
    waiting = [*COUNTING, *(name for node in decisive for name in _names(node))]
    while waiting:
        name = waiting.pop()
        if name in definitions and name not in used:
            used[name] = ast.dump(definitions[name])
            waiting += _names(definitions[name])
    return digest(used)


def _entry(metric: str) -> dict[str, ast.expr]:
    """What the registry says of a metric, `Metric(...)`, by the names of its fields."""
    tree = _parse(METRICS)
    (declared,) = (n for n in tree.body if isinstance(n, ast.ClassDef) and n.name == "Metric")
    fields = [
        node.target.id
        for node in declared.body
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
    ]
    for call in ast.walk(tree):
        if (
            isinstance(call, ast.Call)
            and isinstance(call.func, ast.Name)
            and call.func.id == declared.name
        ):
            given = dict(zip(fields, call.args, strict=False))
            given |= {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg}
            name = given["name"]
            if isinstance(name, ast.Constant) and name.value == metric:
                return given
    raise GatewiseError(f"no metric {metric!r} in {path_of(METRICS)}")


def _lies_in(module: str, packages: tuple[str, ...]) -> bool:
    # The whole of ours lies in `gatewise`: as one of those left out it stands for itself alone.
    return any(
        module == package or (package != "gatewise" and module.startswith(f"{package}."))
        for package in packages
    )


@functools.cache
def _parse(module: str) -> ast.Module:
    path = path_of(module)
    if path is None:
        raise GatewiseError(f"{module}: no such module in {ROOT}")
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for block in _blocks(tree):
        # Docstrings of modules, classes, functions and attributes.
        block[:] = [statement for statement in block if not _is_string(statement)]
    return tree


def _blocks(node: ast.AST) -> Iterator[list[ast.stmt]]:
    """All lists of statements below a node; expressions are not looked into, which is quick."""
    for name in ("body", "orelse", "finalbody", "handlers", "cases"):
        inner: list[Any] = getattr(node, name, [])
        if inner and isinstance(inner[0], ast.stmt):
            yield inner
        for child in inner:
            yield from _blocks(child)


def _is_string(statement: ast.stmt) -> bool:
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )


@functools.cache
def _module_digest(module: str) -> str:
    """Over the syntax tree and the data that lie beside it: files that begin with its name."""
    tree = hashlib.sha256(ast.dump(_parse(module)).encode()).hexdigest()
    path = path_of(module)
    assert path is not None  # noqa: S101  # it was just parsed
    beside = [p for p in sorted(path.parent.glob(f"{path.stem}[._]*")) if p.suffix in _DATA]
    return digest([tree, {p.name: sha256(p) for p in beside}])


@functools.cache
def _imports(module: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Modules of ours that a module imports, and top-level names of other libraries."""
    ours: dict[str, None] = {}
    others: dict[str, None] = {}
    for node in _statements(_parse(module)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            origin = _origin(node, module)
            # What is imported from a package is one of its modules or defined in its own file.
            inside = [f"{origin}.{alias.name}" for alias in node.names]
            names = [origin, *(n for n in inside if n.startswith("gatewise.") and path_of(n))]
        else:
            continue
        for name in names:
            top = name.partition(".")[0]
            if top == "gatewise":
                parts = name.split(".")
                # Importing a module runs the packages around it.
                ours |= dict.fromkeys(".".join(parts[:n]) for n in range(1, len(parts) + 1))
            elif top not in sys.stdlib_module_names:
                others[top] = None
    return tuple(ours), tuple(others)


def _origin(node: ast.ImportFrom, module: str) -> str:
    """What `module` imports from, also where it says so with dots."""
    if not node.level:
        return node.module or ""
    path = path_of(module)
    within = module.split(".") + ["__init__"] * (path is not None and path.stem == "__init__")
    return ".".join([*within[: -node.level], *filter(None, [node.module])])


def _statements(node: ast.AST) -> Iterator[ast.stmt]:
    """All statements below, but for what only type checkers see."""
    for name in ("body", "orelse", "finalbody", "handlers", "cases"):
        for child in getattr(node, name, []):
            if isinstance(child, ast.stmt):
                yield child
            checked = (
                isinstance(child, ast.If)
                and isinstance(child.test, ast.Name)
                and child.test.id == "TYPE_CHECKING"
            )
            if not checked:
                yield from _statements(child)


def _cells_of(module: str) -> list[str]:
    """Names of the cells that a module defines, as in `class LSTM(Cell, name="lstm")`."""
    return [
        keyword.value.value
        for node in _parse(module).body
        if isinstance(node, ast.ClassDef)
        for keyword in node.keywords
        if keyword.arg == "name"
        and isinstance(keyword.value, ast.Constant)
        and isinstance(keyword.value.value, str)
    ]


def _definitions(tree: ast.Module) -> Iterator[tuple[str, ast.stmt]]:
    """Functions, classes and constants of a module by name, but for the registry itself."""
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            yield node.name, node
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                for name in _names(target):
                    if name != "METRICS":
                        yield name, node


def _names(node: ast.AST) -> list[str]:
    return [child.id for child in ast.walk(node) if isinstance(child, ast.Name)]
