"""The gate: when a retrained model is good enough."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from gatewise.config.strict import Count, Fraction, Positive, Strict


class GateSlices(Strict):
    """Parts of the test set, none of which may fall by much while the whole looks fine."""

    by: tuple[Literal["class", "group", "length", "age"], ...] = ("class", "group", "length", "age")
    """What to slice by; `age` tells examples that the reference was tested on from new ones."""
    margin: Positive = 0.05
    """Largest fall within a slice, as a fraction of accuracy where there are classes: slices go by
    accuracy there, whatever the task's primary metric, and elsewhere by that of the objective."""
    fewest: Count = 20
    """Slices with fewer test examples, over all seeds, are not looked at."""
    length_buckets: Annotated[int, Field(ge=2)] = 4
    """Slices by length: quantiles of the test sequences' lengths."""


class GateBudgets(Strict):
    """Largest ratio of the candidate's cost to the reference's; null switches one off."""

    parameters: Positive | None = 1.1
    macs: Positive | None = 1.1
    """Multiply-accumulates per step."""
    size: Positive | None = 1.1
    """Bytes of the weights."""
    latency: Positive | None = 1.25
    """Milliseconds for one sequence, both measured in turns."""


class GateData(Strict):
    """How far training data may move away from what the reference was trained on."""

    action: Literal["fail", "warn"] = "fail"
    """What drift beyond a threshold means: a regression, or a line in the report."""
    alpha: Fraction = 0.001
    """Level of the drift tests, Holm-corrected; drift counts if significant and large."""
    labels: Positive = 0.1
    """Largest total variation between the shares of labels (chi-squared test)."""
    features: Positive = 0.2
    """Largest Kolmogorov-Smirnov distance of any feature's distribution over sequences."""
    shrink: Fraction = 0.2
    """Largest share of training examples, or of known test examples, that may be missing."""
    new_labels: tuple[str, ...] = ()
    """Labels that may have been added; any other change of the label set is refused."""


class GateConfig(Strict):
    """When a retrained model may be merged, and when it may become champion."""

    margin: Positive = 0.01
    """Non-inferiority: how much worse the primary metric may get without it mattering, in the
    metric's own value (0.01 is one point of accuracy, 0.01 nats of log loss), for all tasks."""
    alpha: Fraction = 0.05
    """Rate of false alarms over all tasks, variants and slices; half of it goes to slices."""
    power: Fraction = 0.8
    """Power wanted when computing how many seeds would settle an undecided gate."""
    cheaper: Fraction = 0.05
    """An equivalent candidate replaces the champion if it needs at least this share fewer
    multiply-accumulates, and no more parameters."""
    resamples: Annotated[int, Field(ge=100)] = 1_000
    """Bootstrap resamples of seeds and test groups."""
    slices: GateSlices = GateSlices()
    budgets: GateBudgets = GateBudgets()
    data: GateData = GateData()
