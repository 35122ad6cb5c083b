"""Normalised discounted cumulative gain (Järvelin & Kekäläinen 2002) with gain 1 for a relevant item."""

import numpy as np

from msl.metrics.arrays import check_cutoff
from msl.metrics.ranked import Ranked, Values


def ndcg_at(ranked: Ranked, k: int | None = None) -> Values:
    """NDCG@k = (sum over the hits among the first k of 1 / log2(1 + place)) / the same sum for a perfect ranking.

    A tie group earns the mean discount of its places for each of its hits, as scikit-learn's `ndcg_score`
    (McSherry & Najork 2008). Returns one value in [0, 1] per query (queries,), NaN where nothing is relevant.
    """
    check_cutoff(k)
    gained = discounts(ranked.gallery, k)
    earned = gained[ranked.start + ranked.size] - gained[ranked.start]
    ideal = gained[np.maximum(ranked.relevant, 1)]
    return ranked.total(ranked.hits * (earned / ranked.size)) / ideal


def discounts(gallery: int, k: int | None = None) -> Values:
    """Return the sum of the first i discounts for i = 0 ... gallery (gallery + 1,); places beyond `k` add nothing."""
    sums = np.zeros(gallery + 1)
    np.cumsum(1 / np.log2(np.arange(2, gallery + 2)), out=sums[1:])
    return sums if k is None else sums[np.minimum(np.arange(gallery + 1), k)]
