"""`params.yaml` with a reason beside each value: written so that people read and change it."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import Any

import yaml

from gatewise import config
from gatewise.errors import GatewiseError
from gatewise.repro.studies.choices import Chosen, Section, plain
from gatewise.repro.studies.proposal import Proposal

WIDTH = 100
"""Characters of a line; a comment that does not fit goes above its value."""
HEADER = (
    "Written by `gatewise new`; each value has its reason beside it. Change what you know better:",
    "`gatewise config` explains every key, and an unknown one is refused.",
)


def render(proposal: Proposal) -> str:
    """The text of `params.yaml`; read again, it says exactly what was proposed.

    Raises:
        GatewiseError: it would be refused, or does not say the same.
    """
    lines = [f"# {line}" for line in HEADER]
    for key, section in proposal.sections.items():
        lines += ["", *_entry(key, section, 0)]
    text = "\n".join(lines) + "\n"
    if yaml.safe_load(text) != plain(proposal.sections):
        raise GatewiseError("the proposed study cannot be written as YAML; please report this")
    config.parse(yaml.safe_load(text), origin="the proposed study")
    return text


def _entry(key: str, found: Chosen | Section, depth: int) -> Iterator[str]:
    indent = "  " * depth
    if not isinstance(found, Chosen):
        yield f"{indent}{_flow(key)}:"
        for name, inner in found.items():
            yield from _entry(name, inner, depth + 1)
        return
    line = f"{indent}{_flow(key)}: {_flow(found.value)}"
    reason = _one_line(found.reason)
    if not reason:
        yield line
    elif len(line) + len(reason) + 4 <= WIDTH:
        yield f"{line}  # {reason}"
    else:
        wrapped = textwrap.wrap(reason, WIDTH - len(indent) - 2, break_on_hyphens=False)
        yield from (f"{indent}# {part}" for part in wrapped)
        yield line


def _flow(value: Any) -> str:
    """A value in one line of YAML."""
    text = yaml.safe_dump(
        [value], default_flow_style=True, width=10**9, allow_unicode=True, sort_keys=False
    )
    return text.strip().removeprefix("[").removesuffix("]")


def _one_line(text: str) -> str:
    """What may stand in a comment: labels and paths can hold anything."""
    shown = "".join(c if c.isprintable() else " " for c in text)
    return " ".join(shown.split())
