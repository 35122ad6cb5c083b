import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from msl.evaluation.interval import paired_difference, t_interval
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


def test_paired_difference_is_over_the_splits_both_have():
    ours, theirs = {0: 0.5, 1: 0.7, 2: 0.6, 9: 0.0}, {2: 0.5, 1: 0.4, 0: 0.4, 7: 1.0}
    assert paired_difference(ours, theirs) == t_interval([0.5 - 0.4, 0.7 - 0.4, 0.6 - 0.5])
    assert paired_difference(ours, theirs, confidence=0.5) == t_interval([0.5 - 0.4, 0.7 - 0.4, 0.6 - 0.5], confidence=0.5)  # fmt: skip


@given(sample=SAMPLES, other=SAMPLES)
@settings(deadline=None, max_examples=30)
def test_paired_difference_changes_sign_with_its_arguments(sample, other):
    ours, theirs = dict(enumerate(sample)), dict(enumerate(other))
    one, back = paired_difference(ours, theirs), paired_difference(theirs, ours)
    assert one.mean == -back.mean
    assert (one.low, one.high) == pytest.approx((-back.high, -back.low), abs=1e-12)


def test_what_all_methods_share_on_a_split_does_not_widen_a_paired_difference():
    hardness = dict(enumerate([0.1, 0.9, 0.4, 0.6]))
    ours = {split: value + 0.05 for split, value in hardness.items()}
    found = paired_difference(ours, hardness)
    assert found.mean == pytest.approx(0.05)
    assert found.half_width == pytest.approx(0, abs=1e-12)
    assert t_interval(list(ours.values())).half_width > 0.3


def test_no_split_in_common_is_refused_with_the_key_to_set():
    with pytest.raises(InputError, match=r"none in common; .*split\.seed"):
        paired_difference({0: 0.5}, {1: 0.5})
