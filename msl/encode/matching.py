"""Names of classes -> words of a vocabulary: other spellings, joined phrases, inflections, compounds.

One rule serves word vectors, files of vectors and graphs. The longest known phrase is taken first, from the left
("living room lamp" is "living_room" + "lamp"); a word that is not there is looked for as an inflection ("horses") and
then as two words written as one ("diningtable").
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from msl.encode.words import lemmas
from msl.types import InputError

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_STOP = frozenset(["a", "an", "and", "at", "by", "for", "from", "in", "of", "on", "or", "the", "to", "with"])
_JOINTS = "_- "  # between the words of a phrase
_LONGEST_PHRASE = 5  # words: longer entries do not occur, and the number of spans stays linear in a name's length
_SHORTEST_PART = 2  # letters of a compound's part: "tvmonitor" is "tv" + "monitor"
_AT_MOST = 10  # names listed in an error


class Vocabulary(Protocol):
    """Words, the more frequent first where their order means anything, and where one of them stands."""

    @property
    def words(self) -> Sequence[str]:
        """All words, one per row."""

    def row(self, word: str) -> int | None:
        """Row of exactly this word (or of the word that stands for it), or None."""


@dataclass(frozen=True)
class Match:
    """How a class name was matched.

    Attributes:
        name: the name as given.
        rows: rows of the vocabulary that stand for it, in the order of the name; empty if nothing was found.
        used: the vocabulary's words in those rows.
        missed: words of the name that nothing stands for.
    """

    name: str
    rows: tuple[int, ...]
    used: tuple[str, ...]
    missed: tuple[str, ...]

    def __str__(self) -> str:
        """One line: ``Casual Shoes: shoe, without Casual``."""
        lacking = f", without {', '.join(self.missed)}" if self.missed else ""
        return f"{self.name}: {' + '.join(self.used) or 'nothing'}{lacking}"


Tell: TypeAlias = Callable[[Match], None]
"""Is told how each class name was matched, for somebody to read."""


def match(name: str, vocabulary: Vocabulary) -> Match:
    """Match one name; stop words such as "of" count only if nothing else of the name is known."""
    whole = vocabulary.row(name.strip())
    if whole is not None:
        return Match(name, (whole,), (vocabulary.words[whole],), ())
    pieces = list(_pieces(_WORD.findall(name), vocabulary))
    telling = [(text, rows) for text, rows in pieces if text.lower() not in _STOP]
    chosen = telling if any(rows for _, rows in telling) else pieces
    rows = tuple(row for _, rows in chosen for row in rows)
    missed = tuple(text for text, rows in chosen if not rows)
    return Match(name, rows, tuple(vocabulary.words[row] for row in rows), missed)


def match_all(names: Sequence[str], vocabulary: Vocabulary, *, where: str, tell: Tell) -> tuple[Match, ...]:
    """Match every name and tell how.

    Raises:
        InputError: nothing stands for some of the names; the message lists them (up to ten) and says `where`.
    """
    matches = tuple(match(name, vocabulary) for name in names)
    require({each.name: bool(each.rows) for each in matches}, where=where)
    for each in matches:
        tell(each)
    return matches


def require(found: dict[str, bool], *, where: str) -> None:
    """Raise an InputError that lists the names not found `where`, up to ten of them."""
    lacking = [name for name, there in found.items() if not there]
    if lacking:
        some = ", ".join(map(repr, lacking[:_AT_MOST])) + (", ..." if len(lacking) > _AT_MOST else "")
        raise InputError(
            f"{where}: nothing stands for {len(lacking)} of the {len(found)} class names: {some}; "
            "rename these classes, or choose another embedding"
        )


def candidates(names: Sequence[str]) -> frozenset[str]:
    """Every string that matching the names may ask a vocabulary for: all that need be kept of a large file."""
    asked = _Asked()
    for name in names:
        match(name, asked)
    return frozenset(asked.strings)


def folded(name: str) -> str:
    """A name without case, accents and separators, for comparing two spellings of one name."""
    return "".join(_WORD.findall(_plain(name)))


class _Asked:
    """A vocabulary that knows nothing, and is therefore asked for everything."""

    words: Sequence[str] = ()

    def __init__(self) -> None:
        self.strings: set[str] = set()

    def row(self, word: str) -> int | None:
        self.strings.add(word)
        return None


def _pieces(words: Sequence[str], vocabulary: Vocabulary) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Cut a name into its longest known phrases, from the left; an unknown word comes alone and without rows."""
    start = 0
    while start < len(words):
        for end in range(min(len(words), start + _LONGEST_PHRASE), start, -1):
            rows = _find(words[start:end], vocabulary)
            if rows:
                break
        yield " ".join(words[start:end]), rows
        start = end


def _find(words: Sequence[str], vocabulary: Vocabulary) -> tuple[int, ...]:
    """Row of a phrase in any spelling, else the two rows of a single word's parts, else none."""
    row = _first(_forms(words), vocabulary)
    if row is not None:
        return (row,)
    return _compound(words[0].lower(), vocabulary) if len(words) == 1 else ()


def _forms(words: Sequence[str]) -> Iterator[str]:
    """Spellings of a phrase, likeliest first: as written, then in other cases; then inflections undone."""
    lower = [word.lower() for word in words]
    cases = [
        words,
        lower,
        [word.capitalize() for word in words],
        [words[0].capitalize(), *lower[1:]],
        [word.upper() for word in words],
        [_plain(word) for word in words],
    ]
    joints = _JOINTS if len(words) > 1 else "_"
    yield from (joint.join(case) for joint in joints for case in cases)
    for case in cases[1:4]:
        yield from _together(case)


def _compound(word: str, vocabulary: Vocabulary) -> tuple[int, ...]:
    """Row of a phrase written as one word, else the rows of its two words, which may be inflected.

    Of several ways to cut the two apart, the one whose rarer part is most frequent.
    """
    cuts = [(word[:at], word[at:]) for at in range(_SHORTEST_PART, len(word) - _SHORTEST_PART + 1)]
    joined = [row for cut in cuts if (row := _first(_together(cut), vocabulary)) is not None]
    if joined:
        return (min(joined),)
    parts = [[_first(_forms([part]), vocabulary) for part in cut] for cut in cuts]
    known = [(left, right) for left, right in parts if left is not None and right is not None]
    return min(known, key=max, default=())


def _together(words: Sequence[str]) -> Iterator[str]:
    """A phrase with each joint, then its inflections undone."""
    phrases = [joint.join(words) for joint in (_JOINTS if len(words) > 1 else "_")]
    yield from phrases
    for phrase in phrases:
        yield from lemmas(phrase)


def _first(forms: Iterable[str], vocabulary: Vocabulary) -> int | None:
    """Row of the first form that is known."""
    rows = (vocabulary.row(form) for form in dict.fromkeys(forms))
    return next((row for row in rows if row is not None), None)


def _plain(text: str) -> str:
    letters = unicodedata.normalize("NFKD", text).casefold()
    return "".join(letter for letter in letters if not unicodedata.combining(letter))
