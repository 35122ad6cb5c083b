"""Texts by the mean of their words' vectors: no download (`msl.encode.words`)."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
from PIL.Image import Image

from msl.encode.encoders.encoder import Encoder, Kind
from msl.encode.encoders.running import digest
from msl.encode.vector_files import read_vectors
from msl.encode.words import WordVectors
from msl.types import Floats, InputError

VERSION = 1
"""Raised when texts are cut into words, or words are found, in another way."""


class Words(Encoder):
    """The idf-weighted mean of a text's word vectors, of unit length.

    `path` is a file of word vectors (`msl.encode.vector_files`), or None for the embedded ones.
    """

    kinds = ("text",)

    def __init__(self, kind: Kind, *, path: str | None) -> None:
        super().__init__(kind)
        self._vocabulary = vocabulary(path)

    @property
    def size(self) -> int:
        """Numbers in a word's vector."""
        return int(self._vocabulary.vectors.shape[1])

    @property
    def identity(self) -> dict[str, Any]:
        """The words, their vectors and idf."""
        return {"encoder": "words", "version": VERSION, "vectors": fingerprint(self._vocabulary)}

    def encode(self, items: Sequence[Image] | Sequence[str]) -> Floats:
        """Texts -> float32 (n, size), rows of unit length.

        Raises:
            InputError: a text without a single known word; the message names it.
        """
        return self._vocabulary.encode(cast(Sequence[str], items))


def vocabulary(path: str | None) -> WordVectors:
    """The embedded vocabulary, or what a file knows of it, with the file's vectors and the embedded idf.

    So memory and meaning are the same whatever the file's size: function words weigh little, and the rest of its words,
    misspellings mostly, stay where they are.

    Raises:
        InputError: the file is unreadable, or knows none of the words.
    """
    own = WordVectors.load()
    if path is None:
        return own
    found = read_vectors(Path(path), own.rows.keys())
    if not found.words:
        raise InputError(f"{path} has none of the {len(own.words)} words msl knows; give vectors of English words")
    rows = [own.rows[word] for word in found.words]
    return WordVectors(found.words, found.vectors, own.idf[rows], own.aliases)


def fingerprint(vectors: WordVectors) -> str:
    """All that decides what a text's words are and weigh, as 12 hexadecimal digits."""
    words = "\n".join(vectors.words)
    aliases = "\n".join(f"{word} {other}" for word, other in sorted(vectors.aliases.items()))
    arrays = (np.ascontiguousarray(each, np.float32).tobytes() for each in (vectors.vectors, vectors.idf))
    return digest([words.encode(), aliases.encode(), *arrays])
