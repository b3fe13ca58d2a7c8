"""Who trains, who validates, who tests: always by group, so that no group crosses.

A fixed split follows from a hash of each group's own id, so data added later never move an
old example; the fractions are therefore approximate. A resampled split is drawn anew for
each seed, by numbers of groups; a balanced one is designed over seeds
(`gatewise.artifacts.balanced`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from gatewise import streams
from gatewise.artifacts import balanced
from gatewise.config import SPLITS, SplitConfig
from gatewise.errors import GatewiseError

if TYPE_CHECKING:
    import pandas as pd

    from gatewise.artifacts.prepared import Prepared, TaskCard


def position(group: str) -> float:
    """Where `group` lies in [0, 1): uniform over ids, and a function of the id alone."""
    return int.from_bytes(hashlib.sha256(f"split/{group}".encode()).digest()[:6]) / 2**48


def assign(groups: Sequence[str], config: SplitConfig, seed: int | None = None) -> np.ndarray:
    """Split of each example.

    Args:
        groups: the group of each example.
        config: fractions; `resample` decides which rule applies.
        seed: whose draw, for resampled splits; ignored otherwise.

    Returns:
        `(examples,)` of `train`, `validation` or `test`.

    Raises:
        GatewiseError: a split would be empty.
    """
    names = sorted(set(groups))
    if config.resample:
        if seed is None:
            raise ValueError("a resampled split needs the seed it is drawn for")
        _require_three(names)
        divide = _design if config.resample == "balanced" else _draw
        chosen = divide(names, config, seed)
    else:
        chosen = {name: _by_hash(position(name), config) for name in names}
    split = np.array([chosen[group] for group in groups])
    require_all(split, len(names))
    return split


def resolve(
    config: SplitConfig, published: Sequence[str], groups: Sequence[str], fixed: bool
) -> SplitConfig:
    """The settings with `resample` settled, where it was left open.

    Args:
        config: as declared.
        published: split of each example by its source; empty where it publishes none.
        groups: the group of each example.
        fixed: whether the split has to stay: a tokenizer is trained on the training split, or the
            split is one in time.
    """
    if config.resample is not None:
        return config
    few = len(SPLITS) <= len(set(groups)) < balanced.FEW_GROUPS
    designed = few and not fixed and not any(published)
    return config.model_copy(update={"resample": "balanced" if designed else False})


def complete(published: Sequence[str], groups: Sequence[str], config: SplitConfig) -> np.ndarray:
    """The split that a source publishes, or one made by `assign` where it publishes none.

    Where training and test examples are published but no validation ones, the validation
    groups are taken from the training groups by their hash.

    Raises:
        GatewiseError: some examples have a published split and others none, a group lies in
            two published splits, or a split is empty.
    """
    split = np.asarray(published, dtype=object)
    known = split != ""
    if not known.any():
        return assign(groups, config)
    if not known.all():
        raise GatewiseError(
            f"{int((~known).sum())} of {len(split)} examples have no split although others do; "
            "give every example one, or none"
        )
    if "validation" not in split:
        share = config.validation / (1 - config.test)
        cut = np.array([position(group) < share for group in groups])
        split[cut & (split == "train")] = "validation"
    require_all(split, len(set(groups)))
    return split.astype(str)


def of(card: TaskCard, index: pd.DataFrame, seed: int) -> np.ndarray:
    """The split of each row of a prepared task's index, as the run of `seed` has it.

    Raises:
        GatewiseError: a redrawn split is empty.
    """
    if not card.resample:
        return index["split"].to_numpy(dtype=str)
    return assign(index["group"].tolist(), SplitConfig.model_validate(card.split), seed)


def for_seed(prepared: Prepared, seed: int) -> np.ndarray:
    """`of` a task that is about to be trained on.

    Raises:
        GatewiseError: a redrawn split is empty or leaves a label without training examples.
    """
    split = of(prepared.card, prepared.index, seed)
    if not prepared.card.resample:
        return split
    labels = prepared.index["label"].to_numpy()
    missing = set(labels) - set(labels[split == "train"])
    if missing:
        names = ", ".join(prepared.card.labels[label] for label in sorted(missing))
        raise GatewiseError(
            f"{prepared.card.task}: the split of seed {seed} has no training example of {names}; "
            "lower split.test and split.validation, or leave resample out"
        )
    return split


def shrink(rows: np.ndarray, labels: np.ndarray, fraction: float, seed: int) -> np.ndarray:
    """A share of `rows`, the same share of each label, at least one example apiece.

    What a smaller fraction keeps, a larger one keeps as well.

    Args:
        rows: rows of the index, `(examples,)`.
        labels: label of every row of the index.
        fraction: share to keep, in (0, 1].
        seed: whose draw.
    """
    if fraction == 1:
        return rows
    order = streams.generator(seed, "split", 1).permutation(rows)
    kept = []
    for label in np.unique(labels[rows]):
        mine = order[labels[order] == label]
        kept.append(mine[: max(1, round(fraction * len(mine)))])
    return np.sort(np.concatenate(kept))


def require_all(split: np.ndarray, groups: int) -> None:
    """Refuse a split one of whose parts is empty."""
    for name in SPLITS:
        if name not in split:
            raise GatewiseError(
                f"the {name} split is empty: {groups} groups are too few for these fractions; "
                "raise them under split, set split.resample (which counts groups), or give "
                "smaller groups"
            )


def _by_hash(place: float, config: SplitConfig) -> str:
    if place < config.test:
        return "test"
    return "validation" if place < config.test + config.validation else "train"


def _require_three(names: list[str]) -> None:
    if len(names) < len(SPLITS):
        raise GatewiseError(
            f"split.resample needs at least {len(SPLITS)} groups, there are {len(names)}"
        )


def _design(names: list[str], config: SplitConfig, seed: int) -> dict[str, str]:
    test, validation = balanced.held_out(len(names), config, seed)
    parts = dict.fromkeys(names, "train")
    parts |= {names[i]: "test" for i in test} | {names[i]: "validation" for i in validation}
    return parts


def _draw(names: list[str], config: SplitConfig, seed: int) -> dict[str, str]:
    test, validation = balanced.sizes(len(names), config)
    order = streams.generator(seed, "split").permutation(len(names))
    parts = ["test"] * test + ["validation"] * validation
    parts += ["train"] * (len(names) - len(parts))
    return {names[which]: part for which, part in zip(order, parts, strict=False)}
