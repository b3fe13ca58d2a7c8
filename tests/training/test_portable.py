"""Other processors played on this one: libraries forced to the widest and to narrow vectors.

Slow: each row is a process of its own that compiles, prepares clips and trains three cells.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from gatewise.training import instructions

ROOT = Path(__file__).parents[2]
WIDEST = {
    "ATEN_CPU_CAPABILITY": "avx512",
    "ONEDNN_MAX_CPU_ISA": "AVX512_CORE_AMX",
    "MKL_ENABLE_INSTRUCTIONS": "AVX512",
    "OPENBLAS_CORETYPE": "SkylakeX",
    "NUMBA_CPU_NAME": "skylake-avx512",  # with the features of this processor
}
NARROW = {
    "ATEN_CPU_CAPABILITY": "avx2",
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    "MKL_ENABLE_INSTRUCTIONS": "AVX2",
    "OPENBLAS_CORETYPE": "Haswell",
    "NUMBA_CPU_NAME": "haswell",
    "NUMBA_CPU_FEATURES": "+avx2,+fma",
}
AS_IT_COMES: dict[str, str] = {}

pytestmark = [
    pytest.mark.slow,
    pytest.mark.weekly,  # and on every push in a job of its own
    pytest.mark.skipif(not instructions.is_x86(), reason="only x86-64 has such instructions"),
    pytest.mark.skipif(bool(instructions.lacking()), reason="this processor has no AVX2"),
]


@pytest.fixture(scope="module")
def digests(tmp_path_factory):
    """What a process computes whose environment forces the libraries, each once."""
    known = {}

    def compute(mode, forced):
        key = (mode, *forced.values())
        if key not in known:
            folder = tmp_path_factory.mktemp("digests")
            # What this test process was set up with must not reach it.
            plain = instructions.environment("native")
            plain = {k: v for k, v in plain.items() if k not in instructions.CHOICES}
            environment = {
                **plain,
                **forced,
                instructions.MODE: mode,
                "PYTHONPATH": os.pathsep.join(map(str, (ROOT / "src", ROOT))),
                "OMP_NUM_THREADS": "1",
                "NUMBA_CACHE_DIR": str(folder / "numba"),
            }
            done = subprocess.run(
                [sys.executable, "-m", "tests.training.digests", str(folder / "work")],
                env=environment,
                cwd=folder,
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, done.stderr
            known[key] = json.loads(done.stdout.splitlines()[-1])
        return known[key]

    return compute


@pytest.mark.parametrize("forced", [NARROW, WIDEST], ids=["narrow", "widest"])
def test_portable_gives_the_same_bits_whatever_the_environment_asks_for(digests, forced):
    assert digests("portable", forced) == digests("portable", AS_IT_COMES)


@pytest.mark.skipif(
    "avx512f" not in instructions.processor().get("flags", "").split(),
    reason="without AVX-512 there is nothing wider to use",
)
def test_native_gives_other_bits_with_wider_vectors(digests):
    """Or the test above could not fail."""
    narrow, widest = digests("native", NARROW), digests("native", WIDEST)
    # Not every cell: MKL, which computes a GRU, takes narrow vectors on AMD's processors anyway.
    assert narrow["lstm"] != widest["lstm"]
