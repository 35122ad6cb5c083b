import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from msl.evaluation.interval import prediction_interval, t_interval
from msl.types import InputError

SAMPLES = st.lists(st.floats(-1, 1), min_size=2, max_size=12)


@given(sample=SAMPLES, confidence=st.sampled_from([0.5, 0.9, 0.95, 0.99]))
@settings(deadline=None)
def test_interval_is_that_of_scipy(sample, confidence):
    found = t_interval(sample, confidence=confidence)
    assert found.n == len(sample)
    assert found.mean == pytest.approx(np.mean(sample), abs=1e-15)
    error = scipy.stats.sem(sample)
    if error > 1e-12:
        expected = scipy.stats.t.interval(confidence, len(sample) - 1, loc=np.mean(sample), scale=error)
        assert (found.low, found.high) == pytest.approx(expected, abs=1e-12)
        assert found.half_width == pytest.approx((expected[1] - expected[0]) / 2, abs=1e-12)
    else:
        assert found.half_width < 1e-10


def test_interval_of_a_known_sample():
    found = t_interval([0.1, 0.2, 0.3])  # deviation 0.1, t of 2 degrees at 97.5 % is 4.3027
    assert found.mean == pytest.approx(0.2)
    assert found.half_width == pytest.approx(4.302653 * 0.1 / math.sqrt(3), abs=1e-7)


def test_a_single_unit_has_a_mean_and_no_interval():
    found = t_interval([0.3])
    assert (found.mean, found.n) == (0.3, 1)
    assert math.isnan(found.low)
    assert math.isnan(found.high)
    assert math.isnan(found.half_width)


def test_no_unit_is_refused():
    with pytest.raises(InputError, match="at least one value"):
        t_interval([])


def test_intervals_cover_the_truth_as_often_as_they_say():
    rng = np.random.default_rng(0)
    found = [t_interval(rng.normal(0.4, 0.05, 5), confidence=0.9) for _ in range(600)]
    assert np.mean([each.low <= 0.4 <= each.high for each in found]) == pytest.approx(0.9, abs=0.04)


def test_prediction_interval_of_a_known_sample():
    found = prediction_interval([0.1, 0.2, 0.3], others=2)  # as above, with sqrt(1/3 + 1/2)
    assert (found.mean, found.n) == (pytest.approx(0.2), 3)
    assert found.half_width == pytest.approx(4.302653 * 0.1 * math.sqrt(1 / 3 + 1 / 2), abs=1e-7)


@given(sample=SAMPLES, confidence=st.sampled_from([0.5, 0.95]))
@settings(deadline=None, max_examples=30)
def test_prediction_is_wider_than_the_interval_of_the_mean_and_tends_to_it(sample, confidence):
    mean = t_interval(sample, confidence=confidence)
    one, ten, endless = (prediction_interval(sample, others=n, confidence=confidence) for n in (1, 10, 10**12))
    assert one.half_width >= ten.half_width >= mean.half_width
    assert endless.half_width == pytest.approx(mean.half_width, abs=1e-9)


@pytest.mark.parametrize("others", [1, 4])
def test_prediction_intervals_hold_the_mean_of_further_draws_as_often_as_they_say(others):
    rng = np.random.default_rng(1)
    draws = [(rng.normal(0.4, 0.05, 5), rng.normal(0.4, 0.05, others).mean()) for _ in range(600)]
    found = [(prediction_interval(sample, others=others, confidence=0.9), further) for sample, further in draws]
    assert np.mean([each.low <= further <= each.high for each, further in found]) == pytest.approx(0.9, abs=0.04)


def test_a_single_unit_predicts_nothing():
    assert math.isnan(prediction_interval([0.3]).half_width)
