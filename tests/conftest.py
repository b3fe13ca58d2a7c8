import os
from pathlib import Path

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
