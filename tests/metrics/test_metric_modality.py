"""The modality gap and the probe for it, at values known beforehand."""

import numpy as np
import pytest

from msl.metrics.modality import modality_gap, modality_probe
from msl.types import InputError

RNG = np.random.default_rng(0)
CLOUD = RNG.standard_normal((200, 8))


def test_no_gap_between_identical_clouds_and_two_between_opposite_points():
    assert modality_gap(CLOUD, CLOUD) == 0
    assert modality_gap([[3.0, 0.0]], [[-0.5, 0.0]]) == 2
    assert modality_gap([[1.0, 0.0]], [[0.0, 7.0]]) == pytest.approx(np.sqrt(2), abs=1e-15)


def test_the_gap_is_that_of_the_formula_whatever_the_lengths_and_numbers():
    a, b = RNG.standard_normal((30, 5)) + 1, RNG.standard_normal((50, 5))
    means = [np.mean([row / np.sqrt((row**2).sum()) for row in codes], axis=0) for codes in (a, b)]
    found = modality_gap(a * RNG.uniform(0.1, 9, (30, 1)), b.astype(np.float64)[::-1])
    assert found == pytest.approx(np.sqrt(((means[0] - means[1]) ** 2).sum()), abs=1e-12)
    assert modality_gap(b, a) == modality_gap(a, b)


def test_a_zero_code_stays_zero():
    assert modality_gap([[0.0, 0.0], [2.0, 0.0]], [[0.0, 0.0]]) == 0.5


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_probe_cannot_tell_identical_clouds_apart(seed):
    """Exactly: both codes of a pair are in one fold, named alike, and one of the two names is right."""
    assert modality_probe(CLOUD, CLOUD, folds=5, seed=seed) == 0.5


def test_the_probe_is_near_a_half_for_two_draws_of_one_cloud_and_one_for_clouds_far_apart():
    other = RNG.standard_normal((150, 8))
    assert modality_probe(CLOUD, other, folds=5, seed=0) == pytest.approx(0.5, abs=0.1)
    assert modality_probe(CLOUD + 9, other - 9, folds=5, seed=0) == 1


def test_a_larger_modality_gives_the_probe_no_advantage():
    """A plain accuracy would be 0.95 for naming everything as the larger one."""
    many = RNG.standard_normal((950, 4))
    assert modality_probe(many, RNG.standard_normal((50, 4)), folds=5, seed=0) == pytest.approx(0.5, abs=0.12)


def test_the_probe_repeats_itself_and_depends_on_the_seed():
    a, b = CLOUD + 0.15, RNG.standard_normal((200, 8))
    values = [modality_probe(a, b, folds=4, seed=seed) for seed in (0, 0, 1, 2, 3)]
    assert values[0] == values[1]
    assert len(set(values)) > 1


def test_wrong_input_says_what_was_wanted():
    with pytest.raises(InputError, match="widths 8 and 3"):
        modality_gap(CLOUD, CLOUD[:, :3])
    with pytest.raises(InputError, match=r"at least 5 codes of each modality.*200 and 4"):
        modality_probe(CLOUD, CLOUD[:4], folds=5, seed=0)
    with pytest.raises(InputError, match="b: wanted finite numbers"):
        modality_gap(CLOUD, np.full((2, 8), np.nan))
