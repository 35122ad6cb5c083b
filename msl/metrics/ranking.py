"""Costs -> `Ranked`: one sort per query.

How it is fast: what is sorted is plain numbers (no argsort, no gather; numpy sorts those with SIMD and without the
interpreter's lock, so threads help). The lowest bit of each carries its relevance through the sort, after which the
relevant items' places are simply where that bit is set. First 32-bit steps of the costs are sorted, and the few items
that share a step are put right from their costs. Where many do (ties, outliers that stretch the range), the costs
themselves are sorted, and a query whose ties or lost bits could matter is ranked once more by bisection. The result is
the same to the last bit by either way: the order and the ties of the float64 costs.
"""

from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter

import numpy as np
from numpy.typing import NDArray

from msl.metrics.keys import Room, Steps, doubtful_steps, doubtful_values, in_steps, sorted_steps, sorted_values
from msl.metrics.ranked import Counts, Ranked, Values
from msl.metrics.relevance import Relevance

Columns = list[NDArray[np.intp]]
"""The relevant items of each query, ascending."""
Corrections = Iterator[tuple[slice, Counts, Counts]]
"""Some entries of a record, and the true start and end of their tie groups."""

_ROWS = 16
"""Queries sorted at a time: few enough to stay in the processor's cache,"""
_ITEMS = 2**20
"""and fewer still where the gallery is so large that they would not, and would take memory for nothing."""
_SETTLED = 4
"""Shared steps per query above which settling each would take longer than sorting the costs themselves."""


def rankings(costs: Values, first_query: int, found: Relevance) -> Iterator[Ranked]:
    """Rank a block of queries, a few at a time; the queries of each record count from 0."""
    rows = max(1, min(_ROWS, len(costs), _ITEMS // costs.shape[1]))
    stepwise, room = True, Room(rows, costs.shape[1])
    for start in range(0, len(costs), rows):
        part = costs[start : start + rows]
        columns = [found.columns(first_query + start + row) for row in range(len(part))]
        ranked = rank_by_steps(part, columns, room) if stepwise else None
        stepwise = ranked is not None
        yield rank_by_values(part, columns) if ranked is None else ranked


def rank_by_steps(costs: Values, columns: Columns, room: Room) -> Ranked | None:
    """Rank by 32-bit keys, or return None where too many items share one."""
    ordered = sorted_steps(costs, columns, room)
    doubts = doubtful_steps(ordered)
    if len(doubts) > _SETTLED * len(costs):
        return None
    strict = _strict(_places(ordered, columns), columns, costs.shape[1])
    return _corrected(strict, _settled(doubts, ordered, strict, costs, columns)) if doubts else strict


def rank_by_values(costs: Values, columns: Columns) -> Ranked:
    """Rank by the costs themselves."""
    ordered = sorted_values(costs, columns)
    place = _places(ordered, columns)
    strict = _strict(place, columns, costs.shape[1])
    again = np.unique(strict.query[doubtful_values(ordered, place)])
    return _corrected(strict, _bisected(again, strict, costs, columns)) if len(again) else strict


def _places(ordered: Steps | Counts, columns: Columns) -> NDArray[np.intp]:
    """Return the flat places of the relevant items."""
    count = sum(map(len, columns))
    # numpy looks for the true among the false three times faster where they are more than one in ten
    more = (ordered.size - 10 * count) // 9 + 1 if ordered.size / 30 < count <= ordered.size / 10 else 0
    marks = np.ones(ordered.size + more, dtype=np.bool_)
    np.bitwise_and(ordered.ravel(), 1, out=marks[: ordered.size].view(np.int8), casting="unsafe")
    return np.flatnonzero(marks)[:count]


def _strict(place: NDArray[np.intp], columns: Columns, gallery: int) -> Ranked:
    """Return the record in which every relevant item is a group of its own."""
    relevant = np.array([len(items) for items in columns], dtype=np.int64)
    query = np.repeat(np.arange(len(columns)), relevant)
    before = np.arange(len(place)) - np.repeat(np.cumsum(relevant) - relevant, relevant)
    alone = np.ones_like(place)
    return Ranked(query, place - query * gallery, alone, before, alone, relevant, gallery)


def _entries(strict: Ranked, row: int) -> slice:
    end = int(strict.relevant[: row + 1].sum())
    return slice(end - int(strict.relevant[row]), end)


def _settled(
    doubts: list[tuple[int, int]], ordered: Steps, strict: Ranked, costs: Values, columns: Columns
) -> Corrections:
    """Rank the items that share a key among themselves: all others are strictly better or worse."""
    room = Room(1, costs.shape[1])
    for row, shared in groupby(doubts, key=itemgetter(0)):
        keys, own, entries = in_steps(costs[row : row + 1], room)[0], columns[row], _entries(strict, row)
        for _, key in shared:
            near = np.flatnonzero(keys == key)
            relevant = near[own.take(own.searchsorted(near), mode="clip") == near]
            place = ordered[row].searchsorted(np.int32(key))
            first = entries.start + int(strict.start[entries].searchsorted(place))
            start, end = _bisect(costs[row, near], costs[row, relevant])
            yield slice(first, first + len(relevant)), place + start, place + end


def _bisected(rows: Counts, strict: Ranked, costs: Values, columns: Columns) -> Corrections:
    """Rank all items of these queries."""
    for row in rows.tolist():
        yield _entries(strict, row), *_bisect(costs[row], costs[row, columns[row]])


def _bisect(costs: Values, relevant: Values) -> tuple[Counts, Counts]:
    """Return start and end of the tie group of each relevant cost, best first."""
    ordered, asked = np.sort(costs), np.sort(relevant)
    return ordered.searchsorted(asked), ordered.searchsorted(asked, side="right")


def _corrected(strict: Ranked, corrections: Corrections) -> Ranked:
    """Return the record with these entries put right."""
    starts, size = strict.start.copy(), strict.size.copy()
    for entries, start, end in corrections:
        starts[entries], size[entries] = start, end - start
    corrected = Ranked(strict.query, starts, size, strict.before, strict.hits, strict.relevant, strict.gallery)
    return corrected if size.max(initial=1) == 1 else _grouped(corrected)


def _grouped(items: Ranked) -> Ranked:
    """Merge the entries of one tie group, so far one for each relevant item, into one."""
    new = (np.diff(items.start, prepend=-1) != 0) | (np.diff(items.query, prepend=-1) != 0)
    first = np.flatnonzero(new)
    hits = np.diff(first, append=len(new))
    query, start, size, before = (part[first] for part in (items.query, items.start, items.size, items.before))
    return Ranked(query, start, size, before, hits, items.relevant, items.gallery)
