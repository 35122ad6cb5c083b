"""The precision-recall curve against its definition."""

import numpy as np
import pytest
from metric_oracle import interpolated
from sklearn.metrics import precision_recall_curve as sklearn_curve

from msl.metrics.curves import LEVELS, precision_at_recall
from msl.metrics.measure import precision_recall_curve, rank_scores
from msl.types import InputError


@pytest.mark.parametrize("levels", [LEVELS, np.linspace(0, 1, 11), np.array([0.5]), np.array([0.2, 0.7])])
@pytest.mark.parametrize("steps", [2, 6, 10**6])
def test_equals_the_definition_level_by_level(levels, steps):
    rng = np.random.default_rng(3)
    scores, q, g = rng.integers(0, steps, (25, 40)), rng.integers(0, 5, 25), rng.integers(0, 4, 40)
    found = precision_at_recall(rank_scores(scores, q, g), levels)
    expected = [[interpolated(s, a == g, level) for level in levels] for a, s in zip(q, scores, strict=True)]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)


def test_equals_the_upper_envelope_of_scikit_learns_curve():
    rng = np.random.default_rng(3)
    scores, g = rng.integers(0, 30, 200) / 7, rng.integers(0, 2, 200)
    precision, recall, _ = sklearn_curve(g, scores)
    precision, recall = precision[:-1], recall[:-1]  # the last point, (1, 0), is an addition without a threshold
    expected = [precision[recall >= level - 1e-12].max() for level in LEVELS]
    np.testing.assert_allclose(precision_at_recall(rank_scores([scores], [1], g))[0], expected, rtol=0, atol=1e-12)


def test_it_falls_and_nothing_relevant_has_none():
    rng = np.random.default_rng(3)
    q = np.array([0, 9, 1])
    curve = precision_recall_curve(rng.standard_normal((3, 4)), rng.standard_normal((50, 4)), q, rng.integers(0, 2, 50))
    assert curve.shape == (3, 101)
    assert np.isnan(curve[1]).all()
    assert (np.diff(curve[[0, 2]], axis=1) <= 0).all()


def test_all_queries_without_anything_relevant():
    assert np.isnan(precision_at_recall(rank_scores([[1.0, 2.0]], [5], [1, 2]))).all()


@pytest.mark.parametrize("levels", [[], [0.5, 0.5], [-0.1], [0.5, 1.1]])
def test_levels_out_of_order_or_range_are_refused(levels):
    with pytest.raises(InputError, match="levels"):
        precision_at_recall(rank_scores([[1.0]], [1], [1]), np.array(levels))
