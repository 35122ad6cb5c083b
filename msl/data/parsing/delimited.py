""".csv, .tsv and .txt: numbers in columns, with or without a header."""

import csv
import io
import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice
from operator import itemgetter
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from msl.data.parsing.handover import Handover
from msl.data.parsing.tables import INDEX, separate, unique, words_or_integers
from msl.types import InputError

_OPENING = 20  # lines that choose the delimiter
_BATCH = 1000  # rows
_LONGEST_CELL = 1 << 24  # a line of a million numbers is one cell to a wrong delimiter
_DIGITS = r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?"
_NUMBER = re.compile(rf"\s*{_DIGITS}\s*")
_LIKE_NUMBER = re.compile(rf"\s*({_DIGITS}|[+-]?(nan|inf|infinity)|na|n/a|null|none|)\s*", re.IGNORECASE)
_COMMA = re.compile(r"\s*[+-]?[0-9]*,[0-9]+([eE][+-]?[0-9]+)?\s*")
_COUNTED = 3  # columns 0, 1, 2, ... that make a first row of numbers a header, as pandas writes one

Row = tuple[int, list[str]]
"""The line a row ends on, counted from 1, and its cells."""


@dataclass(frozen=True)
class _Columns:
    matrix: list[int]
    beside: dict[int, str]
    """Position -> name of the columns that stay beside the matrix."""


def parse(stream: BinaryIO, stem: str, handover: Handover) -> None:
    """Columns of numbers as one float64 matrix called `stem`, the others as text or integers by their header.

    The delimiter (comma, semicolon, tab, blanks) and whether there is a header are seen from the first lines.
    Every row must have the same number of cells, and every cell something in it.
    """
    csv.field_size_limit(_LONGEST_CELL)
    lines = io.TextIOWrapper(stream, encoding="utf-8-sig", newline="")
    opening = list(islice(lines, _OPENING))
    rows = _rows(chain(opening, lines), _delimiter(opening))
    first = list(islice(rows, _OPENING))
    if not first:
        raise InputError("it has no rows; write one line for each item")
    header = first.pop(0)[1] if _is_header(first) else None
    if not first:
        raise InputError("line 1 is a header, and no row follows; write one line for each item")
    columns = _columns(header, [cells for _, cells in first], stem)
    _hand_over(chain(first, rows), columns, stem, handover)


def _rows(lines: Iterable[str], delimiter: str) -> Iterator[Row]:
    source = (" ".join(line.split()) for line in lines) if delimiter == " " else lines
    reader = csv.reader(source, delimiter=delimiter, strict=True)
    width, blank = 0, 0
    for cells in reader:
        if not cells:
            blank = blank or reader.line_num
            continue
        if blank:  # only at the end: the row it stands for would be lost
            raise InputError(f"line {blank} is blank; delete it, or fill in its row")
        width = width or len(cells)
        if len(cells) != width:
            raise InputError(
                f"line {reader.line_num} has {len(cells)} cells; wanted {width} as in the first, make them equal"
            )
        yield reader.line_num, cells


def _delimiter(opening: list[str]) -> str:
    """The one that cuts the first lines into equally many cells, the most of them; blanks only where no other cuts."""
    widths = {mark: [len(row) for row in csv.reader(opening, delimiter=mark) if row] or [0] for mark in "\t;,"}
    best = max(widths, key=lambda mark: (min(widths[mark]) == max(widths[mark]) > 1, widths[mark][0]))
    if widths[best][0] > 1:
        return best
    words = [line.split() for line in opening if line.strip()]
    even = len({len(row) for row in words}) == 1
    return " " if words and len(words[0]) > 1 and (even or all(map(_NUMBER.fullmatch, words[0]))) else ","


