"""A task's answer: which variants may be the best, what to take, and what that costs at worst."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from gatewise.artifacts.document import Part

Cost = Literal["macs", "parameters", "step_time", "latency"]
COSTS: tuple[Cost, ...] = ("macs", "parameters", "step_time", "latency")
"""What variants are weighed by beside their score; the last two are measured by the clock."""
MEASURED: frozenset[Cost] = frozenset({"step_time", "latency"})
Rule = Literal["accuracy", "macs", "parameters", "step_time", "latency"]


class VariantAnswer(Part):
    """One variant in its task's answer."""

    contender: bool
    """Whether it may be the best; if not, another is shown to be better."""
    shortfall: float | None
    """Upper bound of how far the best lies above it, in the metric's own value, never below 0;
    `None` where there are too few seeds for a bound."""
    shortfall_over_groups: float | None
    """The same with other test groups (speakers, films) drawn as well; `None` where unknown."""
    seeds: int
    """Paired seeds that it was last weighed with."""
    cost_ratio: Mapping[Cost, float]
    """Its costs, each divided by the choice's; those that were measured."""


class LinearModel(Part):
    """The linear baseline beside the chosen variant, on the seeds and test examples of both."""

    title: str
    """What it is: `TF-IDF + logistic regression`."""
    mean: float
    """Its score, in the metric's own value."""
    choice_mean: float
    """The chosen variant's."""
    shortfall: float | None
    """Upper bound, at the answer's level, of how far the choice lies above it, never below 0;
    `None` where there are too few seeds for a bound."""
    better: bool
    """Whether it is shown to be better than the choice."""
    take: bool
    """Whether it is the answer: better, or shown to lie no more than `compare.rope` below."""
    over_groups: int | None = None
    """Test groups that the bound rests on beside the seeds, where those alone are too few for one;
    it then speaks of other test groups, too."""


class Answer(Part):
    """What to take on one task. Bounds hold for all variants at once, at `level`."""

    choice: str
    """The variant to take."""
    rule: Rule
    """`compare.choose`."""
    chosen_by: Rule
    """What it was chosen by: `rule`, or `accuracy` where that could not be followed."""
    tolerance: float
    """`compare.tolerance`."""
    within_tolerance: bool
    """Whether the choice's shortfall is known to stay within the tolerance."""
    level: float
    """Confidence in all bounds together."""
    generalises_over: str
    """What the bounds speak of, beside other seeds."""
    units: int
    """Exchangeable units that the choice's bound rests on."""
    unit_words: str
    """The same in words: `8 paired seeds`, `5 rounds of 3 seeds`."""
    shortfall: float | None
    """The choice's."""
    shortfall_over_groups: float | None
    """The choice's."""
    contenders: tuple[str, ...]
    """Variants that may be the best, the one with the best mean first."""
    compared_with: str | None
    """The variant that the sentence holds the choice's costs against."""
    by_variant: Mapping[str, VariantAnswer]
    linear: LinearModel | None = None
    """How the linear model compares with the choice; `None` where it was not scored."""
    sentence: str
    """All of it in plain words."""
    caveats: tuple[str, ...] = ()
    """What limits it, a sentence each."""
