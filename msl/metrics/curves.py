"""The precision-recall curve, interpolated on fixed recall levels so that queries can be averaged."""

import numpy as np
from numpy.typing import NDArray

from msl.metrics.ranked import Ranked, Values
from msl.types import InputError

LEVELS: Values = np.linspace(0, 1, 101)
"""0, .01, ... 1. The eleven points of the older literature are `np.linspace(0, 1, 11)`."""


def precision_at_recall(ranked: Ranked, levels: Values = LEVELS) -> Values:
    """Return the interpolated precision of each query at each recall level (queries, levels).

    Interpolated as in TREC (trec_eval's iprec_at_recall): at level r, the highest precision at any place where the
    recall is at least r; never increasing in r. Places inside a tie group do not exist: a group counts at its end.
    NaN in the row of a query with nothing relevant. `levels` (levels,) in [0, 1], increasing.
    """
    grid = np.asarray(levels, dtype=np.float64)
    if grid.ndim != 1 or not grid.size or not (np.diff(grid) > 0).all() or grid[0] < 0 or grid[-1] > 1:
        raise InputError("levels: wanted increasing recall levels within [0, 1], as np.linspace(0, 1, 101)")
    curve = np.full((len(ranked.relevant), grid.size), np.nan)
    asked = ranked.relevant > 0
    if asked.any():
        curve[asked] = _interpolated(ranked, ranked.relevant[asked], grid)
    return curve


def _interpolated(ranked: Ranked, relevant: NDArray[np.int64], grid: Values) -> Values:
    precision = (ranked.before + ranked.hits) / (ranked.start + ranked.size)
    # A level 0 in front finds each query's first group, which is where the stretch of the level before it must end.
    levels = np.concatenate([[0.0], grid])
    needed = np.maximum(1, np.ceil(relevant[:, None] * levels - 1e-9)).astype(np.int64)
    # Hits counted through all queries rise from group to group: one bisection serves all of them.
    first = np.searchsorted(np.cumsum(ranked.hits), needed + (np.cumsum(relevant) - relevant)[:, None])
    # Highest precision from one level to the next, then from each level to the end.
    best = np.maximum.reduceat(precision, first.ravel()).reshape(first.shape)[:, 1:]
    return np.maximum.accumulate(best[:, ::-1], axis=1)[:, ::-1]
