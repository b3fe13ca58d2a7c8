"""A retraining in Markdown, as a pull request's comment shows it."""

from __future__ import annotations

from gatewise.delivery.retraining.steps import Record, Retraining, Step
from gatewise.files import replacing, write_json

MARKER = "<!-- gatewise-retrain -->"
"""First line of the comment, by which the workflow finds the one to update."""
MOST_STAGES = 20
"""Named; a comment holds 65,536 characters."""


def write(done: Retraining) -> None:
    """Write `retrain.json` and `retrain.md` into the reports' folder."""
    record = done.record()
    write_json(done.reports / "retrain.json", record.as_json())
    gate = done.reports / "gate.md"
    verdict = gate.read_text(encoding="utf-8") if done.gate is not None and gate.is_file() else ""
    with replacing(done.reports / "retrain.md") as temporary:
        temporary.write_text(render(record, verdict), encoding="utf-8")


def render(record: Record, gate: str = "") -> str:
    """The comment.

    Args:
        record: what became of the retraining.
        gate: `gate.md`.
    """
    lines = [MARKER, ""]
    if record.error:
        lines += ["## ⚠️ Retraining could not run", "", f"> {record.error}", ""]
    if gate:
        lines += [gate.rstrip(), ""]
    lines += ["### What ran", ""]
    ran = record.stages_run
    if ran:
        named = ", ".join(f"`{name}`" for name in ran[:MOST_STAGES])
        more = f" and {len(ran) - MOST_STAGES} more" * (len(ran) > MOST_STAGES)
        lines += [f"{len(ran)} stages changed: {named}{more}", ""]
    lines += [f"- {_step(step)}" for step in record.steps] + [""]
    for task, outcome in record.promotions.items():
        if outcome.promoted:
            before = f", was version {outcome.previous}" if outcome.previous else ""
            lines.append(
                f"**{task}**: champion is now version {outcome.version} ({outcome.variant}{before})"
            )
    commit = (record.commit or "")[:9]
    dirty = " with uncommitted changes" if record.dirty else ""
    lines += ["", f"Commit {commit}{dirty}, lock `{record.lock[:12]}`."]
    return "\n".join(lines).rstrip() + "\n"


def _step(step: Step) -> str:
    mark = {"done": "✔", "skipped": "–", "failed": "✘"}[step.status]  # noqa: RUF001
    return f"{mark} {step.name}: {step.sentence} ({step.seconds:.0f} s)"
