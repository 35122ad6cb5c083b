"""Texts as sequences of word vectors, for branches that read in order (`msl.encode.steps`)."""

import functools
from collections.abc import Sequence as Some
from typing import Any, cast

from PIL.Image import Image

from msl.encode.encoders.encoder import Encoder, Kind
from msl.encode.encoders.words import VERSION, fingerprint, vocabulary
from msl.encode.steps import steps
from msl.encode.words import tokens
from msl.types import Count, Floats, InputError


class Sequence(Encoder):
    """The vectors of a text's first `length` known words, in order; zeros come before those of a shorter text.

    `path` is a file of word vectors (`msl.encode.vector_files`), or None for the embedded ones.
    """

    kinds = ("text",)

    def __init__(self, kind: Kind, *, path: str | None, length: Count) -> None:
        super().__init__(kind)
        self._vocabulary, self._length = vocabulary(path), length

    @property
    def size(self) -> int:
        """`length` times the numbers in a word's vector."""
        return self._length * int(self._vocabulary.vectors.shape[1])

    @property
    def identity(self) -> dict[str, Any]:
        """The words, their vectors, and how many of a text's there are."""
        vectors = fingerprint(self._vocabulary)
        return {"encoder": "sequence", "version": VERSION, "vectors": vectors, "length": self._length}

    def encode(self, items: Some[Image] | Some[str]) -> Floats:
        """Texts -> float32 (n, size).

        Raises:
            InputError: a text without a single known word; the message names it.
        """
        find = functools.cache(self._vocabulary.find)
        texts = cast(Some[str], items)
        rows = [[row for word in tokens(text) for row in find(word)] for text in texts]
        silent = next((text for text, found in zip(texts, rows, strict=True) if not found), None)
        if silent is not None:
            raise InputError(
                f"no known English word in the text {silent!r}; reword it, or give features for it instead"
            )
        return steps(rows, self._vocabulary, length=self._length)
