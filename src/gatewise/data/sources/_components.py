"""What hangs together: items that share a key, and what shares one with those."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence

import numpy as np


def components(keys: Sequence[Iterable[Hashable]]) -> np.ndarray:
    """The component of each item, int `(items,)`: items that share a key are in the same one.

    Args:
        keys: of each item.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    number: dict[Hashable, int] = {}
    edges = [
        (item, len(keys) + number.setdefault(key, len(number)))
        for item, own in enumerate(keys)
        for key in own
    ]
    rows, columns = np.array(edges, dtype=np.int64).reshape(-1, 2).T
    size = len(keys) + len(number)
    graph = coo_array((np.ones(len(edges), dtype=bool), (rows, columns)), shape=(size, size))
    _, found = connected_components(graph, directed=False)
    return np.asarray(found[: len(keys)])
