"""One statement of the Pythons that work, and two locks that agree."""

import ast
import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from itertools import chain

import pytest
import yaml

LOCKS = ("requirements.lock", "requirements-dev.lock")


@pytest.fixture
def package(project):
    return tomllib.loads((project / "pyproject.toml").read_text())["project"]


@pytest.fixture
def minors(package):
    """Minor versions of Python 3 that `pyproject.toml` admits."""
    oldest, too_new = re.fullmatch(r">=3\.(\d+),<3\.(\d+)", package["requires-python"]).groups()
    return range(int(oldest), int(too_new))


def entries(project, lock):
    """Name and marker: version, of each entry of a lock."""
    text = (project / lock).read_text().replace(" \\\n", " ")
    found = re.findall(r"^([\w.-]+)(?:\[\S+\])?==(\S+)(?: ; (.*?))? +--hash=", text, re.MULTILINE)
    return {(name, marker): version for name, version, marker in found}


def test_ci_and_classifiers_name_every_python_that_is_admitted(project, package, minors):
    names = [f"3.{minor}" for minor in minors]
    prefix = "Programming Language :: Python :: "
    assert [c.removeprefix(prefix) for c in package["classifiers"] if prefix in c] == names
    github = yaml.safe_load((project / ".github/workflows/ci.yml").read_text())
    assert github["jobs"]["test"]["strategy"]["matrix"]["python"] == names
    gitlab = yaml.safe_load((project / ".gitlab-ci.yml").read_text())
    assert gitlab["test"]["parallel"]["matrix"] == [{"PYTHON": names}]


@pytest.mark.parametrize("beyond", [-1, 1], ids=["too old", "too new"])
def test_a_python_outside_the_range_is_told_the_newest_that_works(
    project, minors, tmp_path, beyond
):
    minor = minors[0] - 1 if beyond < 0 else minors[-1] + 1
    python = tmp_path / "python"
    said = f"import sys; sys.version_info = (3, {minor}, 0); exec(sys.argv[1])"
    python.write_text(f'#!/bin/sh\nexec {sys.executable} -c "{said}" "$2"\n')
    python.chmod(0o755)
    made = subprocess.run(
        ["make", "env", f"VENV={tmp_path / 'venv'}", f"PYTHON={python}"],
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode
    assert (
        f"gatewise needs Python 3.{minors[0]} to 3.{minors[-1]}, this is 3.{minor}; "
        f"try make PYTHON=python3.{minors[-1]}"
    ) in made.stderr
    assert not (tmp_path / "venv").exists()


@pytest.mark.parametrize("lock", LOCKS)
def test_locks_are_hashed_and_name_no_registry(project, lock):
    text = (project / lock).read_text()
    assert len(entries(project, lock)) == len(re.findall(r"^[\w.-]+(?:\[\S+\])?==", text, re.M))
    assert "://" not in text


def test_the_locks_agree(project):
    main, dev = (entries(project, lock) for lock in LOCKS)
    versions = {}
    for (name, _), version in main.items():
        versions.setdefault(name, set()).add(version)
    both = {name for name, _ in dev} & set(versions)
    assert "numpy" in both
    for (name, _), version in dev.items():
        assert version in versions.get(name, {version}), name


def test_the_study_installs_no_tool_of_development(project):
    names = {name for name, _ in entries(project, "requirements.lock")}
    assert {"torch", "mlflow", "dvc", "uv"} <= names
    assert not names & {"pytest", "ruff", "mypy", "ray", "moto", "onnx", "playwright", "boto3"}


def test_a_teams_server_has_the_mlflow_of_its_clients(project):
    (version,) = (v for (name, _), v in entries(project, LOCKS[0]).items() if name == "mlflow")
    assert f'"mlflow=={version}"' in (project / "deploy/mlflow.Dockerfile").read_text()


def imported(folder):
    """Top-level names that the modules below a folder import, at their top or in functions."""
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                yield from (alias.name.split(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                yield node.module.split(".")[0]


def test_what_is_imported_is_declared_and_the_other_way_round(project, package):
    declared = {canonical(requirement) for requirement in package["dependencies"]}
    extras = package["optional-dependencies"].values()
    optional = {canonical(requirement) for requirement in chain.from_iterable(extras)}
    names = {name for folder in ("src", "pipeline") for name in imported(project / folder)}
    names -= {"gatewise", "pipeline", *sys.stdlib_module_names}
    distributions = packages_distributions()
    used = {name: set(map(canonical, distributions[name])) for name in names}
    undeclared = {
        name for name, brought_by in used.items() if not brought_by & (declared | optional)
    }
    assert undeclared == set()
    # DVC and pip are run, ruamel.yaml.clib makes DVC fast.
    assert declared - set().union(*used.values()) == {"dvc", "pip", "ruamel-yaml-clib"}


def canonical(requirement):
    """Name of a distribution as registries write it."""
    return re.sub(r"[-_.]+", "-", re.match(r"[\w.-]+", requirement)[0]).lower()


def test_tests_have_what_extras_bring(project, package):
    names = {name for lock in LOCKS for name, _ in entries(project, lock)}
    for requirement in chain.from_iterable(package["optional-dependencies"].values()):
        assert canonical(requirement) in names
