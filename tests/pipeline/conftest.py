"""A small study of all kinds of tasks, which several files look at."""

from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

from tests.checkouts import checkout, run

REVIEWS = {
    "source": {"kind": "reviews"},
    "split": {"validation": 0.1, "test": 0.15},
    "features": {"kind": "tokens", "tokenizer": "word", "vocabulary": 1000, "max_length": 16},
    "train": {"epochs": 1},
}


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
    """`docs/studies/textbook-tiny.yaml`, and texts to classify."""
    folder = checkout(project, tmp_path_factory.mktemp("study"))
    study = yaml.safe_load((project / "docs/studies/textbook-tiny.yaml").read_text())
    study["tasks"]["reviews"] = REVIEWS
    (folder / "params.yaml").write_text(yaml.safe_dump(study, sort_keys=False))
    committed(folder, "all kinds of tasks")
    printed = run(folder, "dvc", "repro")
    return Finished(folder, printed, run(folder, "git", "status", "--porcelain"))
