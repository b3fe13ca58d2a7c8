"""What a study could tell before it was trained, and what it turned out to be able to tell."""

from __future__ import annotations

from gatewise.artifacts.document import Part


class Promise(Part):
    """What the seeds and the test set of one task can tell; differences in the metric's own value.

    What is not known yet is `None`.
    """

    seeds: int
    """Paired seeds; where they are added in rounds, as many as the cap."""
    fewest_seeds: int
    """Seeds with which a primary pair can be decided at all."""
    spreads: float | None
    """Smallest true difference that is found with the wanted power, in standard deviations of the
    paired differences; `None` where the seeds are too few."""
    examples: int | None
    """Test examples of a run."""
    spread: float | None
    """Standard deviation of paired differences that was reckoned with."""
    measured: bool
    """Whether `spread` was seen in runs before; if not, it is the test set's share alone."""
    smallest: float | None
    """Smallest true difference that is found with the wanted power."""
    limit: float | None
    """What no number of seeds undercuts, as all of them share these test examples."""
    limit_of_more: float | None
    """The same with four times the test examples."""


class Outcome(Part):
    """What the runs showed, to be held against the promise."""

    spread: float
    """Median standard deviation of the primary pairs' differences (of all pairs without such)."""
    smallest: float | None
    """As promised, with this spread and the seeds that were run."""
    seeds: int
