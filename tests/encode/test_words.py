import numpy as np
import pytest

from msl.encode.words import WordVectors, lemmas, tokens
from msl.types import InputError

TINY = WordVectors(
    words=("cat", "dog", "run", "key", "cap", "the"),
    vectors=np.array([[1, 0], [0, 1], [0.6, 0.8], [0, -1], [-1, 0], [0.7, 0.7]]),
    idf=np.array([2.0, 1.0, 3.0, 1.0, 1.0, 0.1]),
    aliases={"geese": "dog", "feline": "cat"},
)


@pytest.fixture(scope="module")
def embedded_words():
    return WordVectors.load()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Animal-bird", ["animal", "bird"]),
        ("snake_case  words", ["snake", "case", "words"]),
        ("Piñata’s O'Clock", ["pinata", "o'clock"]),
        ("keycap: 10", ["keycap", "10"]),
        ("日本 !? '", []),
    ],
)
def test_tokens(text, expected):
    assert tokens(text) == expected


@pytest.mark.parametrize(
    ("form", "lemma"),
    [
        ("dogs", "dog"), ("planes", "plane"), ("sites", "site"), ("horses", "horse"), ("houses", "house"),
        ("prizes", "prize"), ("caves", "cave"), ("ties", "tie"), ("toes", "toe"), ("axes", "axe"),
        ("boxes", "box"), ("glasses", "glass"), ("buzzes", "buzz"), ("churches", "church"), ("dishes", "dish"),
        ("potatoes", "potato"), ("heroes", "hero"), ("running", "run"), ("hopped", "hop"), ("biggest", "big"),
        ("happiest", "happy"), ("tried", "try"),
    ],
)  # fmt: skip
def test_likeliest_lemma_comes_first(form, lemma):
    assert next(lemmas(form)) == lemma


@pytest.mark.parametrize(
    ("form", "lemma"),
    [
        ("buses", "bus"), ("gases", "gas"), ("shoes", "shoe"), ("caches", "cache"), ("berries", "berry"),
        ("cities", "city"), ("knives", "knife"), ("wolves", "wolf"), ("dancing", "dance"), ("carrying", "carry"),
        ("gently", "gentle"),
    ],
)  # fmt: skip
def test_lemmas_contain_the_simple_form(form, lemma):
    assert lemma in list(lemmas(form))


def test_encode_is_the_idf_weighted_mean_scaled_to_length_one():
    expected = 2 * np.array([1, 0]) + 0.1 * np.array([0.7, 0.7]) + 2 * 3 * np.array([0.6, 0.8])
    row = TINY.encode(["The cat, run-run!"])
    assert row.dtype == np.float32
    np.testing.assert_allclose(row[0], expected / np.linalg.norm(expected), rtol=1e-6)


def test_encode_ignores_order_case_and_unknown_words():
    rows = TINY.encode(["cat dog", "DOG  cat", "cat xyzzy dog"])
    np.testing.assert_allclose(rows, np.broadcast_to(rows[0], rows.shape), rtol=1e-6)


@pytest.mark.parametrize(
    ("word", "found"),
    [("dogs", ["dog"]), ("running", ["run"]), ("geese", ["dog"]), ("felines", ["cat"]), ("keycap", ["key", "cap"]),
     ("keycaps", []), ("xyzzy", [])],
)  # fmt: skip
def test_word_falls_back_to_alias_simple_form_and_parts(word, found):
    assert [TINY.words[row] for row in TINY.find(word)] == found


def test_own_word_wins_over_its_lemma():
    both = WordVectors(("dog", "dogs"), np.eye(2), np.ones(2))
    assert both.find("dogs") == [1]


def test_unknown_names_each_word_once_in_order():
    assert TINY.unknown(["zebra cat", "dogs apple zebra"]) == ["apple", "zebra"]


@pytest.mark.parametrize("text", ["xyzzy", "", "日本"])
def test_text_without_a_known_word_is_named(text):
    with pytest.raises(InputError, match=f"no known English word in the text '{text}'"):
        TINY.encode(["cat", text])


def test_no_text_gives_no_row():
    assert TINY.encode([]).shape == (0, 2)


def test_nearest_orders_by_cosine_without_the_word_itself():
    assert [word for word, _ in TINY.nearest("cat", 3)] == ["the", "run", "dog"]
    assert TINY.nearest("cats", 1)[0][1] == pytest.approx(0.5**0.5)
    assert len(TINY.nearest("cat", 99)) == 5


def test_nearest_refuses_unknown_words_and_empty_wishes():
    with pytest.raises(InputError, match="xyzzy"):
        TINY.nearest("xyzzy", 3)
    with pytest.raises(InputError, match="at least 1"):
        TINY.nearest("cat", 0)


def test_shapes_must_agree():
    with pytest.raises(InputError, match="one vector and one idf per word"):
        WordVectors(("a", "b"), np.eye(3), np.ones(2))


def test_folder_without_word_vectors_is_named(tmp_path):
    with pytest.raises(InputError, match=str(tmp_path)):
        WordVectors.load(tmp_path)


@pytest.mark.parametrize("name", ["words.txt", "aliases.txt", "vectors.npy", "idf.npy"])
def test_damaged_file_is_an_input_error(tmp_path, name):
    (tmp_path / "words.txt").write_text("cat\n")
    (tmp_path / "aliases.txt").write_text("cats cat\n")
    np.save(tmp_path / "vectors.npy", np.ones((1, 2)))
    np.save(tmp_path / "idf.npy", np.ones(1))
    assert WordVectors.load(tmp_path).encode(["cats"]).shape == (1, 2)
    (tmp_path / name).write_bytes(b"one two three \xff\n")
    with pytest.raises(InputError):
        WordVectors.load(tmp_path)


@pytest.mark.parametrize(
    ("word", "some"),
    [
        ("guitar", {"banjo", "violin"}), ("king", {"emperor", "queen"}), ("dog", {"hound", "terrier"}),
        ("happy", {"cheerful", "joyful"}), ("piano", {"violin", "music"}), ("car", {"truck", "vehicle"}),
        ("doctor", {"dentist", "practitioner"}),
    ],
)  # fmt: skip
def test_embedded_neighbours_are_related_words(embedded_words, word, some):
    assert some <= {neighbour for neighbour, _ in embedded_words.nearest(word, 10)}


@pytest.mark.parametrize(
    ("form", "word"),
    [
        ("horses", "horse"), ("planes", "plane"), ("sites", "site"), ("caves", "cave"), ("notes", "note"),
        ("uses", "use"), ("cookies", "cookie"), ("boxes", "box"), ("lunches", "lunch"), ("heroes", "hero"),
        ("buses", "bus"), ("knives", "knife"), ("wolves", "wolf"), ("does", "do"), ("soles", "sole"),
        ("biggest", "big"),
    ],
)  # fmt: skip
def test_embedded_vocabulary_finds_the_word_of_a_form(embedded_words, form, word):
    assert [embedded_words.words[row] for row in embedded_words.find(form)] == [word]


@pytest.mark.parametrize("word", ["dogs", "geese", "children", "donut", "kimono", "firefighter", "keycap", "o’clock"])
def test_embedded_vocabulary_reaches_plurals_rare_words_and_compounds(embedded_words, word):
    assert embedded_words.unknown([word]) == []


def test_embedded_idf_is_larger_for_rarer_words(embedded_words):
    the, dog, corgi = (embedded_words.idf[embedded_words.rows[word]] for word in ("the", "dog", "corgi"))
    assert 0 < the < dog < corgi
