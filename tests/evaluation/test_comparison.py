import itertools
import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from msl.evaluation.comparison import compare, hedges_effect, holm
from msl.evaluation.interval import t_interval
from msl.types import InputError

SAMPLES = st.lists(st.floats(-1, 1), min_size=2, max_size=12)
P_VALUES = st.lists(st.floats(0, 1), max_size=8)


def splits(values):
    return {f"classes {number}": value for number, value in enumerate(values)}


def test_difference_is_over_the_splits_both_have():
    ours, theirs = {"0": 0.5, "1": 0.7, "2": 0.6, "9": 0.0}, {"2": 0.5, "1": 0.4, "0": 0.4, "7": 1.0}
    for confidence in (0.5, 0.95):
        found = compare(ours, theirs, confidence=confidence)
        expected = t_interval([0.5 - 0.4, 0.7 - 0.4, 0.6 - 0.5], confidence=confidence)
        assert (found.mean, found.low, found.high, found.n) == (expected.mean, expected.low, expected.high, 3)


@given(sample=SAMPLES, other=SAMPLES)
@settings(deadline=None, max_examples=30)
def test_difference_and_effect_change_sign_with_the_arguments_and_p_does_not(sample, other):
    one, back = compare(splits(sample), splits(other)), compare(splits(other), splits(sample))
    assert one.mean == -back.mean
    assert (one.low, one.high) == pytest.approx((-back.high, -back.low), abs=1e-12)
    assert one.p == pytest.approx(back.p)
    assert (one.effect is None) == (back.effect is None)
    if one.effect is not None:
        assert one.effect == pytest.approx(-back.effect)


def test_p_is_that_of_the_paired_t_test():
    rng = np.random.default_rng(0)
    for count in (2, 3, 10):
        ours, theirs = rng.random(count), rng.random(count)
        expected = scipy.stats.ttest_rel(ours, theirs).pvalue
        assert compare(splits(ours), splits(theirs)).p == pytest.approx(expected, abs=1e-12)


def test_p_is_below_a_level_exactly_where_the_interval_excludes_zero():
    rng = np.random.default_rng(1)
    for _ in range(50):
        found = compare(splits(rng.normal(0.03, 0.05, 6)), splits(np.zeros(6)))
        assert (found.p < 0.05) == (not found.low <= 0 <= found.high)


def test_what_all_methods_share_on_a_split_does_not_widen_a_difference():
    hardness = splits([0.1, 0.9, 0.4, 0.6])
    found = compare({split: value + 0.05 for split, value in hardness.items()}, hardness)
    assert found.mean == pytest.approx(0.05)
    assert found.half_width == pytest.approx(0, abs=1e-12)


def test_no_split_in_common_is_refused_with_the_key_to_set():
    with pytest.raises(InputError, match=r"none in common; .*split\.seed"):
        compare({"0": 0.5}, {"1": 0.5})


def test_one_split_has_no_test_and_no_effect():
    found = compare({"0": 0.5}, {"0": 0.4})
    assert (found.n, found.p, found.effect, found.significant) == (1, None, None, False)
    assert math.isnan(found.low)


@pytest.mark.parametrize(("change", "p", "effect"), [(0.0, 1.0, 0.0), (0.05, 0.0, None), (-0.05, 0.0, None)])
def test_differences_that_are_all_one_number_give_no_nan(change, p, effect):
    values = [0.1, 0.2, 0.7, 0.4]
    found = compare(splits([value + change for value in values]), splits(values))
    assert (found.p, found.effect) == (p, effect)


def test_effect_is_cohens_d_times_the_correction():
    differences = [0.1, 0.3, 0.2, 0.2, 0.5]
    d = np.mean(differences) / np.std(differences, ddof=1)
    exact = scipy.special.gamma(2) / (math.sqrt(2) * scipy.special.gamma(1.5))  # 4 degrees: 0.7979
    assert hedges_effect(differences) == pytest.approx(d * exact)
    assert exact == pytest.approx(0.797885, abs=1e-6)
    assert hedges_effect(differences) == pytest.approx(d * (1 - 3 / (4 * 4 - 1)), rel=0.01)  # Hedges' approximation
    assert hedges_effect(differences[:2]) is None


def test_the_corrected_effect_is_unbiased_and_cohens_is_not():
    rng = np.random.default_rng(2)
    samples = rng.normal(0.8, 1.0, (4000, 5))
    assert np.mean([hedges_effect(list(sample)) for sample in samples]) == pytest.approx(0.8, abs=0.03)
    assert np.mean(samples.mean(axis=1) / samples.std(axis=1, ddof=1)) > 0.95


def test_an_effect_of_many_pairs_needs_no_correction():
    differences = list(np.random.default_rng(3).normal(1, 1, 2000))
    assert hedges_effect(differences) == pytest.approx(np.mean(differences) / np.std(differences, ddof=1), rel=1e-3)


def naive_holm(p_values):
    """By the definition: p of a hypothesis is the largest level at which the stepwise test would not reject it."""
    order = sorted(range(len(p_values)), key=lambda place: p_values[place])
    found = {}
    for rank, place in enumerate(order):
        steps = [(len(p_values) - earlier) * p_values[order[earlier]] for earlier in range(rank + 1)]
        found[place] = min(1.0, max(steps))
    return [found[place] for place in range(len(p_values))]


@given(p_values=P_VALUES)
@settings(deadline=None)
def test_holm_is_its_definition(p_values):
    assert holm(p_values) == pytest.approx(naive_holm(p_values))


def test_holm_of_known_values():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.5]) == [0.5]
    assert holm([]) == []


def test_holm_does_not_depend_on_the_order_and_never_helps():
    p_values = [0.01, 0.2, 0.02, 0.02]
    known = dict(zip(p_values, holm(p_values), strict=True))
    for order in itertools.permutations(p_values):
        assert holm(order) == pytest.approx([known[p] for p in order])
    assert all(adjusted >= p for p, adjusted in known.items())
