"""Scores against what they are to mean: shares of pairs that belong together."""

import numpy as np
import pytest

from msl.serve.calibration import Calibration


def planted(pairs, *, slope=6.0, offset=-3.0, seed=0):
    rng = np.random.default_rng(seed)
    cosines = rng.uniform(-1, 1, pairs)
    return cosines, rng.random(pairs) < 1 / (1 + np.exp(-(slope * cosines + offset)))


def test_a_planted_curve_is_recovered():
    found = Calibration.fit(*planted(200_000))
    assert found.slope == pytest.approx(6, rel=0.03)
    assert found.offset == pytest.approx(-3, rel=0.03)


def test_fitting_maximises_the_likelihood():
    cosines, together = planted(500)
    found = Calibration.fit(cosines, together)

    def likelihood(slope, offset):
        scores = Calibration(slope, offset)(cosines)
        return np.log(np.where(together, scores, 1 - scores)).sum()

    best = likelihood(found.slope, found.offset)
    for step in (-0.01, 0.01):
        assert likelihood(found.slope + step, found.offset) < best
        assert likelihood(found.slope, found.offset + step) < best


def test_mean_score_is_the_share_of_pairs_that_belong_together():
    cosines, together = planted(3_000)
    assert Calibration.fit(cosines, together)(cosines).mean() == pytest.approx(together.mean(), abs=1e-6)


def test_scores_rise_with_the_cosine_and_are_shares():
    scores = Calibration.fit(*planted(1_000))(np.linspace(-1, 1, 50))
    assert (np.diff(scores) > 0).all()
    assert 0 < scores[0] < scores[-1] < 1


@pytest.mark.parametrize("together", [np.ones(4, bool), np.zeros(4, bool), np.array([True, True, False, False])])
def test_nothing_is_fitted_where_similarity_says_nothing(together):
    assert Calibration.fit(np.array([0.1, 0.2, 0.3, 0.4]), together) is None


def test_calibration_error_is_that_of_its_definition():
    cosines, together = planted(1_000)
    found = Calibration(2.0, 0.0)
    order = np.argsort(found(cosines))
    expected = 0.0
    for part in order.reshape(10, 100):
        expected += 0.1 * abs(np.mean([found(cosines[row]) for row in part]) - np.mean([together[row] for row in part]))
    assert found.error(cosines, together) == pytest.approx(expected)
    assert Calibration.fit(cosines, together).error(cosines, together) < expected
