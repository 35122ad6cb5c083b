"""Files of word vectors, read in one pass: of millions of words only the wanted ones are kept.

Formats, told apart by their content, each plain or gzip-compressed:

* word2vec binary (GoogleNews-vectors-negative300.bin): a line ``words size``, then of each word its name, a space and
  `size` little-endian float32.
* word2vec text, fastText's .vec: a line ``words size``, then a line ``word number ... number`` of each word.
* GloVe text: the same without the first line; a word may hold spaces.
* .npz with the arrays ``names`` and ``vectors``.
"""

import math
import re
import zlib
from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass
from gzip import GzipFile
from itertools import takewhile
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np

from msl.encode.named_vectors import read_named
from msl.encode.words import WordVectors
from msl.types import Floats, InputError

_CHUNK = 1 << 24
_LONGEST_WORD = 10_000  # bytes; without an end to a word or a line, a damaged file would be read into memory whole
_LONGEST_LINE = 1 << 24
_MOST_NUMBERS = 100_000  # of a word
_LARGE = 100 << 20  # bytes; a pass over fewer takes less than a second
_DEFLATED = 1032  # bytes, at most, that one byte of a gzip file can stand for
_HEADER = re.compile(rb"[ \t]*(\d{1,19})[ \t]+(\d{1,9})[ \t\r]*")
_FASTTEXT_MODEL = (793712314).to_bytes(4, "little")


def read_vectors(path: Path, wanted: Set[str]) -> WordVectors:
    """The `wanted` words of a file with their vectors (float32), in the file's order, each with the idf 1.

    Of a word that stands there twice, the first vector is kept. Memory grows with `wanted`, not with the file. A
    progress bar is shown for a large one.

    Raises:
        InputError: the file is missing, of no known format, truncated or malformed, or a wanted vector is not finite;
            the message names the line or the byte.
    """
    try:
        with path.open("rb") as raw:
            if raw.read(2) == b"PK":
                found = _of_arrays(path, wanted)
            else:
                raw.seek(0)
                found = _of_stream(path, raw, {word.encode(errors="replace") for word in wanted if word})
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or str(error) or "it is truncated"
        raise InputError(f"cannot read word vectors in {path}: {reason}; give the whole file") from None
    words = tuple(word.decode() for word in found)
    vectors = np.stack(list(found.values())) if found else np.empty((0, 0), np.float32)
    return WordVectors(words, vectors, np.ones(len(words), np.float32))


def _of_arrays(path: Path, wanted: Set[str]) -> dict[bytes, Floats]:
    named = read_named(path)
    if named.names is None:
        raise InputError(f"{path} has no array 'names'; wanted the words in 'names' and a row of 'vectors' for each")
    first = {name: row for row, name in reversed(list(enumerate(named.names)))}
    return {name.encode(): named.vectors[row] for name, row in first.items() if name in wanted}


@dataclass(frozen=True)
class _File:
    """A file being read: what its first line claims, if it has such a line, and what errors say of it."""

    path: Path
    size: int
    words: int | None

    def wrong(self, what: str, remedy: str = "give the file as it was published") -> InputError:
        return InputError(f"{self.path}: {what}; {remedy}")

    def finite(self, vector: Floats, word: bytes, place: str) -> Floats:
        """The vector as float32, or an error that names its word and place."""
        with np.errstate(over="ignore"):
            vector = vector.astype(np.float32)
        if not np.isfinite(vector).all():
            raise self.wrong(f"{place}: the vector of {_shown(word)} is not finite")
        return vector


def _of_stream(path: Path, raw: BinaryIO, wanted: Set[bytes]) -> dict[bytes, Floats]:
    packed = raw.read(2) == b"\x1f\x8b"
    raw.seek(0)
    stream = cast(BinaryIO, GzipFile(fileobj=raw)) if packed else raw
    length = path.stat().st_size
    start = stream.read(_CHUNK)
    file, head = _opened(path, start, length * _DEFLATED if packed else length)
    total = None if packed else math.ceil(length / _CHUNK)
    chunks = _shown_progress(_chunks(start[head:], stream), path.name, total, shown=length > _LARGE)
    read = _binary if file.words is not None and not _is_text(start[head:], file.size) else _text
    return read(file, chunks, wanted, head)


def _chunks(first: bytes, stream: BinaryIO) -> Iterator[bytes]:
    yield first
    yield from iter(lambda: stream.read(_CHUNK), b"")


def _shown_progress(chunks: Iterable[bytes], name: str, total: int | None, *, shown: bool) -> Iterable[bytes]:
    if not shown:
        return chunks
    from rich.console import Console
    from rich.progress import track

    return track(chunks, f"reading {name}", total=total, console=Console(stderr=True), transient=True)


