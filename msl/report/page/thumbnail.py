"""A picture made small enough to lie inside a page."""

import base64
import io
from pathlib import Path

from PIL import Image, ImageOps

from msl.types import InputError

_SIDE = 160  # pixels of the longer side


def thumbnail(file: Path) -> str:
    """A data URI of the picture, at most 160 pixels wide and high: PNG if it is transparent, else JPEG.

    Raises InputError for a file that is no picture or cannot be read.
    """
    try:
        with Image.open(file) as image:
            image.draft("RGB", (_SIDE, _SIDE))
            upright = ImageOps.exif_transpose(image)
            small = upright.convert("RGBA" if upright.has_transparency_data else "RGB")
            small.thumbnail((_SIDE, _SIDE))
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise InputError(f"wanted a picture for the page, {file}: {error}; restore the data set's pictures") from error
    kind = "png" if small.mode == "RGBA" else "jpeg"
    buffer = io.BytesIO()
    small.save(buffer, format=kind, optimize=True, quality=82)
    return f"data:image/{kind};base64,{base64.b64encode(buffer.getvalue()).decode()}"
