"""A picture made small enough to lie inside a page."""

import base64
import io
from pathlib import Path

from msl.encode.pictures import on_white, read_picture
from msl.types import InputError

PIXELS = 100_000_000
"""The largest picture that is decoded for a report, width x height."""
_SIDE = 160  # pixels of the longer side


def thumbnail(file: Path) -> str:
    """A data URI of the picture, at most 160 pixels wide and high: PNG if it is transparent, else JPEG.

    Raises:
        InputError: the file is missing, no picture, too large or damaged; the message names it.
    """
    try:
        picture = read_picture(file, pixels=PIXELS)
    except InputError as error:
        raise InputError(f"the page wants its pictures: {error}, or restore the data set's pictures") from None
    small = picture.convert("RGBA") if picture.has_transparency_data else on_white(picture)
    small.thumbnail((_SIDE, _SIDE))
    kind = "png" if small.mode == "RGBA" else "jpeg"
    buffer = io.BytesIO()
    small.save(buffer, format=kind, optimize=True, quality=82)
    return f"data:image/{kind};base64,{base64.b64encode(buffer.getvalue()).decode()}"
