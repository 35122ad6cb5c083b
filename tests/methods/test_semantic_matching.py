from dataclasses import replace

import numpy as np
import pytest
import torch
from method_builders import planted_pairs
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from msl.config import composed, resolved
from msl.methods.method import Sizes
from msl.methods.semantic_matching import SemanticMatching

SIZES = Sizes(a=7, b=5, classes=4, embedding=3)
PAIRS, CLASSES = planted_pairs(items=10, sizes=SIZES, seed=1, noise=1.0)


def fitted(pairs=PAIRS, *, C=1.0, of="posterior", classes=4):
    method = SemanticMatching(replace(SIZES, classes=classes), C=C, of=of)
    method.fit(pairs, CLASSES.take(np.arange(classes)))
    return method


def theirs(pairs, modality, C):
    """scikit-learn's own model, and the rows it takes."""
    wide = getattr(pairs, modality)[:].astype(np.float64)
    rows = StandardScaler().fit_transform(wide)
    return LogisticRegression(C=C, max_iter=1000, tol=1e-8).fit(rows, pairs.labels), rows


@pytest.mark.parametrize("modality", ["a", "b"])
@pytest.mark.parametrize("C", [0.01, 1.0])
def test_codes_are_the_posteriors_and_the_logits_of_scikit_learn(modality, C):
    model, rows = theirs(PAIRS, modality, C)
    features = getattr(PAIRS, modality)
    np.testing.assert_allclose(fitted(C=C).encode(features, modality), model.predict_proba(rows), atol=2e-3)
    np.testing.assert_allclose(
        fitted(C=C, of="logit").encode(features, modality), model.decision_function(rows), atol=1e-2
    )


def test_of_two_classes_both_have_a_posterior():
    two = PAIRS.take(np.flatnonzero(PAIRS.labels < 2))
    model, rows = theirs(two, "a", 1.0)
    np.testing.assert_allclose(fitted(two, classes=2).encode(two.a, "a"), model.predict_proba(rows), atol=2e-3)
    logits = fitted(two, classes=2, of="logit").encode(two.a, "a")
    np.testing.assert_allclose(logits[:, 1] - logits[:, 0], model.decision_function(rows), atol=1e-2)
    np.testing.assert_allclose(logits.sum(axis=1), np.zeros(len(two)), atol=1e-5)


@pytest.mark.parametrize("of", ["posterior", "logit"])
def test_a_class_without_pairs_stays_0_and_changes_no_other(of):
    three = PAIRS.take(np.flatnonzero(PAIRS.labels != 1))
    packed = replace(three, labels=np.array([0, -1, 1, 2])[three.labels])
    codes, others = fitted(three, of=of).encode(three.a, "a"), fitted(packed, of=of, classes=3).encode(three.a, "a")
    assert not codes[:, 1].any()
    np.testing.assert_allclose(codes[:, [0, 2, 3]], others, atol=1e-6)


def test_items_of_several_classes_count_for_each_in_equal_parts():
    """The gradient of the described objective, with half a label for each of two classes, is 0."""
    labels = np.eye(4, dtype=np.uint8)[PAIRS.labels] | np.eye(4, dtype=np.uint8)[np.arange(40) % 3]
    method = fitted(replace(PAIRS, labels=labels), C=0.5)
    weight, bias = (method.get_buffer(f"{part}_a").double().clone().requires_grad_() for part in ("weight", "bias"))
    rows = torch.from_numpy(StandardScaler().fit_transform(PAIRS.a[:].astype(np.float64)))
    target = torch.from_numpy(labels / labels.sum(axis=1, keepdims=True))
    likelihood = (target * (rows @ weight + bias).log_softmax(dim=1)).sum()
    (0.5 * weight.square().sum() - 0.5 * likelihood).backward()
    assert max(weight.grad.abs().max(), bias.grad.abs().max()) < 5e-3


def test_indicators_of_one_class_each_say_what_labels_say():
    indicators = replace(PAIRS, labels=np.eye(4, dtype=np.uint8)[PAIRS.labels])
    np.testing.assert_allclose(fitted(indicators).encode(PAIRS.a, "a"), fitted().encode(PAIRS.a, "a"), atol=1e-6)


def test_the_default_is_scikit_learns_c():
    configured = resolved(composed("train", ["method=semantic_matching"]))["method"]
    assert configured["C"] == LogisticRegression().C
    assert configured["of"] == "posterior"
