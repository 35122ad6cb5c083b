"""`Ranked`, the record of where the relevant items came: all that any metric needs.

The tie rule, for all metrics (it is scikit-learn's): gallery items with equal scores share one *tie group*.
A group counts as a whole at its end, so no order within it, and no order of the files, can change a value.
At a cut-off k inside a group of `size` places and `hits` relevant items that starts after `start` places, the group
is replaced by its expected share: m = k - start places holding hits * m / size relevant items.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Values: TypeAlias = NDArray[np.float64]
Counts: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Ranked:
    """Where the relevant items came: one entry per tie group that holds any, best first, query by query."""

    query: Counts
    """(groups,) the query, counted from 0."""
    start: Counts
    """(groups,) places taken by strictly better items."""
    size: Counts
    """(groups,) items in the group, relevant or not."""
    before: Counts
    """(groups,) relevant items among the strictly better ones."""
    hits: Counts
    """(groups,) relevant items in the group, at least 1."""
    relevant: Counts
    """(queries,) relevant items in the gallery, R."""
    gallery: int
    """Items in the gallery, N."""

    def cut(self, k: int | None) -> tuple[Values, Values]:
        """Return each group's places and (expected) hits within the first `k` places."""
        if k is None or k >= self.gallery:
            return self.size.astype(np.float64), self.hits.astype(np.float64)
        places: Values = np.clip(k - self.start, 0, self.size).astype(np.float64)
        return places, self.hits * (places / self.size)

    def total(self, values: Values) -> Values:
        """Sum `values` (groups,) over each query's groups; NaN for a query with nothing relevant (queries,)."""
        totals = np.full(len(self.relevant), np.nan)
        asked = np.flatnonzero(self.relevant)
        if len(asked):
            totals[asked] = np.add.reduceat(values, self.query.searchsorted(asked))
        return totals


def join(blocks: Iterable[Ranked]) -> Ranked:
    """Join the records of consecutive blocks of queries into one."""
    parts = list(blocks)
    sizes = [len(part.relevant) for part in parts]
    shifts = np.cumsum(sizes) - sizes
    query = np.concatenate([part.query + shift for part, shift in zip(parts, shifts, strict=True)])
    start, size, before, hits, relevant = (
        np.concatenate([getattr(part, name) for part in parts])
        for name in ("start", "size", "before", "hits", "relevant")
    )
    return Ranked(query, start, size, before, hits, relevant, parts[0].gallery)
