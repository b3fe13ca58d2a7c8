"""What the folders above files mean: labels, published splits, groups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gatewise.errors import GatewiseError

ROLES = ("label", "split", "group", "*")
SPLIT_NAMES = {
    "train": "train",
    "training": "train",
    "validation": "validation",
    "valid": "validation",
    "val": "validation",
    "dev": "validation",
    "development": "validation",
    "test": "test",
    "testing": "test",
    "eval": "test",
    "evaluation": "test",
}
"""Names of folders (in any case) that people publish splits under."""
NAMED = 4  # folders that a sentence names


def split(name: str) -> str:
    """The split that people mean by `name`; what names none stays as it is."""
    return SPLIT_NAMES.get(name.strip().casefold(), name)


class TwoReadings(GatewiseError):  # noqa: N818 - a question rather than an error
    """The folders can be read in several ways; `layouts` has those that can be asked for."""

    def __init__(self, message: str, *layouts: str) -> None:
        super().__init__(message)
        self.layouts = layouts


@dataclass(frozen=True)
class Layout:
    """The role of each level of folders, the outermost first; deeper levels mean nothing."""

    roles: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> Layout:
        """A layout as people write it, e.g. `split/label` or `*/label/group`.

        Raises:
            ValueError: an unknown role, or one that stands twice.
        """
        roles = tuple(text.strip("/").split("/"))
        for role in roles:
            if role not in ROLES:
                raise ValueError(f"{role!r} is no role of a folder; allowed: {', '.join(ROLES)}")
        named = [role for role in roles if role != "*"]
        if len(named) != len(set(named)):
            raise ValueError(f"{text!r} gives one role to two levels of folders")
        return cls(roles)

    def read(self, name: str) -> dict[str, str]:
        """Label, split and group that the path `name` below the root tells.

        Raises:
            GatewiseError: it lies less deep than the layout says, or in a split of no known name.
        """
        folders = name.split("/")[:-1]
        if len(folders) < len(self.roles):
            raise GatewiseError(
                f"{name}: lies in {len(folders)} folders where the layout "
                f"{'/'.join(self.roles)} has {len(self.roles)}"
            )
        facts = dict(zip(self.roles, folders, strict=False))
        facts.pop("*", None)
        if "split" in facts:
            split = SPLIT_NAMES.get(facts["split"].casefold())
            if split is None:
                raise GatewiseError(
                    f"{name}: {facts['split']!r} names no split; folders of splits are called "
                    f"{', '.join(SPLIT_NAMES)}"
                )
            facts["split"] = split
        return facts

    def __str__(self) -> str:
        return "/".join(self.roles)


def guess(root: Path, names: Sequence[str]) -> Layout:
    """The layout of files, where there is only one way to read it.

    Args:
        root: their folder.
        names: their paths below it, with slashes.

    Raises:
        GatewiseError: a file lies in no folder, or the folders can be read in two ways; the
            message has both.
    """
    chains = [tuple(name.split("/")[:-1]) for name in names]
    for name, chain in zip(names, chains, strict=True):
        if not chain:
            raise GatewiseError(
                f"{root / name}: lies in no label's folder; give each label a folder, tell the "
                "label from the file names (`name`), or list the files in a table with the "
                "columns path and label"
            )
    outer = _names_at(chains, 0)
    splits = [name for name in outer if name.casefold() in SPLIT_NAMES]
    if len(splits) == len(outer):
        return _below_splits(root, chains, outer)
    if splits and any(len(chain) > 1 for chain in chains if chain[0] in splits):
        raise TwoReadings(
            f"{root}: {_some(splits)} look like published splits, but "
            f"{_some([name for name in outer if name not in splits])} beside them do not; read "
            "as splits they need every folder to be one, and read as labels they would be "
            "classified. Say which with layout: split/label or layout: label",
            "label",
        )
    return Layout(tuple(_label_level(root, chains, 0)))


def understood(root: Path, layout: Layout, facts: Sequence[Mapping[str, str]]) -> str:
    """What was made of the folders, in a sentence."""
    labels = sorted({fact["label"] for fact in facts})
    parts: dict[str, int] = {}
    for fact in facts:
        if fact.get("split"):
            parts[fact["split"]] = parts.get(fact["split"], 0) + 1
    said = ", ".join(f"{name} {count}" for name, count in parts.items())
    published = f"; published splits: {said}" if parts else ""
    return f"{root}: read as {layout}: {len(labels)} labels ({_some(labels)}){published}"


def _below_splits(root: Path, chains: list[tuple[str, ...]], outer: list[str]) -> Layout:
    if any(len(chain) < 2 for chain in chains):
        raise GatewiseError(
            f"{root}: {_some(outer)} are names of splits, and files lie right in them. Read as "
            "splits, nothing says the labels: give each label a folder below them, tell the label "
            "from the file names (`name`), or list the files in a table. Read as labels, they are "
            "taken with layout: label"
        )
    twice = _spellings(outer)
    if twice:
        raise GatewiseError(f"{root}: {_some(twice)} are names of the same split; merge them")
    first = "*" if len(outer) == 1 else "split"  # one published part is none
    lacking = {"train", "test"} - {SPLIT_NAMES[name.casefold()] for name in outer}
    if lacking and first == "split":
        raise TwoReadings(
            f"{root}: {_some(outer)} are published splits without one for {' and '.join(lacking)}; "
            "rename one of them if it is that, or have the split cut here with layout: */label",
            "*/label",
        )
    return Layout((first, *_label_level(root, chains, 1)))


def _spellings(outer: list[str]) -> list[str]:
    meant: dict[str, list[str]] = {}
    for name in outer:
        meant.setdefault(SPLIT_NAMES[name.casefold()], []).append(name)
    return next((names for names in meant.values() if len(names) > 1), [])


def _label_level(root: Path, chains: list[tuple[str, ...]], start: int) -> list[str]:
    """Roles of the levels from `start` to the labels; a level of one name tells nothing apart."""
    depths = {len(chain) for chain in chains}
    levels = range(start, min(depths))
    telling = [level for level in levels if len(_names_at(chains, level)) > 1]
    if len(depths) > 1 or len(telling) > 1:
        deepest = max(chains, key=len)
        first, last = (telling[0] if telling else start), len(deepest) - 1
        before = ["split"] * start + ["*"] * (first - start)
        outer = "/".join([*before, "label"])
        inner = "/".join([*before, *["*"] * (last - first), "label"])
        raise TwoReadings(
            f"{root}: files lie below {'/'.join(deepest)}/, which can be read in two ways: the "
            f"labels are {_some(_names_at(chains, first))} (layout: {outer}), or they are "
            f"{_some(_names_at(chains, last))} (layout: {inner}; group in place of * where "
            "such a folder is a speaker). Say which with layout",
            outer,
            inner,
        )
    level = telling[0] if telling else start
    return ["*"] * (level - start) + ["label"]


def _names_at(chains: list[tuple[str, ...]], level: int) -> list[str]:
    return sorted({chain[level] for chain in chains if len(chain) > level})


def _some(names: Sequence[str]) -> str:
    more = f", ... {len(names)} in all" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more
