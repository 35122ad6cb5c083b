"""Encoders that need no model: pictures by `classical`, texts by `words` and `sequence`."""

import numpy as np
import pytest
from built import built
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from msl.encode import classical, texts
from msl.encode.words import WordVectors
from msl.types import InputError

RNG = np.random.default_rng(0)
PICTURES = [
    Image.fromarray(RNG.integers(0, 256, (high, wide, 3), dtype=np.uint8)) for high, wide in ((20, 33), (64, 64))
]
TEXTS = ["Cats, xyzzy dogs", "fast train dog cat", "dog dog", "trainfast"]
VECTORS = {"cat": [1, 0, 2], "dog": [0, 3, 0], "xyzzy": [9, 9, 9], "train": [1, 1, 1]}


GOLDEN = [-0.0274, -1.8791, 0.5317, 36.4825, 48.6729]


@pytest.fixture
def glove(tmp_path):
    lines = (f"{word} {' '.join(map(str, vector))}" for word, vector in VECTORS.items())
    (tmp_path / "glove.txt").write_text("\n".join(lines) + "\n")
    return tmp_path / "glove.txt"


def test_classical_is_the_description():
    one = built("classical", "image")
    found = one.encode(PICTURES)
    assert found.shape == (2, one.size) == (2, 768)
    np.testing.assert_array_equal(found, classical.describe(PICTURES))
    np.testing.assert_array_equal(found[1:], one.encode(PICTURES[1:]))


def test_who_changes_the_description_raises_its_version():
    """Three waves over a ramp's features, and the sums of both halves, in version 1; computed anew with another version."""
    ramp = np.add.outer(3 * np.arange(40), 2 * np.arange(60))
    picture = Image.fromarray(np.stack([ramp, ramp[::-1], ramp[:, ::-1]], axis=2).astype(np.uint8))
    found = built("classical", "image").encode([picture])[0]
    waves = np.cos(np.outer([1, 2, 3], np.arange(768)))
    assert built("classical", "image").identity["version"] == 1
    np.testing.assert_allclose([*(waves @ found), found[:576].sum(), found[576:].sum()], GOLDEN, atol=1e-3)


def test_classical_says_its_parameters():
    told = built("classical", "image").identity
    assert told == {
        "encoder": "classical",
        "version": 1,
        "side": 80,
        "cells": 5,
        "block": 2,
        "orientations": 9,
        "grid": 8,
    }


def test_words_are_the_vocabulary_s_encoding():
    one = built("words", "text")
    found = one.encode(TEXTS)
    assert found.shape == (4, one.size) == (4, 120)
    np.testing.assert_array_equal(found, WordVectors.load().encode(TEXTS))


@given(st.lists(st.sampled_from(["cat", "dogs", "running", "zebra", "xyzzy"]), min_size=1, max_size=8))
@settings(max_examples=20, deadline=None)
def test_a_sequence_is_that_of_raw_texts(words):
    text = " ".join(["bird", *words])
    wanted = texts.sequence([], length=4)([text, "cat"])
    np.testing.assert_array_equal(built("sequence", "text", length=4).encode([text, "cat"]), wanted)


def test_words_of_a_file_have_its_vectors_and_the_embedded_idf(glove):
    own = WordVectors.load()
    found = built("words", "text", path=str(glove)).encode(["a cat and a Dog, xyzzy"])
    total = own.idf[own.rows["cat"]] * np.array([1, 0, 2]) + own.idf[own.rows["dog"]] * np.array([0, 3, 0])
    np.testing.assert_allclose(found, [total / np.linalg.norm(total)], rtol=1e-6)


def test_a_sequence_of_a_file_s_vectors(glove):
    one = built("sequence", "text", path=str(glove), length=3)
    assert one.size == 9
    np.testing.assert_array_equal(one.encode(["dogs and a cat"]), [[0, 0, 0, 0, 3, 0, 1, 0, 2]])


@pytest.mark.parametrize("name", ["words", "sequence"])
def test_identity_is_of_the_vectors_not_of_their_place(name, glove, tmp_path):
    (tmp_path / "again.txt").write_text(glove.read_text() + "plugh 1 2 3\n")
    (tmp_path / "other.txt").write_text(glove.read_text().replace("0 3 0", "0 3 1"))
    files = (None, str(glove), str(tmp_path / "again.txt"), str(tmp_path / "other.txt"))
    embedded, first, again, other = (built(name, "text", path=path).identity for path in files)
    assert first == again
    assert len({each["vectors"] for each in (embedded, first, other)}) == 3
    assert embedded == built(name, "text").identity


def test_a_sequence_of_another_length_is_another():
    one, other = (built("sequence", "text", length=length).identity for length in (3, 4))
    assert [key for key in one if one[key] != other[key]] == ["length"]


@pytest.mark.parametrize("name", ["words", "sequence"])
def test_a_text_without_a_known_word_is_named(name):
    with pytest.raises(InputError, match="no known English word in the text 'xyzzy"):
        built(name, "text").encode(["cat", "xyzzy\n日本"])
    assert built(name, "text").encode([]).shape == (0, built(name, "text").size)


@pytest.mark.parametrize("name", ["words", "sequence"])
def test_a_file_without_a_known_word_is_named(name, tmp_path):
    (tmp_path / "foreign.txt").write_text("xyzzy 1 2\nplugh 3 4\n")
    with pytest.raises(InputError, match=r"foreign\.txt has none of the 28000 words msl knows"):
        built(name, "text", path=str(tmp_path / "foreign.txt"))


@pytest.mark.parametrize(("name", "kind"), [("classical", "text"), ("words", "image"), ("sequence", "image")])
def test_the_other_kind_is_refused(name, kind):
    with pytest.raises(InputError, match=f"encoder={name} reads .*s, not {kind}s; choose another"):
        built(name, kind)
