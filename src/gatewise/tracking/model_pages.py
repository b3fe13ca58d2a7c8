"""The description of a registered model: what is in production, why, and the way back."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from gatewise.tracking import links

if TYPE_CHECKING:
    from mlflow.entities.model_registry import ModelVersion


def description(
    task: str,
    champion: ModelVersion | None,
    challenger: ModelVersion | None,
    experiment: str,
) -> str:
    """Markdown for the model's page.

    Args:
        task: what the model is for.
        champion: the version in use.
        challenger: the version offered last.
        experiment: path of the task's experiment.
    """
    lines = [*_in_use(task, champion), ""]
    if challenger is not None and (champion is None or challenger.version != champion.version):
        lines += [
            f"Offered last: {_named(challenger)}; `gatewise promote {task}` weighs it.",
            "",
        ]
    if champion is not None:
        previous = champion.tags.get("gatewise.previous_champion")
        back = (
            f"`gatewise rollback {task}` gives version {previous} back."
            if previous
            else "It is the first champion, so there is none to go back to."
        )
        lines += [f"**The way back.** {back}", ""]
    lines.append(f"[The runs behind it]({experiment}) · every version's tags hold its evidence.")
    return "\n".join(lines)


def _in_use(task: str, champion: ModelVersion | None) -> list[str]:
    if champion is None:
        return [f"**Nothing is in use for {task} yet**: no version carries the alias `champion`."]
    tags = champion.tags
    since = tags.get("gatewise.champion_since")
    day = _day(int(since)) if since else None
    lines = [f"**In use for {task}**: {_named(champion)}" + (f", since {day}." if day else ".")]
    if reason := tags.get("gatewise.promoted_because"):
        lines += ["", f"**Why.** {reason}"]
    if evidence := tags.get("gatewise.evidence"):
        lines += ["", f"**Evidence.** {evidence}"]
    return lines


def _named(version: ModelVersion) -> str:
    tags = version.tags
    page = links.model(version.name, str(version.version))
    what = f"{tags.get('gatewise.variant', '?')}, seed {tags.get('gatewise.seed', '?')}"
    return f"[version {version.version}]({page}) ({what})"


def _day(milliseconds: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(milliseconds / 1000))
