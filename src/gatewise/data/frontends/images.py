"""Image files to pixels, and pixels to sequences, refusing what would quietly spoil a data set.

Preparation and serving decode alike: what a model may be asked is what it could be trained on.
"""

from __future__ import annotations

import hashlib
import io
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gatewise.data.frontends.decoding import Unusable

if TYPE_CHECKING:
    import PIL.Image

    from gatewise.config import Pixels

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF", "PPM")
"""What is decoded. Pillow knows more, among them formats that start programs (EPS)."""
SUFFIXES = (
    *(".png", ".jpg", ".jpeg", ".jpe", ".webp", ".bmp", ".gif", ".tif", ".tiff"),
    *(".ppm", ".pgm", ".pbm"),
)
"""Endings of such files."""
FOREIGN = (
    *(".heic", ".heif", ".avif", ".jxl", ".jp2", ".svg", ".eps", ".psd", ".raw", ".dng"),
    *(".cr2", ".nef", ".arw", ".ico", ".tga", ".exr"),
)
"""Endings of image files that are not decoded."""
MOST_PIXELS = 50_000_000
"""Of one image. A small file can promise billions, all of which would have to be unpacked."""
STRETCHED = 2.0
"""Ratio of the scales of height and width from which shapes are hard to recognise."""
ROWS_AT_ONCE = 256
"""Rows of pixels that are averaged at once: bounds memory, whatever the image's size."""
TIE = 1e-9
"""What halves may lack by the order of sums and still be rounded up, on any machine."""
ONE_COLOUR, SMALLER, DISTORTED = "one colour only", "smaller than asked for", "much distorted"


@dataclass(frozen=True)
class Picture:
    """A decoded image."""

    pixels: np.ndarray
    """uint8 `(height, width, channels)`: grey, or red, green and blue."""

    @property
    def content(self) -> str:
        """Digest of the pixels: equal whatever the file format."""
        content = hashlib.sha256(np.ascontiguousarray(self.pixels).data)
        content.update(str(self.pixels.shape).encode())
        return content.hexdigest()

    def flaws(self, height: int, width: int) -> list[str]:
        """What a person should know about an image of which so many pixels will be seen."""
        found = [ONE_COLOUR] if (self.pixels == self.pixels[:1, :1]).all() else []
        rows, columns = self.pixels.shape[0] / height, self.pixels.shape[1] / width
        if min(rows, columns) < 1:
            found.append(SMALLER)
        if not 1 / STRETCHED <= rows / columns <= STRETCHED:
            found.append(DISTORTED)
        return found


def decode(data: bytes) -> Picture:
    """Decode the bytes of an image file, upright.

    What is transparent is laid on white; 16-bit grey loses its lower half.

    Raises:
        Unusable: no image of `FORMATS`, broken, enormous, or several pictures in one file.
    """
    if not data:
        raise Unusable("empty file")
    from PIL import ImageOps

    with warnings.catch_warnings():  # Pillow warns of sizes that are refused here
        warnings.simplefilter("ignore")
        image = _opened(data)
        try:
            _check(image)
            image.load()
            return checked(_pixels(ImageOps.exif_transpose(image)))
        except Unusable:
            raise
        except Exception as error:  # decoders raise whatever a broken file leads them to
            raise Unusable(
                f"broken image ({' '.join(str(error).split()) or type(error).__name__}); "
                "save it anew"
            ) from None


def checked(pixels: np.ndarray) -> Picture:
    """A picture of pixels `(height, width)` or `(height, width, channels)`, uint8.

    Colours that are all grey become one channel.

    Raises:
        Unusable: other numbers of channels than 1 or 3, or no pixel, or too many.
    """
    pixels = pixels[..., None] if pixels.ndim == 2 else pixels
    if pixels.ndim != 3 or pixels.shape[2] not in (1, 3):
        raise Unusable(f"pixels must be (height, width) or (height, width, 3), not {pixels.shape}")
    height, width, channels = pixels.shape
    if not height * width:
        raise Unusable("no pixels")
    _check_size(width, height)
    if channels == 3 and (pixels == pixels[..., :1]).all():
        pixels = pixels[..., :1]
    return Picture(pixels)


