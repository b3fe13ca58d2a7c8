"""A retraining in Markdown, as a pull request's comment shows it."""

from __future__ import annotations

from typing import Any

from gatewise.delivery.retraining.steps import Retraining
from gatewise.files import replacing, write_json

MARKER = "<!-- gatewise-retrain -->"
"""First line of the comment, by which the workflow finds the one to update."""
MOST_STAGES = 20
"""Named; a comment holds 65,536 characters."""


def write(done: Retraining) -> None:
    """Write `retrain.json` and `retrain.md` into the reports' folder."""
    write_json(done.reports / "retrain.json", done.as_json())
    gate = done.reports / "gate.md"
    verdict = gate.read_text(encoding="utf-8") if done.gate is not None and gate.is_file() else ""
    with replacing(done.reports / "retrain.md") as temporary:
        temporary.write_text(render(done.as_json(), verdict), encoding="utf-8")


def render(found: dict[str, Any], gate: str = "") -> str:
    """The comment.

    Args:
        found: `retrain.json`.
        gate: `gate.md`.
    """
    lines = [MARKER, ""]
    if found["error"]:
        lines += ["## ⚠️ Retraining could not run", "", f"> {found['error']}", ""]
    if gate:
        lines += [gate.rstrip(), ""]
    ran = found["stages_run"]
    lines += ["### What ran", ""]
    if ran:
        named = ", ".join(f"`{name}`" for name in ran[:MOST_STAGES])
        more = f" and {len(ran) - MOST_STAGES} more" * (len(ran) > MOST_STAGES)
        lines += [f"{len(ran)} stages changed: {named}{more}", ""]
    lines += [f"- {_step(step)}" for step in found["steps"]] + [""]
    moved = {task: one for task, one in found["promotions"].items() if one["promoted"]}
    for task, one in moved.items():
        before = f", was version {one['previous']}" if one["previous"] else ""
        lines.append(
            f"**{task}**: champion is now version {one['version']} ({one['variant']}{before})"
        )
    commit = (found["commit"] or "")[:9]
    dirty = " with uncommitted changes" if found["dirty"] else ""
    lines += ["", f"Commit {commit}{dirty}, lock `{found['lock'][:12]}`."]
    return "\n".join(lines).rstrip() + "\n"


def _step(step: dict[str, Any]) -> str:
    mark = {"done": "✔", "skipped": "–", "failed": "✘"}[step["status"]]  # noqa: RUF001
    return f"{mark} {step['name']}: {step['sentence']} ({step['seconds']:.0f} s)"
