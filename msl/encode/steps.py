"""Texts as sequences: the vectors of their first words, one after the other."""

from collections.abc import Sequence

import numpy as np

from msl.encode.words import WordVectors
from msl.types import Count, Floats


def steps(rows: Sequence[Sequence[int]], vocabulary: WordVectors, *, length: Count) -> Floats:
    """Rows of the vocabulary, n texts' words in order -> float32 (n, length * size); zeros come before a shorter text."""
    places = np.full((len(rows), length), -1)
    for row, found in enumerate(rows):
        first = found[:length]
        places[row, length - len(first) :] = first
    vectors = np.asarray(vocabulary.vectors[places], np.float32)
    vectors[places < 0] = 0
    return vectors.reshape(len(rows), length * vocabulary.vectors.shape[1])
