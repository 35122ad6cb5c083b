"""Pairs against loops, and names against what texts say."""

import numpy as np
import pytest

from msl.serve.held_out import Side, item_pairs, name_pairs
from msl.serve.names import Names, bearing, keywords, readable
from msl.types import InputError


def a_side(rows, *, seed):
    rng = np.random.default_rng(seed)
    codes = rng.standard_normal((len(rows), 5))
    return Side(codes / np.linalg.norm(codes, axis=1, keepdims=True), rng.random((len(rows), 3)) < 0.4, np.array(rows))


def test_every_item_is_paired_with_every_other_but_itself():
    asked, searched = a_side([3, 5, 9], seed=0), a_side([5, 1, 9, 7], seed=1)
    pairs = [
        (float(asked.codes[i] @ searched.codes[j]), bool((asked.members[i] & searched.members[j]).any()))
        for i in range(3)
        for j in range(4)
        if asked.rows[i] != searched.rows[j]
    ]
    found = item_pairs(asked, searched)
    assert len(pairs) == 10
    np.testing.assert_allclose(found.cosines, [cosine for cosine, _ in pairs])
    assert found.together.tolist() == [together for _, together in pairs]


def test_every_item_is_paired_with_every_name():
    items, names = a_side([1, 2], seed=2), np.random.default_rng(3).standard_normal((3, 5))
    bears = np.array([[True, False, False], [False, True, True]])
    found = name_pairs(items, names, bears)
    for place, (item, name) in enumerate(np.ndindex(2, 3)):
        cosine = items.codes[item] @ names[name] / np.linalg.norm(names[name])
        assert found.cosines[place] == pytest.approx(cosine)
        assert found.together[place] == bears[item, name]


def test_nobody_gives_no_pairs():
    nobody = Side(np.empty((0, 0)), np.empty((0, 3), bool), np.empty(0, int))
    assert not len(item_pairs(nobody, a_side([1], seed=0)).cosines)
    assert not len(name_pairs(nobody, np.ones((2, 5)), np.empty((0, 2), bool)).cosines)


TEXTS = ["A red apple, the apple of my eye", "the RED door", "green door", "of the blue sea", "x y 2"]


def test_keywords_stand_in_most_texts_and_are_no_function_words():
    assert keywords(TEXTS, size=10, fewest_texts=2) == ("door", "red")
    assert keywords(TEXTS, size=1, fewest_texts=2) == ("door",)
    assert keywords(TEXTS, size=10, fewest_texts=1)[:2] == ("door", "red")
    assert keywords(TEXTS, size=10, fewest_texts=9) == ()


def test_a_text_bears_the_words_that_stand_in_it():
    assert bearing(TEXTS, ("red", "door")).tolist() == [
        [True, False],
        [True, True],
        [False, True],
        [False] * 2,
        [False] * 2,
    ]


def test_names_that_cannot_be_read_are_left_out():
    def encode(names):
        if "zzxqy" in names:
            raise InputError("no known word")
        return np.array([[len(name), 1.0] for name in names])

    assert readable(["red", "green"], encode)[0] == ("red", "green")
    names, codes = readable(["red", "zzxqy", "green"], encode)
    assert names == ("red", "green")
    assert codes.tolist() == [[3, 1], [5, 1]]
    assert readable(["zzxqy"], encode)[0] == ()


def test_the_nearest_names_come_first():
    names = Names("class", ("east", "north", "west"), np.array([[1.0, 0], [0, 1], [-1, 0]]))
    labels = names.label(np.array([[0.9, 0.1]]), 2, trained=frozenset({"north"}), calibration=None)
    assert [(label.name, label.seen, label.score) for label in labels] == [("east", False, None), ("north", True, None)]
