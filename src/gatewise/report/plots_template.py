"""The page around `dvc plots`, with Vega inside it instead of fetched from a network."""

from __future__ import annotations

from pathlib import Path

from gatewise.files import replacing
from gatewise.report.page import library

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
{refresh_tag}
<title>gatewise: plots of DVC</title>
<style>
body {{ font-family: system-ui, sans-serif; margin: 2rem; }}
</style>
<script>{library}</script>
</head>
<body>
{plot_divs}
</body>
</html>
"""


def write(path: str | Path) -> None:
    """Write the template that `plots.html_template` of DVC names.

    DVC puts its own scripts, which would be fetched, where a template says `{scripts}`; this one
    does not say so.
    """
    placeholders = {name: f"{{{name}}}" for name in ("refresh_tag", "plot_divs")}
    text = _PAGE.format(library=library(), **placeholders)
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
