"""Compiled products and loops: what their bits are, and that vectors' width has no part in it."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatewise.models.cells import compiled, sequences
from gatewise.training import instructions

ROOT = Path(__file__).parents[3]
# Around the heights of tiles, the widths of vectors and the ends of blocks.
ROWS = st.one_of(st.integers(1, 30), st.sampled_from([63, 64, 100, 128]))
COLUMNS = st.one_of(st.integers(1, 70), st.sampled_from([96, 100, 128, 257]))
TERMS = st.one_of(st.integers(1, 20), st.sampled_from([64, 255, 256, 257, 512, 600]))


def matrices(rows, terms, columns, dtype=np.float32):
    draws = np.random.default_rng([rows, terms, columns])
    return (
        draws.standard_normal((rows, terms)).astype(dtype),
        draws.standard_normal((terms, columns)).astype(dtype),
    )


def product(a, b):
    c = np.full((len(a), b.shape[1]), np.nan, a.dtype)
    compiled.product(a, b, c)
    return c


def chained(a, b):
    """What a product is defined as. Double precision holds each product of two singles exactly."""
    total = None
    for first in range(0, a.shape[1], compiled.BLOCK):
        block = np.zeros((len(a), b.shape[1]), np.float32)
        for k in range(first, min(first + compiled.BLOCK, a.shape[1])):
            block = (block + np.multiply.outer(*map(np.float64, (a[:, k], b[k])))).astype(
                np.float32
            )
        total = block if total is None else total + block
    return total


@settings(deadline=None, max_examples=50)  # the first one compiles
@given(ROWS, TERMS, COLUMNS)
def test_each_element_is_a_chain_of_fused_multiply_adds(rows, terms, columns):
    a, b = matrices(rows, terms, columns)
    assert np.array_equal(product(a, b), chained(a, b))


@settings(deadline=None, max_examples=50)  # the first one compiles
@given(ROWS, TERMS, COLUMNS, st.sampled_from([np.float32, np.float64]))
def test_layouts_make_no_difference(rows, terms, columns, dtype):
    a, b = matrices(rows, terms, columns, dtype)
    expected = product(a, b)
    np.testing.assert_allclose(expected, a @ b, rtol=1e-3, atol=1e-4)
    for second in (b, np.asfortranarray(b)):
        for first in (np.asfortranarray(a), np.repeat(a, 2, axis=1)[:, ::2]):
            assert np.array_equal(product(first, second), expected)


@settings(deadline=None, max_examples=50)  # the first one compiles
@given(ROWS, TERMS, COLUMNS, st.integers(0, 29))
def test_a_row_does_not_hang_on_those_beside_it(rows, terms, columns, row):
    a, b = matrices(rows, terms, columns)
    row %= rows
    assert np.array_equal(product(a[row : row + 1], b)[0], product(a, b)[row])


def test_threads_make_no_difference(monkeypatch):
    torch = pytest.importorskip("torch")
    a, b = map(torch.from_numpy, matrices(130, 300, 70))
    alone = sequences.product(a, b)
    monkeypatch.setattr(sequences, "SHARE", 1)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 4)
    assert torch.equal(sequences.product(a, b), alone)


def test_what_is_not_a_number_is_not_hidden():
    y = np.full((1, 1, 40), np.nan, np.float32)
    zero = np.zeros((1, 40), np.float32)
    compiled.rnn_forward(y, zero, np.zeros((40, 40), np.float32), zero.copy())
    assert np.isnan(y).all()


def loops(units):
    """Outputs and gradients of all three loops."""
    time, batch = 5, 13
    draws = np.random.default_rng(units)

    def some(*shape):
        return draws.standard_normal(shape).astype(np.float32)

    def room(*shape):
        return np.zeros(shape, np.float32)

    h, c, y, cells = some(batch, units), some(batch, units), room(5, 13, units), room(5, 13, units)
    found = []
    for blocks, there, back in (
        (1, compiled.rnn_forward, compiled.rnn_backward),
        (4, compiled.lstm_forward, compiled.lstm_backward),
        (3, compiled.gru_forward, compiled.gru_backward),
    ):
        gates, weight = some(time, batch, blocks * units), some(blocks * units, units)
        wide, d = room(batch, blocks * units), room(time, batch, blocks * units)
        gy, g, gc = some(time, batch, units), some(batch, units), some(batch, units)
        if blocks == 1:
            there(gates, h, weight, wide)
            back(gy, g, gates, weight, d)
        elif blocks == 4:
            there(gates, h, c, weight, y, cells, wide)
            back(gy, g, gc, gates, cells, c, weight, d)
        else:
            there(gates, h, weight, some(units), y, cells, wide)
            back(gy, g, gates, cells, y, h, weight, d, room(*y.shape), room(*h.shape))
        found += [gates, y, cells, d, g, gc]
    return [array.copy() for array in found]


def digests():
    """Of products and loops at sizes that fill vectors and that do not."""
    arrays = [product(*matrices(*sizes)) for sizes in ((128, 64, 256), (61, 300, 43), (1, 5, 3))]
    arrays += [array for units in (5, 19, 64) for array in loops(units)]
    return [hashlib.sha256(array.tobytes()).hexdigest() for array in arrays]


@pytest.mark.slow
@pytest.mark.skipif(not instructions.is_x86(), reason="only x86-64 has such vectors")
@pytest.mark.skipif(bool(instructions.lacking()), reason="this processor has no AVX2")
def test_vectors_of_another_width_give_the_same_bits(tmp_path):
    code = "from tests.models.cells.test_compiled import *; print(json.dumps(digests()))"
    narrow = {"NUMBA_CPU_NAME": "haswell", "NUMBA_CPU_FEATURES": "+avx2,+fma"}
    paths = os.pathsep.join(map(str, (ROOT / "src", ROOT)))
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **narrow, "PYTHONPATH": paths, "NUMBA_CACHE_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == digests()


def test_naming_cells_loads_no_compiler(project):
    """`compiled` is left to the first sequence: `plan` and `gatewise cells` need none."""
    code = "import sys; from gatewise.models import cells; print('numba' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=project, check=True, capture_output=True, text=True
    )
    assert done.stdout.strip() == "False"
