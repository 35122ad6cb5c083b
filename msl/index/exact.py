"""Exact search: the oracle every approximate index is measured against.

Every cosine is taken in float32 first, at twice the speed of float64, but only to leave out rows that cannot be among
the best; the rest are measured again in float64, each by itself. So the answer is that of float64, and depends neither
on the number of threads nor on how the gallery is cut.

Why nothing is lost: with e = 2**-24, unit rows rounded to float32 are off by a factor within 1 + e, and the product of
two rows of width d, summed in any order, by gamma(d) = d e / (1 - d e) (Higham, Accuracy and Stability of Numerical
Algorithms, 2002, eq. 3.5). Both together are within gamma(d + 2) of the cosine (his lemma 3.3), and gamma(d + 4) =: b has
room for rows that came rounded to float32, so are of length 1 within a factor of 1 + e (`unit`), and for underflow and
the roundings of float64. Let at least k rows have float32 cosines of t or more. Their cosines
are t - b or more, so those of the k best are too, and so the float32 cosines of the k best are t - 2 b or more.
The t used is the k-th largest maximum of groups of neighbouring rows: a group whose maximum is below t - 2 b goes.
"""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from math import isqrt
from threading import Lock, local
from typing import Any, TypeAlias

import numpy as np

from msl.types import Floats, Ints

_BYTES = 64 * 2**20
"""Of maxima of groups at a time; each thread's stretch of the gallery takes up to half of it, as rows and cosines."""
_FEW = 2**24
"""Numbers read of the gallery, or cosines, below which starting threads takes longer than it saves."""
_ONE = Lock()
_Each: TypeAlias = Callable[..., Iterable[Any]]


def unit_rows(codes: Floats) -> Floats:
    """Rows (n, d) scaled to length 1 in float64; a zero row stays zero."""
    wide = np.asarray(codes, dtype=np.float64, order="C")
    lengths = np.sqrt(np.einsum("ij,ij->i", wide, wide))[:, None]
    scaled: Floats = wide / np.where(lengths == 0, 1, lengths)
    return scaled


