"""Chance against the mean over every permutation, and the lift made of it."""

from itertools import combinations

import numpy as np
import pytest

from msl.metrics.chance import chance_average_precision, lift
from msl.metrics.measure import chance, measure_scores
from msl.types import InputError

CUTS = (1, 2, 3, 4, 6, 9)
NAMES = ["map", "ndcg"] + [
    f"{family}@{k}" for k in CUTS for family in ("map", "precision", "recall", "ndcg")
] + [f"map@{k}:{divisor}" for k in CUTS for divisor in ("hits", "relevant")]  # fmt: skip


@pytest.mark.parametrize(("relevant", "gallery"), [(r, n) for n in (1, 2, 3, 6, 7) for r in range(1, n + 1)])
def test_equals_the_mean_over_all_rankings(relevant, gallery):
    # Rankings differ only in the places of the relevant items, and every choice of places is equally likely.
    labels = np.zeros(gallery, dtype=int)
    labels[:relevant] = 1
    rows = []
    for places in combinations(range(gallery), relevant):
        others = [place for place in range(gallery) if place not in places]
        rows.append([-place for place in (*places, *others)])
    observed = measure_scores(rows, np.ones(len(rows), dtype=int), labels, NAMES)
    expected = chance([1], labels, NAMES)
    for name in NAMES:
        assert expected[name][0] == pytest.approx(observed[name].mean(), abs=1e-12), name


def test_random_scores_come_close_on_a_large_gallery():
    rng = np.random.default_rng(0)
    q, g = rng.integers(0, 5, 3000), rng.integers(0, 5, 400)
    names = ["map", "map@20", "map@20:hits", "map@20:relevant", "precision@20", "recall@20", "ndcg@20", "ndcg"]
    observed, expected = measure_scores(rng.random((3000, 400)), q, g, names), chance(q, g, names)
    for name in names:
        error = observed[name].std() / np.sqrt(3000)
        assert abs(observed[name].mean() - expected[name].mean()) < 4 * error, name


def test_large_galleries_do_not_overflow():
    hits = chance_average_precision(np.array([1, 5000, 100_000]), 100_000, 50, divisor="hits")
    assert np.isfinite(hits).all()
    assert hits[-1] == pytest.approx(1.0)
    assert chance_average_precision(np.array([100_000]), 100_000)[0] == pytest.approx(1.0)


def test_nothing_relevant_has_no_chance_level_and_several_labels_do():
    assert np.isnan(chance([9], [1, 2], ["map"])["map"]).all()
    values = chance([[1, 0], [1, 1]], [[1, 0], [0, 1], [1, 1]], ["precision@1"])["precision@1"]
    assert values.tolist() == pytest.approx([2 / 3, 1.0])


def test_lift():
    assert lift(0.4, 0.2) == pytest.approx(0.25)
    assert lift(np.array([0.2, 1.0]), np.array([0.2, 0.5])).tolist() == [0.0, 1.0]
    with pytest.raises(InputError, match="below 1"):
        lift(1.0, 1.0)
