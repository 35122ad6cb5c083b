"""Galleries too large for a float64 copy: read in stretches, ranked in shared blocks, and the values as ever."""

import tracemalloc

import numpy as np
import pytest
from metric_oracle import by_name, cosines
from test_metric_codes import clustered

from msl.metrics import blocks, codes, measure
from msl.metrics.curves import LEVELS
from msl.metrics.measure import measure_scores, precision_recall_curve
from msl.metrics.relevance import relevance
from msl.metrics.similarity import code_costs

NAMES = ["map", "ndcg", "map@10", "precision@10", "recall@10", "ndcg@10"]
SIMILARITIES = ["cosine", "dot", "euclidean"]


def in_stretches(monkeypatch, rows, dimensions):
    monkeypatch.setattr(codes, "_STRETCH_BYTES", rows * 8 * dimensions)


def in_shared_blocks(monkeypatch, rows, gallery):
    monkeypatch.setattr(blocks, "_BLOCK_BYTES", 0)
    monkeypatch.setattr(blocks, "_SHARED_BYTES", rows * 8 * gallery)


def as_if_large(monkeypatch, gallery):
    in_stretches(monkeypatch, 7, gallery.shape[1])
    in_shared_blocks(monkeypatch, 9, len(gallery))


def close(found, expected, tolerance):
    assert list(found) == list(expected)
    for name, values in expected.items():
        np.testing.assert_allclose(found[name], values, rtol=0, atol=tolerance, err_msg=name)


@pytest.mark.parametrize("similarity", SIMILARITIES)
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int8])
def test_stretches_and_shared_blocks_change_no_value(monkeypatch, similarity, dtype):
    queries, gallery, q, g = clustered(4, 1.0, queries=50, gallery=500)
    queries, gallery = (20 * queries).astype(dtype), (20 * gallery).astype(dtype)
    expected = measure(queries, gallery, q, g, NAMES, similarity=similarity)
    as_if_large(monkeypatch, gallery)
    tolerance = 0 if dtype is np.int8 else 1e-12
    close(measure(queries, gallery, q, g, NAMES, similarity=similarity), expected, tolerance)
    close(measure(queries, np.asfortranarray(gallery), q, g, NAMES, similarity=similarity), expected, tolerance)


@pytest.mark.parametrize("similarity", SIMILARITIES)
@pytest.mark.parametrize("far", [0.0, 1e6])
def test_copies_tie_across_stretches(monkeypatch, similarity, far):
    queries, gallery, q, g = clustered(4, 1.0, queries=20, gallery=403)
    queries, gallery = queries + np.float32(far), gallery + np.float32(far)
    source = np.random.default_rng(0).integers(0, 60, 403)
    gallery = gallery[source]
    as_if_large(monkeypatch, gallery)
    fill, rows, items = code_costs(queries, gallery, similarity)
    fill(0, rows, costs := np.empty((rows, items)))
    _, first = np.unique(source, return_index=True)
    np.testing.assert_array_equal(costs, costs[:, first[np.unique(source, return_inverse=True)[1]]])
    expected = measure_scores(-costs, q, g, NAMES)
    close(measure(queries, gallery, q, g, NAMES, similarity=similarity), expected, 0)


def test_copies_are_found_in_any_stretch_and_one_hash_for_all_finds_none(monkeypatch):
    in_stretches(monkeypatch, 3, 2)
    rows = np.array([[1, 2], [3, 4], [0.0, 1], [3, 4], [5, 6], [-0.0, 1], [3, 4]])
    copies, originals = codes.copies_in(codes.Codes(rows))
    assert (copies.tolist(), originals.tolist()) == ([3, 5, 6], [1, 2, 1])
    monkeypatch.setattr(codes, "_hashed", lambda rows: np.zeros(rows.shape, dtype=np.uint64))
    assert not len(codes.copies_in(codes.Codes(rows))[0])


def test_hash_codes_far_from_the_origin_are_exact_about_their_centre(monkeypatch):
    in_stretches(monkeypatch, 5, 8)
    signs = np.random.default_rng(0).choice([-1.0, 1.0], (200, 8))
    signs[100:] = -signs[:100]  # so that the centre is the shift itself
    queries, gallery, labels = signs[:30] + 2.0**20, signs + 2.0**20, np.arange(200) % 3
    found = measure(queries, gallery, labels[:30], labels, NAMES, similarity="euclidean")
    close(found, measure_scores(signs[:30] @ signs.T, labels[:30], labels, NAMES), 1e-12)


