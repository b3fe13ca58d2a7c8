"""A small study that several modules look at: made once, whichever process asks first."""

import shutil
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.pipeline import small
from tests.shared import made_once


class Finished(NamedTuple):
    """A finished small study."""

    folder: Path
    printed: str
    """What `dvc repro` said."""


@pytest.fixture(scope="session")
def finished(project, tmp_path_factory) -> Finished:
    """The study of three kinds of data; nobody changes it, all work on copies."""

    def make(folder: Path) -> None:
        (folder / "printed.txt").write_text(small.finish(project, folder / "study"))

    home = made_once(tmp_path_factory, "small-study", make)
    return Finished(home / "study", (home / "printed.txt").read_text())


@pytest.fixture(scope="session")
def study(finished, tmp_path_factory) -> Finished:
    """A copy that the tests of one process share; each leaves it as it found it."""
    target = tmp_path_factory.mktemp("study") / "study"
    return finished._replace(folder=shutil.copytree(finished.folder, target, symlinks=True))
