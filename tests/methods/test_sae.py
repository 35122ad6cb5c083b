from dataclasses import replace

import numpy as np
import pytest
import torch
from method_builders import planted_pairs
from scipy.linalg import solve_sylvester

from msl.methods.method import Sizes
from msl.methods.sae import SAE, sylvester

SIZES = Sizes(a=7, b=5, classes=6, embedding=3)
PAIRS, CLASSES = planted_pairs(items=8, sizes=SIZES, seed=1)


def fitted(pairs=PAIRS, classes=CLASSES, *, weight=0.7, direction="encode"):
    sizes = Sizes(a=pairs.a.shape[1], b=pairs.b.shape[1], classes=len(classes), embedding=classes.vectors.shape[1])
    method = SAE(sizes, weight=weight, direction=direction)
    method.fit(pairs, classes)
    return method


def features(pairs, modality):
    """X (size, pairs), from its description."""
    wide = getattr(pairs, modality)[:].astype(np.float64)
    scored = (wide - wide.mean(axis=0)) / wide.std(axis=0)
    return scored.T / np.sqrt((scored**2).sum(axis=1).mean())


def centred_meaning(pairs, classes):
    """Class embeddings (classes, embedding) and S (embedding, pairs), from their description."""
    unit = classes.vectors.astype(np.float64)
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    share = np.eye(len(classes))[pairs.labels] if pairs.labels.ndim == 1 else pairs.labels.astype(np.float64)
    share /= share.sum(axis=1, keepdims=True)
    unit -= (share @ unit).mean(axis=0)
    unit /= np.sqrt(((share @ unit) ** 2).sum(axis=1).mean())
    return unit, (share @ unit).T


def parts(x, s, weight):
    return s @ s.T, weight * x @ x.T, (1 + weight) * s @ x.T


@pytest.mark.parametrize("modality", ["a", "b"])
@pytest.mark.parametrize("weight", [0.01, 0.7, 50.0])
def test_w_is_scipys_solution_and_solves_the_equation(modality, weight):
    x, (_, s) = features(PAIRS, modality), centred_meaning(PAIRS, CLASSES)
    a, b, c = parts(x, s, weight)
    w = fitted(weight=weight).get_buffer(f"to_code_{modality}").double().numpy().T
    np.testing.assert_allclose(w, solve_sylvester(a, b, c), atol=1e-5)
    np.testing.assert_allclose(a @ w + w @ b, c, atol=1e-4 * np.abs(c).max())


def test_no_other_w_has_a_lower_objective():
    x, (_, s) = (torch.from_numpy(features(PAIRS, "a")), centred_meaning(PAIRS, CLASSES))
    s = torch.from_numpy(s)
    w = fitted(weight=0.7).get_buffer("to_code_a").double().T.clone().requires_grad_()
    ((x - w.T @ s).square().sum() + 0.7 * (w @ x - s).square().sum()).backward()
    assert w.grad.abs().max() < 1e-4 * (s @ x.T).abs().max()


@pytest.mark.parametrize("weight", [1e-6, 1e6])
def test_a_vanishing_and_an_endless_weight_give_the_two_regressions(weight):
    x, (_, s) = features(PAIRS, "b"), centred_meaning(PAIRS, CLASSES)
    decoder, encoder = np.linalg.solve(s @ s.T, s @ x.T), np.linalg.solve(x @ x.T, x @ s.T).T
    w = fitted(weight=weight).get_buffer("to_code_b").numpy().T
    np.testing.assert_allclose(w, decoder if weight < 1 else encoder, rtol=1e-3, atol=1e-3)


def test_codes_encoded_are_w_x_and_decoded_are_cosines_with_every_class():
    for modality in ("a", "b"):
        x, (meaning, _) = features(PAIRS, modality), centred_meaning(PAIRS, CLASSES)
        encoding, rows = fitted(), getattr(PAIRS, modality)
        w = encoding.get_buffer(f"to_code_{modality}").double().numpy().T
        np.testing.assert_allclose(encoding.encode(rows, modality), (w @ x).T, atol=1e-5)
        decoded = w.T @ meaning.T
        cosines = x.T @ decoded / np.outer(np.linalg.norm(x, axis=0), np.linalg.norm(decoded, axis=0))
        np.testing.assert_allclose(fitted(direction="decode").encode(rows, modality), cosines, atol=1e-5)


def test_of_fewer_pairs_than_features_and_fewer_classes_than_dimensions_the_equation_still_holds():
    sizes = Sizes(a=40, b=31, classes=4, embedding=9)
    pairs, classes = planted_pairs(items=5, sizes=sizes)
    x, (_, s) = features(pairs, "a"), centred_meaning(pairs, classes)
    a, b, c = parts(x, s, 0.7)
    w = fitted(pairs, classes).get_buffer("to_code_a").double().numpy().T
    np.testing.assert_allclose(a @ w + w @ b, c, atol=1e-4 * np.abs(c).max())
    assert np.linalg.matrix_rank(w, tol=1e-4) == 3  # centred meaning of four classes


def test_sylvester_of_a_singular_pair_is_the_solution_of_least_norm():
    rng = np.random.default_rng(0)
    s, x = (
        rng.standard_normal((5, 2)) @ rng.standard_normal((2, 9)),
        rng.standard_normal((6, 3)) @ rng.standard_normal((3, 9)),
    )
    a, b, c = s @ s.T, x @ x.T, s @ x.T
    whole = np.kron(a, np.eye(6)) + np.kron(np.eye(5), b)
    expected = (np.linalg.pinv(whole, rcond=1e-9) @ c.ravel()).reshape(5, 6)
    np.testing.assert_allclose(sylvester(*map(torch.from_numpy, (a, b, c))), expected, atol=1e-9)


def test_indicators_of_one_class_each_say_what_labels_say():
    indicators = replace(PAIRS, labels=np.eye(6, dtype=np.uint8)[PAIRS.labels])
    mine, other = fitted().state_dict(), fitted(indicators).state_dict()
    assert all(torch.equal(value, other[name]) for name, value in mine.items())


def test_an_item_of_several_classes_has_the_mean_of_their_embeddings():
    labels = np.eye(6, dtype=np.uint8)[PAIRS.labels] | np.eye(6, dtype=np.uint8)[np.arange(len(PAIRS)) % 4]
    several = replace(PAIRS, labels=labels)
    x, (_, s) = features(several, "a"), centred_meaning(several, CLASSES)
    w = fitted(several).get_buffer("to_code_a").numpy().T
    np.testing.assert_allclose(w, solve_sylvester(*parts(x, s, 0.7)), atol=1e-5)
