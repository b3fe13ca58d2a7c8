"""`reports/index.html`: one self-contained file that needs no network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gatewise.report import words
from gatewise.report.table import footnote


def render(comparison: Mapping[str, Any]) -> str:
    """The comparison as a page; see `page.html.j2` beside this file."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("gatewise.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    template = environment.get_template("page.html.j2")
    return template.render(
        comparison=comparison, tasks=comparison["tasks"], words=words, footnote=footnote(comparison)
    )
