"""Costs -> `Ranked`: one sort per query.

How it is fast: scores are sorted as plain float64 values (no argsort, no gather; numpy sorts those with SIMD and
without the interpreter's lock, so threads help). The lowest bit of each carries its relevance through the sort, after
which the relevant items' places are simply where that bit is set. A query in which the lost bit or a tie could matter
(a relevant item equal to a neighbour but for that bit) is ranked again from its untouched scores, by bisection.
"""

import numpy as np
from numpy.typing import NDArray

from msl.metrics.ranked import Counts, Ranked, Values
from msl.metrics.relevance import Relevance

_VALUE = np.int64(-2)
"""Every bit of a packed cost but the lowest."""
_MAGNITUDE = np.int64(2**63 - 2)
"""Those, without the sign: zero for 0.0 and for -0.0, which are equal and yet have different bits."""


def rank(costs: Values, first_query: int, found: Relevance) -> Ranked:
    """Rank a block of queries, which count from 0 within the block."""
    columns = [found.columns(first_query + index) for index in range(len(costs))]
    relevant = np.array([len(items) for items in columns], dtype=np.int64)
    ordered = _packed_sort(costs, columns)
    place = np.flatnonzero((ordered & 1).astype(bool))
    query = np.repeat(np.arange(len(costs)), relevant)
    start = place - query * costs.shape[1]
    before = np.arange(len(place)) - (np.cumsum(relevant) - relevant)[query]
    again = np.unique(query[_in_doubt(ordered.ravel(), place)])
    if not len(again):
        alone = np.ones_like(start)
        return Ranked(query, start, alone, before, alone, relevant, costs.shape[1])
    end = start + 1
    for index in again:
        own = slice(relevant[:index].sum(), relevant[: index + 1].sum())
        start[own], end[own] = _bisect(costs[index], columns[index])
    return _grouped(Ranked(query, start, end - start, before, np.ones_like(start), relevant, costs.shape[1]))


def _packed_sort(costs: Values, columns: list[NDArray[np.intp]]) -> Counts:
    """Return each row's costs ascending, the lowest bit of each replaced by whether the item is relevant."""
    packed = costs.view(np.int64) & _VALUE
    for row, items in zip(packed, columns, strict=True):
        row[items] |= 1
    packed.view(np.float64).sort(axis=1)
    return packed


def _in_doubt(ordered: Counts, place: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Tell which relevant items may be tied with a neighbour: the one before for positive costs, after for negative."""
    values = ordered[place]
    before, after = (ordered.take(place + step, mode="wrap") for step in (-1, 1))
    tied: NDArray[np.bool_] = np.logical_or((values ^ before) & _VALUE == 0, (values ^ after) & _VALUE == 0)
    tied |= values & _MAGNITUDE == 0
    return tied


def _bisect(costs: Values, columns: NDArray[np.intp]) -> tuple[Counts, Counts]:
    """Return start and end of the tie group of each relevant item of one query, best first."""
    ordered, relevant = np.sort(costs), np.sort(costs[columns])
    return ordered.searchsorted(relevant), ordered.searchsorted(relevant, side="right")


def _grouped(items: Ranked) -> Ranked:
    """Merge the entries of one tie group, so far one for each relevant item, into one."""
    new = (np.diff(items.start, prepend=-1) != 0) | (np.diff(items.query, prepend=-1) != 0)
    first = np.flatnonzero(new)
    hits = np.diff(first, append=len(new))
    query, start, size, before = (part[first] for part in (items.query, items.start, items.size, items.before))
    return Ranked(query, start, size, before, hits, items.relevant, items.gallery)
