"""Changing how many seeds `params.yaml` asks for, and nothing else in it.

The YAML parser says from where to where the value stands, and only those characters are
replaced. Loading and dumping, even by a parser that keeps comments, would lay out anew what
people wrote, and lose the comments that follow a block which goes.
"""

from __future__ import annotations

from pathlib import Path

import yaml

from gatewise import config
from gatewise.config import Study
from gatewise.errors import GatewiseError
from gatewise.files import replacing

SEEDS = "seeds"


def with_seeds(seeds: int, path: str | Path = "params.yaml") -> Study:
    """Write the number of seeds, in place of whatever was said of them before.

    Returns:
        The study as it stands now.

    Raises:
        GatewiseError: the file is no study, or would be none afterwards; then it is left alone.
    """
    path = Path(path)
    before = config.load(path)
    text = path.read_bytes().decode("utf-8")  # not read_text, which would change line ends
    changed = _replaced(text, seeds)
    try:
        after = config.parse(yaml.safe_load(changed), origin=str(path))
    except yaml.YAMLError as error:
        raise GatewiseError(f"{path}: `{SEEDS}` cannot be changed here ({error})") from None
    if after.model_dump() != before.model_copy(update={SEEDS: seeds}).model_dump():
        raise GatewiseError(f"{path}: `{SEEDS}` cannot be changed by itself; change it by hand")
    with replacing(path) as temporary:
        temporary.write_bytes(changed.encode("utf-8"))
    return config.load(path)


def _replaced(text: str, seeds: int) -> str:
    """The text with another value of `seeds`."""
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    assert isinstance(root, yaml.MappingNode)  # noqa: S101 - it was loaded as a study
    for key, value in root.value:
        if key.value == SEEDS:
            start, end = key.end_mark.index, value.start_mark.index
            # A block begins on a line of its own: comments before it stay behind the number.
            comments = text[start:end].replace(":", "", 1).rstrip()
            return f"{text[:start]}: {seeds}{comments}{text[_end(value, text) :]}"
    if root.flow_style:
        start = root.start_mark.index + 1
        return f"{text[:start]}{SEEDS}: {seeds}, {text[start:]}"
    return f"{text.rstrip()}\n\n{SEEDS}: {seeds}\n"


def _end(node: yaml.Node, text: str) -> int:
    """Where a value ends. The mark of a block stands behind the comments that follow it."""
    if isinstance(node, yaml.ScalarNode) and node.style in ("|", ">"):
        return len(text[: node.end_mark.index].rstrip())
    if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return _end(last[1] if isinstance(last, tuple) else last, text)
    return int(node.end_mark.index)