def test_workers_do_not_change_a_bit_of_shared_blocks(monkeypatch):
    queries, gallery, q, g = clustered(4, 0.5, queries=101, gallery=700)
    usual = measure(queries, gallery, q, g, NAMES)
    as_if_large(monkeypatch, gallery)
    expected = measure(queries, gallery, q, g, NAMES, workers=1)
    close(expected, usual, 1e-12)
    for workers in (2, 5):
        close(measure(queries, gallery, q, g, NAMES, workers=workers), expected, 0)


def test_shared_blocks_report_progress_and_leave_no_query_out(monkeypatch):
    queries, gallery, q, g = clustered(4, 0.5, queries=20, gallery=40)
    in_shared_blocks(monkeypatch, 9, 40)
    seen = []
    found = measure(queries, gallery, q, g, ["map"], progress=lambda done, total: seen.append((done, total)))
    assert seen == [(9, 20), (18, 20), (20, 20)]
    expected = by_name("map", cosines(queries, gallery), q[:, None] == g)
    np.testing.assert_allclose(found["map"], expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("dtype", "similarity"),
    [(np.float16, "cosine"), (np.float32, "cosine"), (np.float32, "dot"), (np.float32, "euclidean"), (np.int8, "dot")],
)
@pytest.mark.parametrize("mapped", [False, True], ids=["in memory", "mapped"])
def test_the_gallery_is_never_copied(monkeypatch, tmp_path, dtype, mapped, similarity):
    rng = np.random.default_rng(0)
    queries, gallery = ((9 * rng.standard_normal((n, 500))).astype(dtype) for n in (8, 8000))
    gallery[4000:4100] = gallery[:100]
    q, g = rng.integers(0, 3, 8), rng.integers(0, 3, 8000)
    expected = measure(queries, gallery, q, g, ["map"], similarity=similarity)
    if mapped:
        np.save(tmp_path / "gallery.npy", gallery)
        gallery = np.load(tmp_path / "gallery.npy", mmap_mode="r")
    in_stretches(monkeypatch, 100, 500)
    in_shared_blocks(monkeypatch, 4, 8000)
    tracemalloc.start()
    found = measure(queries, gallery, q, g, ["map"], similarity=similarity)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    close(found, expected, 1e-12)
    assert peak < gallery.nbytes  # a copy as float64 takes one to eight times that


def test_a_late_bad_row_and_a_late_fraction_are_seen(monkeypatch):
    in_stretches(monkeypatch, 3, 2)
    whole = np.arange(2000.0).reshape(1000, 2)
    assert codes.are_exact(codes.Codes(whole), codes.Codes(whole))
    whole[-1, -1] += 1e-3
    assert not codes.are_exact(codes.Codes(whole[:9]), codes.Codes(whole))
    whole[-1, -1] = 2.0**40
    assert not codes.are_exact(codes.Codes(whole), codes.Codes(whole[:9]))


@pytest.mark.parametrize("items", [1, 7, 8, 9, 16, 61])
def test_several_labels_per_item_whatever_the_size_of_the_gallery(items):
    rng = np.random.default_rng(items)
    q, g = rng.random((30, 5)) < 0.3, rng.random((items, 5)) < 0.3
    found = relevance(q, g.astype(float))
    shared = q.astype(int) @ g.T.astype(int) > 0
    assert (found.queries, found.gallery) == shared.shape
    np.testing.assert_array_equal(found.counts(), shared.sum(axis=1))
    for row, relevant in enumerate(shared):
        np.testing.assert_array_equal(found.columns(row), np.flatnonzero(relevant))


def test_the_curve_comes_from_the_metrics_own_ranking(monkeypatch):
    queries, gallery, q, g = clustered(4, 0.5, queries=20, gallery=40)
    plain, curve = measure(queries, gallery, q, g, NAMES), precision_recall_curve(queries, gallery, q, g)
    ranked = []
    monkeypatch.setattr(blocks, "rankings", lambda *block, rank=blocks.rankings: ranked.append(1) or rank(*block))
    found = measure(queries, gallery, q, g, NAMES, levels=LEVELS)
    assert sum(ranked) == 2  # 16 queries, and 4
    np.testing.assert_array_equal(found.pop("precision_at_recall"), curve)
    close(found, plain, 0)
    assert measure(queries, gallery, q, g, [], levels=np.array([0.5]))["precision_at_recall"].shape == (20, 1)
