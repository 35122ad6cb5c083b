"""Which queries a page shows and what was found for them: the best, the worst, and some drawn at random."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from msl.evaluation.protocol import Direction
from msl.metrics.measure import average_precision
from msl.metrics.similarity import Similarity, code_costs
from msl.types import Floats, Ints


@dataclass(frozen=True)
class Found:
    """Queries of one direction, chosen as `kind` says: their rows (queries,), average precision (queries,) and best
    items (queries, finds), as rows of the data, out of `asked` queries."""

    direction: str
    kind: str
    queries: Ints
    precision: Floats
    items: Ints
    asked: int


def found(
    direction: Direction, counts: Mapping[str, int], *, finds: int, similarity: Similarity, seed: int
) -> list[Found]:
    """For each kind of `counts` (``best``, ``worst``, ``random``) so many queries and the best `finds` items for each.

    Best and worst by average precision, equal ones in the data's order, no query in both; queries with nothing relevant
    in the gallery are neither. Random ones are drawn by `seed` from all.
    """
    labels = direction.query_labels, direction.gallery_labels
    precision = average_precision(direction.queries, direction.gallery, *labels, similarity=similarity)
    chosen = chosen_queries(precision, counts, seed=seed)
    return [
        Found(
            direction.name,
            kind,
            direction.query_rows[queries],
            precision[queries],
            direction.gallery_rows[_nearest(direction, queries, finds, similarity)],
            len(precision),
        )
        for kind, queries in chosen.items()
        if len(queries)
    ]


def chosen_queries(precision: Floats, counts: Mapping[str, int], *, seed: int) -> dict[str, Ints]:
    """Positions of the queries of each kind in `precision` (queries,), which is NaN where nothing is relevant."""
    known = np.flatnonzero(~np.isnan(precision))
    best = known[np.argsort(-precision[known], kind="stable")][: counts["best"]]
    others = np.setdiff1d(known, best)
    worst = others[np.argsort(precision[others], kind="stable")][: counts["worst"]]
    random = np.random.default_rng(seed).permutation(len(precision))[: counts["random"]]
    return {"best": best, "worst": worst, "random": random}


def _nearest(direction: Direction, queries: Ints, finds: int, similarity: Similarity) -> Ints:
    """Positions (queries, finds) in the gallery, best first by the similarity measured; equal ones in its order."""
    fill, rows, columns = code_costs(direction.queries[queries], direction.gallery, similarity)
    costs = np.empty((rows, columns))
    fill(0, rows, costs)
    return np.argsort(costs, axis=1, kind="stable")[:, :finds]
