"""`reports/data/<task>.json`: what is in a task's data, and the certificate that nothing leaks."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from gatewise.errors import GatewiseError
from gatewise.files import read_json, write_json


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class Examples(_Strict):
    """Some examples that have something in common."""

    count: int
    examples: list[str]
    """Ids of the first of them, or sentences about them."""


class Check(_Strict):
    """One line of the certificate."""

    claim: str
    """What holds when nothing was found."""
    count: int | None = None
    """Violations; `None` where there is nothing to count."""
    examples: list[str] | None = None
    """A few violations in words."""
    allowed: str | None = None
    """The reason why the study accepts the violations."""
    how: str | None = None
    """How the claim is kept, where it holds by construction."""


class Part(_Strict):
    """One split."""

    examples: int
    groups: int
    label_counts: dict[str, int]


class Stratification(_Strict):
    """How far the share of a label in a split lies from its share overall."""

    largest_difference: float
    """Of shares, 0 to 1."""
    label: str
    """Where that is."""
    split: str
    fractions: dict[str, float]
    """Share of the examples in each split."""


class Quantiles(_Strict):
    """How a quantity is distributed over examples."""

    min: float
    q05: float
    median: float
    q95: float
    max: float
    total: float | None = None
    """Sum over all examples, where it means something."""


class DataReport(_Strict):
    """Counts that let a person judge the data; a DVC metric."""

    title: str
    synthetic: bool
    licence: str
    digest: str
    """Of the prepared task."""
    examples: int
    groups: int
    labels: int
    """How many there are."""
    duplicates: int
    """Examples with the content of an earlier one."""
    contradictions: int
    """Contents that stand under more than one label."""
    contradicting: list[str] | None = None
    """The first of them, where there are any."""
    skipped_by_source: dict[str, int]
    """Examples left out by the source, counted by reason."""
    unusable: Examples
    """Examples left out by preparation, with the reason."""
    flaws: dict[str, Examples]
    """Examples that are used all the same, by kind of flaw."""
    steps: Quantiles
    """Lengths of the sequences."""
    seconds: Quantiles | None = None
    """Durations of the clips."""
    truncated_share: float | None = None
    """Share of the texts that were cut."""
    unknown_share: float | None = None
    """Share of the tokens that the vocabulary lacks."""
    unheard_share: float | None = None
    """Share of the symbols to be said outside training that no model can say."""
    repeated_share: float | None = None
    """Share of the examples outside training that ask for a text which training has whole."""
    vocabulary: int | None = None
    split: str | None = None
    """How splits are drawn, where each seed draws its own."""
    label_counts: dict[str, int] | None = None
    """Of all examples, where each seed draws its own splits."""
    splits: dict[str, Part] | None = None
    stratification: Stratification | None = None
    samples: dict[str, list[str]] | None = None
    """A few examples of each label, where there are few labels."""
    certificate: dict[str, Check]
    """By the name of what could leak."""
    certified: bool
    """Whether nothing leaks but what the study allows."""

    @property
    def all_labels(self) -> dict[str, int]:
        """Examples of each label, in whatever split."""
        if self.label_counts is not None:
            return self.label_counts
        counts: dict[str, int] = {}
        for part in (self.splits or {}).values():
            for label, number in part.label_counts.items():
                counts[label] = counts.get(label, 0) + number
        return counts

    def write(self, path: str | Path) -> None:
        """Write JSON; what does not apply is left out."""
        write_json(path, self.plain())

    def plain(self) -> dict[str, object]:
        """As plain data, as it is written."""
        return self.model_dump(mode="json", exclude_none=True)

    @classmethod
    def read(cls, path: str | Path) -> DataReport:
        """Read what `write` wrote.

        Raises:
            FileNotFoundError: there is none.
            GatewiseError: it was written by another version.
        """
        try:
            return cls.model_validate(read_json(path))
        except ValidationError as error:
            raise GatewiseError(
                f"{path}: not of this version, run `dvc repro prepare`: {error}"
            ) from None
