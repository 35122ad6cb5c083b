"""What the columns of a table sort by: numbers, or text."""

import math
import re
from collections.abc import Sequence

_MISSING = {"", "–", "—", "-", "nan"}
_NUMBER = re.compile(r"[<≤]?\s*([+\-−]?(?:\d[\d,]*(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?)\s*(?:[%×†‡*±\[(].*)?", re.I | re.S)


def columns(rows: Sequence[Sequence[float | str]]) -> list[tuple[bool, list[str]]]:
    """For each column of `rows`: whether it holds numbers, and each cell's key; "" where it is missing.

    A text counts as the number that it begins with where only an interval, a sign or brackets follow.
    """
    return [_column(cells) for cells in zip(*rows, strict=True)]


def _column(cells: Sequence[float | str]) -> tuple[bool, list[str]]:
    present = [not _missing(cell) for cell in cells]
    numbers = [_number(cell) for cell, there in zip(cells, present, strict=True) if there]
    found = [number for number in numbers if number is not None]
    if found and len(found) == len(numbers):
        rest = iter(found)
        return True, [f"{next(rest)!r}".replace("inf", "Infinity") if there else "" for there in present]
    return False, [str(cell) if there else "" for cell, there in zip(cells, present, strict=True)]


def _missing(cell: float | str) -> bool:
    return cell.strip().lower() in _MISSING if isinstance(cell, str) else math.isnan(cell)


def _number(cell: float | str) -> float | None:
    if not isinstance(cell, str):
        return float(cell)
    found = _NUMBER.fullmatch(cell.strip())
    return float(found[1].replace(",", "").replace("−", "-")) if found else None
