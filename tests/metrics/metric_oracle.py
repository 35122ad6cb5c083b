"""The metrics once more, as slow loops written from their formulas: what the package is compared with."""

from itertools import groupby
from math import log2, nan

import numpy as np


def groups(scores, relevant):
    """Return (places before, size, relevant items) of each tie group of one query, best first."""
    order = sorted(range(len(scores)), key=lambda item: -scores[item])
    found, start = [], 0
    for _, items in groupby(order, key=lambda item: scores[item]):
        members = list(items)
        found.append((start, len(members), sum(bool(relevant[item]) for item in members)))
        start += len(members)
    return found


def shares(scores, relevant, k):
    """Return the same, cut at k: (places before, places kept, expected hits kept)."""
    return [
        (start, min(size, k - start), hits * min(size, k - start) / size)
        for start, size, hits in groups(scores, relevant)
        if start < k
    ]


def average_precision(scores, relevant, k=None, divisor="min"):
    k, everything = k or len(scores), sum(map(bool, relevant))
    if not everything:
        return nan
    found = total = 0.0
    for start, places, hits in shares(scores, relevant, k):
        found += hits
        total += hits * found / (start + places)
    best = {"min": min(everything, k), "hits": found, "relevant": everything}[divisor]
    return total / best if best else 0.0


def precision(scores, relevant, k):
    return sum(hits for *_, hits in shares(scores, relevant, k)) / k if any(relevant) else nan


def recall(scores, relevant, k):
    return sum(hits for *_, hits in shares(scores, relevant, k)) / sum(relevant) if any(relevant) else nan


def ndcg(scores, relevant, k=None):
    k, everything = k or len(scores), sum(map(bool, relevant))
    if not everything:
        return nan
    gained = 0.0
    for start, size, hits in groups(scores, relevant):
        mean_discount = sum(1 / log2(2 + place) for place in range(start, min(start + size, k))) / size
        gained += hits * mean_discount
    return gained / sum(1 / log2(2 + place) for place in range(min(everything, k)))


def interpolated(scores, relevant, level):
    everything = sum(map(bool, relevant))
    if not everything:
        return nan
    points, found = [], 0
    for start, size, hits in groups(scores, relevant):
        found += hits
        points.append((found / everything, found / (start + size)))
    return max(precision for recall, precision in points if recall >= level - 1e-12)


ORACLES = {"map": average_precision, "precision": precision, "recall": recall, "ndcg": ndcg}


def by_name(name, scores, relevance):
    """Return the metric called `name` for every row of `scores` (queries, gallery)."""
    family, _, rest = name.partition("@")
    k, _, divisor = rest.partition(":")
    chosen = {"k": int(k)} if k else {}
    chosen |= {"divisor": divisor} if divisor else {}
    rows = zip(scores.tolist(), relevance.tolist(), strict=True)
    return np.array([ORACLES[family](*row, **chosen) for row in rows])


def share_a_class(query_labels, gallery_labels):
    """Return the relevance matrix (queries, gallery) of single labels or indicators."""
    if np.ndim(query_labels) == 2:
        return np.array([[any(a & b for a, b in zip(q, g, strict=True)) for g in gallery_labels] for q in query_labels])
    return np.array([[q == g for g in gallery_labels] for q in query_labels])


def cosines(queries, gallery):
    """Float64 normalisation and product: the similarity the package promises to agree with."""
    a, b = np.asarray(queries, dtype=np.float64), np.asarray(gallery, dtype=np.float64)
    return (a / np.linalg.norm(a, axis=1, keepdims=True)) @ (b / np.linalg.norm(b, axis=1, keepdims=True)).T
