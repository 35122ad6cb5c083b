"""What each metric is worth by chance: its exact expected value under a uniformly random ranking, in closed form.

Everywhere: `relevant` (queries,) is R, the gallery items relevant to each query; `gallery` is N; K = min(k, N).
In a random ranking every place is relevant with probability R/N, and, given that, each place before it with
probability (R-1)/(N-1). NaN for a query with nothing relevant, as in the metrics.
"""

from typing import overload

import numpy as np
from numpy.typing import NDArray

from msl.metrics.arrays import check_choice, check_cutoff
from msl.metrics.average_precision import DIVISORS, Divisor
from msl.metrics.ndcg import discounts
from msl.metrics.ranked import Counts, Values
from msl.types import InputError


def chance_average_precision(
    relevant: Counts, gallery: int, k: int | None = None, *, divisor: Divisor = "min"
) -> Values:
    """E[AP@k] = (R/N) [H_K + (R-1)/(N-1) (K - H_K)] / min(R, k) or R, with H_K = 1 + 1/2 + ... + 1/K.

    Derivation: place i adds its precision if it is relevant, in expectation (R/N) (1 + (i-1)(R-1)/(N-1)) / i.
    With divisor "hits", condition on h hits among the first K, all arrangements of which are equally likely:
    E[AP@k | h] = [H_K + (h-1)/(K-1) (K - H_K)] / K for h >= 1, and h is hypergeometric: only P(h = 0) and E[h] enter.
    Bestgen 2015 has the case k = N.
    """
    check_cutoff(k)
    check_choice(divisor, DIVISORS, "divisor")
    places = gallery if k is None else min(k, gallery)
    if divisor == "hits":
        return _per_query(relevant, _chance_hits(relevant, gallery, places))
    harmonic = _harmonic(places)
    total = relevant / gallery * (harmonic + (relevant - 1) / max(gallery - 1, 1) * (places - harmonic))
    best = relevant if k is None or divisor == "relevant" else np.minimum(relevant, k)
    return _per_query(relevant, total / np.maximum(best, 1))


def _chance_hits(relevant: Counts, gallery: int, places: int) -> Values:
    some = 1 - _none_found(relevant, gallery, places)
    harmonic = _harmonic(places)
    further = places * relevant / gallery - some
    return (some * harmonic + further / max(places - 1, 1) * (places - harmonic)) / places


def _none_found(relevant: Counts, gallery: int, places: int) -> Values:
    """P(no hit among the first K) = C(N-R, K) / C(N, K), as a product: binomials of a large gallery overflow."""
    distinct, back = np.unique(relevant, return_inverse=True)
    return np.array([_none_of(int(count), gallery, places) for count in distinct])[back]


def _none_of(relevant: int, gallery: int, places: int) -> float:
    fewer, more = sorted((relevant, places))
    if fewer + more > gallery:
        return 0.0
    return float(np.exp(np.log1p(-more / (gallery - np.arange(fewer))).sum()))


def chance_precision(relevant: Counts, gallery: int, k: int) -> Values:
    """E[P@k] = (R/N) (K/k), which is R/N unless k exceeds the gallery."""
    check_cutoff(k)
    return _per_query(relevant, relevant / gallery * (min(k, gallery) / k))


def chance_recall(relevant: Counts, gallery: int, k: int) -> Values:
    """E[R@k] = K/N."""
    check_cutoff(k)
    return _per_query(relevant, np.full(len(relevant), min(k, gallery) / gallery))


def chance_ndcg(relevant: Counts, gallery: int, k: int | None = None) -> Values:
    """E[NDCG@k] = (R/N) D(K) / D(min(R, K)), with D(i) the sum of the first i discounts."""
    check_cutoff(k)
    sums = discounts(gallery if k is None else min(k, gallery))
    return _per_query(relevant, relevant / gallery * sums[-1] / sums[np.clip(relevant, 1, len(sums) - 1)])


def _harmonic(places: int) -> float:
    return float((1 / np.arange(1, places + 1)).sum())


def _per_query(relevant: Counts, values: Values) -> Values:
    return np.where(relevant > 0, values, np.nan)


@overload
def lift(value: float, chance: float) -> float: ...
@overload
def lift(value: Values, chance: Values) -> Values: ...
def lift(value: float | Values, chance: float | Values) -> float | NDArray[np.float64]:
    """(value - chance) / (1 - chance): 0 for a random ranking, 1 for a perfect one, negative for worse than random.

    Raises `InputError` where chance is 1 (everything is relevant, and nothing can be learnt from the value).
    """
    if np.any(np.asarray(chance) >= 1):
        raise InputError(
            "lift: wanted a chance level below 1, got 1: every gallery item is relevant; use a mixed gallery"
        )
    return (value - chance) / (1 - chance)