def header(data: bytes) -> int:
    """Pixels of an image file by its header; 0 where it is no image that can be used."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            width, height = _opened(data).size
        except Unusable:
            return 0
    return int(width * height)


def sequence(picture: Picture, config: Pixels) -> np.ndarray:
    """The steps of a picture, uint8 `(steps, features)`: rows of pixels, or single ones."""
    pixels = _in_channels(picture.pixels, config.channels)
    return averaged(pixels, config.height, config.width).reshape(config.steps, config.features)


def averaged(pixels: np.ndarray, height: int, width: int) -> np.ndarray:
    """An image of another size: each pixel the mean of the area that it covers.

    Args:
        pixels: uint8 `(height, width, channels)`.
        height: rows of pixels wanted.
        width: pixels wanted in a row.

    Returns:
        uint8 `(height, width, channels)`, rounded.
    """
    rows, columns, channels = pixels.shape
    if (rows, columns) == (height, width):
        return pixels
    down, across = shares(rows, height), shares(columns, width)
    summed = np.zeros((height, columns * channels))
    for start in range(0, rows, ROWS_AT_ONCE):
        part = pixels[start : start + ROWS_AT_ONCE].reshape(-1, columns * channels)
        summed += down[:, start : start + ROWS_AT_ONCE] @ part.astype(np.float64)
    means = np.einsum("wx,hxc->hwc", across, summed.reshape(height, columns, channels))
    rounded: np.ndarray = np.floor(means + (0.5 + TIE)).clip(0, 255).astype(np.uint8)
    return rounded


def shares(old: int, new: int) -> np.ndarray:
    """What each new pixel takes of each old one along one axis, `(new, old)`; rows sum to 1."""
    edges = np.arange(new + 1) * (old / new)
    begin, end = edges[:-1, None], edges[1:, None]
    overlap = np.minimum(end, np.arange(1, old + 1)) - np.maximum(begin, np.arange(old))
    of_each: np.ndarray = np.maximum(overlap, 0) * (new / old)
    return of_each


def _opened(data: bytes) -> PIL.Image.Image:
    import PIL.Image

    try:
        image: PIL.Image.Image = PIL.Image.open(io.BytesIO(data), formats=FORMATS)
    except PIL.Image.DecompressionBombError:
        raise Unusable(f"more than {MOST_PIXELS:,} pixels; make it smaller") from None
    except Exception:  # as above
        raise Unusable(
            f"no image that can be decoded ({', '.join(FORMATS)}); convert it to PNG or JPEG"
        ) from None
    return image


def _check(image: PIL.Image.Image) -> None:
    _check_size(*image.size)
    count = int(getattr(image, "n_frames", 1))
    if count > 1 and image.format != "MPO":  # of a camera's MPO the first is the photograph
        what = "pages" if image.format == "TIFF" else "pictures, an animation"
        raise Unusable(f"{count} {what}; save the one that is meant by itself")
    if image.mode in ("I", "F"):
        raise Unusable("32 bits a channel; save it with 8 or 16")


def _check_size(width: int, height: int) -> None:
    if width * height > MOST_PIXELS:
        raise Unusable(
            f"{width:,} x {height:,} pixels; at most {MOST_PIXELS:,} are taken: make it smaller"
        )


def _pixels(image: PIL.Image.Image) -> np.ndarray:
    """uint8 `(height, width)` or `(height, width, 3)`."""
    import PIL.Image

    if image.mode.startswith("I;16"):
        return (np.asarray(image).astype(np.uint16) >> 8).astype(np.uint8)
    if image.has_transparency_data:
        image = image.convert("RGBA")
        paper = PIL.Image.new("RGBA", image.size, "white")
        image = PIL.Image.alpha_composite(paper, image)
    return np.asarray(image.convert("L" if image.mode in ("1", "L") else "RGB"))


def _in_channels(pixels: np.ndarray, channels: int) -> np.ndarray:
    """Grey as three equal channels, or colours as their luma (ITU-R BT.601)."""
    if pixels.shape[2] == channels:
        return pixels
    if channels == 3:
        return np.repeat(pixels, 3, axis=2)
    return _luma(pixels)


def _luma(pixels: np.ndarray) -> np.ndarray:
    import PIL.Image

    grey: Any = PIL.Image.fromarray(np.ascontiguousarray(pixels)).convert("L")
    return np.asarray(grey)[..., None]