def _opened(path: Path, start: bytes, most: int) -> tuple[_File, int]:
    """What the first line says, believed as far as `most` bytes can hold it, and where the vectors begin."""
    line = start.partition(b"\n")[0]
    header = _HEADER.fullmatch(line)
    if header is None:
        size = len(line.split()) - 1
        if start.startswith(_FASTTEXT_MODEL) or size < 1 or _numbers(line.split()[1:][-1:]) is None:
            raise InputError(
                f"{path} holds no word vectors msl reads; wanted word2vec (binary or text), GloVe or fastText .vec, "
                "plain or gzip, or an .npz with names and vectors"
            )
        return _File(path, _glove_size(line), None), 0
    words, size = map(int, header.groups())
    if (
        not words or not 0 < size <= _MOST_NUMBERS or words * (2 * size + 1) > most
    ):  # a number takes two bytes at least: a digit and a space
        raise InputError(
            f"{path}: line 1 claims {words} words with {size} numbers each, which its {path.stat().st_size} bytes "
            "cannot hold; give the file as it was published"
        )
    return _File(path, size, words), len(line) + 1


def _glove_size(line: bytes) -> int:
    """How many numbers end a line; the word before them may hold spaces, but not end in a number of its own."""
    return sum(1 for _ in takewhile(lambda field: _numbers([field]) is not None, reversed(line.split()[1:])))


def _is_text(start: bytes, size: int) -> bool:
    """Whether the first vector is written in digits; the bytes of a binary one never read as that many numbers."""
    fields = start[:_LONGEST_LINE].partition(b"\n")[0].rstrip().rsplit(b" ", size)
    return len(fields) == size + 1 and _numbers(fields[1:]) is not None


def _numbers(fields: list[bytes]) -> Floats | None:
    try:
        return np.array([float(field) for field in fields])
    except ValueError:
        return None


def _binary(file: _File, chunks: Iterable[bytes], wanted: Set[bytes], offset: int) -> dict[bytes, Floats]:
    """Read word2vec's binary format, beginning `offset` bytes into the file."""
    found: dict[bytes, Floats] = {}
    assert file.words is not None
    width, left, rest = 4 * file.size, file.words, b""
    for chunk in chunks:
        block, at = rest + chunk, 0
        while left:
            space = block.find(b" ", at, at + _LONGEST_WORD)
            if space < 0 and len(block) - at >= _LONGEST_WORD:
                raise file.wrong(f"byte {offset + at}: there is no end to the word that begins here")
            end = space + 1 + width
            if space < 0 or end > len(block):
                break
            word = block[at:space].lstrip(b"\n")
            if word in wanted and word not in found:
                vector = np.frombuffer(block, "<f4", file.size, space + 1)
                found[word] = file.finite(vector, word, f"byte {offset + space + 1}")
            at, left = end, left - 1
        rest, offset = block[at:], offset + at
        if not left and rest.strip():
            raise file.wrong(f"byte {offset}: the file goes on after the {file.words} words its first line claims")
    if left:
        raise file.wrong(f"the file ends after {file.words - left} of the {file.words} words its first line claims")
    return found


def _text(file: _File, chunks: Iterable[bytes], wanted: Set[bytes], offset: int) -> dict[bytes, Floats]:
    """Read a line per word; only lines that begin as a wanted word does are read further."""
    found: dict[bytes, Floats] = {}
    first = last = 1 if offset else 0
    starts = {word.partition(b" ")[0] for word in wanted}
    for last, line in enumerate(_lines(file, chunks), start=first + 1):
        if line.partition(b" ")[0] in starts:
            word, vector = _line(file, line, last)
            if word in wanted and word not in found:
                found[word] = file.finite(vector, word, f"line {last}")
    if file.words is not None and last - first != file.words:
        raise file.wrong(f"line 1 claims {file.words} words, but {last - first} lines follow")
    return found


def _lines(file: _File, chunks: Iterable[bytes]) -> Iterator[bytes]:
    rest = b""
    for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        yield from lines
        if len(rest) > _LONGEST_LINE:
            raise file.wrong("a line is too long for a word and its vector")
    if rest.strip():
        yield rest


def _line(file: _File, line: bytes, number: int) -> tuple[bytes, Floats]:
    """The word and its vector; a word may hold spaces, but a number too many is not taken for a part of it."""
    word, *fields = line.rstrip().rsplit(b" ", file.size)
    vector = _numbers(fields)
    if len(fields) < file.size or vector is None or _numbers(word.split(b" ")[1:] or [b"word"]) is not None:
        got = len(line.split()) - 1
        raise file.wrong(f"line {number}: wanted {file.size} numbers after {_shown(line.split()[0])}, got {got} fields")
    return word, vector


def _shown(word: bytes) -> str:
    return repr(word.decode(errors="replace"))
