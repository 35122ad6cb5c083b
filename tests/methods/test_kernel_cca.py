from dataclasses import replace

import numpy as np
import pytest
import scipy.linalg
import torch
from scipy.spatial.distance import pdist, squareform

from msl.data.classes import Classes
from msl.data.pairs import Features, Pairs
from msl.methods.cca import CCA
from msl.methods.kernel_cca import KernelCCA
from msl.methods.method import Sizes

CLASSES = Classes(("one", "two"), np.eye(2, dtype=np.float32))
ROWS = 60


def paired(a, b):
    ids = tuple(map(str, range(len(a))))
    return Pairs(ids, Features(a.astype(np.float32)), Features(b.astype(np.float32)), np.arange(len(a)) % 2)


def related(rows=ROWS, seed=0):
    """Pairs that share a plane, bent in b."""
    rng = np.random.default_rng(seed)
    hidden = rng.standard_normal((rows, 2))
    a = np.hstack([hidden, rng.standard_normal((rows, 3))]) @ rng.standard_normal((5, 5))
    b = np.hstack([np.sin(2 * hidden), hidden**2]) + 0.1 * rng.standard_normal((rows, 4))
    return paired(a, b)


def sizes(pairs):
    return Sizes(a=pairs.a.shape[1], b=pairs.b.shape[1], classes=2, embedding=2)


def fitted(pairs, *, landmarks=ROWS, size=3, gamma=0.5, ridge=0.05):
    method = KernelCCA(sizes(pairs), landmarks=landmarks, size=size, gamma=gamma, ridge=ridge)
    method.fit(pairs, CLASSES)
    return method


def variates(method, pairs):
    return method.encode(pairs.a, "a").astype(np.float64), method.encode(pairs.b, "b").astype(np.float64)


def gram(features, gamma):
    """The centred kernel among all rows, from its definition."""
    wide = features[:].astype(np.float64)
    squared = pdist((wide - wide.mean(axis=0)) / wide.std(axis=0)) ** 2
    kernel = np.exp(-gamma * squareform(squared) / np.median(squared))
    centring = np.eye(len(wide)) - 1 / len(wide)
    return centring @ kernel @ centring


def textbook(pairs, *, gamma, ridge, size):
    """The dual generalised eigenproblem: correlations, and the variates of the training rows."""
    a, b = gram(pairs.a, gamma), gram(pairs.b, gamma)
    rows, nothing = len(a), np.zeros_like(a)
    own = [x @ x / rows + ridge * x + 1e-11 * np.eye(rows) for x in (a, b)]
    crossed = np.block([[nothing, a @ b / rows], [b @ a / rows, nothing]])
    values, vectors = scipy.linalg.eigh(crossed, scipy.linalg.block_diag(*own))
    leading = vectors[:, ::-1][:, :size] * np.sqrt(2)  # each half has norm 1/2 in its metric
    return values[::-1][:size], (a @ leading[:rows], b @ leading[rows:])


@pytest.mark.parametrize(("gamma", "ridge"), [(0.5, 0.05), (0.1, 0.001), (2.0, 1.0)])
def test_with_every_pair_a_landmark_it_is_the_textbooks_dual_problem(gamma, ridge):
    pairs = related()
    method = fitted(pairs, gamma=gamma, ridge=ridge)
    correlations, expected = textbook(pairs, gamma=gamma, ridge=ridge, size=3)
    np.testing.assert_allclose(method.get_buffer("correlations"), correlations, atol=1e-4)
    for mine, other in zip(variates(method, pairs), expected, strict=True):
        signs = np.sign((mine * other).sum(axis=0))
        np.testing.assert_allclose(mine * signs, other, atol=2e-3)


def test_more_landmarks_than_pairs_change_nothing():
    pairs = related()
    exact, padded = fitted(pairs), fitted(pairs, landmarks=ROWS + 25)
    for mine, other in zip(variates(padded, pairs), variates(exact, pairs), strict=True):
        np.testing.assert_allclose(mine, other, atol=1e-5)


