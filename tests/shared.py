"""What is dear to make and the same for all processes of a test session."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """A folder that the first process to ask fills, while others wait for it.

    Args:
        factory: of this session.
        name: of the folder; the same for all who ask.
        make: fills it; if that fails, the next one who asks tries again.
    """
    own = factory.getbasetemp()
    # A process of xdist has a folder of its own beside those of the others.
    common = own.parent if own.name.startswith("popen-") else own
    folder, done = common / name, common / f"{name}.done"
    with FileLock(common / f"{name}.lock"):
        if not done.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            make(folder)
            done.touch()
    return folder
