import inspect
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from omegaconf import OmegaConf

from msl.config import check, instantiate
from msl.encode import texts
from msl.encode.words import WordVectors
from msl.files import embedded
from msl.types import InputError

WIKIPEDIA = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "wikipedia"
TEXTS = ["a cat and a dog", "the cat", "dog dog cat", "a fast train", "Café train", "a zebra", "dogs, trains"]
SEEN = np.array([0, 1, 2, 3, 4])


def kind(name, **values):
    """The kind as the commands build it, from its YAML, checked: texts and the rows, or texts, to learn from -> features."""
    node = OmegaConf.to_container(OmegaConf.load(embedded("conf") / "texts" / f"{name}.yaml")) | values
    check(node, "texts")
    assert node["name"] == name
    learn = instantiate(node)
    return lambda texts, known: learn([each if isinstance(each, str) else texts[each] for each in known])(texts)


def test_every_kind_has_a_configuration():
    functions = inspect.getmembers(texts, inspect.isfunction)
    own = {name for name, value in functions if value.__module__ == texts.__name__ and not name.startswith("_")}
    assert own == {file.stem for file in (embedded("conf") / "texts").glob("*.yaml")}


def test_given_makes_no_features():
    assert kind("given")(TEXTS, SEEN).shape == (len(TEXTS), 0)


@pytest.mark.parametrize("name", ["given", "bow", "words", "sequence"])
def test_no_texts_are_no_rows_of_the_same_size(name):
    learn = kind(name)
    assert learn([], TEXTS).shape == (0, learn(TEXTS, TEXTS).shape[1])


def test_plain_bag_of_words_is_the_counts_of_the_frequent_words():
    counts = kind("bow", size=3, fewest_texts=1, tf_idf=False, unit=False)(TEXTS, SEEN)
    assert counts.dtype == np.float32
    expected = [[1, 1, 0], [1, 0, 0], [1, 2, 0], [0, 0, 1], [0, 0, 1], [0, 0, 0], [0, 0, 0]]  # cat dog train
    np.testing.assert_array_equal(counts, expected)


def test_weights_are_one_plus_log_count_times_smooth_idf_of_the_seen_texts():
    weights = kind("bow", size=3, fewest_texts=1, unit=False)(TEXTS, SEEN)
    idf = np.log(6 / (1 + np.array([3, 2, 2]))) + 1
    np.testing.assert_allclose(weights[2], idf * [1, 1 + np.log(2), 0], rtol=1e-6)


def test_unit_rows_have_length_one_or_nothing():
    lengths = np.linalg.norm(kind("bow", size=9)(TEXTS, SEEN), axis=1)
    np.testing.assert_allclose(lengths, [1, 1, 1, 1, 1, 0, 0], rtol=1e-6)


def test_function_words_and_rare_words_are_kept_on_request():
    def width(**values):
        return kind("bow", tf_idf=False, unit=False, **values)(TEXTS, SEEN).shape[1]

    assert width(fewest_texts=2) == 3  # cat, dog, train
    assert width(fewest_texts=1) == 5  # and cafe, fast
    assert width(fewest_texts=1, stop_words=True) == 7  # and "and", "the"


def test_seen_texts_without_a_common_word_are_an_input_error():
    with pytest.raises(InputError, match="2 seen training texts have no word that stands in 2 of them"):
        kind("bow")(["cat", "dog"], np.array([0, 1]))


WORDS = st.sampled_from(["cat", "dog", "train", "zebra", "fast", "running", "music", "xyzzy"])
SOME = st.lists(WORDS, min_size=1, max_size=5).map(lambda words: " ".join(["bird", *words]))


@pytest.mark.parametrize("name", ["bow", "words", "sequence"])
@given(st.lists(SOME, min_size=8, max_size=8), SOME, st.integers(5, 7))
@settings(max_examples=25, deadline=None)
def test_a_text_that_is_not_fitted_to_shapes_its_own_row_only(name, some, other, place):
    encode = kind(name)
    changed = [*some[:place], other, *some[place + 1 :]]
    before, after = encode(some, SEEN), encode(changed, SEEN)
    kept = np.arange(8) != place
    np.testing.assert_array_equal(before[kept], after[kept])
    if some[place] == other:
        np.testing.assert_array_equal(before, after)


@pytest.mark.parametrize("name", ["bow", "words"])
def test_a_text_fitted_to_does_shape_other_rows(name):
    changed = ["a fast music train", *TEXTS[1:]]
    assert (kind(name)(TEXTS, SEEN)[2] != kind(name)(changed, SEEN)[2]).any()


