"""Raw texts -> features, one function per kind; whatever is learnt comes from the rows to fit on, and no others.

Each maps n texts and the rows to learn from (the seen training rows) to float32 (n, size).
"""

import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from msl.encode.steps import steps
from msl.encode.words import WordVectors, tokens
from msl.types import Count, Floats, InputError, Ints

if TYPE_CHECKING:
    from scipy.sparse import csr_array

_AT_MOST = 10  # rows listed in an error


def given(texts: Sequence[str], fit_rows: Ints) -> Floats:
    """Features of size 0: none are made, and the data set's own stay."""
    return np.empty((len(texts), 0), np.float32)


def bow(
    texts: Sequence[str],
    fit_rows: Ints,
    *,
    size: Count,
    fewest_texts: Count,
    stop_words: bool,
    tf_idf: bool,
    unit: bool,
) -> Floats:
    """Bag of words over the `size` most frequent words of the rows to fit on.

    Words are lower-case runs of two or more letters or digits, without accents. A text without any of them is a row of
    zeros: of an unseen class's texts, little or nothing may be known, and this is how little.

    Args:
        texts: n texts.
        fit_rows: rows that vocabulary and idf are learnt from.
        size: words kept, at most; of equally frequent ones, the alphabetically first.
        fewest_texts: texts to fit on that must have a word, lest it be left out.
        stop_words: whether scikit-learn's list of English function words is kept; without it, they are left out.
        tf_idf: whether a count c becomes (1 + log c) * idf (Salton and Buckley, 1988, with scikit-learn's smooth idf).
        unit: whether rows are scaled to length one.

    Raises:
        InputError: the texts to fit on have no word that is kept.
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
        vectoriser.fit([texts[row] for row in fit_rows])
    except ValueError:
        raise InputError(
            f"texts=bow: the {len(fit_rows)} seen training texts have no word that stands in {fewest_texts} of them; "
            "lower texts.fewest_texts, or leave it at texts=given"
        ) from None
    return np.asarray(vectoriser.transform(texts).toarray(), np.float32)


def words(texts: Sequence[str], fit_rows: Ints) -> Floats:
    """The idf-weighted mean of each text's embedded word vectors, of unit length; (n, 120).

    A word counts as often as it occurs; the idf, log((1 + n) / (1 + texts with the word)) + 1, is that of the rows to
    fit on. The vocabulary is WordNet's, and so never shaped by any text; words it lacks are passed over.

    Raises:
        InputError: texts without a known English word; the message lists their rows. They have no direction, and any
            made-up one would be measured as if it meant something.
    """
    vocabulary = WordVectors.load()
    known = _known(texts, vocabulary, kind="words")
    counts = _counts(known, len(vocabulary.words))
    having = (counts[fit_rows] > 0).sum(axis=0)
    idf = np.log((1 + len(fit_rows)) / (1 + having)) + 1
    totals = counts @ (idf[:, None] * vocabulary.vectors.astype(np.float64))
    return np.asarray(totals / np.linalg.norm(totals, axis=1, keepdims=True), np.float32)


def sequence(texts: Sequence[str], fit_rows: Ints, *, length: Count) -> Floats:
    """The embedded word vectors of each text's first `length` known words, in order; (n, length * 120).

    Vectors stand one after the other; zeros come before those of a text with fewer, as Keras pads. Nothing is learnt
    from any row.

    Args:
        texts: n texts.
        fit_rows: unused.
        length: steps of the sequence. A compound that is known by its two parts only takes two of them.

    Raises:
        InputError: texts without a known English word; the message lists their rows.
    """
    vocabulary = WordVectors.load()
    return steps(_known(texts, vocabulary, kind="sequence"), vocabulary, length=length)


def _known(texts: Sequence[str], vocabulary: WordVectors, *, kind: str) -> list[list[int]]:
    """Rows of each text's known words, in order; an `InputError` lists the texts that have none."""
    find = functools.cache(vocabulary.find)
    rows = [[row for word in tokens(text) for row in find(word)] for text in texts]
    silent = [number for number, found in enumerate(rows) if not found]
    if silent:
        some = ", ".join(map(str, silent[:_AT_MOST])) + (", ..." if len(silent) > _AT_MOST else "")
        raise InputError(
            f"texts={kind}: {len(silent)} of the {len(texts)} texts have no known English word, rows {some}, the first "
            f"being {texts[silent[0]][:60]!r}; leave these items out, or choose texts=bow"
        )
    return rows


def _counts(rows: Sequence[Sequence[int]], size: int) -> "csr_array":
    """Texts x vocabulary: how often each word stands in each text."""
    from scipy.sparse import csr_array

    ends = np.concatenate([[0], np.cumsum([len(each) for each in rows])])
    columns = np.array([row for each in rows for row in each], dtype=np.int64)
    counts = csr_array((np.ones(len(columns)), columns, ends), shape=(len(rows), size))
    counts.sum_duplicates()
    return counts