def test_a_kernel_far_wider_than_the_data_is_linear_cca():
    """``k = 1 - gamma d^2 / m`` there, which centred is ``2 gamma / m`` times the inner product, and so is the ridge."""
    pairs, gamma = related(), 1e-3
    pairs = replace(pairs, b=Features(pairs.a[:] ** 3))
    a, b = ((x[:] - x[:].mean(axis=0)) / x[:].std(axis=0) for x in (pairs.a, pairs.b))
    scales = [2 * gamma / np.median(pdist(x) ** 2) for x in (a, b)]
    kernel = fitted(pairs, gamma=gamma, ridge=0.3 * scales[0])
    aa, ab, bb = (
        a.T @ a / ROWS + 0.3 * np.eye(5),
        a.T @ b / ROWS,
        b.T @ b / ROWS + 0.3 * scales[0] / scales[1] * np.eye(5),
    )
    whitening = [scipy.linalg.sqrtm(np.linalg.inv(each)).real for each in (aa, bb)]
    correlations = np.linalg.svd(whitening[0] @ ab @ whitening[1])[1]
    np.testing.assert_allclose(kernel.get_buffer("correlations"), correlations[:3], rtol=0.01)
    alike = fitted(replace(pairs, b=pairs.a), gamma=gamma, ridge=0.3 * scales[0])
    linear = CCA(sizes(pairs), size=3, ridge=0.3, power=0.0)
    linear.fit(replace(pairs, b=pairs.a), CLASSES)
    for mine, other in zip(alike.encode(pairs.a, "a").T, linear.encode(pairs.a, "a").T, strict=True):
        assert abs(np.corrcoef(mine, other)[0, 1]) > 0.999


def test_codes_of_the_training_rows_are_centred_and_covary_as_the_correlations_say():
    pairs = related(rows=200)
    method = fitted(pairs, landmarks=50)
    a, b = variates(method, pairs)
    np.testing.assert_allclose([a.mean(axis=0), b.mean(axis=0)], np.zeros((2, 3)), atol=1e-5)
    np.testing.assert_allclose(a.T @ b / 200, np.diag(method.get_buffer("correlations")), atol=1e-4)


def test_more_landmarks_approach_the_exact_solution():
    pairs = related(rows=200)
    found = [float(fitted(pairs, landmarks=count).get_buffer("correlations")[0]) for count in (5, 60, 200)]
    assert found[0] < 0.9 * found[2]
    np.testing.assert_allclose(found[1], found[2], rtol=0.02)


def test_a_relation_without_any_linear_part_is_found():
    x = np.linspace(-2, 2, 101)[:, None]
    pairs = paired(np.hstack([x, 0.1 * np.cos(9 * x)]), np.hstack([x**2, 0.1 * np.sin(7 * x)]))
    linear = CCA(sizes(pairs), size=1, ridge=0.001, power=0.0)
    linear.fit(pairs, CLASSES)
    a, b = variates(fitted(pairs, landmarks=101, size=1, ridge=0.001), pairs)
    assert np.corrcoef(a[:, 0], b[:, 0])[0, 1] > 0.95
    assert linear.get_buffer("correlations")[0] < 0.8


@pytest.mark.parametrize("wrong", ["all alike", "in twos", "two rows"])
def test_degenerate_rows_give_finite_codes(wrong):
    pairs = related()
    if wrong == "all alike":
        pairs = replace(pairs, a=Features(np.ones((ROWS, 5), np.float32)))
    pairs = pairs.take({"all alike": np.arange(ROWS), "in twos": np.arange(ROWS) // 2, "two rows": np.arange(2)}[wrong])
    codes = variates(fitted(pairs), pairs)
    assert all(np.isfinite(side).all() for side in codes)
    assert codes[1].any()


def test_labels_and_class_vectors_change_nothing():
    pairs = related()
    other = replace(pairs, labels=np.full(ROWS, -1))
    plain, changed = fitted(pairs).state_dict(), fitted(other).state_dict()
    assert all(torch.equal(value, plain[name]) for name, value in changed.items())
