"""Rules for what is scored and on whom: metric, split, and what is accepted about the data."""

from __future__ import annotations

from gatewise.artifacts import balanced
from gatewise.data.understanding import Understanding
from gatewise.errors import GatewiseError
from gatewise.repro.studies.choices import Chosen, Section, share
from gatewise.repro.studies.sizes import TEST, VALIDATION, SplitSizes

DOMINANT = 0.3
"""Share of the examples from which the most frequent label may hide the others ..."""
TIMES = 1.5
"""... if it is so many times what it would be with equal labels."""
MANY_GROUPS = 50
"""Groups from which one draw of those that test stands for others."""
FEW_EXAMPLES = 500
"""Without groups: examples below which one draw of those that test is too small."""
GROUPS_OF_A_LABEL = 8
"""Groups (or examples) that each label needs for splits that are drawn anew for each seed: a draw
that leaves a label untrained would be refused."""


def metric(data: Understanding) -> Chosen:
    """Accuracy, unless one label alone would make it large."""
    label, most = next(iter(data.labels.items()))
    rarest, least = min(data.labels.items(), key=lambda item: item[1])
    part = most / data.examples
    if part >= DOMINANT and part >= TIMES / len(data.labels):
        return Chosen(
            "balanced_accuracy",
            f"every label counts the same: always saying {label!r} would score "
            f"{share(most, data.examples)} of accuracy",
        )
    if most == least:
        return Chosen("accuracy", "all labels are as frequent")
    return Chosen(
        "accuracy",
        f"no label dominates: {label!r} has {share(most, data.examples)}, {rarest!r} "
        f"{share(least, data.examples)}",
    )


def split(data: Understanding) -> Section:
    """Published splits as they are; else by groups, drawn anew for each seed where few would test.

    Raises:
        GatewiseError: the groups are too few for three splits.
    """
    if data.splits == "published":
        return _published(data)
    if data.groups is not None and data.groups < 3:
        raise GatewiseError(
            f"{data.name}: {data.groups} groups cannot be split into training, validation and "
            "test; give data of at least 3, or leave the group out (then what is scored says "
            "nothing of other groups)"
        )
    return {
        "validation": Chosen(VALIDATION, "of the groups; chooses the best epoch"),
        "test": Chosen(TEST, "of the groups; scored once"),
        "resample": _resample(data),
    }


def _published(data: Understanding) -> Section:
    sizes = SplitSizes.expected(data)
    test = data.split_sizes.get("test", 0)
    if not test:
        return {
            "validation": Chosen(VALIDATION),
            "test": Chosen(TEST),
        }
    part = _within(test / data.examples)
    if data.split_sizes.get("validation"):
        said = f"published, as is validation: {test:,} examples"
        return {
            "validation": Chosen(_within(sizes.validation / data.examples)),
            "test": Chosen(part, said),
        }
    cut = _within(VALIDATION * (1 - part))
    return {
        "validation": Chosen(cut, "none is published: cut from the training examples"),
        "test": Chosen(part, f"published: {test:,} examples"),
    }


def _within(part: float) -> float:
    """A share of examples with two digits, such that it and another leave some to train on."""
    return min(max(round(part, 2), 0.01), 0.49)


def _resample(data: Understanding) -> Chosen:
    if data.kind == "text":
        return Chosen(False, "one split for all seeds: the vocabulary comes from its training part")
    groups = data.groups
    # Without labels each group has all there is.
    fewest = min((data.groups_by_label or data.labels).values(), default=groups or data.examples)
    if groups is None:
        if data.examples < FEW_EXAMPLES and fewest >= GROUPS_OF_A_LABEL:
            return Chosen(True, "so few test examples that each seed draws others")
        return Chosen(False, "one split for all seeds; nothing groups these examples")
    if groups < balanced.FEW_GROUPS:
        return Chosen("balanced", f"{groups} groups: over the seeds each tests equally often")
    if groups < MANY_GROUPS and fewest >= GROUPS_OF_A_LABEL:
        return Chosen(True, f"{groups} groups: each seed draws others to test")
    return Chosen(False, f"one split for all seeds; it has {groups:,} groups")


def accepted(data: Understanding) -> dict[str, Chosen | Section]:
    """What is known to be wrong with the data and does not keep them from being used."""
    found: dict[str, Chosen | Section] = {}
    if data.unusable:
        said = ", ".join(f"{count:,} {reason}" for reason, count in data.unusable.items())
        found["on_bad"] = Chosen("skip", f"left out and counted: {said}")
    if data.leaks:
        found["allow"] = {
            leak: Chosen(f"in the published splits, {count:,} times; kept as they are")
            for leak, count in data.leaks.items()
        }
    return found
