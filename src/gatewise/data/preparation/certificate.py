"""The leakage certificate: what was checked, how often it was violated, and by whom.

A leak is information about test examples that training could have used. Each kind is counted;
a leak that the study does not name under `allow`, with a reason, fails preparation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from gatewise.artifacts.data_report import Check, DataReport
from gatewise.artifacts.manifest import SAME
from gatewise.config import SPLITS
from gatewise.data.preparation import near_duplicates
from gatewise.errors import GatewiseError

SHOWN = 3  # examples of each leak


class LeakError(GatewiseError):
    """A leak that nobody allowed; `report` is the report that says so."""

    def __init__(self, message: str, report: DataReport, leaks: Sequence[Finding]) -> None:
        super().__init__(message)
        self.report = report
        self.leaks = leaks


@dataclass(frozen=True)
class Finding:
    """The outcome of one check."""

    leak: str
    """Name, as `allow` takes it."""
    claim: str
    """What holds when nothing was found."""
    count: int
    """Violations."""
    examples: tuple[str, ...] = ()
    """A few violations in words."""
    how: str | None = None
    """What was done so that it holds."""

    def check(self, allow: Mapping[str, str]) -> Check:
        """What the report says, given the leaks that the study accepts."""
        return Check(
            claim=self.claim,
            count=self.count,
            examples=list(self.examples) or None,
            allowed=allow.get(self.leak) if self.count else None,
            how=self.how,
        )


def certify(
    rows: pd.DataFrame,
    resample: bool,
    keys: np.ndarray | None = None,
    text_of: Callable[[int], str] | None = None,
    unlearned: Sequence[str] | None = None,
    joined: int = 0,
    labels: Finding | None = None,
) -> list[Finding]:
    """All checks that apply.

    Args:
        rows: `id, label, group, split, content` of each example; `label` as text.
        resample: splits are drawn by group for each seed, so that what two groups share can
            leak in some draw: groups then take the place of splits.
        keys: MinHash keys of texts, see `gatewise.data.preparation.near_duplicates`.
        text_of: gives a text by its place in `rows`.
        unlearned: vocabulary entries that training documents cannot have given.
        joined: groups that were joined to others because they hold nearly the same texts.
        labels: what takes the place of looking for every label in every split.
    """
    part = rows["group" if resample else "split"]
    between = "groups" if resample else "splits"
    findings = [_groups(rows, resample), _duplicates(rows, part, between)]
    if keys is not None and text_of is not None:
        findings.append(_near_duplicates(rows, part, between, keys, text_of, joined))
    if unlearned is not None:
        findings.append(
            Finding(
                "vocabulary",
                "every vocabulary entry comes from training texts",
                len(unlearned),
                tuple(map(repr, unlearned[:SHOWN])),
            )
        )
    findings.append(_labels(rows, resample) if labels is None else labels)
    return findings


def refused(findings: Iterable[Finding], allow: Mapping[str, str]) -> list[Finding]:
    """Findings that fail preparation."""
    return [finding for finding in findings if finding.count and finding.leak not in allow]


def refusal(task: str, leaks: Sequence[Finding]) -> str:
    """What to tell the user about `leaks`."""
    names = ", ".join(leak.leak for leak in leaks)
    return (
        f"tasks.{task}: the data leak between splits; {violations(leaks)}\n  mend the data,"
        f" or accept it: put {names} under tasks.{task}.allow with the reason"
    )


def violations(leaks: Sequence[Finding]) -> str:
    """Each leak on a line of its own."""
    return "\n  ".join(
        f"{leak.leak}: {leak.count} violations of '{leak.claim}', e.g. {'; '.join(leak.examples)}"
        for leak in leaks
    )


def _groups(rows: pd.DataFrame, resample: bool) -> Finding:
    claim = "no group lies in two splits"
    if resample:  # whole groups are drawn: true by construction, and tested as a property
        return Finding("groups", claim, 0)
    # Groups made from the content are copies: those are counted as duplicates.
    named = rows[~rows["group"].str.startswith(SAME)]
    crossing = named.groupby("group")["split"].agg(lambda split: sorted(set(split)))
    crossing = crossing[crossing.map(len) > 1]
    examples = [f"{group!r} in {' and '.join(parts)}" for group, parts in crossing.items()]
    return Finding("groups", claim, len(crossing), tuple(examples[:SHOWN]))


def _duplicates(rows: pd.DataFrame, part: pd.Series[Any], between: str) -> Finding:
    first = rows.assign(part=part).groupby("content", sort=False).first()
    origin = rows["content"].map(first["part"])
    crossing = rows[part != origin]
    shown = crossing.head(SHOWN)
    examples = [
        f"{row_id} ({place}) = {other} ({elsewhere})"
        for row_id, place, other, elsewhere in zip(
            shown["id"],
            part[shown.index],
            shown["content"].map(first["id"]),
            shown["content"].map(first["part"]),
            strict=True,
        )
    ]
    claim = f"no two examples of different {between} have the same content"
    return Finding("duplicates", claim, len(crossing), tuple(examples))


def _near_duplicates(
    rows: pd.DataFrame,
    part: pd.Series[Any],
    between: str,
    keys: np.ndarray,
    text_of: Callable[[int], str],
    joined: int,
) -> Finding:
    contents = rows["content"].to_numpy()
    pairs = [
        pair
        for pair in near_duplicates.crossing(keys, part.to_numpy(), text_of)
        if contents[pair.row] != contents[pair.other]  # the same text is counted as a duplicate
    ]
    names = [f"{row_id} ({place})" for row_id, place in zip(rows["id"], part, strict=True)]
    examples = [
        f"{names[pair.row]} ~ {names[pair.other]}, similarity {pair.similarity:.2f}"
        for pair in pairs[:SHOWN]
    ]
    claim = (
        f"no two texts of different {between} share {near_duplicates.THRESHOLD:.0%} of their "
        f"{near_duplicates.SHINGLE}-character runs"
    )
    how = f"{joined} groups with nearly the same texts were joined to others" if joined else None
    return Finding("near-duplicates", claim, len(pairs), tuple(examples), how)


def _labels(rows: pd.DataFrame, resample: bool) -> Finding:
    if resample:  # a draw can only give every split every label where each has three groups
        groups = rows.groupby("label")["group"].nunique()
        few = groups[groups < len(SPLITS)]
        examples = [f"{label!r} has {count} groups" for label, count in few.items()]
        claim = "every label has enough groups for every split"
        return Finding("labels", claim, len(few), tuple(examples[:SHOWN]))
    counts = pd.crosstab(rows["label"], rows["split"]).reindex(columns=list(SPLITS), fill_value=0)
    lacking = counts[(counts == 0).any(axis=1)]
    examples = [
        f"{label!r} ({number.sum()} examples) is missing from "
        f"{' and '.join(number.index[number == 0])}"
        for label, number in lacking.iterrows()
    ]
    claim = "every split has every label"
    return Finding("labels", claim, len(lacking), tuple(examples[:SHOWN]))
