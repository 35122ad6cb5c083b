"""Tables: what .csv and .parquet have in common. Numbers are one matrix; names, labels and parts stay beside it."""

import re
from collections import Counter

import numpy as np
from numpy.typing import NDArray

from msl.data.parsing.handover import text
from msl.types import InputError

SEPARATE = frozenset({"id", "ids", "name", "label", "class", "category", "split", "part"})
"""Columns that say what a row is: they never join the matrix."""
INDEX = "index"
"""What pandas' unnamed first column is called."""
_INTEGER = re.compile(r"0|-?[1-9][0-9]{0,17}")  # 007 is a name, not a number


def separate(name: str) -> bool:
    """Whether a column with this header is handed over under its own name instead of joining the matrix."""
    return name.strip().casefold() in SEPARATE | {INDEX} or name.startswith("__index_level_")


def unique(names: list[str]) -> None:
    """Refuse two arrays of one name, the matrix's among them."""
    double = next((name for name, times in Counter(names).items() if times > 1), None)
    if double is not None:
        raise InputError(
            f"two columns are called {double!r}; give each a name of its own, and none the name of the file"
        )


def words_or_integers(values: list[str], name: str) -> NDArray[np.int64] | NDArray[np.str_]:
    """Integers where every value is one as a program writes it, otherwise text."""
    if all(map(_INTEGER.fullmatch, values)):
        return np.array([int(value) for value in values], dtype=np.int64)
    return text(values, name)
