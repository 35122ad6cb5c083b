"""How much an index finds of what exact search finds, and how fast both are."""

import time
from dataclasses import dataclass

import numpy as np

from msl.index.exact import nearest
from msl.index.search import Index
from msl.types import Floats, InputError

_TIED = 1e-12
"""Cosines this near are equal: float64 rounds them."""


@dataclass(frozen=True)
class Recall:
    """What `measure_recall` saw."""

    recall: float
    """Share of the exact k best that were found, mean over queries; one as similar as the k-th counts as well."""
    k: int
    queries: int
    seconds: float
    """For all queries, by the index."""
    exact_seconds: float
    """For all queries, by exact search with as many threads, in the same run."""

    @property
    def throughput(self) -> float:
        """Queries a second."""
        return self.queries / self.seconds

    @property
    def exact_throughput(self) -> float:
        """Queries a second."""
        return self.queries / self.exact_seconds

    @property
    def faster(self) -> float:
        """Throughput as a multiple of that of exact search."""
        return self.exact_seconds / self.seconds


def measure_recall(index: Index, queries: Floats, k: int) -> Recall:
    """Search all queries (n, d) at once both ways.

    Raises:
        InputError: there is nothing to search for or in.
    """
    if not len(queries) or not len(index.store) or k < 1:
        raise InputError(
            f"recall: wanted queries, codes and k of 1 or more, got {len(queries)}, {len(index.store)} and {k}; add some"
        )
    among = None if index.store.alive.all() else np.flatnonzero(index.store.alive)
    index.search(queries[:1], k)  # loads what is loaded once
    start = time.perf_counter()
    _, found = index.search(queries, k)
    middle = time.perf_counter()
    _, wanted = nearest(queries, index.store.codes, k, among=among, unit=True, threads=index.threads)
    stop = time.perf_counter()
    recall = float((found >= wanted[:, -1:] - _TIED).mean())
    return Recall(recall, wanted.shape[1], len(queries), middle - start, stop - middle)
