from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import scipy.linalg
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import sqrtm
from sklearn.cross_decomposition import CCA as SklearnCCA

from msl.data.classes import Classes
from msl.data.pairs import Features, Pairs
from msl.methods.cca import CCA
from msl.methods.method import Sizes
from msl.types import InputError

ROWS = 60
CLASSES = Classes(("one", "two"), np.eye(2, dtype=np.float32))


def paired(a, b):
    ids = tuple(map(str, range(len(a))))
    return Pairs(ids, Features(a.astype(np.float32)), Features(b.astype(np.float32)), np.arange(len(a)) % 2)


def planted(correlations, *, extra_a=2, extra_b=1, rows=ROWS, seed=0):
    """Pairs whose canonical correlations are exactly these (and 0): orthonormal variates, mixed by invertible maps."""
    rng = np.random.default_rng(seed)
    shared, width_a = len(correlations), len(correlations) + extra_a
    width_b = shared + extra_b
    noise = rng.standard_normal((rows, width_a + width_b))
    basis, _ = np.linalg.qr(noise - noise.mean(axis=0))  # centred, orthonormal columns
    a, b = basis[:, :width_a], basis[:, width_a:].copy()
    rho = np.array(correlations)
    b[:, :shared] = rho * a[:, :shared] + np.sqrt(1 - rho**2) * b[:, :shared]
    mix_a, mix_b = (rng.standard_normal((width, width)) + 2 * np.eye(width) for width in (width_a, width_b))
    return paired(np.sqrt(rows) * a @ mix_a + 3, np.sqrt(rows) * b @ mix_b - 1)


def fitted(pairs, *, size=3, ridge=0.0, power=0.0, classes=CLASSES):
    sizes = Sizes(a=pairs.a.shape[1], b=pairs.b.shape[1], classes=len(CLASSES), embedding=2)
    method = CCA(sizes, size=size, ridge=ridge, power=power)
    method.fit(pairs, classes)
    return method


def variates(method, pairs):
    return method.encode(pairs.a, "a").astype(np.float64), method.encode(pairs.b, "b").astype(np.float64)


def standardised(features):
    wide = features.astype(np.float64)
    return (wide - wide.mean(axis=0)) / wide.std(axis=0)


def covariances(pairs, ridge):
    a, b = standardised(pairs.a[:]), standardised(pairs.b[:])
    rows = len(a)
    return a.T @ a / rows + ridge * np.eye(a.shape[1]), a.T @ b / rows, b.T @ b / rows + ridge * np.eye(b.shape[1])


def test_planted_correlations_are_recovered():
    found = fitted(planted([0.95, 0.6, 0.2])).correlations
    assert found.tolist() == pytest.approx([0.95, 0.6, 0.2], abs=1e-6)


def test_canonical_variates_of_a_pair_correlate_as_planted_and_with_nothing_else():
    pairs = planted([0.95, 0.6, 0.2])
    a, b = variates(fitted(pairs), pairs)
    np.testing.assert_allclose(a.T @ b / ROWS, np.diag([0.95, 0.6, 0.2]), atol=1e-5)
    for codes in (a, b):
        np.testing.assert_allclose(codes.T @ codes / ROWS, np.eye(3), atol=1e-5)
        np.testing.assert_allclose(codes.mean(axis=0), 0, atol=1e-5)


@given(seed=st.integers(0, 10_000))
@settings(deadline=None, max_examples=15)
def test_correlations_are_the_cosines_between_the_column_spaces(seed):
    rng = np.random.default_rng(seed)
    hidden = rng.standard_normal((ROWS, 3))
    pairs = paired(*(hidden @ rng.standard_normal((3, w)) + rng.standard_normal((ROWS, w)) for w in (5, 4)))
    bases = [np.linalg.qr(standardised(features))[0] for features in (pairs.a[:], pairs.b[:])]
    expected = np.linalg.svd(bases[0].T @ bases[1], compute_uv=False)
    np.testing.assert_allclose(fitted(pairs, size=4).correlations, expected, atol=1e-6)


