import json
import os
import random as dice
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from msl.index.exact import unit_rows
from msl.index.store import Store
from msl.types import InputError


def random(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def names(*numbers):
    return [f"item {number}" for number in numbers]


@pytest.fixture
def five(tmp_path):
    return Store.create(tmp_path / "index", {"weights": "abc"}).add(names(*range(5)), random(5, 3))


def content(store):
    """What is searched: codes by id, in order."""
    return {store.ids[row]: store.codes[row].tolist() for row in np.flatnonzero(store.alive)}


def test_what_was_added_is_there_when_opened_again_in_order_and_of_length_one(five):
    store = Store.open(five.folder)
    assert store.identity == {"weights": "abc"}
    assert store.ids == tuple(names(*range(5)))
    assert np.array_equal(store.codes, unit_rows(random(5, 3)).astype(np.float32))
    assert len(store) == 5


def test_a_zero_row_stays_zero_and_an_empty_store_is_one(tmp_path):
    store = Store.create(tmp_path, {})
    assert (len(store), store.ids, store.codes.shape) == (0, (), (0, 0))
    assert store.add(["zero"], np.zeros((1, 4))).codes.tolist() == [[0, 0, 0, 0]]
    assert Store.open(tmp_path).delete(["zero"]).compact().ids == ()


def test_ids_may_be_any_text(tmp_path):
    ids = ["", "a\nb", "ünï ✓", '"', "x" * 5000, "\udcff", "[1, 2]", " "]
    assert Store.create(tmp_path, {}).add(ids, random(8, 2)).ids == tuple(ids)


def test_a_snapshot_does_not_see_what_comes_later(five):
    before = content(five)
    later = five.add(names(5), random(1, 3, seed=1)).delete(names(0, 2))
    assert list(content(later)) == names(1, 3, 4, 5)
    rebuilt = later.compact().compact().compact()
    assert not (five.folder / "000001").exists()
    assert rebuilt.ids == tuple(names(1, 3, 4, 5))
    assert content(rebuilt) == content(later)
    assert content(five) == before
    assert content(later) == content(rebuilt)


def test_the_generation_before_the_current_one_is_kept(five):
    five.compact().compact()
    assert sorted(place.name for place in five.folder.glob("0*")) == ["000002", "000003"]


def test_a_row_keeps_its_bits_when_rebuilt(tmp_path):
    store = Store.create(tmp_path, {}).add(names(*range(9000)), random(9000, 5))
    kept = store.delete(names(0, 8500)).compact()
    assert np.array_equal(kept.codes, np.delete(store.codes, [0, 8500], axis=0))


def test_added_to_from_an_old_snapshot_the_folder_keeps_what_others_added(five):
    five.add(names(5), random(1, 3))
    assert five.add(names(6), random(1, 3)).ids == tuple(names(*range(7)))


def test_known_ids_are_refused_by_name_and_nothing_is_added(five):
    with pytest.raises(InputError, match=r"the id 'item 3' is in .* already; delete it first, or replace it"):
        five.add(names(9, 3, 1), random(3, 3))
    assert content(Store.open(five.folder)) == content(five)


def test_replace_puts_codes_in_the_place_of_those_of_the_same_ids(five):
    store = five.add(names(3, 9), random(2, 3, seed=1), replace=True)
    assert list(content(store)) == names(0, 1, 2, 4, 3, 9)
    assert np.array_equal(store.codes[store.rows["item 3"]], unit_rows(random(2, 3, seed=1)).astype(np.float32)[0])
    assert content(store.compact()) == content(store)


def test_a_deleted_id_can_come_again(five):
    store = five.delete(names(1)).add(names(1), random(1, 3, seed=2))
    assert len(store) == 5
    assert store.rows["item 1"] == 5


def test_an_unknown_id_is_named_and_nothing_is_deleted(five):
    five.delete(names(4))
    with pytest.raises(InputError, match="holds no 'item 4' and 1 more, so nothing was deleted"):
        five.delete(names(0, 4, 77))
    assert len(Store.open(five.folder)) == 4


@pytest.mark.parametrize(
    ("ids", "codes", "said"),
    [
        (["a", "b"], random(1, 3), "one id each, got 2 ids for 1 codes"),
        (["a"], random(1, 4), "holds codes of width 3, got 4"),
        (["a", "a"], random(2, 3), "the id 'a' is given twice"),
        ([1], random(1, 3), "the id 1 is given twice or is no text"),
        (["a", "b"], np.array([[1, 2, 3], [1, np.nan, 2]]), "row 1 holds NaN or infinity"),
        (["a"], random(3), "wanted numbers"),
        (["a"], np.array([["x", "y", "z"]]), "wanted numbers"),
    ],
    ids=["ids", "width", "twice", "number", "nan", "flat", "text"],
)
def test_what_cannot_be_added_is_said_in_one_line(five, ids, codes, said):
    with pytest.raises(InputError, match=said) as error:
        five.add(ids, codes)
    assert "\n" not in str(error.value)
    assert content(Store.open(five.folder)) == content(five)


def test_bytes_that_do_not_count_are_ignored_and_written_over(five):
    place = five.folder / "000001"
    for name in ("codes.f32", "ids"):
        with (place / name).open("ab") as stream:
            stream.write(b"left by one who was killed" * 9)
    assert content(Store.open(five.folder)) == content(five)
    (five.folder / "000002").mkdir()
    (five.folder / "000002" / "ids").write_text("garbage")
    store = five.add(names(5), random(1, 3)).compact()
    assert store.ids == tuple(names(*range(6)))


def damage(five, name):
    current = json.loads((five.folder / "current").read_text())
    changes = {
        "rows": {"rows": 10**9},
        "negative": {"rows": -1},
        "generation": {"generation": "../../etc"},
        "deleted": {"deleted": [7]},
        "format": {"format": 2},
        "key": {"more": 1},
        "missing": {"generation": "000007"},
    }
    if name in changes:
        (five.folder / "current").write_text(json.dumps(current | changes[name]))
    elif name == "ids":
        (five.folder / "000001" / "ids").write_bytes(b"x" * current["id_bytes"])
    else:
        (five.folder / "current").write_bytes({"cut": b'{"gen', "empty": b"", "list": b"[1]", "bytes": b"\xff"}[name])


@pytest.mark.parametrize(
    "name",
    ["rows", "negative", "generation", "deleted", "format", "key", "missing", "ids", "cut", "empty", "list", "bytes"],
)
def test_a_damaged_folder_is_said_to_be_one(five, name):
    damage(five, name)
    with pytest.raises(InputError, match="make the folder again") as error:
        assert Store.open(five.folder).ids
    assert "\n" not in str(error.value)


def test_a_folder_without_codes_and_one_that_has_some(five, tmp_path):
    with pytest.raises(InputError, match="holds no codes; make it with msl index"):
        Store.open(tmp_path / "nothing")
    with pytest.raises(InputError, match="holds codes already"):
        Store.create(five.folder, {})


WRITER = """
import sys, itertools
import numpy as np
from pathlib import Path
from msl.index.store import Store
folder, seed = Path(sys.argv[1]), int(sys.argv[2])
rng = np.random.default_rng(seed)
print("begun", flush=True)
for turn in itertools.count():
    store = Store.open(folder)
    fresh = [f"{seed}-{turn}-{number}" for number in range(rng.integers(1, 2000))]
    numbers = rng.integers(1, 9, size=(len(fresh), 8))
    store = store.add([f"{name} {' '.join(map(str, row))}" for name, row in zip(fresh, numbers)], numbers)
    if turn % 3 == 1:
        store = store.delete([store.ids[row] for row in rng.permutation(np.flatnonzero(store.alive))[:500]])
    if turn % 5 == 4:
        store.compact()
"""


def check_whole(store):
    """Each id says what its code is."""
    assert len(store.ids) == len(set(store.rows)) + np.count_nonzero(~store.alive)
    said = np.array([name.split(" ")[1:] for name in store.ids], dtype=float).reshape(store.codes.shape)
    assert np.array_equal(unit_rows(said).astype(np.float32), store.codes)


def test_a_writer_killed_at_any_moment_leaves_a_whole_folder(tmp_path):
    folder = tmp_path / "index"
    before = Store.create(folder, {})
    sizes, chance = [], dice.Random(0)
    for seed in range(6):
        writer = subprocess.Popen([sys.executable, "-c", WRITER, folder, str(seed)], stdout=subprocess.PIPE)
        assert writer.stdout.readline() == b"begun\n"
        time.sleep(chance.uniform(0.05, 0.4))
        assert writer.poll() is None
        os.kill(writer.pid, signal.SIGKILL)
        writer.communicate()
        store = Store.open(folder)
        check_whole(store)
        check_whole(before)
        before = store
        sizes.append(len(store))
    assert len(set(sizes)) > 1  # something was written in between
    check_whole(store.add(["last 1 2 3 4 5 6 7 8"], np.arange(1, 9)[None]).compact())


def test_readers_never_wait_nor_see_half_of_anything(tmp_path):
    folder = tmp_path / "index"
    Store.create(folder, {})
    done, seen, wrong = threading.Event(), [], []

    def read():
        while not done.is_set():
            try:
                store = Store.open(folder)
                check_whole(store)
                seen.append((store.current.generation, len(store)))
            except Exception as error:
                wrong.append(error)

    reader = threading.Thread(target=read)
    reader.start()
    for turn in range(15):
        numbers = np.random.default_rng(turn).integers(1, 9, size=(20, 8))
        ids = [f"{turn}-{number} {' '.join(map(str, row))}" for number, row in enumerate(numbers)]
        Store.open(folder).add(ids, numbers).delete(ids[:5]).compact()
    done.set()
    reader.join()
    assert wrong == []
    assert len(set(seen)) > 5


def test_writers_take_turns(tmp_path):
    Store.create(tmp_path, {})
    writers = [
        threading.Thread(target=lambda number=number: Store.open(tmp_path).add(names(number), random(1, 3)))
        for number in range(8)
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert sorted(Store.open(tmp_path).ids) == names(*range(8))
