from dataclasses import replace

import numpy as np
import pytest

import msl.data.pairs as pairs_module
from msl.data.classes import Classes
from msl.data.dataset import Card, DataSet, fingerprint
from msl.data.labels import carrying, checked_labels, class_counts, classes_of, relabelled
from msl.data.pairs import Features, Pairs, checked_features
from msl.types import InputError

SINGLE = np.array([2, 0, 1, 2, 1])
SEVERAL = np.array([[0, 0, 1], [1, 0, 1], [0, 1, 0], [1, 1, 1], [0, 1, 0]], np.uint8)


def numbers(rows=5, size=3):
    return np.arange(rows * size, dtype=np.float32).reshape(rows, size)


def unpaired():
    """Three items with a, three with b, classes 0 and 1 on both sides; nobody has a b of class 2."""
    a, b = Features(numbers(3), np.array([0, 1, 2, -1, -1, -1])), Features(-numbers(3), np.array([-1, -1, -1, 0, 1, 2]))
    return Pairs(tuple("uvwxyz"), a, b, np.array([0, 1, 2, 0, 1, 1]))


@pytest.mark.parametrize("kind", [np.float16, np.float64, np.int16, np.uint8])
def test_rows_come_as_single_precision_whatever_the_matrix_is(kind):
    features = Features(numbers().astype(kind))
    assert features[1:3].dtype == np.float32
    assert np.array_equal(features[np.array([4, 0])], numbers()[[4, 0]])
    assert np.array_equal(np.asarray(features), numbers())
    assert features.shape == (5, 3)


def test_taking_rows_twice_is_taking_their_rows(monkeypatch):
    monkeypatch.setattr(pairs_module, "STRETCH", 2)
    features = Features(numbers()).take(np.array([4, 2, 0])).take(np.array([2, 1]))
    assert np.array_equal(features[:], numbers()[[0, 2]])
    assert np.array_equal(np.concatenate(list(features.stretches())), features[:])
    assert len(Features(numbers()).take(np.array([], np.int64))[:]) == 0


def test_an_item_without_the_modality_is_never_read():
    features = unpaired().a
    assert features.present.tolist() == [True] * 3 + [False] * 3
    with pytest.raises(AssertionError, match="lacks"):
        features[2:4]


def test_unpaired_items_borrow_what_they_lack_from_their_class():
    whole = unpaired()
    assert not whole.paired
    completed = whole.completed(seed=0)
    assert completed.paired
    assert completed.ids == ("u", "v", "x", "y", "z")  # nobody has a b to lend to class 2
    lent = dict(zip(completed.ids, zip(completed.a[:].tolist(), completed.b[:].tolist(), strict=True), strict=True))
    assert lent["u"] == (numbers()[0].tolist(), (-numbers())[0].tolist())
    assert lent["x"][0] == numbers()[0].tolist()
    assert lent["v"][1] in ((-numbers())[1].tolist(), (-numbers())[2].tolist())
    again = whole.completed(seed=0)
    assert np.array_equal(again.b[:], completed.b[:])


def test_every_lender_of_the_class_is_drawn_sooner_or_later():
    drawn = {tuple(unpaired().completed(seed=seed).b[1]) for seed in range(20)}
    assert drawn == {tuple((-numbers())[1]), tuple((-numbers())[2])}


def test_pairs_are_left_as_they_are():
    pairs = Pairs(tuple("abcde"), Features(numbers()), Features(numbers()), SINGLE)
    assert pairs.completed(seed=3) is pairs


def test_modalities_without_a_class_in_common_cannot_be_paired():
    with pytest.raises(InputError, match="no class of the training rows"):
        replace(unpaired(), labels=np.array([0, 0, 0, 1, 1, 1])).completed(seed=0)


def test_items_of_several_classes_borrow_from_any_of_them():
    labels = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0], [0, 1, 0], [0, 1, 0]], np.uint8)
    drawn = {tuple(replace(unpaired(), labels=labels).completed(seed=seed).a[2]) for seed in range(20)}
    assert drawn == {tuple(numbers()[0]), tuple(numbers()[1])}