def test_variates_are_those_of_scikit_learn():
    pairs = planted([0.95, 0.6, 0.2])
    ours = variates(fitted(pairs), pairs)
    theirs = SklearnCCA(n_components=3, tol=1e-12, max_iter=10_000).fit(pairs.a[:], pairs.b[:])
    for mine, other in zip(ours, theirs.transform(pairs.a[:], pairs.b[:]), strict=True):
        correlated = np.corrcoef(mine.T, other.T)[:3, 3:]
        np.testing.assert_allclose(np.abs(np.diag(correlated)), 1, atol=1e-4)


@pytest.mark.parametrize("ridge", [0.0, 1e-3, 0.5, 10.0])
def test_solution_is_that_of_the_generalised_eigenvalue_problem(ridge):
    pairs = planted([0.9, 0.5], seed=3)
    s_aa, s_ab, s_bb = covariances(pairs, ridge)
    zero_a, zero_b = np.zeros_like(s_aa), np.zeros_like(s_bb)
    cross = np.block([[zero_a, s_ab], [s_ab.T, zero_b]])
    within = scipy.linalg.block_diag(s_aa, s_bb)
    expected = np.sort(scipy.linalg.eigh(cross, within, eigvals_only=True))[::-1][:2]
    method = fitted(pairs, size=2, ridge=ridge)
    np.testing.assert_allclose(method.correlations, expected, atol=1e-6)
    u, v = (method.get_buffer(f"to_code_{modality}").double().numpy() for modality in "ab")
    np.testing.assert_allclose(u.T @ s_aa @ u, np.eye(2), atol=1e-5)
    np.testing.assert_allclose(v.T @ s_bb @ v, np.eye(2), atol=1e-5)
    np.testing.assert_allclose(u.T @ s_ab @ v, np.diag(expected), atol=1e-5)


def test_a_vanishing_ridge_gives_the_solution_without_ridge():
    pairs = planted([0.9, 0.5])
    plain, ridged = fitted(pairs), fitted(pairs, ridge=1e-9)
    np.testing.assert_allclose(ridged.correlations, plain.correlations, atol=1e-6)


def test_a_larger_ridge_never_raises_a_correlation():
    pairs = planted([0.9, 0.5, 0.3])
    found = [fitted(pairs, ridge=ridge).correlations.numpy() for ridge in (0.0, 0.01, 0.1, 1.0, 10.0)]
    assert all((after <= before + 1e-7).all() for before, after in pairwise(found))
    assert found[-1].max() < 0.5 * found[0].max()


def test_power_weights_each_variate_by_its_correlation():
    pairs = planted([0.9, 0.5, 0.3])
    plain, weighted = fitted(pairs), fitted(pairs, power=2.0)
    for before, after in zip(variates(plain, pairs), variates(weighted, pairs), strict=True):
        np.testing.assert_allclose(after, before * plain.correlations.numpy() ** 2, atol=1e-5)


def test_invertible_maps_of_the_features_change_codes_in_sign_only():
    pairs, rng = planted([0.9, 0.5, 0.3]), np.random.default_rng(1)
    turned = [
        x @ (rng.standard_normal((x.shape[1],) * 2) + 2 * np.eye(x.shape[1])) + 5 for x in (pairs.a[:], pairs.b[:])
    ]
    other = paired(*turned)
    for mine, moved in zip(variates(fitted(pairs), pairs), variates(fitted(other), other), strict=True):
        signs = np.sign((mine * moved).sum(axis=0))
        np.testing.assert_allclose(moved * signs, mine, atol=1e-3)


