"""Rows of a table of pictures: .csv and .tsv with a header, .jsonl with an object a line."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from msl.data.collection.tree import read_text
from msl.types import InputError

_OPENING = 1 << 20
_MARK = b"\xef\xbb\xbf"


def header(file: Path) -> list[str]:
    """The names of a table's columns, of .jsonl the keys of its first object; empty lines before it are passed over.

    Raises:
        InputError: its first line that is not empty cannot be read so; the message says only why.
    """
    with file.open("rb") as stream:
        lines = (line.removeprefix(_MARK) for line in iter(lambda: stream.readline(_OPENING), b""))
        first = next((line for line in lines if line.strip()), b"")
    try:
        if file.suffix.lower() != ".jsonl":
            return next(csv.reader([first.decode()], delimiter=_delimiter(file)), [])
        found = json.loads(first.decode())
    except UnicodeDecodeError:
        raise InputError("it is not UTF-8; save it as UTF-8") from None
    except (ValueError, RecursionError, csv.Error):
        found = None
    if not isinstance(found, dict):
        raise InputError("its first line is no JSON object and no header; write one") from None
    return list(found)


def table_text(root: Path, file: Path) -> str:
    """The text of a table below `root` or, where its pictures lie elsewhere than it does, of a regular file in its folder."""
    home = root if file.is_relative_to(root) else file.parent
    return read_text(home, file.relative_to(home).as_posix())


def rows(root: Path, file: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Each row with its line in the file, counted from 1; empty lines are passed over.

    Raises:
        InputError: the file is not UTF-8, a line is no object, or a row has another number of cells than the header.
    """
    lines = table_text(root, file).split("\n")  # not splitlines(): U+2028 may stand within JSON text and cells
    yield from _objects(file, lines) if file.suffix.lower() == ".jsonl" else _cells(file, lines)


def _objects(file: Path, lines: list[str]) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            found = json.loads(line)
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            raise InputError(f"{file}: row {number} is no JSON object; write one object a line")
        yield number, found


def _cells(file: Path, lines: list[str]) -> Iterator[tuple[int, dict[str, Any]]]:
    reader = csv.reader((f"{line}\n" for line in lines), delimiter=_delimiter(file))
    try:
        filled = (cells for cells in reader if any(cell.strip() for cell in cells))
        names = next(filled, [])
        for cells in filled:
            if len(cells) != len(names):
                raise InputError(
                    f"{file}: row {reader.line_num} has {len(cells)} cells, the header {len(names)}; put cells with commas or "
                    "tabs in quotes"
                )
            yield reader.line_num, dict(zip(names, cells, strict=True))
    except csv.Error as error:
        raise InputError(f"{file}: row {reader.line_num} cannot be read ({error}); write it as CSV") from None


def _delimiter(file: Path) -> str:
    return "\t" if file.suffix.lower() == ".tsv" else ","
