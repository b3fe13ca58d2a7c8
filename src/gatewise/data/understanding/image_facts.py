"""What is in images: sizes and colour, measured on those that are decoded."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from gatewise.artifacts.manifest import Raw
from gatewise.data.frontends import images
from gatewise.data.frontends.decoding import Unusable
from gatewise.data.understanding import facts
from gatewise.data.understanding.facts import Facts
from gatewise.data.understanding.record import ImageSizes
from gatewise.files import cores, read_regular


def of_images(raw: Raw) -> Facts:
    """Facts of fetched images: all headers, and the pixels of some."""
    rows = raw.manifest
    sizes = np.array([raw.locate(path).stat().st_size for path in rows["path"]], dtype=np.int64)
    places = facts.drawn(rows["path"].tolist(), sizes)
    with ThreadPoolExecutor(cores()) as pool:
        seen = list(pool.map(lambda place: _look(raw, rows["path"].iloc[place]), places))
    unusable = Counter(one for one in seen if isinstance(one, str))
    looked = set(places)
    unseen = [place for place in np.flatnonzero(rows["n_samples"] == 0) if place not in looked]
    if unseen:
        unusable["no image that can be decoded"] += len(unseen)
    shapes = np.array([one for one in seen if not isinstance(one, str)], np.int64).reshape(-1, 3)
    heights, widths = np.sort(shapes[:, :2].astype(np.float64), axis=0).T
    duplicates, contradictions = facts.repeated(rows["sha256"], rows["label"])
    return Facts(
        lengths=heights,
        images=ImageSizes(heights, widths, int((shapes[:, 2] > 1).sum())),
        duplicates=duplicates,
        contradictions=contradictions,
        leaks=facts.leaks(rows.assign(content=rows["sha256"])),
        unusable=dict(unusable),
        bytes=int(sizes.sum()),
        sampled=len(places) if len(places) < len(rows) else None,
    )


def _look(raw: Raw, path: str) -> str | tuple[int, ...]:
    """Height, width and channels of an image, or why it cannot be used."""
    try:
        return images.decode(read_regular(raw.locate(path))).pixels.shape
    except Unusable as reason:
        return str(reason).split(" (", maxsplit=1)[0]
