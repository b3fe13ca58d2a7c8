"""The cell that docs/cells.md shows how to add keeps what is said of it there."""

import re

import pytest
import torch

from gatewise.config import VariantConfig
from gatewise.models import cells, recurrence
from gatewise.models.cells.base import _FAMILY
from tests.models.cells.test_family import drawn, made, results, started


@pytest.fixture
def example(project):
    text = (project / "docs" / "cells.md").read_text()
    (code,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    before = dict(_FAMILY)
    exec(compile(code, "docs/cells.md", "exec"), {"__name__": "example"})
    (name,) = set(_FAMILY) - set(before)
    yield name
    del _FAMILY[name]


def test_a_new_cell_is_found_started_and_differentiated(example):
    assert example in cells.names()
    recurrence.check(VariantConfig(cell=example, hidden=8, init="chrono", layers=2))
    cell = made(example)
    assert cell.has_fused()
    x_tbf, state = drawn(7, 3, 5), started(cell, 3)
    for fused, unrolled in zip(
        results(cell, "fused", x_tbf, state), results(cell, "unrolled", x_tbf, state), strict=True
    ):
        torch.testing.assert_close(fused, unrolled)


def test_it_computes_its_equations(example):
    cell = made(example)
    x, h = drawn(2, 5), drawn(2, 6, seed=3)
    z, n = (x @ cell.weight_ih.T + h @ cell.weight_hh.T + cell.bias).chunk(2, -1)
    z = z.sigmoid()
    torch.testing.assert_close(cell.core(x, (h,))[0], z * h + (1 - z) * n.tanh())
