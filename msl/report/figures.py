"""Figures: the precision-recall curves, and a gallery of queries with what was found for them."""

import io
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from msl.data.dataset import DataSet
from msl.evaluation.protocol import Direction
from msl.files import write_bytes
from msl.index.exact import nearest
from msl.metrics.curves import LEVELS
from msl.report.items import class_names, share_a_class, words
from msl.types import Floats, Ints

RIGHT, WRONG, QUERY = "#1a7f37", "#cf222e", "#57606a"


def curves(values: Mapping[str, Floats], *, title: str, file: Path) -> Path:
    """Write the precision-recall curves (one per ``regime/direction``) as a PNG."""
    figure = Figure(figsize=(6.4, 4.4), layout="constrained")
    axes = figure.subplots()
    for number, (name, precision) in enumerate(values.items()):
        axes.plot(LEVELS, precision, label=name, linestyle="-" if number % 2 == 0 else "--", color=f"C{number // 2}")
    axes.set(xlabel="recall", ylabel="interpolated precision", xlim=(0, 1), ylim=(0, 1), title=title)
    axes.grid(alpha=0.3)
    axes.legend(title="regime/direction")
    return _write(figure, file)


@dataclass(frozen=True)
class Finds:
    """Some queries of one direction (queries,) and the best items found for each (queries, columns), as rows of the data."""

    direction: str
    queries: Ints
    items: Ints


def finds(direction: Direction, *, rows: int, columns: int, seed: int) -> Finds:
    """Draw `rows` queries at random by `seed` and find the best `columns` items for each."""
    chosen = np.random.default_rng(seed).permutation(len(direction.queries))[:rows]
    found, _ = nearest(direction.queries[chosen], direction.gallery, columns)
    return Finds(direction.name, direction.query_rows[chosen], direction.gallery_rows[found])


def gallery(parts: Sequence[Finds], data: DataSet, *, title: str, file: Path) -> Path:
    """Write a contact sheet: a line for each query with its finds.

    A green frame and ✓ mark an item that shares a class with the query, a red one and ✗ any other.
    """
    lines, columns = sum(len(part.queries) for part in parts), max(part.items.shape[1] for part in parts)
    figure = Figure(figsize=(1.45 * (columns + 1), 1.62 * lines + 0.9), layout="constrained")
    grid = iter(figure.subplots(lines, columns + 1, squeeze=False))
    figure.suptitle(f"{title}\nqueries drawn at random; ✓ green: the query's class, ✗ red: another", fontsize=11)
    for part in parts:
        forward = part.direction == data.card.directions[0]
        for query, items in zip(part.queries, part.items, strict=True):
            line = next(grid)
            _item(line[0], data, query, picture=forward, colour=QUERY, title=class_names(data, query))
            for axes, item in zip(line[1:], items, strict=False):
                colour, mark = (RIGHT, "✓") if share_a_class(data, query, item) else (WRONG, "✗")
                _item(axes, data, item, picture=not forward, colour=colour, title=f"{mark} {class_names(data, item)}")
    for axes in figure.axes:
        axes.set(xticks=[], yticks=[])
    return _write(figure, file)


def _item(axes: Axes, data: DataSet, row: int, *, picture: bool, colour: str, title: str) -> None:
    """Draw one item: its picture, or its text (its id where the data set has neither)."""
    if picture and data.pictures:
        with Image.open(data.pictures[row]) as image:
            axes.imshow(np.asarray(image.convert("RGB")))
    else:
        short = textwrap.shorten(words(data, row, picture=picture), 72, placeholder=" …")
        axes.text(0.5, 0.5, textwrap.fill(short, 15), ha="center", va="center", fontsize=7, transform=axes.transAxes)
    axes.set_title(textwrap.shorten(title, 22, placeholder="…"), fontsize=7, color=colour, pad=2)
    for spine in axes.spines.values():
        spine.set(color=colour, linewidth=2)


def _write(figure: Figure, file: Path) -> Path:
    FigureCanvasAgg(figure)
    buffer = io.BytesIO()
    metadata: dict[str, Any] = {"Software": None}
    figure.savefig(buffer, format="png", dpi=110, metadata=metadata)
    return write_bytes(file, buffer.getvalue())
