"""Small pictures of items: made of their files, or kept in one archive that goes with a shared index."""

import io
import zipfile
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeAlias

from PIL.Image import Image

from msl.encode.pictures import on_white, read_picture
from msl.serve.items import Item
from msl.types import InputError

Previews: TypeAlias = Callable[[Item], bytes | None]
"""An item -> its small picture as JPEG; None if it has none."""

PIXELS = 100_000_000
"""The largest picture that is decoded, width x height."""
_SIDE = 160
_LARGEST = 1_000_000  # bytes of a preview that is read: of `_SIDE` x `_SIDE` pixels, none has as many


def small(picture: Image) -> bytes:
    """A picture of any mode -> JPEG, at most `_SIDE` pixels a side."""
    reduced, stream = on_white(picture), io.BytesIO()
    reduced.thumbnail((_SIDE, _SIDE))
    reduced.save(stream, "JPEG", quality=85)
    return stream.getvalue()


def of_file(item: Item) -> bytes | None:
    """The preview of an item whose picture is a file; None if that cannot be read."""
    if item.picture is None:
        return None
    try:
        return small(read_picture(item.picture, pixels=PIXELS))
    except InputError:
        return None


def pack(previews: Iterable[tuple[str, bytes]], file: Path) -> None:
    """Write named previews into an archive, the same bytes whenever it is done."""
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in previews:
            archive.writestr(zipfile.ZipInfo(name), content)


def packed(file: Path) -> Previews:
    """What `pack` wrote, by `Item.image`; what is missing or damaged is no preview."""

    def find(item: Item) -> bytes | None:
        try:
            with zipfile.ZipFile(file) as archive:
                kept = archive.getinfo(item.image or "")
                return archive.read(kept) if kept.file_size <= _LARGEST else None
        except (KeyError, OSError, ValueError, RuntimeError, zipfile.BadZipFile, zlib.error):
            return None

    return find
