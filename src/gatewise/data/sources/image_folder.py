"""Your own image files: one folder per label."""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

from gatewise.artifacts import manifest
from gatewise.artifacts.manifest import SourceCard
from gatewise.data.frontends import images
from gatewise.data.sources import _images, _labels, _sounds, _splits
from gatewise.data.sources._images import Listed
from gatewise.data.sources._named import NamedFiles
from gatewise.errors import GatewiseError

NAMED = 3


class Source(NamedFiles):
    """Image files (PNG, JPEG, WebP, BMP, GIF, TIFF, PPM) of any size, used in place.

    `path` is a folder with one subfolder per label (below folders `train`, `validation`, `test`
    where splits are published). A table of labels or texts is read by `captions`.
    """

    card: ClassVar[SourceCard] = SourceCard(
        payload="image", title="Images", licence="your own data"
    )
    size: ClassVar[str] = "whatever you have"
    needs: ClassVar[str] = "a folder of image files"

    kind: Literal["image-folder"]
    without: tuple[str, ...] = ()
    """Labels whose images are left out."""
    title: str = "Images"
    """What the data are, for people."""
    synthetic: bool = False
    """Whether a machine made the images."""
    licence: str = "your own data"

    def reads(self) -> list[Path]:
        """The folders."""
        return list(self.parts().values())

    def look(self) -> None:
        """Refuse early what `fetch` would refuse of folders and names; opens no file.

        Raises:
            GatewiseError: as `fetch` does.
        """
        for path in self.parts().values():
            self.by_name(path, _names(path, walk(path)), say=False)

    def fetch(self, target: Path) -> None:
        """List the files into `target`."""
        parts = {split: self._at(path) for split, path in self.parts().items()}
        root, listed, skipped = parts[""] if "" in parts else _splits.joined(parts)
        kept = _labels.without(listed, self.without, self.title)
        cleaned = _labels.cleaned(list(kept), self.title)
        told = {"title": self.title, "synthetic": self.synthetic, "licence": self.licence}
        card = self.card.model_copy(update={**told, "root": str(root), "skipped": skipped})
        rows = [Listed(one.path, one.label, one.group, one.split) for one in cleaned]
        manifest.write(target, card, _images.examples(root, rows))

    def _at(self, path: Path) -> _splits.Listed:
        if not path.is_dir():
            raise GatewiseError(f"{path}: no such folder")
        found = walk(path)
        names = _names(path, found)
        found.warn(path)
        return path, self.by_name(path, names), found.skipped()


@dataclass(frozen=True)
class Found:
    """What lies below a folder of images."""

    images: Sequence[Path]
    """Sorted; those in formats that cannot be decoded among them, for preparation to judge."""
    others: Mapping[str, Sequence[Path]]
    """Files that are no images by their names, by their endings."""

    def skipped(self) -> dict[str, int]:
        """Number of other files by the reason why they are left out."""
        return {f"not an image ({ending})": len(files) for ending, files in self.others.items()}

    def warn(self, root: Path) -> None:
        """Name the other files on stderr."""
        for ending, files in self.others.items():
            names = ", ".join(str(path.relative_to(root)) for path in files[:NAMED])
            more = f", and {len(files) - NAMED} more" if len(files) > NAMED else ""
            print(
                f"warning: {root}: left out {len(files)} files that are no images ({ending}): "
                f"{names}{more}",
                file=sys.stderr,
            )


def walk(root: Path) -> Found:
    """Files below `root`, hidden ones left out; links are followed.

    Raises:
        GatewiseError: as `_sounds.walk`, or something named like an image is no regular file.
    """
    there = _sounds.walk(root)
    pictures = [path for path in there.others if _images.is_image(path)]
    for path in pictures:
        _sounds.require_file(path)
    others = [path for path in there.others if not _images.is_image(path)]
    return Found(pictures, _by_ending([*others, *there.sounds]))


def _by_ending(files: Iterable[Path]) -> dict[str, list[Path]]:
    found: dict[str, list[Path]] = defaultdict(list)
    for path in files:
        found[path.suffix.lower() or "no ending"].append(path)
    return dict(sorted(found.items()))


def _names(path: Path, found: Found) -> list[str]:
    if not found.images:
        known = ", ".join(images.SUFFIXES)
        raise GatewiseError(f"{path}: no image files ({known}) in its subfolders")
    return [file.relative_to(path).as_posix() for file in found.images]
