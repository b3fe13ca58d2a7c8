"""The whole study as an MLflow run in an experiment of its own: answers, claims, the report."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from gatewise.artifacts.comparison import FILE, Comparison
from gatewise.files import digest, sha256
from gatewise.report import words
from gatewise.tracking import answers, notes, tables
from gatewise.tracking.content import Content, MetricKey

NAME = "whole_study"
"""In place of a task's name, which never holds an underscore."""
ATTACHED = (FILE, "summary.md", "index.html")
REPORT = "index.html"
ANSWERS, CLAIMS = "answers.json", "claims.json"


def key(comparison_keys: Iterable[str]) -> str:
    """Identity of the study that these comparisons belong to."""
    return digest(["study", sorted(comparison_keys)])


def content(
    comparison: Comparison, comparison_keys: dict[str, str], reports: str | Path
) -> Content:
    """The run of the whole study.

    Args:
        comparison: `reports/comparison.json`.
        comparison_keys: key of each task's comparison run.
        reports: folder whose report is attached.
    """
    files = [Path(reports) / file for file in ATTACHED if (Path(reports) / file).is_file()]
    artifacts: dict[str, Callable[[], bytes]] = {path.name: path.read_bytes for path in files}
    artifacts[ANSWERS] = lambda: _answers(comparison).as_json()
    if comparison.claims:
        artifacts[CLAIMS] = lambda: _claims(comparison).as_json()
    sentences = {
        f"gatewise.answer.{name}": answers.sentence(task) for name, task in comparison.tasks.items()
    }
    return Content(
        key=key(comparison_keys.values()),
        name="study",
        task=NAME,
        kind="study",
        params={"alpha": str(comparison.alpha), "tasks": ", ".join(comparison.tasks)},
        metrics=metrics(comparison),
        tags={
            **sentences,
            "dvc.stage": "compare",
            **tables.tag(path for path in (ANSWERS, CLAIMS) if path in artifacts),
        },
        notes=_notes(comparison, comparison_keys),
        artifacts=artifacts,
        files_digest=digest({path.name: sha256(path) for path in files}),
    )


def metrics(comparison: Comparison) -> dict[MetricKey, float]:
    """Rank of each variant, averaged over tasks; 1 is the best."""
    ranks = comparison.across.average_ranks
    return {(f"test/average_rank/{name}", 0): float(rank) for name, rank in ranks.items()}


def _notes(comparison: Comparison, comparison_keys: dict[str, str]) -> str:
    lines = ["### LSTM or GRU?", ""]
    for name, task in comparison.tasks.items():
        title = notes.link(name, comparison_keys[name])
        lines.append(f"- **{title}**: {answers.sentence(task)}")
    lines += ["", comparison.across.sentence, ""]
    if comparison.claims:
        lines += ["| textbook sentence | verdict |", "| --- | --- |"]
        lines += [f"| {claim.statement} | {claim.verdict} |" for claim in comparison.claims]
    lines += ["", *(f"> {warning}" for warning in comparison.warnings)]
    return "\n".join(lines).strip()


def _answers(comparison: Comparison) -> tables.Table:
    rows = [
        (name, answers.choice(task) or "", answers.sentence(task))
        for name, task in comparison.tasks.items()
    ]
    return tables.Table(("task", "take", "answer"), rows)


def _claims(comparison: Comparison) -> tables.Table:
    rows = [
        (claim.statement, claim.verdict, _evidence(claim.evidence)) for claim in comparison.claims
    ]
    return tables.Table(("textbook sentence", "verdict", "evidence"), rows)


def _evidence(evidence: object) -> str:
    return str(getattr(evidence, "sentence", "") or "")


def heading(comparison: Comparison) -> str:
    """The answers of all tasks, for the experiment's description."""
    return "\n".join(
        f"- **{words.title(name, task)}**: {answers.sentence(task)}"
        for name, task in comparison.tasks.items()
    )
