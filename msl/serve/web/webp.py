"""Pictures of items, sent as WebP whatever their files are: nothing but pixels leaves a file, and browsers show them all."""

import hashlib
import io
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from PIL import Image

from msl.encode.pictures import on_white, read_picture

LARGEST = 4096
"""Pixels of the longer side of what is sent; the format's own limit is 16,383."""
_KEPT = 1024  # previews, some 10 kB each


@dataclass(frozen=True)
class Version:
    """A picture's file as it is now, and how large it is wanted."""

    file: Path
    changed: int
    size: int
    side: int

    @classmethod
    def of(cls, file: Path, side: int | None) -> "Version":
        """The file's version of now, `side` pixels at most, None for all; an `OSError` if it is gone."""
        found = file.stat()
        return cls(file, found.st_mtime_ns, found.st_size, side or LARGEST)

    @property
    def tag(self) -> str:
        """The same for the same bytes, as an HTTP ETag."""
        return f'"{hashlib.sha256(repr(self).encode()).hexdigest()[:32]}"'


def as_webp(version: Version, *, pixels: int) -> bytes:
    """The picture, in full or as a preview, of which the last ones are remembered.

    Raises:
        InputError: it is damaged, or has more than so many pixels.
    """
    return (_made if version.side == LARGEST else _preview)(version, pixels)


def _made(version: Version, pixels: int) -> bytes:
    shown = on_white(read_picture(version.file, pixels=pixels))
    shown.thumbnail((version.side, version.side), Image.Resampling.LANCZOS)
    stream = io.BytesIO()
    shown.save(stream, "WEBP", quality=85, method=2)
    return stream.getvalue()


_preview = lru_cache(maxsize=_KEPT)(_made)
