"""Finds in the terminal: texts that it does not obey, and pictures, two pixels a character (the upper half block over a
background)."""

from collections.abc import Iterable, Sequence

import numpy as np
from PIL import Image
from rich.box import SIMPLE_HEAD
from rich.color import Color
from rich.console import Console
from rich.style import Style
from rich.table import Table
from rich.text import Text

_UPPER_HALF = "▀"


def flat(text: str) -> str:
    """A text of the data on one line, and without what a terminal would obey."""
    return "".join(each if each.isprintable() else " " for each in text)


def print_table(console: Console, heads: Sequence[str], rows: Iterable[Sequence[str | Text]], *, lines: bool) -> None:
    """Print rows of texts, which are flattened, and of pictures as `drawn`; `lines` between them."""
    table = Table(*heads, box=SIMPLE_HEAD, show_lines=lines)
    for row in rows:
        table.add_row(*(Text(flat(cell)) if isinstance(cell, str) else cell for cell in row))
    console.print(table)


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
