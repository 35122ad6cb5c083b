"""From codes: the value must be the one that float64 similarities give, however hard the codes are."""

import numpy as np
import pytest
import torch
from metric_oracle import by_name, cosines
from sklearn.metrics import average_precision_score

from msl.metrics.average_precision import average_precision_at
from msl.metrics.blocks import map_ranked
from msl.metrics.measure import average_precision, mean_average_precision, measure
from msl.metrics.relevance import relevance
from msl.metrics.similarity import code_costs


def reference(scores, q, g):
    return np.array([average_precision_score(a == g, s) for a, s in zip(q, scores, strict=True)])


def clustered(classes, spread, queries=60, gallery=1500, size=32):
    """Codes of a trained model: every class within `spread` of one direction, float32."""
    rng = np.random.default_rng(7)
    q, g = rng.integers(0, classes, queries), rng.integers(0, classes, gallery)
    centres = rng.standard_normal((classes, size)) * spread + rng.standard_normal(size)
    codes = [centres[labels] + spread * rng.standard_normal((len(labels), size)) for labels in (q, g)]
    return *(code.astype(np.float32) for code in codes), q, g


@pytest.mark.parametrize("spread", [1.0, 1e-2, 1e-3, 1e-4])
def test_clustered_float32_codes(spread):
    queries, gallery, q, g = clustered(4, spread)
    if spread < 1e-2:
        assert cosines(queries, gallery).min() > 0.999
    values = average_precision(queries, gallery, q, g)
    np.testing.assert_allclose(values, reference(cosines(queries, gallery), q, g), rtol=0, atol=1e-6)


@pytest.mark.parametrize("far", [0.0, 1e3, 1e6])
def test_euclidean_of_float32_codes_far_from_the_origin(far):
    queries, gallery, q, g = clustered(4, 0.1)
    queries, gallery = queries + np.float32(far), gallery + np.float32(far)
    values = average_precision(queries, gallery, q, g, similarity="euclidean")
    distances = np.linalg.norm(queries[:, None].astype(float) - gallery[None].astype(float), axis=2)
    np.testing.assert_allclose(values, reference(-distances, q, g), rtol=0, atol=1e-6)


@pytest.mark.parametrize("similarity", ["cosine", "dot", "euclidean"])
@pytest.mark.parametrize("bits", [4, 12, 31])
@pytest.mark.parametrize("dtype", [np.int8, np.float32, np.float64])
def test_hash_codes_tie_exactly_where_their_bits_agree(similarity, bits, dtype):
    rng = np.random.default_rng(bits)
    queries, gallery = (rng.choice([-1, 1], (n, bits)).astype(dtype) for n in (30, 400))
    q, g = rng.integers(0, 3, 30), rng.integers(0, 3, 400)
    values = average_precision(queries, gallery, q, g, similarity=similarity)
    agreements = queries.astype(int) @ gallery.T.astype(int)
    np.testing.assert_allclose(values, reference(agreements, q, g), rtol=0, atol=1e-12)


@pytest.mark.parametrize("similarity", ["cosine", "dot", "euclidean"])
@pytest.mark.parametrize("asked", [1, 3, 50])
def test_duplicates_tie_wherever_they_stand(similarity, asked):
    """A matrix product may round equal columns differently at its edges; equal codes must tie all the same."""
    rng = np.random.default_rng(7)
    distinct = rng.standard_normal((37, 19)).astype(np.float32)
    distinct[0] = 0.0
    copies = rng.integers(0, 37, 1003)
    gallery = distinct[copies]
    gallery[copies == 0] *= rng.choice([-1, 1], ((copies == 0).sum(), 1))  # zeros of both signs
    queries, q, g = rng.standard_normal((asked, 19)), rng.integers(0, 3, asked), rng.integers(0, 3, 1003)
    one = {"cosine": lambda a, b: a @ b / (np.linalg.norm(b) or 1.0), "dot": np.dot}.get(
        similarity, lambda a, b: -np.linalg.norm(a - b)
    )
    scores = np.array([[one(a, b) for b in distinct.astype(float)] for a in queries])[:, copies]
    values = average_precision(queries, gallery, q, g, similarity=similarity)
    np.testing.assert_allclose(values, reference(scores, q, g), rtol=0, atol=1e-12)


def test_a_zero_query_ties_everything():
    g = np.array([0, 1, 1, 1])
    assert average_precision(np.zeros((1, 3)), np.eye(4, 3), [1], g)[0] == pytest.approx(0.75)


def test_scaling_a_code_does_not_change_a_cosine_ranking():
    queries, gallery, q, g = clustered(4, 0.5)
    scaled = gallery * np.float32(2) ** np.random.default_rng(7).integers(-20, 20, (len(gallery), 1)).astype(np.float32)
    np.testing.assert_array_equal(average_precision(queries, gallery, q, g), average_precision(queries, scaled, q, g))


def test_codes_give_what_their_scores_give_for_every_metric():
    queries, gallery, q, g = clustered(5, 0.3, queries=21, gallery=83)
    names = ["map", "map@7", "map@7:hits", "map@7:relevant", "precision@7", "recall@7", "ndcg@7", "ndcg"]
    scores = cosines(queries, gallery)
    for name, values in measure(queries, gallery, q, g, names).items():
        np.testing.assert_allclose(values, by_name(name, scores, q[:, None] == g), rtol=0, atol=1e-12, err_msg=name)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.float16, torch.bfloat16])
def test_torch_tensors_are_taken_as_they_are(dtype):
    queries, gallery, q, g = clustered(4, 0.5, queries=10, gallery=50)
    a, b = (torch.tensor(code).to(dtype).requires_grad_() for code in (queries, gallery))
    value = mean_average_precision(a, b, torch.tensor(q), torch.tensor(g), k=5)
    as_arrays = [code.detach().double().numpy() for code in (a, b)]
    assert value == mean_average_precision(*as_arrays, q, g, k=5)


def test_threads_and_blocks_do_not_change_a_bit():
    queries, gallery, q, g = clustered(4, 0.5, queries=101, gallery=700)
    expected = measure(queries, gallery, q, g, ["map", "ndcg@9"], workers=1)
    for workers in (2, 5):
        found = measure(queries, gallery, q, g, ["map", "ndcg@9"], workers=workers)
        for name, values in expected.items():
            np.testing.assert_array_equal(found[name], values)
    costs, _, _ = code_costs(queries, gallery, "cosine")
    for rows in (1, 7, 101):
        found = np.concatenate(map_ranked(average_precision_at, costs, relevance(q, g), rows=rows))
        np.testing.assert_allclose(found, expected["map"], rtol=0, atol=1e-12)


def test_progress_counts_up_to_all_queries():
    seen = []
    queries, gallery, q, g = clustered(4, 0.5, queries=150, gallery=20)
    measure(queries, gallery, q, g, ["map"], progress=lambda done, total: seen.append((done, total)))
    assert seen == sorted(seen)
    assert seen[-1] == (150, 150)
    assert len(seen) > 1
