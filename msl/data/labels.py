"""Labels of n items: class indices (n,), or indicators (n, classes) of 0 and 1 where an item may have several classes."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from msl.types import InputError, Ints


def carrying(labels: Ints, classes: Ints) -> NDArray[np.bool_]:
    """Which items (n,) have at least one of these classes."""
    if labels.ndim == 1:
        return np.isin(labels, classes)
    return np.asarray(labels[:, classes].any(axis=1))


def class_counts(labels: Ints, classes: int) -> Ints:
    """How many items each class has (classes,)."""
    counts: Ints = np.bincount(labels, minlength=classes) if labels.ndim == 1 else labels.sum(axis=0, dtype=np.int64)
    return counts


def classes_of(label: Ints) -> Ints:
    """The classes of one item: of a row of indicators, or the one class index."""
    return np.flatnonzero(label) if np.ndim(label) else np.atleast_1d(label)


def relabelled(labels: Ints, classes: Ints) -> Ints:
    """The labels among `classes` alone: indices 0.. of their positions (-1: none of them), or those columns."""
    if labels.ndim == 2:
        return labels[:, classes]
    position = np.full(max(labels.max(initial=0), classes.max(initial=0)) + 1, -1)
    position[classes] = np.arange(len(classes))
    renamed: Ints = position[labels]
    return renamed


def checked_labels(labels: NDArray[Any], classes: int, *, what: str) -> Ints:
    """Labels as class indices (n,) or indicators (n, classes), or an `InputError` that names `what` and the first bad row."""
    if labels.ndim == 2 and labels.shape[1] == classes and labels.dtype.kind in "iufb" and len(labels):
        return _checked_indicators(labels, what)
    if labels.ndim != 1 or labels.dtype.kind not in "iu" or not len(labels):
        raise InputError(
            f"{what}: wanted one class index per row, or {classes} columns of 0 and 1, but got shape {labels.shape} of "
            f"{labels.dtype}; give each item the position of its class in the class list"
        )
    outside = np.flatnonzero((labels < 0) | (labels >= classes))
    if len(outside):
        row = outside[0]
        raise InputError(
            f"{what}: row {row} has label {labels[row]}, outside the {classes} classes; relabel it 0..{classes - 1}"
        )
    indices: Ints = labels.astype(np.int64)
    return indices


def _checked_indicators(labels: NDArray[Any], what: str) -> Ints:
    for mask, said in (
        (~np.isin(labels, (0, 1)).all(axis=1), "holds something else than 0 and 1"),
        (~labels.astype(bool).any(axis=1), "has no class"),
    ):
        if mask.any():
            row = np.flatnonzero(mask)[0]
            raise InputError(f"{what}: row {row} {said} ({mask.sum()} such rows); drop or relabel them")
    indicators: Ints = np.ascontiguousarray(labels, dtype=np.uint8)
    return indicators