def _is_header(rows: list[Row]) -> bool:
    """Words above numbers, a word that only names a column, or a row 0, 1, 2, ... as pandas writes it."""
    top = rows[0][1]
    others = [cell for place, cell in enumerate(top) if not _beside(cell.strip(), place)]
    marked = len(others) < len(top)
    if len(others) >= (1 if marked else _COUNTED) and others == [str(place) for place in range(len(others))]:
        return True
    if any(map(_NUMBER.fullmatch, others)):
        return False
    return marked or any(map(_NUMBER.fullmatch, rows[1][1] if len(rows) > 1 else []))


def _beside(name: str, place: int) -> bool:
    return separate(name) or (not place and not name)  # pandas leaves the name of its row numbers empty


def _columns(header: list[str] | None, opening: list[list[str]], stem: str) -> _Columns:
    """A column is text when nothing in the first rows looks like a number, or like the lack of one."""
    width = len(opening[0])
    names = [f"column{place}" for place in range(1, width + 1)] if width > 1 else [stem]
    if header is not None:
        names = [cell.strip() or (INDEX if not place else "") for place, cell in enumerate(header)]
    if "" in names:
        raise InputError(f"line 1, column {names.index('') + 1}: the cell is empty; give the column a name")
    beside = {
        place: name
        for place, name in enumerate(names)
        if (header is not None and separate(name)) or not any(_LIKE_NUMBER.fullmatch(row[place]) for row in opening)
    }
    _check_points({place: name for place, name in beside.items() if not separate(name)}, opening)
    matrix = [place for place in range(width) if place not in beside]
    unique([*beside.values(), *([stem] if matrix else [])])
    return _Columns(matrix, beside)


def _check_points(words: dict[int, str], opening: list[list[str]]) -> None:
    for place, name in words.items():
        if all(_COMMA.fullmatch(row[place]) for row in opening):
            raise InputError(
                f"column {name!r} writes numbers with a comma, as {opening[0][place].strip()}; write them with a point "
                "(in R with write.csv, not write.csv2)"
            )


def _hand_over(rows: Iterator[Row], columns: _Columns, stem: str, handover: Handover) -> None:
    numbers: list[NDArray[np.float64]] = []
    words: dict[int, list[str]] = {place: [] for place in columns.beside}
    while batch := list(islice(rows, _BATCH)):
        if columns.matrix:
            numbers.append(_numbers(batch, columns.matrix))
        for place, column in words.items():
            column += _words(batch, place)
    if numbers:
        handover.add(stem, np.concatenate(numbers))
    for place, name in columns.beside.items():
        handover.add(name, words_or_integers(words[place], name))


def _numbers(batch: list[Row], places: list[int]) -> NDArray[np.float64]:
    try:
        pick = itemgetter(*places) if len(places) > 1 else lambda row: [row[places[0]]]
        cells = [pick(row) for _, row in batch]
        if all(joined.isascii() and "_" not in joined for joined in map("".join, cells)):  # float("1_0") is 10
            matrix = np.array([list(map(float, row)) for row in cells])
            if np.isfinite(matrix).all():
                return matrix
    except ValueError:
        pass
    raise _first_fault(batch, places)


def _first_fault(batch: list[Row], places: list[int]) -> InputError:
    for line, row in batch:
        for place in places:
            cell = row[place]
            if not cell.strip():
                return _empty(line, place)
            if not _NUMBER.fullmatch(cell) or not math.isfinite(float(cell)):
                return InputError(
                    f"line {line}, column {place + 1}: wanted a finite number, but got {cell[:40]!r}; "
                    "correct it; a column of text is text in every row"
                )
    return InputError(f"lines {batch[0][0]} to {batch[-1][0]}: wanted numbers; write them in plain digits")


def _words(batch: list[Row], place: int) -> list[str]:
    column = [row[place].strip() for _, row in batch]
    if not all(column):
        raise _empty(batch[column.index("")][0], place)
    return column


def _empty(line: int, place: int) -> InputError:
    return InputError(
        f"line {line}, column {place + 1}: the cell is empty; fill it in, or leave the row or the column out"
    )
