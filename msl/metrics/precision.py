"""Precision@k: the share of relevant items among the first k."""

from msl.metrics.arrays import check_cutoff
from msl.metrics.ranked import Ranked, Values


def precision_at(ranked: Ranked, k: int) -> Values:
    """P@k = hits among the first k / k, as trec_eval: a gallery of fewer than k items does not shrink the divisor.

    Returns one value in [0, 1] per query (queries,), NaN where nothing is relevant. Ties as in `msl.metrics.ranked`.
    """
    check_cutoff(k)
    return ranked.total(ranked.cut(k)[1]) / k
