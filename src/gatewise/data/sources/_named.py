"""Files of the user's whose labels, splits and groups stand in their folders and names."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Literal

from pydantic import field_validator

from gatewise.config import SourceOptions
from gatewise.data.sources import _layout
from gatewise.data.sources._layout import Layout
from gatewise.data.sources._sounds import Sound
from gatewise.errors import GatewiseError

ROLES = ("label", "group", "split")


class NamedFiles(SourceOptions):
    """Options of sources that read files by their folders and names."""

    path: str | dict[Literal["train", "validation", "test"], str]
    """Folder; or one for each published split, all read alike."""
    layout: str | None = None
    """What the levels of folders are, the outermost first: `label`, `split`, `group` or `*`
    (nothing) with slashes between, e.g. `group/label`. Left out: guessed where there is one way
    to read them, and refused with both readings where there are two."""
    name: str | None = None
    """Regular expression with the named brackets `label`, `group` or `split`, looked for in each
    file's name, e.g. `(?P<label>[^_]+)_(?P<group>[^_]+)_`. Goes before folders."""
    group: str | None = None
    """Regular expression whose first bracket finds the group (the speaker, the author) in a
    file's path below the folder, e.g. `([^/]+)_nohash_`. Without it files of equal content form a
    group."""

    @field_validator("group")
    @classmethod
    def _bracket(cls, value: str | None) -> str | None:
        if value is not None and _compiled(value).groups < 1:
            raise ValueError(f"{value!r} has no bracket that captures the group")
        return value

    @field_validator("name")
    @classmethod
    def _named_brackets(cls, value: str | None) -> str | None:
        if value is not None:
            named = set(_compiled(value).groupindex)
            if not named or not named <= set(ROLES):
                raise ValueError(
                    f"{value!r} needs named brackets, (?P<label>...), of {', '.join(ROLES)}"
                )
        return value

    @field_validator("layout")
    @classmethod
    def _roles(cls, value: str | None) -> str | None:
        if value is not None:
            Layout.parse(value)
        return value

    def parts(self) -> dict[str, Path]:
        """What `path` names, by split; under '' where it is one for all."""
        named = {"": self.path} if isinstance(self.path, str) else self.path
        return {str(split): Path(path) for split, path in named.items()}

    def by_name(self, path: Path, names: Sequence[str], *, say: bool = True) -> list[Sound]:
        """What folders and names tell of files.

        Args:
            path: the folder.
            names: paths of the files below it, with slashes.
            say: whether what was made of the folders is said on stderr.

        Raises:
            GatewiseError: nothing says the label of one.
        """
        in_names = _compiled(self.name).groupindex if self.name is not None else {}
        layout = Layout.parse(self.layout) if self.layout is not None else None
        if layout is None and "label" not in in_names:
            layout = _layout.guess(path, names)
        if "label" not in {*in_names, *(layout.roles if layout else ())}:
            raise GatewiseError(f"{path}: neither layout nor name says where the labels are")
        facts = [
            (layout.read(name) if layout is not None else {}) | self._in_name(name)
            for name in names
        ]
        if say and layout is not None and (self.layout or layout.roles != ("label",)):
            print(_layout.understood(path, layout, facts), file=sys.stderr)
        return [
            Sound(
                name, fact["label"], fact.get("group", self.group_of(name)), fact.get("split", "")
            )
            for name, fact in zip(names, facts, strict=True)
        ]

    def _in_name(self, name: str) -> dict[str, str]:
        if self.name is None:
            return {}
        base = PurePosixPath(name).name
        match = re.search(self.name, base)
        facts = match.groupdict() if match else {}
        if not facts or not all(facts.values()):
            raise GatewiseError(f"{name}: the pattern {self.name!r} does not fit its name")
        if "split" in facts:
            split = _layout.SPLIT_NAMES.get(facts["split"].casefold())
            if split is None:
                raise GatewiseError(f"{name}: {facts['split']!r} in its name is no split")
            facts["split"] = split
        return facts

    def group_of(self, name: str) -> str | None:
        """The group that the path `name` below the folder tells; nothing where none is asked for.

        Raises:
            GatewiseError: the pattern finds none.
        """
        if self.group is None:
            return None
        match = re.search(self.group, name)
        if match is None or not match[1]:
            raise GatewiseError(f"{name}: the pattern {self.group!r} finds no group in it")
        return match[1]


def _compiled(pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern)
    except re.error as error:
        raise ValueError(f"not a regular expression: {error}") from None