def test_words_are_the_encoding_with_the_idf_of_the_seen_texts():
    vocabulary = WordVectors.load()
    having = np.zeros(len(vocabulary.words))
    for text in TEXTS[:5]:
        having[sorted({row for word in text.replace("Café", "cafe").split() for row in vocabulary.find(word)})] += 1
    learnt = WordVectors(vocabulary.words, vocabulary.vectors, np.log(6 / (1 + having)) + 1, vocabulary.aliases)
    found = kind("words")(TEXTS, SEEN)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, learnt.encode(TEXTS), atol=1e-6)


@pytest.mark.parametrize("name", ["words", "sequence"])
def test_texts_without_a_known_word_are_named_by_their_rows(name):
    texts = ["cat", "xyzzy", *["日本"] * 11, "dog"]
    with pytest.raises(
        InputError,
        match=rf"texts={name}: 12 of the 14 texts have no known English word, rows 1, 2, 3, .*10, ..., the first being 'xyzzy'",
    ):
        kind(name)(texts, np.array([0]))


def test_a_sequence_is_the_vectors_of_the_first_known_words_after_zeros():
    vocabulary = WordVectors.load()

    def of(*words):
        return np.concatenate([np.float32(vocabulary.vectors[vocabulary.row(word)]) for word in words])

    found = kind("sequence", length=3)(["Cats, xyzzy dogs", "fast train dog cat", "dog dog", "trainfast"], [])
    assert found.dtype == np.float32
    zeros = np.zeros(120, np.float32)
    expected = [[zeros, of("cats", "dogs")], [of("fast", "train", "dog")], [zeros, of("dog", "dog")], [zeros, of("train", "fast")]]  # fmt: skip
    np.testing.assert_array_equal(found, [np.concatenate(row) for row in expected])


@given(st.lists(SOME, min_size=1, max_size=6), st.integers(1, 4))
@settings(max_examples=25, deadline=None)
def test_a_longer_sequence_ends_with_the_shorter_while_words_last(some, extra):
    longest = max(len(text.split()) for text in some)
    short, long = (kind("sequence", length=length)(some, []) for length in (longest, longest + extra))
    np.testing.assert_array_equal(long, np.pad(short, ((0, 0), (extra * 120, 0))))


def test_a_sequence_learns_from_no_rows():
    np.testing.assert_array_equal(kind("sequence")(TEXTS[:5], SEEN), kind("sequence")(TEXTS[:5], [3]))


@pytest.mark.parametrize(("key", "value"), [("size", 0), ("fewest_texts", 0), ("unit", "maybe"), ("sise", 3)])
def test_wrong_configuration_is_named(key, value):
    with pytest.raises(InputError, match=f"texts.{key}"):
        kind("bow", **{key: value})


@pytest.mark.parametrize("value", [0, -1, "many"])
def test_a_sequence_has_a_step_at_least(value):
    with pytest.raises(InputError, match=r"texts\.length"):
        kind("sequence", length=value)


@pytest.mark.skipif(not WIKIPEDIA.is_dir(), reason="the shared Wikipedia texts are not here")
@pytest.mark.parametrize(("name", "size"), [("bow", 5000), ("words", 120)])
def test_wikipedia_texts_all_have_features(name, size):
    lists = [(WIKIPEDIA / f"{part}set_txt_img_cat.list").read_text().splitlines() for part in ("train", "test")]
    ids = [line.split("\t")[0] for lines in lists for line in lines[::10]]
    texts = [(WIKIPEDIA / "texts" / f"{each}.xml").read_text(encoding="utf-8") for each in ids]
    found = kind(name)(texts, np.arange(len(lists[0][::10])))
    assert found.shape[0] == len(texts)
    assert found.shape[1] <= size
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, rtol=1e-5)


@pytest.mark.skipif(not WIKIPEDIA.is_dir(), reason="the shared Wikipedia texts are not here")
def test_wikipedia_texts_are_sequences_without_padding():
    files = sorted((WIKIPEDIA / "texts").glob("*.xml"))[::20]
    found = kind("sequence")([file.read_text(encoding="utf-8") for file in files], np.arange(1))
    steps = np.linalg.norm(found.reshape(len(files), 20, 120), axis=2)
    np.testing.assert_allclose(steps, 1, atol=1e-3)
