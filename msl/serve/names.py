"""What a picture could be called: class names and keywords as codes, ranked for a code with a score that means something."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from msl.index.exact import nearest
from msl.serve.calibration import Calibration
from msl.types import Floats, InputError

Sort: TypeAlias = Literal["class", "keyword"]

_WORD = r"(?u)\b[^\W\d_]{3,}\b"  # three letters or more


@dataclass(frozen=True)
class Label:
    """A name that fits: a class or a keyword, whether it is a class trained on (None of a keyword), cosine and score."""

    name: str
    sort: Sort
    seen: bool | None
    cosine: float
    score: float | None
    """The share of held-out items of seen classes, as near to a name as this, that bear it; None if it is not known."""


@dataclass(frozen=True)
class Names:
    """Names of one sort (n,) with the code of each, as a text is encoded, (n, code)."""

    sort: Sort
    names: tuple[str, ...]
    codes: Floats

    def label(self, code: Floats, k: int, *, trained: frozenset[str], calibration: Calibration | None) -> list[Label]:
        """The k names nearest to a code (1, code), best first."""
        positions, cosines = nearest(code, self.codes, k)
        scores = [None] * len(positions[0]) if calibration is None else calibration(cosines[0]).tolist()
        found = [self.names[position] for position in positions[0]]
        return [
            Label(name, self.sort, name in trained if self.sort == "class" else None, float(cosine), score)
            for name, cosine, score in zip(found, cosines[0], scores, strict=True)
        ]


def as_text(name: str) -> str:
    """A class's name as a text to search with."""
    return name.replace("-", " ").replace("_", " ")


def keywords(texts: Sequence[str], *, size: int, fewest_texts: int) -> tuple[str, ...]:
    """The `size` words that stand in most texts, but in at least `fewest_texts`; function words are left out."""
    from sklearn.feature_extraction.text import CountVectorizer

    try:
        counted = CountVectorizer(stop_words="english", min_df=fewest_texts, binary=True, token_pattern=_WORD)
        having = np.asarray(counted.fit_transform(texts).sum(axis=0)).ravel()
    except ValueError:  # no word stands in so many texts
        return ()
    words = counted.get_feature_names_out()
    return tuple(str(words[place]) for place in np.lexsort((words, -having))[:size])


def bearing(texts: Sequence[str], words: Sequence[str]) -> NDArray[np.bool_]:
    """Which text (n,) has which keyword (words,) in it: (n, words)."""
    from sklearn.feature_extraction.text import CountVectorizer

    counted = CountVectorizer(vocabulary=words, binary=True, token_pattern=_WORD).transform(texts)
    return np.asarray(counted.toarray() > 0)


def readable(names: Sequence[str], encode: Callable[[Sequence[str]], Floats]) -> tuple[tuple[str, ...], Floats]:
    """The names that can be encoded, and their codes: a name without a known word is left out."""
    try:
        return tuple(names), encode(names)
    except InputError:
        pass
    kept, codes = [], []
    for name in names:
        try:
            codes.append(encode([name]))
        except InputError:
            continue
        kept.append(name)
    return tuple(kept), np.concatenate(codes) if codes else np.empty((0, 0), np.float32)
