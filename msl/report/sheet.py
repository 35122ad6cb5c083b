"""A contact sheet: lines of pictures and texts, each with a title and a frame of its colour."""

import io
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from msl.encode.pictures import on_white, read_picture
from msl.files import write_bytes
from msl.report.page.thumbnail import PIXELS
from msl.types import InputError


@dataclass(frozen=True)
class Cell:
    """What stands at one place of a sheet: a picture, or else, and where that cannot be read, a text."""

    title: str
    colour: str
    picture: Path | None = None
    text: str = ""


def write_sheet(lines: Sequence[Sequence[Cell]], *, title: str, file: Path) -> Path:
    """Write the cells, a line each with its own number of them, as a PNG."""
    columns = max(map(len, lines))
    figure = Figure(figsize=(1.45 * columns, 1.62 * len(lines) + 0.9), layout="constrained")
    figure.suptitle(title, fontsize=11, parse_math=False)
    for axes, line in zip(figure.subplots(len(lines), columns, squeeze=False), lines, strict=True):
        for place, cell in zip(axes, line, strict=False):
            _draw(place, cell)
        for place in axes[len(line) :]:
            place.set_visible(False)
    return write_figure(figure, file)


def write_figure(figure: Figure, file: Path) -> Path:
    """Write a figure as a PNG whose bytes depend on nothing else."""
    FigureCanvasAgg(figure)
    buffer = io.BytesIO()
    metadata: dict[str, Any] = {"Software": None}
    figure.savefig(buffer, format="png", dpi=110, metadata=metadata)
    return write_bytes(file, buffer.getvalue())


def _draw(axes: Axes, cell: Cell) -> None:
    picture = _pixels(cell.picture) if cell.picture else None
    if picture is not None:
        axes.imshow(picture)
    else:
        short = textwrap.shorten(cell.text, 72, placeholder=" …")
        lines = textwrap.fill(short, 15)
        axes.text(0.5, 0.5, lines, ha="center", va="center", fontsize=7, transform=axes.transAxes, parse_math=False)
    axes.set_title(
        textwrap.shorten(cell.title, 22, placeholder="…"), fontsize=7, color=cell.colour, pad=2, parse_math=False
    )
    axes.set(xticks=[], yticks=[])
    for spine in axes.spines.values():
        spine.set(color=cell.colour, linewidth=2)


def _pixels(file: Path) -> NDArray[np.uint8] | None:
    """(height, width, 3); None of a picture that cannot be read."""
    try:
        return np.asarray(on_white(read_picture(file, pixels=PIXELS)))
    except InputError:
        return None