@pytest.mark.parametrize("labels", [SINGLE, np.eye(3, dtype=np.uint8)[SINGLE]], ids=["indices", "indicators"])
def test_indices_and_their_indicators_say_the_same(labels):
    assert carrying(labels, np.array([1, 2])).tolist() == [True, False, True, True, True]
    assert class_counts(labels, 3).tolist() == [1, 2, 2]
    assert [classes_of(label).tolist() for label in labels] == [[2], [0], [1], [2], [1]]


def test_several_classes_count_for_each():
    assert carrying(SEVERAL, np.array([0])).tolist() == [False, True, False, True, False]
    assert class_counts(SEVERAL, 3).tolist() == [2, 3, 3]


def test_relabelling_counts_among_the_classes_kept():
    assert relabelled(np.array([2, 1, 2]), np.array([1, 2])).tolist() == [1, 0, 1]
    assert relabelled(np.array([4, 0]), np.array([0, 4])).tolist() == [1, 0]
    assert relabelled(SEVERAL, np.array([0, 2])).tolist() == SEVERAL[:, [0, 2]].tolist()


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        (np.array([0, 3]), "row 1 has label 3"),
        (np.array([0, -1]), "row 1 has label -1"),
        (np.array([0.0, 1.0]), "wanted one class index"),
        (np.array([], np.int64), "wanted one class index"),
        (np.array([[1, 0, 0], [0, 0, 0]]), "row 1 has no class"),
        (np.array([[1, 0, 0], [0, 2, 0]]), "row 1 holds something else"),
        (np.array([[1, np.nan, 0]]), "row 0 holds something else"),
        (np.array([[1, 0], [0, 1]]), "or 3 columns"),
    ],
)
def test_wrong_labels_are_named(labels, said):
    with pytest.raises(InputError, match=said) as caught:
        checked_labels(labels, 3, what="file.npz: label")
    assert "\n" not in str(caught.value)


def test_a_large_mapped_matrix_stays_on_disk(tmp_path, monkeypatch):
    np.save(tmp_path / "big.npy", numbers().astype(np.float16))
    mapped = np.load(tmp_path / "big.npy", mmap_mode="r")
    assert not isinstance(checked_features(mapped, what="big"), np.memmap)  # small: read at once
    monkeypatch.setattr(pairs_module, "_KEPT_ON_DISK", 1)
    kept = checked_features(mapped, what="big")
    assert isinstance(kept, np.memmap)
    assert kept.dtype == np.float16


def test_a_bad_row_of_a_mapped_matrix_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(pairs_module, "_KEPT_ON_DISK", 1)
    monkeypatch.setattr(pairs_module, "STRETCH", 2)
    matrix = numbers().astype(np.float16)
    matrix[3, 1] = np.inf
    np.save(tmp_path / "big.npy", matrix)
    with pytest.raises(InputError, match="big: row 3 holds NaN"):
        checked_features(np.load(tmp_path / "big.npy", mmap_mode="r"), what="big")


def test_the_fingerprint_tells_data_sets_apart():
    card = Card(
        name="n", title="t", modalities=("image", "text"), features=("f", "g"), embedding="e", source="s", licence="l", obtain="o"
    )  # fmt: skip

    def described(a=None, labels=SINGLE, vectors=None, texts=None):
        pairs = Pairs(tuple("abcde"), Features(numbers() if a is None else a), Features(numbers()), labels)
        classes = Classes(tuple("xyz"), np.eye(3, dtype=np.float32) if vectors is None else vectors)
        return DataSet(card=card, pairs=pairs, classes=classes, part=np.zeros(5, np.int64), texts=texts)

    others = [
        {"a": numbers() + 1},
        {"labels": SINGLE[::-1]},
        {"vectors": 2 * np.eye(3, dtype=np.float32)},
        {"texts": tuple("vwxyz")},
    ]
    found = [fingerprint(described(**each), texts=True) for each in ({}, *others)]
    assert len(set(found)) == 5
    assert fingerprint(described(texts=tuple("vwxyz")), texts=False) == fingerprint(described(), texts=True)
    assert fingerprint(described(), texts=True) == found[0]
