"""The benchmark suite; `python -m benchmarks` runs it.

Speed is compared natively: references would be held back otherwise, too. What `portable` costs is
a benchmark of its own. Stages that a benchmark starts go by their study.
"""

import os

os.environ.setdefault("GATEWISE_INSTRUCTIONS", "native")

# Before what the benchmarks import next: NumPy and torch settle what they use as they load.
import gatewise  # noqa: F401
