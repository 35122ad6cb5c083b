import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from msl.index import exact
from msl.index.exact import nearest, unit_rows


def random(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def naive(queries, gallery, k):
    """Every cosine in a loop, ties in the gallery's order."""
    positions, cosines = [], []
    for query in queries.astype(float):
        scores = []
        for item in gallery.astype(float):
            lengths = np.sqrt((query**2).sum()) * np.sqrt((item**2).sum())
            scores.append((query * item).sum() / lengths if lengths else 0.0)
        order = sorted(range(len(gallery)), key=lambda i: (-scores[i], i))[:k]
        positions.append(order)
        cosines.append([scores[i] for i in order])
    return np.array(positions), np.array(cosines)


@given(seed=st.integers(0, 10_000), n=st.integers(1, 6), m=st.integers(1, 9), k=st.integers(1, 12))
@settings(deadline=None, max_examples=60)
def test_nearest_is_the_naive_loop(seed, n, m, k):
    queries, gallery = random(n, 3, seed=seed), random(m, 3, seed=seed + 1)
    positions, cosines = nearest(queries, gallery, k)
    expected, scores = naive(queries, gallery, k)
    assert positions.shape == (n, min(k, m))
    assert np.array_equal(positions, expected)
    np.testing.assert_allclose(cosines, scores, atol=1e-12)


def test_cosines_fall_along_each_row_and_are_those_of_the_positions():
    queries, gallery = random(5, 4), random(30, 4, seed=1)
    positions, cosines = nearest(queries, gallery, 10)
    assert (np.diff(cosines, axis=1) <= 0).all()
    every = unit_rows(queries) @ unit_rows(gallery).T
    np.testing.assert_allclose(cosines, np.take_along_axis(every, positions, axis=1), rtol=0, atol=1e-15)


def test_k_beyond_the_gallery_gives_the_whole_gallery_once():
    positions, _ = nearest(random(3, 4), random(5, 4, seed=1), 100)
    assert [sorted(each) for each in positions.tolist()] == [[0, 1, 2, 3, 4]] * 3


def test_a_smaller_k_gives_the_beginning_of_a_larger_one():
    queries, gallery = random(3, 4), random(20, 4, seed=1)
    assert np.array_equal(nearest(queries, gallery, 4)[0], nearest(queries, gallery, 9)[0][:, :4])


def test_an_item_finds_itself_first_with_cosine_one():
    codes = random(20, 4)
    positions, cosines = nearest(codes, codes, 1)
    assert positions.ravel().tolist() == list(range(20))
    np.testing.assert_allclose(cosines, 1, atol=1e-12)


def test_lengths_do_not_matter():
    queries, gallery = random(4, 3), random(12, 3, seed=1)
    scale = np.linspace(0.01, 100, 12, dtype=np.float32)[:, None]
    positions, cosines = nearest(queries * 7, gallery * scale, 12)
    expected, scores = nearest(queries, gallery, 12)
    assert np.array_equal(positions, expected)
    np.testing.assert_allclose(cosines, scores, atol=1e-6)


def test_a_zero_row_has_cosine_zero_with_everything():
    gallery = np.array([[1, 0], [0, 0], [-1, 0]], np.float32)
    positions, cosines = nearest(np.array([[2, 0], [0, 0]], np.float32), gallery, 3)
    assert positions.tolist() == [[0, 1, 2], [0, 1, 2]]
    assert cosines.tolist() == [[1, 0, -1], [0, 0, 0]]
    assert unit_rows(np.zeros((2, 3), np.float32)).tolist() == [[0, 0, 0]] * 2


def test_equal_cosines_keep_the_gallerys_order():
    gallery = np.array([[0, 1], [1, 1], [2, 2], [1, 0], [1, 1]], np.float32)
    assert nearest(np.array([[1, 1]], np.float32), gallery, 5)[0].tolist() == [[1, 2, 4, 0, 3]]


@pytest.mark.parametrize("width", [3, 37, 200])
@pytest.mark.parametrize("distinct", [5, 67])
def test_copies_in_the_gallery_are_found_in_the_gallerys_order_with_equal_cosines(width, distinct):
    """A matrix product may round two equal columns differently."""
    source = np.random.default_rng(0).integers(distinct, size=301)
    gallery = random(distinct, width)[source]
    positions, cosines = nearest(random(7, width, seed=1), gallery, len(gallery))
    for order, scores in zip(positions, cosines, strict=True):
        for number in range(distinct):
            places = np.flatnonzero(source[order] == number)
            assert (np.diff(order[places]) > 0).all()
            assert len(set(scores[places].tolist())) <= 1


@pytest.mark.parametrize("convert", [np.float64, np.float16, np.asfortranarray, lambda x: (10 * x).astype(int)])
def test_codes_of_any_precision_and_layout_are_searched(convert):
    queries, gallery = convert(random(4, 3)), convert(random(9, 3, seed=1))
    assert np.array_equal(nearest(queries, gallery, 5)[0], naive(queries, gallery, 5)[0])


def test_unit_rows_have_length_one_and_the_given_rows_stay_as_they_were():
    codes = 1000 * random(6, 4)
    before = codes.copy()
    units = unit_rows(codes)
    np.testing.assert_allclose(np.linalg.norm(units, axis=1), 1, atol=1e-15)
    assert units.dtype == np.float64
    assert np.array_equal(codes, before)


def test_no_query_finds_nothing():
    positions, cosines = nearest(np.empty((0, 3), np.float32), random(4, 3), 2)
    assert positions.shape == cosines.shape == (0, 2)


@pytest.mark.parametrize("k", [1, 7, 301])
def test_stretches_change_nothing_and_copies_tie_across_them(monkeypatch, tmp_path, k):
    source = np.random.default_rng(0).integers(67, size=301)
    queries, gallery = random(7, 37, seed=1), random(67, 37)[source]
    expected = nearest(queries, gallery, k)
    np.save(tmp_path / "gallery.npy", gallery)
    monkeypatch.setattr(exact, "_BYTES", 2048)
    monkeypatch.setattr(exact, "_FEW", 0)
    for threads in (1, 3, None):
        positions, cosines = nearest(queries, np.load(tmp_path / "gallery.npy", mmap_mode="r"), k, threads=threads)
        assert np.array_equal(positions, expected[0])
        assert np.array_equal(cosines, expected[1])  # to the bit


def test_a_large_gallery_is_never_copied(monkeypatch):
    gallery = random(40_000, 100)
    monkeypatch.setattr(exact, "_BYTES", 2**22)
    monkeypatch.setattr(exact, "_FEW", 0)
    nearest(gallery[:3], gallery[:100], 5)  # loads libraries
    tracemalloc.start()
    nearest(gallery[:3], gallery, 5, threads=2)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < gallery.nbytes / 8


def test_rows_that_are_no_numbers_come_last():
    gallery = np.array([[np.nan, 1], [1, 0], [0, 1], [-1, 0]], np.float32)
    assert nearest(np.array([[1, 0.5]], np.float32), gallery, 4)[0].tolist() == [[1, 2, 3, 0]]
    many = np.repeat(gallery, 300, axis=0)
    assert nearest(np.array([[1, 0.5]], np.float32), many, 3)[0].tolist() == [[300, 301, 302]]


def every_cosine(queries, gallery):
    """In float64, each summed by itself, so that copies of a row have the same."""
    left, right = unit_rows(queries), unit_rows(gallery)
    return np.array([[(query * row).sum() for row in right] for query in left])


@given(
    seed=st.integers(0, 10_000),
    rows=st.integers(1, 700),
    width=st.sampled_from([1, 2, 5, 33]),
    k=st.integers(1, 5),
    closeness=st.sampled_from([0, 1e-3, 1e-7, 1e-9]),
)
@settings(deadline=None, max_examples=80)
def test_what_float32_cannot_tell_apart_float64_does(seed, rows, width, k, closeness):
    """Rows differ by less than float32 rounds, are copies of each other, of any length, or zero; the best are found."""
    rng = np.random.default_rng(seed)
    gallery = 1 + closeness * rng.standard_normal((rows, width))
    gallery = gallery[rng.integers(rows, size=rows)] * 10.0 ** rng.integers(-30, 30, size=(rows, 1))
    gallery[rng.random(rows) < 0.05] = 0
    queries = rng.standard_normal((3, width)) * [[1], [0], [-1]]
    positions, cosines = nearest(queries, gallery, k)
    expected = every_cosine(queries, gallery)
    np.testing.assert_allclose(cosines, np.take_along_axis(expected, positions, axis=1), rtol=0, atol=1e-14)
    np.testing.assert_allclose(cosines, -np.sort(-expected, axis=1)[:, :k], rtol=0, atol=1e-14)
    equal = cosines[:, 1:] == cosines[:, :-1]
    assert (np.diff(positions, axis=1) > 0)[equal].all()


def test_the_bound_on_float32_holds_where_it_is_tightest():
    """Rows whose cosines in float32 are wrong by as much as rounding allows: all of one sign, many numbers."""
    for width in (3, 64, 1000):
        rng = np.random.default_rng(width)
        gallery, queries = np.abs(rng.standard_normal((500, width))), np.abs(rng.standard_normal((40, width)))
        narrow = unit_rows(queries).astype(np.float32) @ unit_rows(gallery).astype(np.float32).T
        wrong = np.abs(narrow - unit_rows(queries) @ unit_rows(gallery).T).max()
        assert wrong < exact._rounding(width)
        worst = sum_in_order(queries[:1], gallery[:40])
        assert np.abs(worst - unit_rows(queries[:1]) @ unit_rows(gallery[:40]).T).max() < exact._rounding(width)


def sum_in_order(queries, gallery):
    """Products in float32 summed one after the other: the order that rounds most."""
    left, right = unit_rows(queries).astype(np.float32), unit_rows(gallery).astype(np.float32)
    return np.cumsum(left[:, None] * right, axis=2, dtype=np.float32)[..., -1]


@pytest.mark.parametrize("width", [2, 33])
def test_rows_that_need_no_scaling_give_the_same_answer(width):
    """Many of them nearer to each other than float32 tells apart, some zero."""
    rng = np.random.default_rng(0)
    gallery = unit_rows(1 + 1e-7 * rng.standard_normal((3000, width)) * rng.integers(0, 2, (3000, 1))).astype(
        np.float32
    )
    gallery[::7] = 0
    for queries in (random(4, width), gallery[:4]):
        positions, cosines = nearest(queries, gallery, 9)
        found = nearest(queries, gallery, 9, unit=True)
        assert np.array_equal(found[0], positions)
        assert np.array_equal(found[1], cosines)


def test_only_the_positions_among_which_to_search_are_found():
    queries, gallery = random(5, 4), random(900, 4, seed=1)
    among = np.flatnonzero(np.random.default_rng(2).random(900) < 0.5)
    positions, cosines = nearest(queries, gallery, 7, among=among)
    inside, expected = nearest(queries, gallery[among], 7)
    assert np.array_equal(positions, among[inside])
    assert np.array_equal(cosines, expected)
    assert nearest(queries, gallery, 7, among=among[:0])[0].shape == (5, 0)
