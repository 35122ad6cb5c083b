"""Normalised discounted cumulative gain (Järvelin & Kekäläinen 2002) with gain 1 for a relevant item."""

from functools import lru_cache

import numpy as np

from msl.metrics.arrays import check_cutoff
from msl.metrics.ranked import Ranked, Values


def ndcg_at(ranked: Ranked, k: int | None = None) -> Values:
    """NDCG@k = (sum over the hits among the first k of 1 / log2(1 + place)) / the same sum for a perfect ranking.

    A tie group earns the mean discount of its places for each of its hits, as scikit-learn's `ndcg_score`
    (McSherry & Najork 2008). Returns one value in [0, 1] per query (queries,), NaN where nothing is relevant.
    """
    check_cutoff(k)
    gained = discounts(ranked.gallery if k is None else min(k, ranked.gallery))
    last = len(gained) - 1
    earned = gained[np.minimum(ranked.start + ranked.size, last)] - gained[np.minimum(ranked.start, last)]
    ideal = gained[np.clip(ranked.relevant, 1, last)]
    return ranked.total(ranked.hits * (earned / ranked.size)) / ideal


@lru_cache(maxsize=4)
def discounts(places: int) -> Values:
    """Return the sum of the first i discounts for i = 0 ... places (places + 1,), read-only."""
    sums = np.zeros(places + 1)
    np.cumsum(1 / np.log2(np.arange(2, places + 2)), out=sums[1:])
    sums.setflags(write=False)
    return sums
