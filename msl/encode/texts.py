"""Raw texts -> features, one function per kind: from the texts to learn from (the seen training texts) to an encoder.

An encoder maps n texts to float32 (n, size), each row by its own text and by what was learnt.
"""

import functools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from msl.encode.steps import steps
from msl.encode.words import WordVectors, tokens
from msl.types import Count, Floats, InputError

if TYPE_CHECKING:
    from scipy.sparse import csr_array

TextEncoder: TypeAlias = Callable[[Sequence[str]], Floats]

_AT_MOST = 10  # rows listed in an error


def given(learnt_from: Sequence[str]) -> TextEncoder:
    """Features of size 0: none are made, and the data set's own stay."""
    return lambda texts: np.empty((len(texts), 0), np.float32)


def bow(
    learnt_from: Sequence[str],
    *,
    size: Count,
    fewest_texts: Count,
    stop_words: bool,
    tf_idf: bool,
    unit: bool,
) -> TextEncoder:
    """Bag of words over the `size` most frequent words of the texts to learn from.

    Words are lower-case runs of two or more letters or digits, without accents. A text without any of them is a row of
    zeros: of an unseen class's texts, little or nothing may be known, and this is how little.

    Args:
        learnt_from: texts that vocabulary and idf are learnt from.
        size: words kept, at most; of equally frequent ones, the alphabetically first.
        fewest_texts: texts to learn from that must have a word, lest it be left out.
        stop_words: whether scikit-learn's list of English function words is kept; without it, they are left out.
        tf_idf: whether a count c becomes (1 + log c) * idf (Salton and Buckley, 1988, with scikit-learn's smooth idf).
        unit: whether rows are scaled to length one.

    Raises:
        InputError: the texts to learn from have no word that is kept.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectoriser = TfidfVectorizer(
        strip_accents="unicode",
        stop_words=None if stop_words else "english",
        max_features=size,
        min_df=fewest_texts,
        use_idf=tf_idf,
        sublinear_tf=tf_idf,
        norm="l2" if unit else None,
        dtype=np.float32,
    )
    try:
        vectoriser.fit(learnt_from)
    except ValueError:
        raise InputError(
            f"texts=bow: the {len(learnt_from)} seen training texts have no word that stands in {fewest_texts} of them; "
            "lower texts.fewest_texts, or leave it at texts=given"
        ) from None

    def encode(texts: Sequence[str]) -> Floats:
        if not len(texts):  # scikit-learn wants one at least
            return np.empty((0, len(vectoriser.vocabulary_)), np.float32)
        return np.asarray(vectoriser.transform(texts).toarray(), np.float32)

    return encode


def words(learnt_from: Sequence[str]) -> TextEncoder:
    """The idf-weighted mean of each text's embedded word vectors, of unit length; (n, 120).

    A word counts as often as it occurs; the idf, log((1 + n) / (1 + texts with the word)) + 1, is that of the n texts to
    learn from. The vocabulary is WordNet's, and so never shaped by any text; words it lacks are passed over.

    The encoder raises an `InputError` for texts without a known English word, listing their rows: they have no
    direction, and any made-up one would be measured as if it meant something.
    """
    vocabulary = WordVectors.load()
    having = (_counts(_found(learnt_from, vocabulary), len(vocabulary.words)) > 0).sum(axis=0)
    idf = np.log((1 + len(learnt_from)) / (1 + having)) + 1
    weighted = idf[:, None] * vocabulary.vectors.astype(np.float64)

    def encode(texts: Sequence[str]) -> Floats:
        totals = _counts(_known(texts, vocabulary, kind="words"), len(vocabulary.words)) @ weighted
        return np.asarray(totals / np.linalg.norm(totals, axis=1, keepdims=True), np.float32)

    return encode


def sequence(learnt_from: Sequence[str], *, length: Count) -> TextEncoder:
    """The embedded word vectors of each text's first `length` known words, in order; (n, length * 120).

    Vectors stand one after the other; zeros come before those of a text with fewer, as Keras pads. Nothing is learnt
    from any text. The encoder raises an `InputError` for texts without a known English word, listing their rows.

    Args:
        learnt_from: unused.
        length: steps of the sequence. A compound that is known by its two parts only takes two of them.
    """
    vocabulary = WordVectors.load()
    return lambda texts: steps(_known(texts, vocabulary, kind="sequence"), vocabulary, length=length)


def _known(texts: Sequence[str], vocabulary: WordVectors, *, kind: str) -> list[list[int]]:
    """Rows of each text's known words, in order; an `InputError` lists the texts that have none."""
    rows = _found(texts, vocabulary)
    silent = [number for number, found in enumerate(rows) if not found]
    if silent:
        some = ", ".join(map(str, silent[:_AT_MOST])) + (", ..." if len(silent) > _AT_MOST else "")
        raise InputError(
            f"texts={kind}: {len(silent)} of the {len(texts)} texts have no known English word, rows {some}, the first "
            f"being {texts[silent[0]][:60]!r}; leave these items out, or choose texts=bow"
        )
    return rows


def _found(texts: Sequence[str], vocabulary: WordVectors) -> list[list[int]]:
    """Rows of each text's known words, in order."""
    find = functools.cache(vocabulary.find)
    return [[row for word in tokens(text) for row in find(word)] for text in texts]


def _counts(rows: Sequence[Sequence[int]], size: int) -> "csr_array":
    """Texts x vocabulary: how often each word stands in each text."""
    from scipy.sparse import csr_array

    ends = np.concatenate([[0], np.cumsum([len(each) for each in rows])])
    columns = np.array([row for each in rows for row in each], dtype=np.int64)
    counts = csr_array((np.ones(len(columns)), columns, ends), shape=(len(rows), size))
    counts.sum_duplicates()
    return counts