def nearest(
    queries: Floats,
    gallery: Floats,
    k: int,
    *,
    among: Ints | None = None,
    unit: bool = False,
    threads: int | None = None,
) -> tuple[Ints, Floats]:
    """The k gallery rows of highest cosine for each query, best first: positions (n, k) and cosines (n, k).

    k beyond the gallery is cut to it; equal cosines keep the gallery's order, and copies of a row have equal ones. The
    gallery is read a stretch at a time: a large one, or an `np.memmap`, is never copied. With `among`, rising
    positions, no other row is looked at. `unit` promises rows of length 1, or 0, as float32 rounds them: they need not be
    scaled, which is most of the time that a single query takes, and the answer is the same. `threads` of None are as many as there are cores.
    """
    rows = len(gallery) if among is None else len(among)
    k = min(k, rows)
    positions, cosines = np.empty((len(queries), k), dtype=np.intp), np.empty((len(queries), k))
    if not positions.size:
        return positions, cosines
    group = max(1, isqrt(rows // (16 * k)))  # to read k groups again then costs about what finding them does
    step = max(1, _BYTES * group // (4 * rows))
    with _shared(threads, few=rows * max(queries[:step].shape) < _FEW) as each:
        for start in range(0, len(queries), step):
            part = slice(start, start + step)
            positions[part], cosines[part] = _block(unit_rows(queries[part]), gallery, k, among, unit, group, each)
    return positions, cosines


def _block(
    units: Floats, gallery: Floats, k: int, among: Ints | None, unit: bool, group: int, each: _Each
) -> tuple[Ints, Floats]:
    maxima = _maxima(units.astype(np.float32), gallery, among, unit, group, each)
    rows = len(gallery) if among is None else len(among)

    def one(query: int) -> tuple[Ints, Floats]:
        near = (_near(maxima[query], k, units.shape[1])[:, None] * group + np.arange(group)).ravel()
        near = near[near < rows]
        return best(units[query, None], gallery, near[None] if among is None else among[near][None], k)

    positions, cosines = zip(*each(one, range(len(units))), strict=True)
    return np.concatenate(positions), np.concatenate(cosines)


def best(units: Floats, gallery: Floats, candidates: Ints, k: int) -> tuple[Ints, Floats]:
    """The k best of each query's own candidates, in the order of `nearest`: positions (n, k) and cosines (n, k).

    `units` (n, d) are float64 unit rows; `candidates` (n, c >= k) are positions, -1 for none, of cosine -inf.
    """
    candidates = np.sort(candidates, axis=1)
    costs = -_cosines(units, gallery, candidates)
    order = np.argsort(costs, axis=1, kind="stable")[:, :k]
    return np.take_along_axis(candidates, order, axis=1), -np.take_along_axis(costs, order, axis=1)


def _cosines(units: Floats, gallery: Floats, candidates: Ints) -> Floats:
    """Float64 cosines (n, c), each a sum of its own: a matrix product may round two equal columns differently."""
    cosines, flat = np.empty(candidates.size), candidates.ravel()
    step = max(1, _BYTES // (64 * units.shape[1]))
    for start in range(0, len(flat), step):
        part = np.arange(start, min(start + step, len(flat)))
        cosines[part] = np.einsum("ij,ij->i", units[part // candidates.shape[1]], unit_rows(gallery[flat[part]]))
    cosines[flat < 0] = -np.inf
    return cosines.reshape(candidates.shape)


def _maxima(queries: Floats, gallery: Floats, among: Ints | None, unit: bool, group: int, each: _Each) -> Floats:
    """The largest float32 cosine of each query with every `group` rows in turn: (n, groups); NaN counts for nothing."""
    rows = len(gallery) if among is None else len(among)
    maxima = np.empty((len(queries), -(-rows // group)), np.float32)
    step = _stretch(queries, group)
    room = _Room(step, queries)

    def one(start: int) -> None:
        part = slice(start, min(start + step, rows))
        chosen = gallery[part if among is None else among[part]]
        units = chosen.astype(np.float32, copy=False) if unit else room.scaled(chosen)
        cosines = np.matmul(units, queries.T, out=room.cosines[: len(units)])
        whole = len(cosines) // group * group
        first = start // group
        last = first + whole // group
        maxima[:, first:last] = np.fmax.reduce(cosines[:whole].reshape(-1, group, len(queries)), axis=1).T
        if whole < len(cosines):
            maxima[:, last] = np.fmax.reduce(cosines[whole:], axis=0)

    _do(each(one, range(0, rows, step)))
    return maxima


class _Room(local):
    """Each thread's memory, used again and again: the system takes longer to hand out new than a product does to fill it."""

    def __init__(self, rows: int, queries: Floats) -> None:
        self.units = np.empty((rows, queries.shape[1]), np.float32)
        self.cosines = np.empty((rows, len(queries)), np.float32)

    def scaled(self, codes: Floats) -> Floats:
        """Float32 unit rows, until the next call."""
        step = max(1, _BYTES // (512 * codes.shape[1]))  # of float64: what a core's own cache holds
        for start in range(0, len(codes), step):
            units = unit_rows(codes[start : start + step])
            self.units[start : start + len(units)] = units
        return self.units[: len(codes)]


def _stretch(queries: Floats, group: int) -> int:
    """Gallery rows at a time, whole groups: enough for a product at full speed, few enough to stay in a cache."""
    rows = _BYTES // (16 * max(len(queries), 16 * int(queries.shape[1])))
    return group * max(1, rows // group)


def _near(maxima: Floats, k: int, width: int) -> Ints:
    """The groups that may hold one of the k best rows: see the head of this file."""
    if len(maxima) <= k:
        return np.arange(len(maxima))
    least = np.float64(-np.partition(-maxima, k - 1)[k - 1]) - 2 * _rounding(width)
    return np.flatnonzero(~(maxima < least))


def _rounding(width: int) -> float:
    """b at the head of this file."""
    terms = (width + 4) * 2.0**-24
    return terms / (1 - terms)


def _do(calls: Iterable[Any]) -> None:
    """See calls through: a `map` is lazy."""
    deque(calls, maxlen=0)


@contextmanager
def _shared(threads: int | None, *, few: bool) -> Iterator[_Each]:
    """A `map` over threads, each of which computes its matrix products by itself; the plain one for a few rows.

    One search at a time: the limit on products is the process's, and two would share the same cores.
    """
    if few:
        yield map
        return
    from threadpoolctl import threadpool_limits

    at_hand = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    with _ONE, threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(threads or at_hand) as pool:
        yield pool.map
