import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from msl.encode.matching import candidates, folded, match, match_all
from msl.encode.words import WordVectors
from msl.types import InputError


def vocabulary(*words):
    return WordVectors(words, np.eye(len(words)), np.ones(len(words)))


def used(name, *words):
    return list(match(name, vocabulary(*words)).used)


@pytest.mark.parametrize(
    ("name", "words", "expected"),
    [
        ("dog", ["Dog", "dog"], ["dog"]),
        ("Dog", ["dog", "Dog"], ["Dog"]),
        ("DOG", ["dog"], ["dog"]),
        ("paris", ["Paris"], ["Paris"]),
        ("café", ["cafe"], ["cafe"]),
        ("t.v. set!", ["t.v. set!", "set"], ["t.v. set!"]),
        ("living room", ["living", "room", "living_room"], ["living_room"]),
        ("living_room", ["living", "room", "Living_Room"], ["Living_Room"]),
        ("Living-Room", ["living", "room", "living-room"], ["living-room"]),
        ("living_room", ["living room"], ["living room"]),
        ("living room lamps", ["living_room", "lamp", "living", "room"], ["living_room", "lamp"]),
        ("Flip Flops", ["flip", "flop", "flip_flop"], ["flip_flop"]),
        ("lower back", ["back", "lower"], ["lower", "back"]),
        ("horses", ["hors", "horse"], ["horse"]),
        ("boxes", ["boxe", "box"], ["box"]),
        ("dresses", ["dress"], ["dress"]),
        ("running", ["run"], ["run"]),
        ("diningtable", ["table", "dining"], ["dining", "table"]),
        ("diningtable", ["table", "dining", "dining_table"], ["dining_table"]),
        ("tvmonitors", ["tv", "monitor"], ["tv", "monitor"]),
        ("tvmonitor", ["tv", "monitor", "tvm", "onitor"], ["tv", "monitor"]),
        ("LivingRoom", ["living", "room"], ["living", "room"]),
        ("house of cards", ["of", "house", "cards"], ["house", "cards"]),
        ("house of cards", ["of", "house_of_cards"], ["house_of_cards"]),
        ("the", ["the"], ["the"]),
        ("xyzzy", ["dog"], []),
        ("", ["dog"], []),
        ("日本", ["日本"], ["日本"]),
    ],
    ids=lambda value: str(value) if isinstance(value, str) else None,
)
def test_a_name_is_found_as(name, words, expected):
    assert used(name, *words) == expected


def test_words_missed_are_said_but_stop_words_are_not():
    found = match("the Casual Shoes", vocabulary("shoe"))
    assert (found.used, found.missed) == (("shoe",), ("Casual",))
    assert str(found) == "the Casual Shoes: shoe, without Casual"


def test_rows_are_those_of_the_words_used():
    found = match("table dog", vocabulary("dog", "cat", "table"))
    assert found.rows == (2, 0)


def test_all_names_without_a_word_are_listed_up_to_ten():
    names = [*(f"xyzzy{letter}" for letter in "abcdefghijkl"), "dog"]
    with pytest.raises(InputError) as caught:
        match_all(names, vocabulary("dog"), where="here", tell=lambda match: None)
    message = str(caught.value)
    assert message.startswith("here: nothing stands for 12 of the 13 class names: 'xyzzya', 'xyzzyb'")
    assert "'xyzzyj', ...;" in message
    assert "'xyzzyk'" not in message


def test_each_match_is_told_in_order():
    told = []
    match_all(["cats", "dog"], vocabulary("dog", "cat"), where="here", tell=told.append)
    assert [str(each) for each in told] == ["cats: cat", "dog: dog"]


PARTS = ["tv", "TV", "monitor", "table", "dining", "Dining_table", "living_room", "horse", "of", "the", "run", "box"]
NAMES = st.lists(st.sampled_from([*PARTS, "horses", "boxes", "tvmonitor", "diningtables", "running", "&"]), max_size=7)


@given(NAMES, st.sampled_from([" ", "_", "-", ""]), st.sets(st.sampled_from([*PARTS, "xyzzy"])))
def test_a_vocabulary_of_the_candidates_alone_is_matched_as_the_whole_one_is(words, joint, known):
    name, order = joint.join(words), sorted(known)
    kept = [word for word in order if word in candidates([name])]
    assert used(name, *kept) == used(name, *order)


def test_candidates_of_a_long_name_stay_few():
    few, many = (len(candidates([" ".join(f"word{at}" for at in range(n))])) for n in (20, 40))
    assert many < 3 * few


def test_folded_names_are_equal_whatever_their_spelling():
    assert {folded(name) for name in ("Polar_Bear", "polar bear", "polar-bear", "PolarBear", "pólar+bear")} == {
        "polarbear"
    }
