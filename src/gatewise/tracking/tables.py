"""Tables that MLflow shows in place, in the form of its own `log_table`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

LOGGED = "mlflow.loggedArtifacts"
"""Tag that tells MLflow which JSON files are tables."""


@dataclass(frozen=True)
class Table:
    """Rows under columns."""

    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]

    def as_json(self) -> bytes:
        """The file's content."""
        data = {"columns": list(self.columns), "data": [list(row) for row in self.rows]}
        return json.dumps(data, ensure_ascii=False).encode()


def tag(paths: Iterable[str]) -> dict[str, str]:
    """What tells MLflow that these artifacts are tables."""
    listed = [{"path": path, "type": "table"} for path in paths]
    return {LOGGED: json.dumps(listed)} if listed else {}
