"""What counts of a folder of codes: the file ``current``, and the appending that precedes its replacement."""

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from msl.files import locked, write_json
from msl.types import Floats, InputError

_FORMAT = 1


@dataclass(frozen=True)
class Current:
    """The content of ``current``: a generation and how much of its files counts."""

    generation: str
    rows: int
    width: int
    """Numbers in a row; 0 before the first is added."""
    id_bytes: int
    deleted: tuple[int, ...]
    identity: Mapping[str, Any]
    format: int = _FORMAT

    @classmethod
    def read(cls, folder: Path) -> "Current":
        """Read it; `InputError` for a folder that holds none or a damaged one."""
        try:
            found = cls(**json.loads((folder / "current").read_bytes()))
        except (FileNotFoundError, NotADirectoryError):
            raise InputError(f"{folder} holds no codes; make it with msl index") from None
        except (OSError, ValueError, TypeError) as error:
            raise InputError(f"{folder / 'current'} cannot be read ({error}); make the folder again") from None
        found._check(folder)
        return found

    def _check(self, folder: Path) -> None:
        sizes = (self.rows, self.width, self.id_bytes, self.format)
        whole = all(type(each) is int and each >= 0 for each in (*sizes, *self.deleted))
        if not (whole and re.fullmatch(r"[0-9]{6}", str(self.generation)) and isinstance(self.identity, dict)):
            raise InputError(f"{folder / 'current'} is damaged; make the folder again")
        if self.format != _FORMAT:
            raise InputError(f"{folder} is of format {self.format}, this msl reads {_FORMAT}; make the folder again")
        if max(self.deleted, default=-1) >= self.rows:
            raise InputError(
                f"{folder / 'current'} is damaged: it deletes rows that are not there; make the folder again"
            )

    def write(self, folder: Path) -> None:
        """Let this count from now on; what it counts has reached the disk before."""
        sync(folder / self.generation)
        sync(folder)
        write_json(folder / "current", vars(self))
        sync(folder)

    def without(self, rows: Iterable[int]) -> "Current":
        """The same with more rows deleted."""
        return replace(self, deleted=tuple(sorted({*self.deleted, *rows})))

    def appended(self, folder: Path, ids: Sequence[str], width: int, blocks: Iterable[Floats]) -> "Current":
        """Write ids and blocks of unit rows (n, width) behind what counts; the count with them."""
        place = folder / self.generation
        lines = "".join(json.dumps(each) + "\n" for each in ids).encode()
        _append(place / "ids", self.id_bytes, [lines])
        _append(place / "codes.f32", 4 * self.rows * width, (np.asarray(block, "<f4").tobytes() for block in blocks))
        return replace(self, rows=self.rows + len(ids), width=width, id_bytes=self.id_bytes + len(lines))


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """One writer at a time, in this process and among all."""
    with locked(folder / "current"):
        yield


def sync(folder: Path) -> None:
    """See to it that the names in a folder have reached the disk."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def mapped(path: Path, size: int) -> NDArray[np.uint8]:
    """The first `size` bytes of a file, mapped; `FileNotFoundError`, or `InputError` if there are fewer."""
    if not size:
        return np.empty(0, np.uint8)
    if path.stat().st_size < size:
        raise InputError(f"{path} is cut short: wanted {size} bytes; make the folder again")
    return np.memmap(path, np.uint8, mode="r", shape=(size,))


def _append(path: Path, start: int, blocks: Iterable[bytes]) -> None:
    path.touch()
    with path.open("r+b") as stream:
        stream.seek(start)
        stream.writelines(blocks)
        stream.flush()
        os.fsync(stream.fileno())
