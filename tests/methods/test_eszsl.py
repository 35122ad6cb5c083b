from dataclasses import replace

import numpy as np
import pytest
import torch
from method_builders import planted_pairs
from sklearn.linear_model import Ridge

from msl.data.classes import Classes
from msl.methods.eszsl import ESZSL
from msl.methods.method import Sizes

SIZES = Sizes(a=7, b=5, classes=4, embedding=3)
PAIRS, CLASSES = planted_pairs(items=8, sizes=SIZES, seed=1)
SEVERAL = replace(PAIRS, labels=np.eye(4, dtype=np.uint8)[PAIRS.labels] | np.eye(4, dtype=np.uint8)[np.arange(32) % 3])


def fitted(pairs=PAIRS, classes=CLASSES, *, ridge=0.3, class_ridge=0.2):
    sizes = Sizes(a=pairs.a.shape[1], b=pairs.b.shape[1], classes=len(classes), embedding=classes.vectors.shape[1])
    method = ESZSL(sizes, ridge=ridge, class_ridge=class_ridge)
    method.fit(pairs, classes)
    return method


def terms(pairs, modality, classes=CLASSES):
    """X (size, pairs), Y (pairs, classes) of -1 and 1, S (embedding, classes), from their description."""
    wide = getattr(pairs, modality)[:].astype(np.float64)
    y = -np.ones((len(pairs), len(classes)))
    for row, label in enumerate(pairs.labels):
        y[row, label if np.ndim(label) == 0 else np.flatnonzero(label)] = 1
    vectors = classes.vectors.astype(np.float64)
    return ((wide - wide.mean(axis=0)) / wide.std(axis=0)).T, y, (vectors / np.linalg.norm(vectors, axis=1)[:, None]).T


def formula(x, y, s, gamma, lambda_):
    return (
        np.linalg.inv(x @ x.T + gamma * np.eye(len(x)))
        @ x
        @ y
        @ s.T
        @ np.linalg.inv(s @ s.T + lambda_ * np.eye(len(s)))
    )


@pytest.mark.parametrize("modality", ["a", "b"])
@pytest.mark.parametrize("pairs", [PAIRS, SEVERAL], ids=["one class each", "several classes"])
def test_v_is_the_one_line_of_the_source(pairs, modality):
    v = fitted(pairs).get_buffer(f"to_code_{modality}")
    np.testing.assert_allclose(v, formula(*terms(pairs, modality), 0.3 * 32, 0.2), atol=1e-5)


def test_no_other_v_has_a_lower_objective():
    x, y, s = map(torch.from_numpy, terms(PAIRS, "a"))
    v = fitted().get_buffer("to_code_a").double().clone().requires_grad_()
    gamma, lambda_ = 0.3 * 32, 0.2
    fit, penalty = (x.T @ v @ s - y).square().sum(), gamma * (v @ s).square().sum() + lambda_ * (x.T @ v).square().sum()
    (fit + penalty + gamma * lambda_ * v.square().sum()).backward()
    assert v.grad.abs().max() < 1e-4 * (x @ y @ s.T).abs().max()


def test_codes_are_v_of_the_standardised_features():
    method = fitted()
    x, *_ = terms(PAIRS, "b")
    expected = x.T @ method.get_buffer("to_code_b").double().numpy()
    np.testing.assert_allclose(method.encode(PAIRS.b, "b"), expected, atol=1e-5)


def test_of_onehot_embeddings_it_is_ridge_regression_on_the_signs_shrunk():
    classes = Classes(CLASSES.names, np.eye(4, dtype=np.float32))
    x, y, _ = terms(PAIRS, "a", classes)
    regression = Ridge(alpha=0.3 * 32, fit_intercept=False).fit(x.T, y).coef_
    v = fitted(classes=classes, class_ridge=0.25).get_buffer("to_code_a")
    np.testing.assert_allclose(v, regression.T / 1.25, atol=1e-5)


def test_of_fewer_pairs_than_features_the_solution_is_the_same():
    pairs, classes = planted_pairs(items=3, sizes=Sizes(a=40, b=31, classes=4, embedding=9))
    v = fitted(pairs, classes).get_buffer("to_code_a")
    np.testing.assert_allclose(v, formula(*terms(pairs, "a", classes), 0.3 * 12, 0.2), atol=1e-5)


def test_repeating_every_pair_changes_nothing():
    """Gamma grows with the number of pairs, so that one grid serves every data set."""
    twice = PAIRS.take(np.tile(np.arange(32), 2))
    np.testing.assert_allclose(fitted(twice).get_buffer("to_code_a"), fitted().get_buffer("to_code_a"), atol=1e-5)
