"""Which queries a gallery takes, and what it shows as found."""

import numpy as np
import pytest

from msl.evaluation.protocol import Direction
from msl.metrics.measure import average_precision
from msl.report.run.queries import chosen_queries, found

COUNTS = {"best": 2, "worst": 2, "random": 3}
SCORES = {
    "cosine": lambda q, g: g @ q / np.linalg.norm(g, axis=1),
    "dot": lambda q, g: g @ q,
    "euclidean": lambda q, g: -((g - q) ** 2).sum(axis=1),
}


@pytest.mark.parametrize("similarity", SCORES)
def test_finds_are_the_nearest_by_the_similarity_measured(similarity):
    rng = np.random.default_rng(0)
    queries, gallery = rng.standard_normal((20, 3)), rng.standard_normal((30, 3)) * rng.uniform(0.2, 3, (30, 1))
    labels = rng.integers(0, 4, 20), rng.integers(0, 4, 30)
    rows = np.arange(100, 120), np.arange(500, 530)
    side = Direction("unseen", "i2t", queries, gallery, *labels, *rows)
    parts = found(side, COUNTS, finds=5, similarity=similarity, seed=0)
    assert [(part.kind, len(part.queries), part.asked) for part in parts] == [
        (kind, n, 20) for kind, n in COUNTS.items()
    ]
    precision = average_precision(queries, gallery, *labels, similarity=similarity)
    for part in parts:
        for row, value, items in zip(part.queries, part.precision, part.items, strict=True):
            scores = SCORES[similarity](queries[row - 100], gallery)
            assert items.tolist() == (500 + np.argsort(-scores)[:5]).tolist()
            assert value == precision[row - 100]
    assert parts[0].precision.tolist() == np.sort(precision)[::-1][:2].tolist()
    assert parts[1].precision.tolist() == np.sort(precision)[:2].tolist()


def test_the_best_and_the_worst_are_chosen_by_rank_ties_by_position_never_both():
    precision = np.array([0.5, 0.9, np.nan, 0.9, 0.1, 0.1, 0.9])
    chosen = chosen_queries(precision, COUNTS, seed=0)
    assert chosen["best"].tolist() == [1, 3]
    assert chosen["worst"].tolist() == [4, 5]
    few = chosen_queries(np.array([0.3, np.nan, 0.2]), COUNTS, seed=0)
    assert (few["best"].tolist(), few["worst"].tolist()) == ([0, 2], [])


def test_random_queries_are_drawn_from_all_by_the_seed():
    precision = np.linspace(0, 1, 50)
    draws = [chosen_queries(precision, COUNTS, seed=seed)["random"].tolist() for seed in (0, 0, 1)]
    assert draws[0] == draws[1] != draws[2]
    drawn = {place for seed in range(60) for place in chosen_queries(precision, COUNTS, seed=seed)["random"]}
    assert len(drawn) > 40
