"""Sorting 32-bit keys must give the order and the ties of the float64 costs, to the bit, however close the costs."""

from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from metric_oracle import by_name, cosines
from sklearn.metrics import average_precision_score
from test_metric_codes import clustered, reference

from msl.metrics import ranking
from msl.metrics.blocks import _one_thread_per_product, _rows
from msl.metrics.keys import Room, doubtful_steps, in_steps, sorted_steps
from msl.metrics.measure import average_precision, measure, measure_scores
from msl.metrics.ranking import rank_by_steps, rank_by_values, rankings
from msl.metrics.relevance import relevance
from msl.metrics.similarity import code_costs

TOP = ["map", "ndcg", "map@10", "precision@1", "precision@10", "recall@10", "ndcg@10"]


def same(left, right):
    return all(np.array_equal(getattr(left, field.name), getattr(right, field.name)) for field in fields(left))


def shared(costs, columns):
    """How many keys are shared with a relevant item."""
    return len(doubtful_steps(sorted_steps(costs, columns, Room(*costs.shape))))


def columns_of(q, g):
    found = relevance(q, g)
    return [found.columns(row) for row in range(found.queries)]


def costs_of(queries, gallery, similarity):
    """The costs, cut and threaded as `measure` does it: on some processors that decides how a product rounds."""
    fill, rows, items = code_costs(queries, gallery, similarity)
    costs, step = np.empty((rows, items)), _rows(rows, items, shared=False)
    with _one_thread_per_product():
        for start in range(0, rows, step):
            fill(start, min(start + step, rows), costs[start : start + step])
    return costs


anything = arrays(np.float64, (2, 9), elements=st.floats(-1e300, 1e300))
close = arrays(np.float64, (2, 9), elements=st.sampled_from([1 + step * 1e-10 for step in range(30)] + [-1.0, 0.0]))
narrow = arrays(np.float64, (2, 9), elements=st.floats(-1e-281, 1e-281))


@settings(max_examples=200, deadline=None)
@given(st.one_of(anything, close, narrow))
def test_keys_never_contradict_the_costs(costs):
    for cost, key in zip(costs, in_steps(costs, Room(*costs.shape)).astype(int), strict=True):
        assert not (key % 2).any()
        assert np.all(np.diff(key[np.argsort(cost)]) >= 0)


@settings(max_examples=200, deadline=None)
@given(st.one_of(anything, close, narrow), st.integers(0, 2**18 - 1))
def test_both_ways_give_one_record(costs, marks):
    columns = [np.flatnonzero([marks >> (9 * row + item) & 1 for item in range(9)]) for row in (0, 1)]
    found = rank_by_steps(costs, columns, Room(*costs.shape))
    assert found is None or same(found, rank_by_values(costs, columns))


@pytest.mark.parametrize(("low", "high"), [(-1.0, 1.0), (-1.7e308, 1.7e308), (1e30, 1.1e30), (-3e-30, -2e-30), (-1, 9)])
def test_the_range_of_a_query_is_cut_into_a_billion_steps(low, high):
    keys = in_steps(np.array([[low, low * 0.3 + high * 0.7, high]]), Room(1, 3)).astype(int)[0]
    assert 2**30 <= (keys[2] - keys[0]) / 2 < 2**31


@pytest.mark.parametrize("spread", [1.0, 1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6])
@pytest.mark.parametrize("similarity", ["cosine", "dot", "euclidean"])
def test_clustered_codes_rank_as_their_float64_costs(similarity, spread):
    queries, gallery, q, g = clustered(4, spread)
    gallery[:40] = gallery[40:80]
    costs = costs_of(queries, gallery, similarity)
    ours = measure(queries, gallery, q, g, TOP, similarity=similarity)
    np.testing.assert_allclose(ours["map"], reference(-costs, q, g), rtol=0, atol=1e-12)
    for name in TOP[1:]:
        np.testing.assert_allclose(ours[name], by_name(name, -costs, q[:, None] == g), rtol=0, atol=1e-12)


@pytest.mark.parametrize("spread", [1e-1, 1e-2, 1e-3, 1e-4])
def test_tight_classes_far_apart(spread):
    """Most of the range lies between the classes, and little is left for the order within."""
    rng = np.random.default_rng(0)
    q, g, centres = rng.integers(0, 9, 40), rng.integers(0, 3, 2000), rng.standard_normal((3, 64))
    queries = (centres[q % 3] + spread * rng.standard_normal((40, 64))).astype(np.float32)
    gallery = (centres[g] + spread * rng.standard_normal((2000, 64))).astype(np.float32)
    g = rng.integers(0, 9, 2000)
    ours = average_precision(queries, gallery, q, g)
    own_costs = reference(-costs_of(queries, gallery, "cosine"), q, g)
    np.testing.assert_allclose(ours, own_costs, rtol=0, atol=1e-12)
    float64 = reference(cosines(queries, gallery), q, g)
    # at 1e-4 the rounding of float64 cosines itself moves a single query by as much as 1e-6
    np.testing.assert_allclose(ours, float64, rtol=0, atol=1e-6 if spread > 1e-4 else 1e-5)
    assert ours.mean() == pytest.approx(float64.mean(), abs=1e-6)


