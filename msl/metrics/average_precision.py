"""Average precision: the mean, over the relevant items, of the precision at the place where each is found."""

from typing import Literal, TypeAlias, get_args

import numpy as np

from msl.metrics.arrays import check_choice, check_cutoff
from msl.metrics.ranked import Ranked, Values

Divisor: TypeAlias = Literal["min", "hits", "relevant"]
DIVISORS: tuple[Divisor, ...] = get_args(Divisor)


def average_precision_at(ranked: Ranked, k: int | None = None, *, divisor: Divisor = "min") -> Values:
    """AP@k = (sum over the relevant items among the first k of the precision at their place) / divisor.

    Args:
        ranked: the ranking of each query.
        k: the cut-off; None ranks the whole gallery, where the three divisors agree.
        divisor: what a perfect ranking is compared with. Papers print all three under the name mAP@k.
            "min": min(R, k), so that the best possible value is 1 whatever k;
            "hits": the relevant items found among the first k (ACMR, DSCMR, torchmetrics), which rewards finding
            one item early and nothing else; 0 if none is found;
            "relevant": R, all relevant items of the gallery (trec_eval's map_cut, ranx).

    Returns:
        One value in [0, 1] per query (queries,); NaN for a query with nothing relevant in the gallery.

    Ties as in `msl.metrics.ranked`; over the whole ranking equal to scikit-learn's `average_precision_score`.
    """
    check_cutoff(k)
    check_choice(divisor, DIVISORS, "divisor")
    places, hits = ranked.cut(k)
    # A group beyond the cut-off has no places and no hits: 1 avoids 0 / 0 only.
    precision = (ranked.before + hits) / np.maximum(ranked.start + places, 1)
    return ranked.total(hits * precision) / _divisor(ranked, hits, k, divisor)


def _divisor(ranked: Ranked, hits: Values, k: int | None, divisor: Divisor) -> Values:
    if divisor == "hits":
        found = ranked.total(hits)
        return np.where(found > 0, found, 1.0)
    relevant = np.maximum(ranked.relevant, 1).astype(np.float64)
    return relevant if k is None or divisor == "relevant" else np.minimum(relevant, k)
