"""Codes or scores, and labels -> any number of metrics from one ranking."""

from collections.abc import Callable, Iterable
from functools import partial

import numpy as np
from numpy.typing import ArrayLike

from msl.metrics.average_precision import Divisor, average_precision_at
from msl.metrics.blocks import Progress, T, map_ranked
from msl.metrics.curves import LEVELS, precision_at_recall
from msl.metrics.means import mean
from msl.metrics.names import metric
from msl.metrics.ranked import Ranked, Values, join
from msl.metrics.relevance import check_sizes, relevance
from msl.metrics.similarity import Costs, Similarity, code_costs, score_costs


def measure(
    queries: ArrayLike,
    gallery: ArrayLike,
    query_labels: ArrayLike,
    gallery_labels: ArrayLike,
    metrics: Iterable[str],
    *,
    similarity: Similarity = "cosine",
    levels: Values | None = None,
    workers: int | None = None,
    progress: Progress | None = None,
) -> dict[str, Values]:
    """Rank `gallery` for each query once, and return every metric asked for.

    Args:
        queries: codes (n, d): numpy, torch or nested lists; floats or integers.
        gallery: codes (m, d); m need not be n, and nothing need be paired.
        query_labels: (n,) classes, or (n, classes) indicators of 0 and 1; an item is relevant if it shares a class.
        gallery_labels: (m,) or (m, classes).
        metrics: names as in `msl.metrics.names.metric`.
        similarity: "cosine", "dot" or "euclidean" (nearest first).
        levels: recall levels, as `LEVELS`, at which to return the precision too (see `precision_at_recall`).
        workers: threads; the values do not depend on it.
        progress: called with (queries done, queries in all).

    Returns:
        Metric name -> one value per query (n,), NaN for a query with nothing relevant in the gallery; with `levels`
        also "precision_at_recall" -> (n, levels).

    Raises:
        InputError: an unknown metric, shapes that do not fit, NaN or infinity.

    The codes are read in their own dtype, a stretch at a time, so a gallery of a million takes 0.4 GB beside itself,
    whatever its dimension, and an `np.memmap` need not fit in memory.
    """
    costs = code_costs(queries, gallery, similarity)
    return _measured(costs, query_labels, gallery_labels, metrics, levels=levels, workers=workers, progress=progress)


def measure_scores(
    scores: ArrayLike,
    query_labels: ArrayLike,
    gallery_labels: ArrayLike,
    metrics: Iterable[str],
    *,
    workers: int | None = None,
    progress: Progress | None = None,
) -> dict[str, Values]:
    """Return every metric asked for from somebody's own scores (n, m), higher is better; the rest as in `measure`."""
    costs = score_costs(scores)
    return _measured(costs, query_labels, gallery_labels, metrics, workers=workers, progress=progress)


def rank_scores(scores: ArrayLike, query_labels: ArrayLike, gallery_labels: ArrayLike) -> Ranked:
    """Rank a gallery by somebody's own scores (n, m), higher is better, of any real dtype: for a metric of your own.

    Labels as in `measure`. Raises `InputError`, naming the first row that is not finite.
    """
    return join(_ranked_with(lambda ranked: ranked, score_costs(scores), query_labels, gallery_labels))


def _measured(
    costs: tuple[Costs, int, int],
    query_labels: ArrayLike,
    gallery_labels: ArrayLike,
    metrics: Iterable[str],
    *,
    levels: Values | None = None,
    workers: int | None = None,
    progress: Progress | None = None,
) -> dict[str, Values]:
    chosen: dict[str, Callable[[Ranked], Values]] = {name: metric(name).values for name in metrics}
    if levels is not None:
        chosen["precision_at_recall"] = partial(precision_at_recall, levels=levels)
    blocks = _ranked_with(
        lambda ranked: [values(ranked) for values in chosen.values()],
        costs, query_labels, gallery_labels, workers=workers, progress=progress,
    )  # fmt: skip
    return {name: np.concatenate(parts) for name, parts in zip(chosen, zip(*blocks, strict=True), strict=True)}


def _ranked_with(
    function: Callable[[Ranked], T],
    costs: tuple[Costs, int, int],
    query_labels: ArrayLike,
    gallery_labels: ArrayLike,
    *,
    workers: int | None = None,
    progress: Progress | None = None,
) -> list[T]:
    found = relevance(query_labels, gallery_labels)
    check_sizes(found, *costs[1:])
    return map_ranked(function, costs[0], found, workers=workers, progress=progress)


def average_precision(
    queries: ArrayLike,
    gallery: ArrayLike,
    query_labels: ArrayLike,
    gallery_labels: ArrayLike,
    *,
    k: int | None = None,
    divisor: Divisor = "min",
    similarity: Similarity = "cosine",
) -> Values:
    """Return the average precision of each query (n,), NaN for a query with nothing relevant in the gallery.

    Args:
        queries: codes (n, d): numpy, torch or nested lists; floats or integers.
        gallery: codes (m, d); m need not be n, and nothing need be paired.
        query_labels: (n,) classes, or (n, classes) indicators of 0 and 1; an item is relevant if it shares a class.
        gallery_labels: (m,) or (m, classes).
        k: the cut-off of mAP@k; None for the whole gallery.
        divisor: which of the three meanings of mAP@k: "min", "hits" or "relevant", see `average_precision_at`.
        similarity: "cosine", "dot" or "euclidean" (nearest first).

    Raises:
        InputError: shapes that do not fit, NaN or infinity, an unknown choice.

    Similarities are computed in float64. Ties as in scikit-learn: see `msl.metrics.ranked`.
    """
    costs = code_costs(queries, gallery, similarity)

    def values(ranked: Ranked) -> Values:
        return average_precision_at(ranked, k, divisor=divisor)

    return np.concatenate(_ranked_with(values, costs, query_labels, gallery_labels))


def mean_average_precision(
    queries: ArrayLike,
    gallery: ArrayLike,
    query_labels: ArrayLike,
    gallery_labels: ArrayLike,
    *,
    k: int | None = None,
    divisor: Divisor = "min",
    similarity: Similarity = "cosine",
) -> float:
    """Return mAP: the mean of `average_precision` over the queries that have something relevant in the gallery.

    Arguments and errors as in `average_precision`; also `InputError` if no query has anything relevant.
    """
    values = average_precision(
        queries, gallery, query_labels, gallery_labels, k=k, divisor=divisor, similarity=similarity
    )
    return mean(values)


def precision_recall_curve(
    queries: ArrayLike,
    gallery: ArrayLike,
    query_labels: ArrayLike,
    gallery_labels: ArrayLike,
    *,
    levels: Values = LEVELS,
    similarity: Similarity = "cosine",
) -> Values:
    """Return the interpolated precision of each query at each recall level (n, levels), see `precision_at_recall`.

    The curve people plot is its mean over queries, `np.nanmean(values, axis=0)`, against `levels`. Beside metrics it
    costs no second ranking: `measure(..., levels=levels)["precision_at_recall"]`.
    """
    found = measure(queries, gallery, query_labels, gallery_labels, (), similarity=similarity, levels=levels)
    return found["precision_at_recall"]


def chance(query_labels: ArrayLike, gallery_labels: ArrayLike, metrics: Iterable[str]) -> dict[str, Values]:
    """Return, by metric, each query's exact expected value under a uniformly random ranking of these labels (n,)."""
    found = relevance(query_labels, gallery_labels)
    counts = found.counts()
    return {name: metric(name).chance(counts, found.gallery) for name in metrics}
