"""What is understood of a folder or table, as typed records: the facts that choices rest on."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from gatewise.errors import GatewiseError

Certainty = Literal["certain", "likely", "guess"]
"""How sure a decision is: it follows from the data or was said; little else fits; other readings
are nearly as good."""


Objective = Literal["classify", "transcribe", "generate", "forecast"]
"""What is asked of a model, as `params.yaml` calls it."""


@dataclass(frozen=True)
class Note:
    """One thing that was decided in looking."""

    about: str
    """What it decides: `labels`, `text`, `group`, `split`, `delimiter`, ..."""
    said: str
    """What was decided, and from what, in words."""
    certainty: Certainty = "certain"
    otherwise: tuple[str, ...] = ()
    """What else it could be, each with the option that says so."""


@dataclass(frozen=True)
class Options:
    """What the user said about the data; what is None is found out."""

    text: str | None = None
    """Column of the text."""
    label: str | None = None
    """Column of the label."""
    group: str | None = None
    """Column of the group; for a folder of files a pattern whose first bracket finds it."""
    split: str | None = None
    """Column of the published split."""
    delimiter: str | None = None
    encoding: str | None = None
    quoting: Literal["standard", "none"] | None = None
    header: bool | None = None
    """Whether a table's first line names the columns."""
    objective: Objective | None = None
    """What is asked of such data."""
    source: str | None = None
    """Column of the text that is given, of pairs."""
    target: str | None = None
    """Column of the text that should be said to it."""
    targets: str | None = None
    """File whose lines answer those of the path."""
    id: str | None = None
    """Column that names a series."""
    time: str | None = None
    """Column of times."""
    value: str | None = None
    """Column of values."""
    horizon: int | None = None
    """Steps that are forecast."""
    season: int | None = None
    """Steps of a season."""
    pattern: str | None = None
    """Regular expression with the named brackets `label`, `group`, `split` for file names."""
    layout: str | None = None
    """What the levels of folders are, e.g. `split/label`."""
    without: tuple[str, ...] = ()
    """Labels whose examples are left out."""
    name: str | None = None
    """Name of the task; left out: made from that of the folder or file."""
    likelier: bool = False
    """Take the likelier of two readings instead of asking."""


@dataclass(frozen=True)
class Reading:
    """One way to read the data."""

    said: str
    """In words, e.g. `the labels are down, up`."""
    choice: Mapping[str, Any]
    """The fields of `Options` that choose it."""

    @property
    def flags(self) -> str:
        """As they are given on the command line: `--layout label`."""
        return " ".join(_flag(name, value) for name, value in self.choice.items())


class Ambiguous(GatewiseError):  # noqa: N818 - a question, asked where somebody can answer
    """The data can be read in several ways; `readings` has them, the likeliest first."""

    def __init__(self, question: str, readings: Sequence[Reading]) -> None:
        said = ", or ".join(f"{reading.said} ({reading.flags})" for reading in readings)
        super().__init__(f"{question}: {said}; say which, or take the first with --yes")
        self.question = question
        self.readings = tuple(readings)


@dataclass(frozen=True)
class Chosen:
    """A section `source`, and what was decided about it."""

    source: dict[str, Any]
    notes: tuple[Note, ...] = ()
    by_table: bool = False
    """Whether columns of a table say what the examples are, rather than folders and names."""
    objective: Objective = "classify"
    """What is asked of such data."""


@dataclass(frozen=True)
class Said:
    """Texts that are to be said, in pairs and transcripts."""

    unit: Literal["word", "character"]
    """What a symbol of them is."""
    lengths: np.ndarray
    """float64, ascending: symbols of each example's first text."""
    counts: np.ndarray
    """int64, descending: how often each distinct symbol stands in training texts."""
    several: int
    """Examples that more than one text is right for."""
    unheard: int
    """Examples of published test splits with a symbol that no training text has."""


@dataclass(frozen=True)
class Steps:
    """Series, and how far they are to be forecast."""

    unit: str
    """From one value to the next, in words: `month`, `3 hours`."""
    season: int
    """Steps after which series are likely to repeat; 1 where there is no telling."""
    horizon: int
    """Steps to forecast."""


@dataclass(frozen=True)
class ImageSizes:
    """What is known of the images that were decoded."""

    heights: np.ndarray
    """float64, ascending: rows of pixels."""
    widths: np.ndarray
    """float64, ascending: pixels in a row."""
    coloured: int
    """Images that are not all grey."""


@dataclass(frozen=True)
class Understanding:
    """What is understood of a folder or table."""

    name: str
    """For the task, as `params.yaml` takes it; from the folder or file."""
    kind: Literal["audio", "text", "series", "image"]
    """What an example is."""
    source: dict[str, Any]
    """The section `source` that reads it: kind and options."""
    splits: Literal["published", "none"]
    """Whether the data name their splits."""
    split_sizes: dict[str, int]
    """Examples by `train`, `validation` and `test` as far as they are published, else
    `{"train": all}`."""
    labels: dict[str, int]
    """Examples by label, the most frequent first."""
    groups: int | None
    """Distinct groups (speakers, films); None where the data name none."""
    largest_group: int | None
    """Examples of the largest group."""
    groups_by_label: dict[str, int] | None
    """Distinct groups by label: a label of one group cannot be trained on and tested."""
    lengths: np.ndarray
    """float64, ascending, of every example that was looked at: seconds of a sound; steps of a text,
    in words and signs, or in characters where `script` says so; rows of pixels of an image."""
    active_lengths: np.ndarray | None
    """float64, ascending: seconds between the first and the last loud sample of the sounds that
    were decoded; None for texts."""
    rates: dict[int, int]
    """Clips by sample rate in Hz, the most frequent first; empty for texts."""
    word_counts: np.ndarray | None
    """int64, descending: how often each distinct word (or character) stands in training texts;
    None for sounds."""
    script: Literal["words", "characters"] | None
    """What a text is made of: words between spaces, or characters where there are none (Chinese,
    DNA); None for sounds."""
    duplicates: int
    """Examples with the content of an earlier one."""
    contradictions: int
    """Contents that stand under several labels."""
    leaks: dict[str, int]
    """Violations between published splits by their name in `allow` (`duplicates`,
    `near-duplicates`, `groups`, `labels`): preparation refuses them unless they are accepted."""
    unusable: dict[str, int]
    """Examples that preparation refuses unless `on_bad` is `skip`, by reason."""
    bytes: int
    """Size of the files."""
    sampled: int | None
    """How many examples lengths, rates, duplicates and unusable ones are known from, where those
    are not all; counts of labels, groups and splits are always of all."""
    skipped: list[str]
    """What was left out, in words."""
    notes: tuple[Note, ...]
    """What was decided, how sure it is and what else it could be."""
    objective: Objective = "classify"
    """What is asked of such data; where it is no class, `labels` is empty."""
    said: Said | None = None
    """What is to be said, in pairs and transcripts."""
    steps: Steps | None = None
    """What is to be forecast, of series."""
    images: ImageSizes | None = None
    """How large images are; None for other data."""

    @property
    def examples(self) -> int:
        """How many there are."""
        return sum((self.labels or self.split_sizes).values())


def _flag(name: str, value: object) -> str:
    if isinstance(value, bool):
        return f"--{name}" if value else f"--no-{name}"
    text = "\\t" if value == "\t" else str(value)
    return f"--{name} {shlex.quote(text)}"