def test_swapping_the_modalities_swaps_the_codes_up_to_sign():
    pairs = planted([0.9, 0.5, 0.3])
    mine = variates(fitted(pairs), pairs)
    swapped = replace(pairs, a=pairs.b, b=pairs.a)
    theirs = variates(fitted(swapped), swapped)[::-1]
    signs = np.sign((mine[0] * theirs[0]).sum(axis=0))
    for one, other in zip(mine, theirs, strict=True):
        np.testing.assert_allclose(other * signs, one, atol=1e-4)


@pytest.mark.parametrize("wrong", ["duplicated", "constant", "few rows"])
def test_a_singular_covariance_without_ridge_is_refused_and_with_ridge_solved(wrong):
    pairs = planted([0.9, 0.5])
    a = pairs.a[:].copy()
    if wrong == "duplicated":
        a[:, 1] = a[:, 0]
    elif wrong == "constant":
        a[:, 1] = 4
    pairs = replace(pairs, a=Features(a)).take(np.arange(3 if wrong == "few rows" else ROWS))
    with pytest.raises(InputError, match=r"singular.*method\.ridge") as caught:
        fitted(pairs)
    assert "\n" not in str(caught.value)
    codes = variates(fitted(pairs, ridge=0.1), pairs)
    assert all(np.isfinite(side).all() for side in codes)


@pytest.mark.parametrize(("size", "given_"), [(2, 2), (4, 4), (5, 4), (100, 4)])
def test_code_size_is_cut_to_the_smaller_modality(size, given_):
    pairs = planted([0.9, 0.5, 0.3], extra_a=3, extra_b=1)
    method = fitted(pairs, size=size)
    assert [codes.shape for codes in variates(method, pairs)] == [(ROWS, given_)] * 2
    assert len(method.correlations) == given_


def test_labels_and_class_vectors_change_nothing():
    pairs = planted([0.9, 0.5, 0.3])
    nothing = Classes(("x", "y", "z"), np.full((3, 7), np.nan, np.float32))
    shuffled = replace(pairs, labels=np.random.default_rng(0).permutation(pairs.labels))
    absent = replace(pairs, labels=np.full(ROWS, -1))
    plain = fitted(pairs).state_dict()
    for other in (fitted(shuffled), fitted(absent, classes=nothing)):
        assert all(torch.equal(value, plain[name]) for name, value in other.state_dict().items())


def test_permuting_the_pairs_changes_the_correlations_by_rounding_only():
    pairs = planted([0.9, 0.5, 0.3])
    order = np.random.default_rng(0).permutation(ROWS)
    np.testing.assert_allclose(fitted(pairs.take(order)).correlations, fitted(pairs).correlations, atol=1e-6)


def test_of_fewer_pairs_than_features_the_solution_is_the_same():
    """The covariances' own solution, without any thought of the span of the pairs."""
    rng = np.random.default_rng(0)
    few = paired(rng.standard_normal((12, 40)), rng.standard_normal((12, 9)))
    method = fitted(few, size=5, ridge=0.3)
    a, b = standardised(few.a[:]), standardised(few.b[:])
    whitening = [np.linalg.inv(sqrtm(x.T @ x / 12 + 0.3 * np.eye(x.shape[1])).real) for x in (a, b)]
    left, correlations, right = np.linalg.svd(whitening[0] @ (a.T @ b / 12) @ whitening[1])
    np.testing.assert_allclose(method.get_buffer("correlations").numpy(), correlations[:5], atol=1e-6)
    for mine, other in zip(
        variates(method, few), (a @ whitening[0] @ left[:, :5], b @ whitening[1] @ right.T[:, :5]), strict=True
    ):
        np.testing.assert_allclose(np.abs(mine), np.abs(other), atol=1e-4)


def test_a_code_wider_than_the_pairs_can_fill_ends_in_zeros():
    rng = np.random.default_rng(0)
    few = paired(rng.standard_normal((3, 9)), rng.standard_normal((3, 9)))
    codes = variates(fitted(few, size=9, ridge=0.3), few)
    assert all(np.isfinite(side).all() and not side[:, 3:].any() and side[:, :2].any() for side in codes)
