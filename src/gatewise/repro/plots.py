"""`dvc plots` without a network: a page of our own, named in DVC's local configuration."""

from __future__ import annotations

from pathlib import Path

from gatewise.errors import GatewiseError
from gatewise.report import plots_template
from gatewise.repro import dvc

TEMPLATE = Path(".gatewise/plots.html")
KEY = "plots.html_template"


def settle() -> Path:
    """Write the page and let DVC use it; a page that somebody chose before stays.

    Returns:
        The page that `dvc plots` uses now.

    Raises:
        GatewiseError: this is no DVC project.
    """
    if not Path(".dvc").is_dir():
        raise GatewiseError("there is no .dvc folder here; run this where dvc.yaml is")
    plots_template.write(TEMPLATE)
    lines = (line.partition("=") for line in dvc.call("config", "--list", quiet=True).splitlines())
    chosen = next((value for key, _, value in lines if key == KEY), None)
    if chosen is None:
        # DVC takes a relative path as relative to .dvc.
        dvc.call("config", "--local", KEY, f"../{TEMPLATE.as_posix()}", quiet=True)
        return TEMPLATE
    return Path(".dvc", chosen).resolve()
