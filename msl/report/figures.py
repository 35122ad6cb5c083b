"""Figures: the precision-recall curves, and a gallery of queries with what was found for them."""

import io
import textwrap
from collections.abc import Mapping, Sequence
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
from msl.types import Floats

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


def gallery(
    directions: Sequence[Direction], data: DataSet, *, title: str, rows: int, columns: int, seed: int, file: Path
) -> Path:
    """Write a contact sheet: `rows` queries per direction, drawn at random by `seed`, each with its best `columns` finds.

    A green frame and ✓ mark an item of the query's class, a red one and ✗ any other.
    """
    figure = Figure(figsize=(1.45 * (columns + 1), 1.62 * rows * len(directions) + 0.9), layout="constrained")
    grid = figure.subplots(rows * len(directions), columns + 1, squeeze=False)
    figure.suptitle(f"{title}\nqueries drawn at random; ✓ green: the query's class, ✗ red: another", fontsize=11)
    for number, direction in enumerate(directions):
        forward = direction.name == data.card.directions[0]
        chosen = np.random.default_rng(seed).permutation(len(direction.queries))[:rows]
        found, _ = nearest(direction.queries[chosen], direction.gallery, columns)
        for row, (query, items) in enumerate(zip(chosen, found, strict=True)):
            line = grid[number * rows + row]
            label = direction.query_labels[query]
            _item(
                line[0],
                data,
                direction.query_rows[query],
                picture=forward,
                colour=QUERY,
                title=data.classes.names[label],
            )
            for axes, item in zip(line[1:], items, strict=False):
                other = direction.gallery_labels[item]
                colour, mark = (RIGHT, "✓") if other == label else (WRONG, "✗")
                name = f"{mark} {data.classes.names[other]}"
                _item(axes, data, direction.gallery_rows[item], picture=not forward, colour=colour, title=name)
    for axes in grid.ravel():
        axes.set(xticks=[], yticks=[])
    return _write(figure, file)


def _item(axes: Axes, data: DataSet, row: int, *, picture: bool, colour: str, title: str) -> None:
    """Draw one item: its picture, or its text (its id where the data set has neither)."""
    if picture and data.pictures:
        with Image.open(data.pictures[row]) as image:
            axes.imshow(np.asarray(image.convert("RGB")))
    else:
        text = data.pairs.ids[row] if picture or not data.texts else data.texts[row]
        short = textwrap.shorten(text, 72, placeholder=" …")
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
