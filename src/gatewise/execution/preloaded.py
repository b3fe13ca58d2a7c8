"""Imported by the warm process for what its import brings along: modules that load late.

Libraries import these at their first use and ours by the names of settings, so that each run, a
process of its own, would import them anew.
"""

from __future__ import annotations

import importlib

from gatewise.config.objectives import objective_class, objective_kinds

LATE = (
    "email.headerregistry",
    "fsspec.implementations.chained",
    "importlib_metadata._adapters",
    "pandas.core.arrays.arrow.extension_types",
    "pandas.io.formats.csvs",
    "pyarrow.dataset",
    "pyarrow.pandas_compat",
    "torch.utils.serialization.config",
)
"""Some belong to versions of libraries: what is not there is not needed."""

for _name in LATE:
    try:
        importlib.import_module(_name)
    except ModuleNotFoundError:
        continue
for _kind in objective_kinds():
    objective_class(_kind)
