"""A small study of all kinds of tasks, which several files look at."""

import shutil
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.checkouts import checkout, run


class Finished(NamedTuple):
    """A study that was reproduced once. Tests leave it as they found it."""

    folder: Path
    printed: str
    """What `dvc repro` said."""
    status: str
    """What git said of the checkout after it."""


def committed(folder: Path, message: str) -> None:
    """Make a checkout's files its repository's first commit."""
    run(folder, "git", "init", "-q", "-b", "main")
    run(folder, "git", "config", "user.name", "x")
    run(folder, "git", "config", "user.email", "x")
    run(folder, "git", "add", ".")
    run(folder, "git", "commit", "-qm", message)


@pytest.fixture(scope="session")
def finished(project, tmp_path_factory) -> Finished:
    """`docs/studies/textbook-tiny.yaml`."""
    folder = checkout(project, tmp_path_factory.mktemp("study"))
    shutil.copy(project / "docs/studies/textbook-tiny.yaml", folder / "params.yaml")
    committed(folder, "all kinds of tasks")
    printed = run(folder, "dvc", "repro")
    return Finished(folder, printed, run(folder, "git", "status", "--porcelain"))
