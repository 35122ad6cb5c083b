import numpy as np
import pytest
import torch
from torch import nn

import msl.data.pairs
import msl.methods.moments
from msl.data.classes import Classes
from msl.data.pairs import Features
from msl.methods.moments import class_vectors, memberships, products, shares, span, standardised

SEVERAL = np.array([[1, 0, 1], [0, 1, 0]], np.uint8)


def test_memberships_of_one_class_and_of_several():
    assert torch.cat(list(memberships(np.array([2, 0]), 3))).tolist() == [[0, 0, 1], [1, 0, 0]]
    assert torch.cat(list(memberships(SEVERAL, 3))).tolist() == [[1, 0, 1], [0, 1, 0]]


def test_shares_of_several_classes_are_alike_and_sum_to_1():
    assert torch.cat(list(shares(SEVERAL, 3))).tolist() == [[0.5, 0, 0.5], [0, 1, 0]]


def test_sums_over_stretches_are_those_of_the_whole(monkeypatch):
    rng = np.random.default_rng(0)
    features, labels = Features(rng.standard_normal((20, 4)).astype(np.float32)), np.arange(20) % 3
    for module in (msl.data.pairs, msl.methods.moments):
        monkeypatch.setattr(module, "STRETCH", 7)
    seen = list(standardised(nn.Identity(), features, torch.eye(4, dtype=torch.float64)))
    assert [len(each) for each in seen] == [7, 7, 6]
    found = products(seen, memberships(labels, 3))
    np.testing.assert_allclose(found, features[:].astype(float).T @ np.eye(3)[labels], atol=1e-12)


@pytest.mark.parametrize(("rows", "rank"), [(3, 3), (5, 5), (8, 5)])
def test_a_span_holds_every_row_and_is_orthonormal(rows, rank):
    features = Features(np.random.default_rng(0).standard_normal((rows, 5)).astype(np.float32))
    basis, whole = span(nn.Identity(), features).numpy(), features[:].astype(float)
    np.testing.assert_allclose(basis.T @ basis, np.eye(rank), atol=1e-12)
    np.testing.assert_allclose(whole @ basis @ basis.T, whole, atol=1e-12)


def test_class_vectors_have_norm_1():
    vectors = class_vectors(Classes(("x", "y"), np.array([[3, 4], [0, -2]], np.float32)))
    np.testing.assert_allclose(vectors, [[0.6, 0.8], [0, -1]], atol=1e-12)


@pytest.mark.parametrize("method", ["sae", "eszsl"])
def test_a_class_without_an_embedding_is_refused_in_one_line(method, planted, run_msl):
    status, _, said = run_msl(
        "train", f"method={method}", "data=folder", f"data.path={planted}", "embedding=none", "logger=none"
    )
    assert status == 2
    assert f"{method} learns from class embeddings" in said
    assert "embedding=words" in said
