"""Pairs: rows of two modalities that belong together, each with the index of its class."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from msl.types import Floats, InputError, Ints


@dataclass(frozen=True)
class Pairs:
    """n pairs: features `a` (n, size_a) and `b` (n, size_b), class index `labels` (n,), and an id per pair."""

    ids: tuple[str, ...]
    a: Floats
    b: Floats
    labels: Ints

    def __len__(self) -> int:
        return len(self.ids)

    def take(self, rows: Ints) -> "Pairs":
        """The pairs at these positions, in this order."""
        return Pairs(tuple(self.ids[row] for row in rows), self.a[rows], self.b[rows], self.labels[rows])


def checked_features(values: Any, *, what: str, rows: int | None = None) -> Floats:
    """Features as a matrix of finite floats, or an `InputError` that names `what` and the first bad row."""
    matrix = np.asarray(values)
    if matrix.ndim != 2 or matrix.dtype.kind not in "fiu" or not matrix.shape[1]:
        raise InputError(
            f"{what}: wanted a real matrix, one row per item, but got shape {matrix.shape} of {matrix.dtype}; "
            "write a row of numbers for each item"
        )
    if rows is not None and len(matrix) != rows:
        raise InputError(
            f"{what}: wanted {rows} rows, one per label, but got {len(matrix)}; write both from the same list of items"
        )
    with np.errstate(over="ignore"):  # what leaves float32 becomes infinite, and is refused below
        matrix = matrix.astype(np.float32)
    bad = np.flatnonzero(~np.isfinite(matrix).all(axis=1))
    if len(bad):
        raise InputError(
            f"{what}: row {bad[0]} holds NaN, infinity or a number beyond float32 ({len(bad)} such rows); drop or recompute them"
        )
    return matrix
