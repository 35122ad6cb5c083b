"""Figures: the precision-recall curves, and a gallery of queries with what was found for them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from msl.data.dataset import DataSet
from msl.evaluation.protocol import Direction
from msl.index.exact import nearest
from msl.metrics.curves import LEVELS
from msl.report.items import class_names, share_a_class, words
from msl.report.sheet import Cell, write_figure, write_sheet
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
    return write_figure(figure, file)


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
    lines = []
    for part in parts:
        forward = part.direction == data.card.directions[0]
        for query, items in zip(part.queries, part.items, strict=True):
            line = [_cell(data, query, picture=forward, colour=QUERY, title=class_names(data, query))]
            for item in items:
                colour, mark = (RIGHT, "✓") if share_a_class(data, query, item) else (WRONG, "✗")
                line.append(
                    _cell(data, item, picture=not forward, colour=colour, title=f"{mark} {class_names(data, item)}")
                )
            lines.append(line)
    said = "queries drawn at random; ✓ green: the query's class, ✗ red: another"
    return write_sheet(lines, title=f"{title}\n{said}", file=file)


def _cell(data: DataSet, row: int, *, picture: bool, colour: str, title: str) -> Cell:
    """One item: its picture, or its text (its id where the data set has neither, or the picture cannot be read)."""
    shown = data.pictures[row] if picture and data.pictures else None
    return Cell(title, colour, picture=shown, text=words(data, row, picture=picture))
