"""Queries in blocks, shared by threads: what decides how fast a ranking is and how much memory it takes."""

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from importlib import import_module
from itertools import chain
from queue import Empty, SimpleQueue
from typing import Any, TypeAlias, TypeVar

import numpy as np

from msl.metrics.ranked import Ranked, Values
from msl.metrics.ranking import rankings
from msl.metrics.relevance import Relevance
from msl.metrics.similarity import Costs, Each

Progress: TypeAlias = Callable[[int, int], None]
"""Called with (queries done, queries in all)."""
T = TypeVar("T")

_BLOCK_BYTES = 40 * 2**20
"""Of costs, where each worker has a block of its own."""
_SHARED_BYTES = 256 * 2**20
"""Of costs, where all workers share one block."""
_FEWEST = 32
"""Queries below which reading the gallery would take as long as multiplying it."""
_MOST_WORKERS = 8


def map_ranked(
    function: Callable[[Ranked], T],
    costs: Costs,
    found: Relevance,
    *,
    workers: int | None = None,
    rows: int | None = None,
    progress: Progress | None = None,
) -> list[T]:
    """Rank query after query and return `function` of every few of them, in order; nothing else is kept.

    `workers` threads (default: the cores at hand, at most 8) each take `rows` queries at a time, about 40 MiB of costs.
    Where so few bytes hold but a few queries, the threads join in one block after the other, of 256 MiB.
    """
    shared = 8 * _FEWEST * found.gallery > _BLOCK_BYTES
    rows = rows or _rows(found.queries, found.gallery, shared)
    starts = range(0, found.queries, rows)
    step = -(-rows // _MOST_WORKERS) if shared else rows
    spare: SimpleQueue[Values] = SimpleQueue()

    def block(start: int, each: Each) -> list[T]:
        room = _take(spare, (rows, found.gallery))
        used = room[: found.queries - start]
        costs(start, start + len(used), used, each)

        def ranked(first: int) -> list[T]:
            return [function(few) for few in rankings(used[first : first + step], start + first, found)]

        results = list(chain.from_iterable(each(ranked, range(0, len(used), step))))
        spare.put(room)
        return results

    with _threads(workers or _cores(), shared or len(starts) > 1) as each:
        blocks = (block(start, each) for start in starts) if shared else each(lambda start: block(start, map), starts)
        return list(chain.from_iterable(_counted(blocks, starts, found.queries, progress)))


def _rows(queries: int, gallery: int, shared: bool) -> int:
    """Return how many queries to multiply at a time: enough blocks to share, and none too large.

    It must not depend on the number of workers: the rounding of a product may depend on how it is cut.
    """
    if shared:
        return max(1, min(queries, _SHARED_BYTES // (8 * gallery)))
    return max(1, min(256, max(16, queries // 16), _BLOCK_BYTES // (8 * gallery)))


def _counted(results: Iterable[T], starts: range, queries: int, progress: Progress | None) -> Iterator[T]:
    for start, result in zip(starts, results, strict=True):
        yield result
        if progress is not None:
            progress(min(start + starts.step, queries), queries)


@contextmanager
def _threads(workers: int, needed: bool) -> Iterator[Each]:
    """Give a `map` over threads, or the plain one where there is nothing to share."""
    if not needed:
        yield map
        return
    with _one_thread_per_product(), ThreadPoolExecutor(workers) as pool:
        yield pool.map


def _take(spare: "SimpleQueue[Values]", shape: tuple[int, int]) -> Values:
    """Return a worker's used room if there is any: fresh memory would be handed over page by page each time."""
    try:
        return spare.get_nowait()
    except Empty:
        return np.empty(shape)


def _one_thread_per_product() -> AbstractContextManager[Any]:
    """Keep the matrix product in the worker that asked for it.

    The product's own threads, once done, spin for a while waiting for more and take the cores from the sorts: a third
    of the time here. Without threadpoolctl (scikit-learn brings it) everything works, only slower.
    """
    try:
        limits: AbstractContextManager[Any] = import_module("threadpoolctl").threadpool_limits(1, user_api="blas")
    except ImportError:
        return nullcontext()
    return limits


def _cores() -> int:
    at_hand = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return min(at_hand or 1, _MOST_WORKERS)  # each holds a block of costs
