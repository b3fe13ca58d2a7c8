"""How many examples a study will train on, validate with and test, as far as can be told ahead."""

from __future__ import annotations

from dataclasses import dataclass

from gatewise.data.understanding import Understanding

VALIDATION, TEST = 0.15, 0.2
"""Shares of the groups where nothing is published; `params.yaml` has the same defaults."""


@dataclass(frozen=True)
class SplitSizes:
    """Examples of each split, those that are cut by shares to be expected."""

    train: int
    validation: int
    test: int

    @classmethod
    def expected(cls, data: Understanding) -> SplitSizes:
        """Those of the study that is written for `data`."""
        if data.splits == "none":
            test = round(TEST * data.examples)
            validation = round(VALIDATION * data.examples)
            return cls(max(1, data.examples - test - validation), validation, test)
        train, test = data.split_sizes.get("train", 0), data.split_sizes.get("test", 0)
        validation = data.split_sizes.get("validation", 0)
        if not validation:
            validation = round(VALIDATION * train)
            train -= validation
        return cls(max(1, train), validation, test)
