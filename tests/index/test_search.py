import json
import subprocess
import sys

import numpy as np
import pytest

from msl.config import check, composed, instantiate, resolved
from msl.index.exact import nearest
from msl.index.recall import measure_recall
from msl.index.store import Store
from msl.types import InputError

KINDS = ("exact", "flat", "hnsw", "ivf", "pq")
LEARNED = ("hnsw", "ivf", "pq")
SMALL = {
    "hnsw": ["index.neighbours=8", "index.build_effort=40"],
    "ivf": ["index.lists=20", "index.probes=5"],
    "pq": ["index.segments=8"],
}
EVERY_KIND = pytest.mark.parametrize("name", KINDS)
EVERY_LEARNED_KIND = pytest.mark.parametrize("name", LEARNED)


def kind(name, *overrides):
    values = resolved(
        composed("index", ["run=none", f"index={name}", "index.threads=1", *SMALL.get(name, []), *overrides])
    )
    check(values)
    return instantiate(values["index"])


def clustered(rows, seed):
    """Codes around the same forty centres."""
    centres, rng = np.random.default_rng(0).standard_normal((40, 16)), np.random.default_rng(seed)
    return (centres[rng.integers(40, size=rows)] + 0.4 * rng.standard_normal((rows, 16))).astype(np.float32)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Three thousand codes and an index of each kind; not to be changed."""
    store = Store.create(tmp_path_factory.mktemp("made"), {}).add([str(row) for row in range(3000)], clustered(3000, 1))
    for name in LEARNED:
        kind(name).build(store)
    return store


@pytest.fixture
def fresh(tmp_path, made):
    """The same to be changed."""
    return Store.create(tmp_path / "fresh", {}).add(made.ids, clustered(3000, 1))


QUERIES = clustered(30, 2)


def agreement(found, wanted):
    return np.mean(
        [len({*one} & {*other}) / len(other) for one, other in zip(found.tolist(), wanted.tolist(), strict=True)]
    )


@EVERY_KIND
def test_nearly_all_of_the_nearest_are_found_with_the_oracles_cosines(made, name):
    positions, cosines = kind(name).open(made).search(QUERIES, 10)
    wanted, expected = nearest(QUERIES, made.codes, 10)
    assert positions.shape == cosines.shape == (30, 10)
    assert agreement(positions, wanted) >= (1 if name in ("exact", "flat") else 0.95)
    every = nearest(QUERIES, made.codes, 3000)
    for row in range(30):
        place = dict(zip(every[0][row], every[1][row], strict=True))
        assert [place[position] for position in positions[row]] == cosines[row].tolist()
    assert (np.diff(cosines, axis=1) <= 0).all()
    np.testing.assert_allclose(cosines[:, 0], expected[:, 0], atol=0.2)


@EVERY_KIND
def test_added_replaced_and_deleted_codes_are_right_at_once(fresh, name):
    index = kind(name).build(fresh)
    later = fresh.add([f"new {row}" for row in range(5)], QUERIES[:5]).delete(fresh.ids[:200])
    later = later.add(fresh.ids[200:203], QUERIES[5:8], replace=True)
    positions, cosines = kind(name).open(later).search(QUERIES[:8], 20)
    np.testing.assert_allclose(cosines[:, 0], 1, atol=1e-6)
    assert [later.ids[position] for position in positions[:, 0]] == [
        *(f"new {row}" for row in range(5)),
        *fresh.ids[200:203],
    ]
    assert later.alive[positions].all()
    wanted, _ = nearest(QUERIES[:8], later.codes, 20, among=np.flatnonzero(later.alive))
    assert agreement(positions, wanted) >= 0.95
    assert index.search(QUERIES[:1], 5)[0].max() < 3000  # the snapshot before


@EVERY_LEARNED_KIND
def test_an_index_of_later_rows_serves_an_earlier_snapshot(fresh, name):
    kind(name).build(fresh.add([f"new {row}" for row in range(500)], clustered(500, 7)))
    positions, _ = kind(name).open(fresh).search(QUERIES, 10)
    assert positions.max() < 3000
    assert agreement(positions, nearest(QUERIES, fresh.codes, 10)[0]) >= 0.95


@EVERY_KIND
@pytest.mark.parametrize("share", [0.5, 0.02, 0.001, 0])
def test_a_filter_is_kept_to_and_k_are_found_if_there_are_k(made, name, share):
    allowed = np.random.default_rng(5).random(3000) < share
    positions, cosines = kind(name).open(made).search(QUERIES, 10, allowed)
    wanted, expected = nearest(QUERIES, made.codes, 10, among=np.flatnonzero(allowed))
    assert positions.shape == (30, min(10, allowed.sum()))
    assert allowed[positions].all()
    if share <= 0.02:  # searched exactly
        assert np.array_equal(positions, wanted)
        assert np.array_equal(cosines, expected)
    assert agreement(positions, wanted) >= 0.95 if share else True


@EVERY_KIND
def test_a_filter_of_what_is_far_from_the_query_does_not_come_back_short(made, name):
    """Half of the rows are allowed, the half least similar: whatever is asked of the index first is not among them."""
    query = QUERIES[:1]
    order, _ = nearest(query, made.codes, 3000)
    allowed = np.ones(3000, dtype=bool)
    allowed[order[0, :1500]] = False
    positions, _ = kind(name).open(made).search(query, 10, allowed)
    assert allowed[positions].all()
    assert agreement(positions, order[:, 1500:1510]) >= (0.5 if name == "pq" else 1)


@EVERY_KIND
def test_k_beyond_what_there_is_and_no_query(made, name):
    index = kind(name).open(made)
    assert sorted(index.search(QUERIES[:1], 5000)[0][0].tolist()) == list(range(3000))
    assert index.search(QUERIES[:0], 3)[0].shape == (0, 3)
    assert index.search(QUERIES, 0)[0].shape == (30, 0)


@EVERY_KIND
def test_copies_are_found_in_the_order_of_the_rows(tmp_path, name):
    codes = np.repeat(clustered(1500, 3), 2, axis=0)
    store = Store.create(tmp_path, {}).add([str(row) for row in range(3000)], codes)
    positions, cosines = kind(name).build(store).search(QUERIES, 9)
    tied = cosines[:, 1:] == cosines[:, :-1]
    assert tied.sum() > 60
    assert (np.diff(positions, axis=1) > 0)[tied].all()


@EVERY_KIND
@pytest.mark.parametrize(
    ("queries", "allowed", "said"),
    [
        (clustered(2, 1)[:, :3], None, r"queries: wanted codes \(n, 16\), got \(2, 3\)"),
        (np.full((1, 16), np.nan), None, "NaN or infinity"),
        (clustered(1, 1), np.ones(7, dtype=bool), r"allowed: wanted a mask \(3000,\)"),
    ],
    ids=["width", "nan", "mask"],
)
def test_what_cannot_be_searched_for_is_said(made, name, queries, allowed, said):
    with pytest.raises(InputError, match=said):
        kind(name).open(made).search(queries, 3, allowed)


@EVERY_LEARNED_KIND
def test_one_thread_builds_the_same_file_twice(fresh, made, name):
    kind(name).build(fresh)
    first, second = (json.loads((store.place / f"{name}.json").read_text()) for store in (fresh, made))
    assert first == second


@EVERY_LEARNED_KIND
def test_building_again_leaves_one_file_and_a_rebuilt_store_has_none(fresh, name):
    kind(name).build(fresh)
    later = fresh.add(["new"], QUERIES[:1])
    assert kind(name).build(later).covered == 3001
    assert len(list(fresh.place.glob("*.faiss"))) == 1
    with pytest.raises(InputError, match=f"has no {name} index yet; build it"):
        kind(name).open(later.compact())


@pytest.mark.parametrize("harm", ["flip", "cut", "gone", "card"])
def test_a_damaged_file_never_reaches_faiss(fresh, harm):
    kind("ivf").build(fresh)
    file = next(fresh.place.glob("ivf-*.faiss"))
    content = bytearray(file.read_bytes())
    content[5000] ^= 1
    if harm == "gone":
        file.unlink()
    elif harm == "card":
        (fresh.place / "ivf.json").write_text('{"rows": 5}')
    else:
        file.write_bytes(content if harm == "flip" else content[:5000])
    with pytest.raises(InputError, match="build the index again") as error:
        kind("ivf").open(fresh)
    assert "\n" not in str(error.value)


def test_an_index_of_other_settings_is_not_taken_for_this_one(fresh):
    kind("hnsw").build(fresh)
    assert kind("hnsw", "index.search_effort=99").open(fresh).covered == 3000
    with pytest.raises(InputError, match="was built with neighbours=8, wanted 9; build it again"):
        kind("hnsw", "index.neighbours=9").open(fresh)


@pytest.mark.parametrize(
    ("name", "overrides", "rows", "said"),
    [
        ("pq", ["index.segments=5"], 3000, "segments=5 does not divide the codes' width 16"),
        ("pq", ["index.bits=8"], 3000, "bits=8 wants at least 16384 codes to learn from, there are 3000"),
        ("ivf", [], 0, "holds no codes; add some, then build the ivf index"),
    ],
    ids=["segments", "bits", "empty"],
)
def test_what_cannot_be_built_is_said(tmp_path, name, overrides, rows, said):
    store = Store.create(tmp_path, {})
    store = store.add([str(row) for row in range(rows)], clustered(rows, 1)) if rows else store
    with pytest.raises(InputError, match=said):
        kind(name, *overrides).build(store)


@pytest.mark.parametrize("name", ["ivf", "hnsw"])
@pytest.mark.parametrize("rows", [1, 100])
def test_few_codes_are_indexed_without_a_word(tmp_path, capfd, name, rows):
    store = Store.create(tmp_path, {}).add([str(row) for row in range(rows)], clustered(rows, 1))
    positions, _ = kind(name).build(store).search(QUERIES, 3)
    assert np.array_equal(positions, nearest(QUERIES, store.codes, 3)[0])
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("width", [3, 10, 200])
def test_segments_of_its_own_choice_divide_any_width(tmp_path, width):
    codes = np.random.default_rng(0).standard_normal((2000, width)).astype(np.float32)
    store = Store.create(tmp_path, {}).add([str(row) for row in range(2000)], codes)
    positions, _ = kind("pq", "index.segments=null").build(store).search(codes[:20], 5)
    assert positions[:, 0].tolist() == list(range(20))


def test_recall_is_the_share_of_the_exact_finds(made):
    exact = measure_recall(kind("exact").open(made), QUERIES, 10)
    assert (exact.recall, exact.k, exact.queries) == (1, 10, 30)
    narrow = kind("ivf", "index.probes=1").open(made)
    seen = measure_recall(narrow, QUERIES, 10)
    assert seen.recall == pytest.approx(agreement(narrow.search(QUERIES, 10)[0], nearest(QUERIES, made.codes, 10)[0]))
    assert seen.recall < 1
    assert seen.faster == pytest.approx(seen.throughput / seen.exact_throughput)
    with pytest.raises(InputError, match="wanted queries, codes and k of 1 or more, got 0, 3000 and 10"):
        measure_recall(narrow, QUERIES[:0], 10)


def test_without_faiss_exact_search_works_and_the_others_say_what_to_install(made, tmp_path):
    program = f"""
import sys
sys.modules["faiss"] = None
from pathlib import Path
import numpy as np
from msl.index.faiss import HNSW, Flat
from msl.index.search import Exact
from msl.index.store import Store
store = Store.open(Path({str(made.folder)!r}))
print(Exact(threads=None).open(store).search(np.ones((1, 16)), 2)[0].shape)
for kind in (Flat(threads=None, selective=0.1), HNSW(threads=None, selective=0.1, neighbours=8, build_effort=40, search_effort=9)):
    for make in (kind.build, kind.open):
        try:
            make(store)
        except ValueError as error:
            print(error)
"""
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert said.splitlines() == [
        "(1, 2)",
        *["this index needs faiss: pip install 'msl[search]', or take index=exact"] * 4,
    ]


def test_threads_change_no_answer_and_are_put_back(made):
    import faiss

    before = faiss.omp_get_max_threads()
    one, two = (kind("hnsw", f"index.threads={number}").open(made).search(QUERIES, 10) for number in (1, 2))
    assert np.array_equal(one[0], two[0])
    assert np.array_equal(one[1], two[1])
    assert faiss.omp_get_max_threads() == before
