"""Pairs: items of two modalities that belong together, their features and labels."""

import functools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from msl.data.labels import carrying, classes_of
from msl.types import Floats, InputError, Ints

STRETCH = 8192
"""Rows read at a time from features that may lie on disk: bounds memory, changes no value."""

_KEPT_ON_DISK = 2**29
"""Bytes from which a mapped matrix stays on disk; a smaller one is read whole, once."""


@dataclass(frozen=True, eq=False)
class Features:
    """One modality of n items, read as float32: rows of a `matrix` (m, size) in memory or mapped from a file.

    `index` (n,) is the matrix's row for each item, -1 for an item that lacks this modality; None: item i has row i.
    """

    matrix: Floats
    index: Ints | None = None

    def __len__(self) -> int:
        return len(self.matrix if self.index is None else self.index)

    @property
    def shape(self) -> tuple[int, int]:
        """Items, size."""
        return len(self), self.matrix.shape[1]

    @property
    def present(self) -> NDArray[np.bool_]:
        """Which items have this modality (n,)."""
        return np.ones(len(self), dtype=bool) if self.index is None else self.index >= 0

    def __getitem__(self, rows: Any) -> Floats:
        """Features of some items (a slice, positions or a mask), float32; all of them must have the modality."""
        if self.index is None:
            return np.asarray(self.matrix[rows], dtype=np.float32)
        found = self.index[rows]
        assert np.min(found, initial=0) >= 0, "asked for features of an item that lacks this modality"
        return np.asarray(self.matrix[found], dtype=np.float32)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        whole = self[:]
        return whole if dtype is None else whole.astype(dtype)

    def take(self, rows: Ints) -> "Features":
        """The items at these positions, in this order; nothing is read."""
        return Features(self.matrix, rows if self.index is None else self.index[rows])

    def stretches(self) -> Iterator[Floats]:
        """All items, `STRETCH` at a time."""
        for start in range(0, len(self), STRETCH):
            yield self[start : start + STRETCH]


@dataclass(frozen=True, eq=False)
class Pairs:
    """n items: features of modality `a` and `b`, their classes, and an id each.

    `labels` are class indices (n,), or indicators (n, classes) of 0 and 1 where an item may have several classes.
    An unpaired set has items of one modality only.
    """

    ids: tuple[str, ...]
    a: Features
    b: Features
    labels: Ints

    def __len__(self) -> int:
        return len(self.ids)

    @functools.cached_property
    def places(self) -> dict[str, int]:
        """Position of each id; kept, since every validation asks for it."""
        return {name: row for row, name in enumerate(self.ids)}

    @property
    def paired(self) -> bool:
        """Whether every item has both modalities."""
        return bool(self.a.present.all() and self.b.present.all())

    def take(self, rows: Ints) -> "Pairs":
        """The items at these positions, in this order; no features are read."""
        return Pairs(tuple(self.ids[row] for row in rows), self.a.take(rows), self.b.take(rows), self.labels[rows])

    def completed(self, *, seed: int) -> "Pairs":
        """The same items, each that lacks a modality lent it by an item of its class, drawn at random by `seed`.

        What a method learns from unpaired data: that items of one class belong together. Items nobody can lend to are
        left out; an `InputError` if those are all.
        """
        if self.paired:
            return self
        rng = np.random.default_rng(seed)
        a, b = (self._lent(features, rng) for features in (self.a, self.b))
        whole = np.flatnonzero((a >= 0) & (b >= 0))
        if not len(whole):
            raise InputError(
                "no class of the training rows has items of both modalities; give labels that both modalities share"
            )
        return replace(self, a=Features(self.a.matrix, a), b=Features(self.b.matrix, b)).take(whole)

    def _lent(self, features: Features, rng: np.random.Generator) -> Ints:
        """The matrix row each item shows: its own, or that of an item of one of its classes."""
        if features.index is None:
            return np.arange(len(features))
        index = features.index.copy()
        lenders: dict[int, Ints] = {}
        for item in np.flatnonzero(index < 0):
            label = int(rng.choice(classes_of(self.labels[item])))
            if label not in lenders:
                lenders[label] = np.flatnonzero(features.present & carrying(self.labels, np.array([label])))
            if len(lenders[label]):
                index[item] = features.index[rng.choice(lenders[label])]
        return index


def checked_features(values: Any, *, what: str, rows: int | None = None) -> Floats:
    """Features as a matrix of finite numbers, or an `InputError` that names `what` and the first bad row.

    Comes back as float32 in memory; a large matrix that is mapped from a file stays there, as it is.
    """
    matrix = np.asanyarray(values)
    if matrix.ndim != 2 or matrix.dtype.kind not in "fiu" or not matrix.shape[1]:
        raise InputError(
            f"{what}: wanted a real matrix, one row per item, but got shape {matrix.shape} of {matrix.dtype}; "
            "write a row of numbers for each item"
        )
    if rows is not None and len(matrix) != rows:
        raise InputError(
            f"{what}: wanted {rows} rows, one per label, but got {len(matrix)}; write both from the same list of items"
        )
    if isinstance(matrix, np.memmap) and matrix.nbytes >= _KEPT_ON_DISK:
        for start in range(0, len(matrix), STRETCH):
            _finite(matrix[start : start + STRETCH], what, start)
        return matrix
    return _finite(matrix, what, 0)


def _finite(matrix: NDArray[Any], what: str, start: int) -> Floats:
    with np.errstate(over="ignore"):  # what leaves float32 becomes infinite, and is refused below
        single: Floats = np.ascontiguousarray(matrix, dtype=np.float32)
    bad = np.flatnonzero(~np.isfinite(single).all(axis=1))
    if len(bad):
        raise InputError(
            f"{what}: row {start + bad[0]} holds NaN, infinity or a number beyond float32 ({len(bad)} such rows); drop or recompute them"
        )
    return single
