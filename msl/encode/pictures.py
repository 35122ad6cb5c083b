"""Picture files: the one way any of them is opened, and what becomes of transparency and depth.

Whatever is in a file, it is a picture or an `InputError` of one line: of a regular file only, of the formats in
`FORMATS`, and of a size that its header states before anything is decoded. Threads may read at once.
"""

import ctypes
import io
import logging
import stat
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError, _imaging

from msl.types import Count, InputError

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")
"""What is read; Pillow knows more, some of which start other programs."""
NARROWEST = 200
"""Times a side may be as long as the other where the shorter one is brought to a size."""

logging.getLogger("PIL").addHandler(logging.NullHandler())  # without any handler Python would print what Pillow logs
with suppress(AttributeError, OSError):  # where Pillow's libtiff cannot be reached, it prints what is wrong with a file
    ctypes.CDLL(_imaging.__file__).TIFFSetErrorHandler(None)


def read_picture(path: Path, *, pixels: Count) -> Image.Image:
    """Read a file: the first frame, upright, decoded, in the file's own mode (`on_white` makes it RGB).

    Args:
        path: a regular file, or a link to one; of anything else (a pipe, a device) nothing is read.
        pixels: width x height, at most; Pillow's own limit, 2 x `PIL.Image.MAX_IMAGE_PIXELS`, holds as well.

    Raises:
        InputError: the file is missing, unreadable, empty, no picture, too large or damaged; the message names it.
    """
    name = str(path)
    try:
        with _opened(path, name) as stream:
            return _decoded(stream, name, pixels)
    except InputError:
        raise
    except (OSError, ValueError) as error:  # a ValueError for a name no file can have
        raise _wrong(name, getattr(error, "strerror", None) or str(error), "correct its name or permissions") from None


def header_size(path: Path) -> tuple[int, int]:
    """Width and height as a file's header says, nothing decoded; 0, 0 for what `read_picture` would refuse."""
    try:
        with _opened(path, str(path)) as stream, _silent(), Image.open(stream, formats=FORMATS) as picture:
            return picture.size
    except Exception:  # of damaged files each decoder has its own
        return 0, 0


def _opened(path: Path, name: str) -> BinaryIO:
    found = path.stat()
    if not stat.S_ISREG(found.st_mode):  # asked before opening: to open a pipe is to wait for its other end
        raise _wrong(name, "it is no regular file")
    if not found.st_size:
        raise _wrong(name, "it is empty")
    return path.open("rb")


def read_picture_bytes(content: bytes, *, name: str, pixels: Count) -> Image.Image:
    """Read what a file would hold, as `read_picture` does; errors call it `name`."""
    if not content:
        raise _wrong(name, "it is empty")
    return _decoded(io.BytesIO(content), name, pixels)


def on_white(picture: Image.Image) -> Image.Image:
    """A picture of any mode -> RGB: what is transparent turns white, and deep greys are brought to 8 bits.

    Raises:
        InputError: the mode cannot be brought to RGB.
    """
    if picture.mode.startswith("I") or picture.mode == "F":
        picture = _eight_bits(picture)
    try:
        layer = picture.convert("RGBA" if picture.has_transparency_data else "RGB")
    except ValueError as error:
        raise InputError(f"cannot read a picture of mode {picture.mode}; convert it to RGB") from error
    if layer.mode == "RGB":
        return layer
    return Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer).convert("RGB")


def proportioned(picture: Image.Image) -> Image.Image:
    """The picture, for whoever brings its shorter side to a size: a hair's breadth would be enlarged to gigabytes.

    Raises:
        InputError: a side is more than `NARROWEST` times the other.
    """
    short, long = sorted(picture.size)
    if long > NARROWEST * short:
        raise InputError(
            f"cannot scale a picture of {picture.width} x {picture.height} pixels: a side is more than {NARROWEST} times "
            "the other; crop it, or leave it out"
        )
    return picture


def _decoded(stream: BinaryIO, name: str, pixels: int) -> Image.Image:
    most = min(pixels, 2 * (Image.MAX_IMAGE_PIXELS or pixels))
    try:
        with _silent(), Image.open(stream, formats=FORMATS) as picture:
            if picture.width * picture.height > most:
                raise Image.DecompressionBombError
            picture.load()
            return _upright(picture)
    except Image.DecompressionBombError:
        raise _wrong(name, f"it has more than the {most:,} pixels allowed", "make it smaller") from None
    except UnidentifiedImageError:
        raise _wrong(name, f"it is damaged or no picture ({', '.join(FORMATS)})") from None
    except MemoryError:
        raise _wrong(name, "there is not enough memory to decode it", "make it smaller") from None
    except Exception as error:  # of damaged files each decoder has its own: struct.error, KeyError, IndexError, ...
        cut = "truncated" in str(error).lower()
        raise _wrong(name, "it is truncated" if cut else "it is damaged") from None


def _upright(picture: Image.Image) -> Image.Image:
    """A copy as the camera was held; a damaged note of how that was does not spoil the picture."""
    try:
        return ImageOps.exif_transpose(picture)
    except Exception:
        return picture.copy()


def _eight_bits(picture: Image.Image) -> Image.Image:
    """Deep greys -> 8 bits: 16-bit integers by their range, floats from [0, 1]; PIL itself would clip them at 255."""
    values = np.asarray(picture, np.float64)
    scaled = values * 255 if picture.mode == "F" else values / 257
    return Image.fromarray(np.clip(np.nan_to_num(scaled), 0, 255).round().astype(np.uint8))


def _wrong(name: str, reason: str, remedy: str = "save it again as PNG or JPEG") -> InputError:
    shown = name if name.isprintable() else repr(name)  # a name may hold line ends, or no text at all
    return InputError(f"cannot read the picture {shown}: {reason}; {remedy}, or leave it out")


class _Reading(threading.local):
    """Whether this thread is reading a picture; as the pattern of a warning filter it matches only then."""

    now = False

    def match(self, text: str) -> bool:
        return self.now


_READING = _Reading()
_FILTER: Any = ("ignore", _READING, Warning, None, 0)


@contextmanager
def _silent() -> Iterator[None]:
    """Drop this thread's warnings; `warnings.catch_warnings` would change those of all threads, and restore them out of turn."""
    if warnings.filters[:1] != [_FILTER]:
        warnings.filters.insert(0, _FILTER)  # type: ignore[attr-defined]  # a list, whatever its stub says
    _READING.now = True
    try:
        yield
    finally:
        _READING.now = False