@pytest.mark.parametrize("gap", [1e-10, 1e-9, 1e-8])
def test_neighbours_at_the_top_closer_than_a_step(gap):
    """Cosines 1 - gap, 1 - 2 gap ... with mixed relevance, in a gallery that reaches down to -1."""
    rng = np.random.default_rng(0)
    rest = rng.standard_normal((500, 2))
    angles = np.sqrt(2 * gap * np.arange(1, 41))
    top = np.stack([np.ones(40), angles], axis=1)
    gallery = np.concatenate([top, [[-1.0, 0.0]], rest]).astype(np.float32)[order := rng.permutation(541)]
    queries, q, g = np.tile(np.float32([1.0, 0.0]), (20, 1)), np.zeros(20, int), np.zeros(541, int)
    for row in range(20):
        g[order < 41] = rng.integers(0, 2, 41)
        q[:] = row % 2
        ours, scores = measure(queries[:1], gallery, q[:1], g, TOP), cosines(queries[:1], gallery)
        for name in TOP:
            np.testing.assert_allclose(ours[name], by_name(name, scores, q[:1, None] == g), rtol=0, atol=1e-12)
    if gap < 1e-9:
        assert shared(costs_of(queries, gallery, "cosine"), columns_of(q, g)) > 20


def test_a_few_shared_keys_are_settled_without_sorting_again():
    """Ties, near ties and both at once, relevant or not: few enough for every query to keep its 32-bit sort."""
    rng = np.random.default_rng(0)
    costs = rng.standard_normal((16, 400))
    costs[:, 1], costs[:, 3] = costs[:, 0], costs[:, 2] + 1e-13
    costs[:, 5:8] = costs[:, 4:5] + np.array([0.0, 1e-14, 1e-14])
    for row in range(16):
        labels = rng.integers(0, 2, 400)
        columns = [np.flatnonzero(labels)] * 16
        found = rank_by_steps(costs, columns, Room(16, 400))
        assert found is not None
        assert same(found, rank_by_values(costs, columns))
        mine = found.query == row
        by_hand = by_name("map", -costs[row : row + 1], labels[None] == 1)
        precision = (found.before + found.hits) / (found.start + found.size)
        assert (found.hits * precision)[mine].sum() / labels.sum() == pytest.approx(by_hand[0], abs=1e-12)


def test_random_codes_keep_the_fast_way():
    queries, gallery, q, g = clustered(4, 1.0)
    costs, columns = costs_of(queries, gallery, "cosine"), columns_of(q, g)
    assert shared(costs, columns) < len(costs)
    assert rank_by_steps(costs, columns, Room(*costs.shape)) is not None


@pytest.mark.parametrize("far", [1e3, 1e9, 1e30])
@pytest.mark.parametrize("similarity", ["dot", "euclidean"])
def test_an_outlier_that_stretches_the_range_is_noticed(similarity, far):
    queries, gallery, q, g = clustered(4, 0.1)
    gallery[0] *= np.float32(far)
    costs, columns = costs_of(queries, gallery, similarity), columns_of(q, g)
    found = rank_by_steps(costs, columns, Room(*costs.shape))
    assert found is None or same(found, rank_by_values(costs, columns))
    assert shared(costs, columns) >= len(costs)
    ours = average_precision(queries, gallery, q, g, similarity=similarity)
    np.testing.assert_allclose(ours, reference(-costs, q, g), rtol=0, atol=1e-12)


@pytest.mark.parametrize("norm", [1e-30, 1e30])
@pytest.mark.parametrize("similarity", ["cosine", "dot", "euclidean"])
def test_huge_and_tiny_codes(similarity, norm):
    queries, gallery, q, g = clustered(4, 0.5)
    expected = average_precision(queries, gallery, q, g, similarity=similarity)
    scaled = [(codes.astype(np.float64) * norm) for codes in (queries, gallery)]
    columns = columns_of(q, g)
    costs = costs_of(*scaled, similarity)
    assert rank_by_steps(costs, columns, Room(*costs.shape)) is not None
    np.testing.assert_allclose(average_precision(*scaled, q, g, similarity=similarity), expected, rtol=0, atol=1e-12)


def test_one_look_decides_for_a_block(monkeypatch):
    """Tied scores cost one attempt for each block, not one for each query."""
    asked = []

    def counted(costs, columns, room):
        asked.append(len(costs))
        return rank_by_steps(costs, columns, room)

    monkeypatch.setattr(ranking, "rank_by_steps", counted)
    rng = np.random.default_rng(0)
    tied, found = rng.integers(0, 9, (100, 300)) / 7, relevance(rng.integers(0, 3, 100), rng.integers(0, 3, 300))
    assert sum(len(part.relevant) for part in rankings(tied, 0, found)) == 100
    assert asked == [16]
    assert sum(len(part.relevant) for part in rankings(rng.standard_normal((100, 300)), 0, found)) == 100
    assert sum(asked[1:]) == 100


@pytest.mark.parametrize("share", [0.001, 0.02, 0.05, 0.099, 0.1, 0.5, 1.0])
def test_any_share_of_relevant_items(share):
    rng = np.random.default_rng(0)
    scores, g = rng.standard_normal((20, 2000)), (np.arange(2000) >= 2000 * share).astype(int)
    ours = measure_scores(scores, np.zeros(20, int), g, ["map"])["map"]
    np.testing.assert_allclose(ours, [average_precision_score(g == 0, s) for s in scores], rtol=0, atol=1e-12)
