"""Codes read as float64 a stretch of rows at a time: the caller's array stays the only whole copy of a large gallery."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from msl.metrics.arrays import to_matrix
from msl.metrics.ranked import Values
from msl.types import InputError

_STRETCH_BYTES = 4 * 2**20
"""Of float64: few enough to stay in the processor's cache, many enough for a matrix product."""
_LARGEST = 1e145
"""Beyond this a product of two codes may leave float64."""
_GRID = 256.0
_GLANCE = 64
"""Rows that usually suffice to see that codes are not exact."""


@dataclass(frozen=True)
class Codes:
    """Codes of any real dtype and layout, in memory or mapped from a file, less a common centre."""

    matrix: NDArray[Any]
    """(items, dimensions)"""
    centre: Values | None = None
    """(dimensions,)"""

    def __len__(self) -> int:
        """Items."""
        return len(self.matrix)

    @property
    def dimensions(self) -> int:
        """Numbers in a code."""
        return int(self.matrix.shape[1])

    def rows(self, chosen: slice | NDArray[np.intp]) -> Values:
        """Return those rows (rows, dimensions) as float64, perhaps the caller's own memory: not to be written to.

        Float64 holds every float32 and every integer below 2**53 exactly.
        """
        wide: Values = self.matrix[chosen].astype(np.float64, order="C", copy=False)
        return wide if self.centre is None else wide - self.centre

    def stretches(self) -> list[slice]:
        """Return the rows in parts of about 4 MiB of float64."""
        step = max(1, _STRETCH_BYTES // (8 * self.dimensions))
        return [slice(start, start + step) for start in range(0, len(self), step)]

    def each_row(self, function: Callable[[Values], NDArray[Any]]) -> NDArray[Any]:
        """Return a `function` of rows (rows, dimensions) -> (rows,) for every row (items,)."""
        return np.concatenate([function(self.rows(part)) for part in self.stretches()])

    def about(self, centre: Values) -> "Codes":
        """Return these codes less `centre` (dimensions,)."""
        return replace(self, centre=centre)


def to_codes(values: ArrayLike, what: str) -> Codes:
    """Return finite codes (items, dimensions); raise `InputError` for anything else, and for huge magnitudes."""
    matrix = to_matrix(values, what)
    largest = max(float(matrix.max()), -float(matrix.min()))
    if largest > _LARGEST:
        raise InputError(f"{what}: wanted magnitudes below {_LARGEST:.0e}, got {largest:.0e}; rescale the codes")
    return Codes(matrix)


def are_exact(left: Codes, right: Codes) -> bool:
    """Tell whether float64 holds every product and sum of these codes without rounding."""
    if not all(_on_grid(codes.rows(slice(_GLANCE))) for codes in (left, right)):
        return False
    largest = max(_largest(left), _largest(right)) * _GRID
    if largest * largest * 2 * left.dimensions >= 2**53:
        return False
    return all(_on_grid(codes.rows(part)) for codes in (left, right) for part in codes.stretches())


def _largest(codes: Codes) -> float:
    return max(float(np.abs(codes.rows(part)).max()) for part in codes.stretches())


def _on_grid(rows: Values) -> bool:
    steps = rows * _GRID
    return np.array_equal(steps, np.rint(steps))


def centre_of(codes: Codes) -> Values:
    """Return the mean to 24 bits: about it a far-off cloud loses no digits, and float32 codes are shifted exactly."""
    total = np.sum([codes.rows(part).sum(axis=0) for part in codes.stretches()], axis=0)
    fraction, exponent = np.frexp(total / len(codes))
    centre: Values = np.ldexp(np.rint(fraction * 2**24), exponent - 24)
    return centre


def copies_in(codes: Codes) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the places of the rows that stand earlier too (copies,), and where each of them stands first (copies,)."""
    odd = np.random.default_rng(0).integers(2**63, size=codes.dimensions, dtype=np.uint64) * 2 + 1
    hashes = codes.each_row(lambda rows: _hashed(rows) @ odd)
    _, first, set_of = np.unique(hashes, return_index=True, return_inverse=True)
    original = first[set_of]
    copies = np.flatnonzero(original != np.arange(len(codes)))
    original = original[copies]
    for part in codes.stretches():
        if not np.array_equal(codes.rows(copies[part]), codes.rows(original[part])):
            return copies[:0], copies[:0]  # two rows of one hash: treat every row as its own
    return copies, original


def _hashed(rows: Values) -> NDArray[np.uint64]:
    """Mix the bits of each number: whole numbers, exact where a float product would round."""
    bits = (rows + 0.0).view(np.uint64)  # adding 0.0 turns -0.0, which has other bits, into 0.0
    # the upper bits are mixed into the lower, which are all zero in codes that were float32
    mixed = (bits ^ (bits >> np.uint64(32))) * np.uint64(0x9E3779B97F4A7C15)
    hashed: NDArray[np.uint64] = mixed ^ (mixed >> np.uint64(29))
    return hashed
