"""From a request's body to items: JSON that is bounded before it is parsed, rows by name."""

from __future__ import annotations

import json
from typing import Any

from gatewise.serving.predictor import Item

MOST_ITEMS = 1024
MOST_CONTAINERS = 500_000
"""Lists and objects of one body; each step of frames is one. They take a hundred bytes apiece."""
MOST_VALUES = 8_000_000
"""Values of one body, by its commas; they take 32 bytes apiece."""


class RefusedError(Exception):
    """A request that is answered with this status and sentence."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


def item(body: bytes, kind: str) -> Item:
    """The one item of a body of the content type `kind`.

    Raises:
        RefusedError: there is none.
    """
    if not body:
        raise RefusedError(400, "the request has no body")
    if kind == "application/json":
        value = parsed(body)
        if not isinstance(value, dict):
            raise RefusedError(400, "the body must be a JSON object")
        return value
    if kind.startswith("audio/") or kind == "application/octet-stream":
        return {"audio": body}
    if kind.startswith("image/"):
        return {"image": body}
    if kind == "text/plain":
        try:
            return {"text": body.decode()}
        except UnicodeDecodeError:
            raise RefusedError(400, "the text is not UTF-8") from None
    raise RefusedError(
        415,
        f"content type {kind or 'missing'}; use application/json, audio/wav, image/png or "
        "text/plain",
    )


def parsed(body: bytes) -> Any:
    """The JSON of a body.

    Raises:
        RefusedError: it is none, or would take far more memory than its length.
    """
    if body.count(b"[") + body.count(b"{") > MOST_CONTAINERS or body.count(b",") > MOST_VALUES:
        raise RefusedError(
            413,
            f"more than {MOST_CONTAINERS:,} lists or {MOST_VALUES:,} values in one request; send "
            "fewer items",
        )
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise RefusedError(400, "the body is not JSON") from None


def rows(value: Any) -> list[Item]:
    """Items of MLflow's request formats `dataframe_records`, `dataframe_split` and `inputs`.

    Raises:
        RefusedError: they are not of any of these, or too many.
    """
    if not isinstance(value, dict):
        raise RefusedError(400, "the body must be a JSON object")
    if "dataframe_records" in value:
        found = value["dataframe_records"]
    elif "dataframe_split" in value:
        found = _from_split(value["dataframe_split"])
    elif isinstance(value.get("inputs"), dict):
        found = _from_columns(value["inputs"])
    else:
        found = value.get("inputs")
    if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
        raise RefusedError(
            400,
            "give rows as dataframe_records, dataframe_split or inputs, each with named columns",
        )
    if not 0 < len(found) <= MOST_ITEMS:
        raise RefusedError(400, f"{len(found)} rows; from 1 to {MOST_ITEMS} are taken at once")
    return found


def _from_split(split: Any) -> Any:
    needed = RefusedError(400, "dataframe_split needs columns, and data of as many")
    if not isinstance(split, dict):
        raise needed
    columns, data = split.get("columns"), split.get("data")
    if not isinstance(columns, list) or not isinstance(data, list):
        raise needed
    if not all(isinstance(name, str) for name in columns) or len(set(columns)) != len(columns):
        raise RefusedError(400, "names of columns must be strings, each once")
    if not all(isinstance(row, list) and len(row) == len(columns) for row in data):
        raise needed
    return [dict(zip(columns, row, strict=True)) for row in data]


def _from_columns(columns: dict[str, Any]) -> Any:
    lengths = {len(column) if isinstance(column, list) else -1 for column in columns.values()}
    if len(lengths) != 1 or -1 in lengths:
        raise RefusedError(400, "inputs needs equally long columns")
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
