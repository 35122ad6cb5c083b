"""Features on their way: two streams of rows and a journal of the items done, which a kill at any moment leaves usable.

Rows are on disk before the journal counts them, and whatever it does not count is cut off when work goes on. Work goes
on at the beginning of a batch, so that an encoder sees the very batches of a run that nobody stopped.
"""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from msl.types import Floats, InputError

_JOURNAL = "done.jsonl"
_KINDS = ("image", "text")


@dataclass(frozen=True, slots=True)
class Done:
    """What came of an item: the digest of its picture, the numbers of its encoded captions, and why others were skipped.

    An item without encoded captions has no row at all; its picture's row stands once, whatever its captions.
    """

    picture: str
    captions: tuple[int, ...]
    skipped: tuple[str, ...]


class Partial:
    """Rows of features and what they are of, in `folder`; `sizes` are the numbers in a row of image and of text."""

    def __init__(self, folder: Path, *, sizes: Mapping[str, int], batch: int, total: int) -> None:
        self.folder, self.sizes, self.done = folder, sizes, list[Done]()
        self._recover(batch, total)

    def append(self, rows: Mapping[str, Floats], done: Sequence[Done]) -> None:
        """Add a batch; it is safe when this returns."""
        for kind in _KINDS:
            self._write(self._rows(kind), np.ascontiguousarray(rows[kind], "<f4").tobytes())
        self._write(self.folder / _JOURNAL, "".join(f"{_line(each)}\n" for each in done).encode())
        self.done += done

    def matrix(self, kind: str) -> Floats:
        """All rows of image or text, mapped from disk."""
        count = self._count(kind)
        return np.memmap(self._rows(kind), np.dtype("<f4"), "r", shape=(count, self.sizes[kind]))

    def _rows(self, kind: str) -> Path:
        return self.folder / f"{kind}.f32"

    def _count(self, kind: str) -> int:
        return sum(bool(each.captions) if kind == "image" else len(each.captions) for each in self.done)

    def _write(self, file: Path, content: bytes) -> None:
        with file.open("ab") as stream:
            stream.write(content)
            _settle(stream)

    def _recover(self, batch: int, total: int) -> None:
        journal = self.folder / _JOURNAL
        lines = journal.read_bytes().split(b"\n")[:-1] if journal.is_file() else []  # the last has no end: cut short
        count = len(lines) if len(lines) == total else len(lines) // batch * batch
        try:
            self.done += map(_read, lines[:count])
        except (ValueError, KeyError, TypeError):
            raise _damaged(journal) from None
        _cut(journal, sum(len(line) + 1 for line in lines[:count]))
        for kind in _KINDS:
            _cut(self._rows(kind), self._count(kind) * self.sizes[kind] * 4)


def _line(done: Done) -> str:
    return json.dumps({"picture": done.picture, "captions": done.captions, "skipped": done.skipped})


def _read(line: bytes) -> Done:
    found = json.loads(line)
    return Done(found["picture"], tuple(found["captions"]), tuple(found["skipped"]))


def _cut(file: Path, size: int) -> None:
    with file.open("ab") as stream:
        if stream.tell() < size:
            raise _damaged(file)
        stream.truncate(size)
        _settle(stream)


def _settle(stream: BinaryIO) -> None:
    stream.flush()
    os.fsync(stream.fileno())


def _damaged(file: Path) -> InputError:
    return InputError(f"{file} is damaged, so the work cannot go on from it; begin anew with restart=true")
