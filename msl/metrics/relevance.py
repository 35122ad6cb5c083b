"""Labels -> which gallery items are relevant to a query: those that share its class, or one of its classes."""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from msl.metrics.arrays import to_numpy
from msl.types import InputError


class Relevance(Protocol):
    """What the ranking needs to know about labels."""

    @property
    def queries(self) -> int:
        """How many queries there are."""

    @property
    def gallery(self) -> int:
        """How many gallery items there are."""

    def columns(self, query: int) -> NDArray[np.intp]:
        """Return the gallery items relevant to `query`, ascending."""

    def counts(self) -> NDArray[np.int64]:
        """Return how many gallery items are relevant to each query (queries,)."""


@dataclass(frozen=True)
class SingleLabel:
    """One class per item: relevant means the same class."""

    query_class: NDArray[np.intp]
    by_class: tuple[NDArray[np.intp], ...]
    gallery: int

    @property
    def queries(self) -> int:  # noqa: D102
        return len(self.query_class)

    def columns(self, query: int) -> NDArray[np.intp]:  # noqa: D102
        items: NDArray[np.intp] = self.by_class[self.query_class[query]]
        return items

    def counts(self) -> NDArray[np.int64]:  # noqa: D102
        sizes = np.array([len(items) for items in self.by_class], dtype=np.int64)
        counts: NDArray[np.int64] = sizes[self.query_class]
        return counts


@dataclass(frozen=True)
class MultiLabel:
    """A set of classes per item: relevant means at least one class in common."""

    query_classes: NDArray[np.bool_]
    """(queries, classes)"""
    members: NDArray[np.uint8]
    """(classes, gallery / 8), eight items to a byte: joining a query's classes reads whole rows, and little."""
    gallery: int

    @property
    def queries(self) -> int:  # noqa: D102
        return len(self.query_classes)

    def columns(self, query: int) -> NDArray[np.intp]:  # noqa: D102
        return np.flatnonzero(np.unpackbits(self._joined(query), count=self.gallery).view(np.bool_))

    def counts(self) -> NDArray[np.int64]:  # noqa: D102
        joined = (self._joined(query) for query in range(self.queries))
        return np.array([np.bitwise_count(items).sum() for items in joined], dtype=np.int64)

    def _joined(self, query: int) -> NDArray[np.uint8]:
        joined: NDArray[np.uint8] = np.bitwise_or.reduce(self.members[self.query_classes[query]], axis=0)
        return joined


def relevance(query_labels: ArrayLike, gallery_labels: ArrayLike) -> SingleLabel | MultiLabel:
    """Tell which gallery items are relevant to each query.

    Both are 1-d (one class per item: whole numbers, text, anything that sorts), or both are 2-d indicators
    (items, classes) of 0 and 1 for items with several classes; an item without any class is relevant to nothing.
    Raises `InputError` for anything else.
    """
    queries, gallery = to_numpy(query_labels, "query_labels"), to_numpy(gallery_labels, "gallery_labels")
    if queries.ndim != gallery.ndim or queries.ndim not in (1, 2):
        raise InputError(
            "labels: wanted both 1-d (one class per item) or both 2-d (items, classes) of 0 and 1, "
            f"got shapes {queries.shape} and {gallery.shape}; flatten a column of class numbers"
        )
    if 0 in queries.shape or 0 in gallery.shape:
        raise InputError(f"labels: wanted at least one item, got shapes {queries.shape} and {gallery.shape}")
    return _single(queries, gallery) if queries.ndim == 1 else _multi(queries, gallery)


def _single(queries: NDArray[Any], gallery: NDArray[Any]) -> SingleLabel:
    # numpy would turn 1 into "1" in order to compare it with text, and call them the same class
    if _is_text(queries) != _is_text(gallery):
        raise InputError(
            f"labels: wanted one kind for queries and gallery, got {queries.dtype} and {gallery.dtype}; convert one"
        )
    for labels, what in ((queries, "query_labels"), (gallery, "gallery_labels")):
        if labels.dtype.kind == "f" and np.isnan(labels).any():
            raise InputError(
                f"{what}: wanted a class for each item, got NaN in row {np.isnan(labels).argmax()}; drop it"
            )
    try:
        classes, joined = np.unique(np.concatenate([queries, gallery]), return_inverse=True)
    except TypeError as error:
        raise InputError("labels: wanted classes that can be sorted, got mixed kinds; convert all to text") from error
    query_class, gallery_class = joined[: len(queries)], joined[len(queries) :]
    order = np.argsort(gallery_class, kind="stable")
    ends = np.cumsum(np.bincount(gallery_class, minlength=len(classes)))
    return SingleLabel(query_class, tuple(np.split(order, ends[:-1])), len(gallery))


def _is_text(labels: NDArray[Any]) -> bool:
    return labels.dtype.kind in "US" or (labels.dtype.kind in "OT" and isinstance(labels[0], str))


def _multi(queries: NDArray[Any], gallery: NDArray[Any]) -> MultiLabel:
    if queries.shape[1] != gallery.shape[1]:
        raise InputError(
            f"labels: wanted indicators over the same classes, got {queries.shape[1]} and {gallery.shape[1]} columns"
        )
    for labels, what in ((queries, "query_labels"), (gallery, "gallery_labels")):
        if labels.dtype.kind != "b" and not ((labels == 0) | (labels == 1)).all():
            raise InputError(f"{what}: wanted 0 or 1 in a 2-d indicator, got other values; give class numbers as 1-d")
    members = np.stack([np.packbits(items != 0) for items in gallery.T])
    return MultiLabel(queries.astype(bool), members, len(gallery))


def check_sizes(found: Relevance, queries: int, gallery: int) -> None:
    """Raise `InputError` unless there is one label for each of `queries` and of `gallery` items."""
    for what, labels, items in (("query", found.queries, queries), ("gallery", found.gallery, gallery)):
        if labels != items:
            raise InputError(
                f"{what}_labels: wanted one label for each of the {items} {what} items, got {labels}; "
                "check that codes and labels come from the same rows"
            )
