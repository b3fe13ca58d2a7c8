import os

import pytest

from gatewise.execution import warm
from pipeline import WARM_MODULES


@pytest.fixture(scope="session")
def address():
    """A warm process that all commands of these tests share: it saves each of them its imports."""
    return warm.ensure(os.getpid(), WARM_MODULES)
