"""Reading YAML that people write: keys that stand twice are refused, and files no study needs.

A few bytes of YAML can stand for billions of values (aliases of aliases) or nest without end, and
a key that is written twice silently keeps its last value.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import yaml

from gatewise.errors import GatewiseError
from gatewise.files import read_regular

LARGEST = 2**20
"""Bytes; a study of a thousand variants has a tenth."""
DEEPEST = 30
"""Levels; a study has six."""
MOST_VALUES = 200_000
"""With every alias written out."""
MOST_LOCKED = 20_000_000
"""The same of `dvc.lock`, which names every file that a stage reads; the shipped one has 10,000."""
_LOADER: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_MERGE = "tag:yaml.org,2002:merge"


def read(path: str | Path) -> Any:
    """The content of a YAML file.

    Raises:
        FileNotFoundError: there is none.
        GatewiseError: it is no YAML, says a key twice, or is larger than any study needs; the
            message names the line where it can.
    """
    data = read_regular(path, LARGEST)
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise GatewiseError(f"{path}: not readable as YAML: {error}") from None
    return parse(text, path)


def parse(text: str, path: str | Path, most: int = MOST_VALUES) -> Any:
    """The content of YAML that is at hand.

    Args:
        text: the YAML.
        path: where it is from, for messages.
        most: values that it may stand for.

    Raises:
        GatewiseError: as `read` does.
    """
    try:
        _check_depth(text, path)
        loader = _LOADER(text)
        try:
            node = loader.get_single_node()
            if node is None:
                return None
            _check(node, path, {}, most)
            return loader.construct_document(node)
        finally:
            loader.dispose()
    except (yaml.YAMLError, ValueError, OverflowError, RecursionError) as error:
        if isinstance(error, GatewiseError):
            raise
        reason = str(error)[:500] or "nested too deeply"
        raise GatewiseError(f"{path}: not readable as YAML: {reason}") from None


def require_shallow(text: str, path: str | Path) -> None:
    """Refuse YAML that is nested deeper than any of ours; other faults are not looked for.

    Raises:
        GatewiseError: naming the line.
    """
    with contextlib.suppress(yaml.YAMLError):
        _check_depth(text, path)


def _line(mark: Any) -> int:
    return int(mark.line) + 1


def _check_depth(text: str, path: str | Path) -> None:
    """Refuse deep nesting event by event: composing it would already exhaust the stack."""
    depth = 0
    for event in yaml.parse(text, Loader=_LOADER):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > DEEPEST:
                raise GatewiseError(
                    f"{path}: line {_line(event.start_mark)}: nested more than {DEEPEST} levels "
                    "deep, which no study is"
                )
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _check(node: yaml.Node, path: str | Path, sizes: dict[int, int], most: int) -> int:
    """Values that `node` stands for; refuses keys that stand twice.

    Args:
        node: what to look through.
        path: of the file, for messages.
        sizes: of nodes seen before, by identity; 0 for those that are being looked through.
        most: values that it may stand for.
    """
    known = sizes.get(id(node))
    if known == 0:
        raise GatewiseError(f"{path}: line {_line(node.start_mark)}: an alias that holds itself")
    if known is not None:
        return known
    sizes[id(node)] = 0
    size = 1
    if isinstance(node, yaml.MappingNode):
        _check_keys(node, path)
        size += sum(_check(part, path, sizes, most) for pair in node.value for part in pair)
    elif isinstance(node, yaml.SequenceNode):
        size += sum(_check(part, path, sizes, most) for part in node.value)
    if size > most:
        raise GatewiseError(
            f"{path}: line {_line(node.start_mark)}: more than {most:,} values with every "
            "alias written out, which no study has"
        )
    sizes[id(node)] = size
    return size


def _check_keys(node: yaml.MappingNode, path: str | Path) -> None:
    seen: dict[tuple[str, str], yaml.ScalarNode] = {}
    for key, _value in node.value:
        line = _line(key.start_mark)
        if not isinstance(key, yaml.ScalarNode):
            raise GatewiseError(
                f"{path}: line {line}: a key must be a word, not a list or a mapping"
            )
        first = seen.setdefault((key.tag, key.value), key)
        if first is not key and key.tag != _MERGE:
            raise GatewiseError(
                f"{path}: line {line}: key {key.value!r} stands twice (first in line "
                f"{_line(first.start_mark)}); keep one of them"
            )
