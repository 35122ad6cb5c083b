"""Pictures in the terminal: two pixels a character, the upper half block over a coloured background."""

import numpy as np
from PIL import Image
from rich.color import Color
from rich.style import Style
from rich.text import Text

_UPPER_HALF = "▀"


def drawn(picture: Image.Image, *, columns: int) -> Text:
    """A picture as lines of `columns` characters, its shape kept: a character is twice as high as wide."""
    rows = max(1, round(columns * picture.height / picture.width / 2))
    small = picture.convert("RGB").resize((columns, 2 * rows), Image.Resampling.LANCZOS)
    pixels = np.asarray(small).reshape(rows, 2, columns, 3).tolist()
    lines = []
    for upper, lower in pixels:
        styles = (
            Style(color=Color.from_rgb(*over), bgcolor=Color.from_rgb(*under))
            for over, under in zip(upper, lower, strict=True)
        )
        lines.append(Text.assemble(*((_UPPER_HALF, style) for style in styles)))
    return Text("\n").join(lines)
