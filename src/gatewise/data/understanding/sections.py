"""Sections `source` as the configuration takes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gatewise.config import SourceOptions, source_class
from gatewise.errors import GatewiseError


def parse(section: Mapping[str, Any]) -> SourceOptions:
    """The source that a section asks for.

    Raises:
        GatewiseError: it says something that is not allowed.
    """
    try:
        return source_class(section["kind"]).model_validate(dict(section))
    except ValueError as error:  # pydantic's own; its first line that is ours will do
        said = [line.strip() for line in str(error).splitlines() if "Value error, " in line]
        reason = said[0].removeprefix("Value error, ").split(" [type=")[0] if said else str(error)
        raise GatewiseError(f"{section.get('path', section['kind'])}: {reason}") from None
