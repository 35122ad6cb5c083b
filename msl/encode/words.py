"""Texts -> features with word vectors: the idf-weighted mean of a text's words. No weights to fetch, only numpy."""

import functools
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

import numpy as np

from msl.files import embedded
from msl.types import Floats, InputError

_TOKEN = re.compile(r"[a-z]+(?:'[a-z]+)*|[0-9]+")
_ENDINGS = (  # detachment rules, the likelier first: (ending, what takes its place)
    ("sses", ("ss",)),
    ("xes", ("x",)),
    ("zzes", ("zz",)),
    ("ches", ("ch",)),
    ("shes", ("sh",)),
    ("oes", ("o",)),
    ("s", ("",)),  # so "-es" after other letters is an "e" with an "s": horses, sites, cookies, caves
    ("ies", ("y",)),
    ("ves", ("f", "fe")),
    ("es", ("",)),
    ("ied", ("y", "ie")),
    ("ed", ("e", "")),
    ("ing", ("e", "")),
    ("ier", ("y",)),
    ("iest", ("y",)),
    ("est", ("e", "")),
    ("ly", ("", "le")),
)
_SHORTEST_PART = 3  # of a compound: "keycap" is "key" + "cap", while shorter parts fit almost anything


def tokens(text: str) -> list[str]:
    """Lower-case words and numbers of a text, in order; accents and a possessive 's go, hyphens and underscores split.

    >>> tokens("Piñata_party: the jack-o'-lantern’s 2nd")
    ['pinata', 'party', 'the', 'jack', 'o', 'lantern', '2', 'nd']
    """
    plain = unicodedata.normalize("NFKD", text.replace("’", "'")).casefold()
    plain = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return [word.removesuffix("'s") for word in _TOKEN.findall(plain)]


def lemmas(word: str) -> Iterator[str]:
    """Simpler forms a word may be an inflection of, likeliest first: singulars, then -ed, -ing, -est, -ly undone."""
    for ending, replacements in _ENDINGS:
        stem = word.removesuffix(ending)
        if stem == word or len(stem) < 2:
            continue
        if ending in ("ed", "ing", "est") and stem[-1] == stem[-2]:
            yield stem[:-1]  # a doubled consonant: running, hopped
        yield from (stem + replacement for replacement in replacements)


@dataclass(frozen=True)
class WordVectors:
    """Words with their vectors.

    Attributes:
        words: the vocabulary, V words.
        vectors: (V, d), one row per word, without unit; the embedded ones have rows of length one.
        idf: (V,), the natural logarithm of how rare each word is; the weight of the word in a text.
        aliases: word outside the vocabulary -> the word that stands for it: of an irregular form its lemma ("geese" ->
            "goose"), of a rare word its synonym or hypernym ("donut" -> "doughnut").
    """

    words: tuple[str, ...]
    vectors: Floats
    idf: Floats
    aliases: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def __post_init__(self) -> None:
        shapes = (len(self.words),), self.vectors.shape[:1], self.idf.shape
        if len(set(shapes)) > 1 or self.vectors.ndim != 2:
            raise InputError(
                f"word vectors need one vector and one idf per word, got {len(self.words)} words, "
                f"vectors {self.vectors.shape} and idf {self.idf.shape}; rebuild them with one row per word"
            )

    @classmethod
    def load(cls, folder: Path | None = None) -> "WordVectors":
        """Read ``words.txt``, ``aliases.txt``, ``vectors.npy`` and ``idf.npy``; without a folder, the embedded ones.

        Raises:
            InputError: a file is missing or unreadable.
        """
        folder = embedded("words") if folder is None else folder
        try:
            words = (folder / "words.txt").read_text(encoding="utf-8").split()
            lines = (folder / "aliases.txt").read_text(encoding="utf-8").splitlines()
            aliases = MappingProxyType(dict(line.split() for line in lines))
            vectors, idf = (np.load(folder / name, allow_pickle=False) for name in ("vectors.npy", "idf.npy"))
        except (OSError, ValueError) as error:
            raise InputError(f"cannot read word vectors in {folder}: {error}; reinstall msl or rebuild them") from error
        return cls(tuple(words), vectors, idf, aliases)

    @functools.cached_property
    def rows(self) -> dict[str, int]:
        """Row of each word."""
        return {word: row for row, word in enumerate(self.words)}

    def row(self, word: str) -> int | None:
        """Row of exactly this word, or of its alias, or None."""
        return self.rows.get(self.aliases.get(word, word))

    def find(self, word: str) -> list[int]:
        """Rows that stand for a word: its own or its alias's, else a simpler form's, else its two parts', or none."""
        rows = (self.row(form) for form in (word, *lemmas(word)))
        row = next((row for row in rows if row is not None), None)
        return [row] if row is not None else self._parts(word)

    def _parts(self, word: str) -> list[int]:
        """Rows of the two known words a compound joins; of several ways, the one whose shorter part is longest."""
        cuts = range(_SHORTEST_PART, len(word) - _SHORTEST_PART + 1)
        ways = [(word[:cut], word[cut:]) for cut in cuts if word[:cut] in self.rows and word[cut:] in self.rows]
        best = max(ways, key=lambda way: min(map(len, way)), default=())
        return [self.rows[part] for part in best]

    def unknown(self, texts: Sequence[str]) -> list[str]:
        """Words of the texts that no row stands for, sorted, each once; `encode` passes over them."""
        return sorted({word for text in texts for word in tokens(text) if not self.find(word)})

    def encode(self, texts: Sequence[str]) -> Floats:
        """Texts (or class names) -> float32 (n, d), rows of unit length.

        A row is sum_w idf(w) v(w) over the text's known words (each as often as it occurs), scaled to length one:
        only its direction matters, so a long text weighs no more than a short one.

        Raises:
            InputError: a text without a single known word; the message names it.
        """
        rows = [self._encode_one(text) for text in texts]
        return np.stack(rows) if rows else np.empty((0, self.vectors.shape[1]), np.float32)

    def _encode_one(self, text: str) -> Floats:
        found = [row for word in tokens(text) for row in self.find(word)]
        total = self.idf[found].astype(np.float64) @ self.vectors[found].astype(np.float64)
        length = float(np.linalg.norm(total))
        if length == 0:
            raise InputError(f"no known English word in the text {text!r}; reword it, or give features for it instead")
        return np.asarray(total / length, np.float32)

    def nearest(self, word: str, k: int) -> list[tuple[str, float]]:
        """The k words nearest to a word or short text, and their cosines, nearest first; its own words are left out.

        Raises:
            InputError: the word is unknown, or k is not positive.
        """
        if k < 1:
            raise InputError(f"the number of neighbours must be at least 1, got {k}")
        own = {row for token in tokens(word) for row in self.find(token)}
        cosines = self._directions @ self.encode([word])[0]
        order = np.argsort(-cosines, kind="stable")[: k + len(own)]
        return [(self.words[row], float(cosines[row])) for row in order if row not in own][:k]

    @functools.cached_property
    def _directions(self) -> Floats:
        vectors = self.vectors.astype(np.float32)
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        return np.asarray(vectors / np.maximum(lengths, np.finfo(np.float32).tiny))
