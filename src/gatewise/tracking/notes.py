"""Descriptions of runs, which link to each other although ids are known only in the store.

A template names runs by their key, views by theirs: `[lstm]({run:KEY})`, `[seeds]({view:KEY})`;
`[plot]({file:PATH})` shows a file of the run, and `{artifacts}` stands for the address of its
files. A link whose target the store does not hold becomes plain text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from gatewise.tracking import links

TAG = "mlflow.note.content"
LENGTH = 8_000
"""Characters that a run's tag holds."""
_RUN = re.compile(r"\[([^\]]*)\]\(\{run:([^}]*)\}\)")
_FILE = re.compile(r"\[([^\]]*)\]\(\{file:([^}]*)\}\)")
_VIEW = re.compile(r"\[([^\]]*)\]\(\{view:([^}]*)\}\)")


@dataclass(frozen=True)
class Place:
    """Where a run stands in the store."""

    experiment: str
    run_id: str


def link(text: str, key: str) -> str:
    """A link to the run with this key."""
    return f"[{text}]({{run:{key}}})"


def view_link(text: str, key: str) -> str:
    """A link to a view of the run's experiment."""
    return f"[{text}]({{view:{key}}})"


def file_link(text: str, path: str) -> str:
    """A link to a file of the run itself, shown in place."""
    return f"[{text}]({{file:{path}}})"


def filled(template: str, own: Place, runs: Mapping[str, Place]) -> str:
    """The description of a run.

    Args:
        template: see above.
        own: where the run is.
        runs: all runs by key.
    """

    def run(match: re.Match[str]) -> str:
        place = runs.get(match[2])
        address = place and links.run(place.experiment, place.run_id)
        return f"[{match[1]}]({address})" if address else match[1]

    def view(match: re.Match[str]) -> str:
        return f"[{match[1]}]({links.experiment(own.experiment)}&viewStateShareKey={match[2]})"

    def file(match: re.Match[str]) -> str:
        return f"[{match[1]}]({links.artifact(own.experiment, own.run_id, match[2])})"

    text = _FILE.sub(file, _VIEW.sub(view, _RUN.sub(run, template)))
    files = f"get-artifact?run_uuid={own.run_id}&path="
    return text.replace("{artifacts}", files)[:LENGTH]
