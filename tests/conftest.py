import os
from pathlib import Path
from typing import Any

# One thread a test process, before any numerical library reads it: results do not depend on the
# machine's width, and tests run side by side.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest

from gatewise.training import instructions

# As in every process that computes, before anything loads NumPy or torch.
instructions.use("portable")


@pytest.fixture(scope="session")
def project() -> Path:
    """The checkout."""
    return Path(__file__).parent.parent


TOGETHER = {"tests/pipeline/test_kinds.py": "tests/pipeline/test_end_to_end.py"}
"""Files whose tests follow those of another in the same process, as they share what is dear."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Where processes share the tests, files with slow ones come first: so they end together."""
    if hasattr(config, "workerinput"):
        dear = {item.path for item in items if item.get_closest_marker("slow")}
        items.sort(key=lambda item: item.path not in dear)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """With `--dist loadscope` a file's tests stay in one process, with those of `TOGETHER`."""
    if config.getoption("dist") != "loadscope":
        return None
    from xdist.scheduler import LoadScopeScheduling

    class ByFile(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.partition("::")[0]
            return TOGETHER.get(file, file)

    return ByFile(config, log)
