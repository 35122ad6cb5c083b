"""Rows of a table of pictures: .csv and .tsv with a header, .jsonl with an object a line."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from msl.data.collection.tree import read_text
from msl.types import InputError

TABLES = (".csv", ".tsv", ".jsonl")
_OPENING = 1 << 20


def header(file: Path) -> list[str]:
    """The names of a table's columns, of .jsonl the keys of its first object; none where it cannot be told."""
    with file.open("rb") as stream:
        first = stream.readline(_OPENING)
    try:
        line = first.decode("utf-8-sig")
        if file.suffix.lower() == ".jsonl":
            return list(json.loads(line))
        return next(csv.reader([line], delimiter=_delimiter(file)), [])
    except (ValueError, TypeError, RecursionError, csv.Error):
        return []


def rows(root: Path, file: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Each row with its line in the file, counted from 1; empty lines are passed over.

    Raises:
        InputError: the file is not UTF-8, a line is no object, or a row has another number of cells than the header.
    """
    text = read_text(root, file.relative_to(root).as_posix())
    lines = text.split("\n")  # not splitlines(), which also breaks at U+2028, allowed within JSON text and cells
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
        names = next(reader, [])
        for cells in reader:
            if not any(cells):
                continue
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
