"""Means of per-query values: over all queries, and class by class."""

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from msl.metrics.arrays import to_numpy
from msl.metrics.ranked import Values
from msl.types import InputError


def mean(values: Values) -> float:
    """Return the mean over queries, skipping those with nothing relevant (NaN); `InputError` if that is all of them."""
    if np.isnan(values).all():
        raise InputError(
            "labels: wanted a query with at least one relevant gallery item, got none; "
            "check that query and gallery labels number their classes alike"
        )
    return float(np.nanmean(values))


def class_means(values: Values, query_labels: ArrayLike) -> dict[Hashable, float]:
    """Return class -> mean over its queries, in sorted order; a class whose queries all are NaN is NaN.

    Args:
        values: one per query (n,).
        query_labels: (n,) classes, or (n, classes) indicators, whose classes are column numbers; a query counts in
            each of its classes.
    """
    labels = to_numpy(query_labels, "query_labels")
    if labels.ndim not in (1, 2) or len(labels) != len(values):
        raise InputError(f"query_labels: wanted one for each of the {len(values)} values, got shape {labels.shape}")
    members = _members(labels)
    return {label: _mean_or_nan(values[rows]) for label, rows in members.items()}


def _members(labels: NDArray[Any]) -> dict[Hashable, NDArray[np.bool_]]:
    if labels.ndim == 2:
        return {column: labels[:, column].astype(bool) for column in range(labels.shape[1])}
    classes: Sequence[Any] = np.unique(labels).tolist()
    return {label: labels == label for label in classes}


def _mean_or_nan(values: Values) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else float("nan")


def harmonic_mean(seen: float, unseen: float) -> float:
    """``2 S U / (S + U)``, 0 if both are 0."""
    return 2 * seen * unseen / (seen + unseen) if seen + unseen else 0.0
