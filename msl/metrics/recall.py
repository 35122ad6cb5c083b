"""Recall@k: the share of the relevant items found among the first k."""

import numpy as np

from msl.metrics.arrays import check_cutoff
from msl.metrics.ranked import Ranked, Values


def recall_at(ranked: Ranked, k: int) -> Values:
    """R@k = hits among the first k / R (not the image-caption field's "at least one hit").

    Returns one value in [0, 1] per query (queries,), NaN where nothing is relevant. Ties as in `msl.metrics.ranked`.
    """
    check_cutoff(k)
    return ranked.total(ranked.cut(k)[1]) / np.maximum(ranked.relevant, 1)
