"""Handing arrays over: a parser writes them as .npy segments into an anonymous file, which the parent maps.

The file has no name, so that nothing is left behind whoever is killed, and large arrays cost no private memory.
"""

import math
import shutil
from collections.abc import Iterable
from typing import IO, Any, BinaryIO

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from msl.data.parsing.segments import KINDS
from msl.types import InputError

LIMIT = 64 << 30
"""No file may hold more bytes of arrays than this, 64 GiB; a larger set is written as .npy, which is mapped in place."""
FREE, RATIO = 256 << 20, 250
"""A file may always hold 256 MiB, which the labels of the largest sets fill, and deflate 200 to 700 times.
Beyond that 250 times its own length: features deflate a few times, bombs 1,000 times."""
ARRAYS, NAME = 10_000, 1_000
"""The most arrays in a file, and the longest name in characters."""
_ALIGNED = 64
_STRETCH = 16 << 20


def allowance(size: int) -> int:
    """Bytes of arrays that a file of `size` bytes may hold."""
    return min(LIMIT, max(FREE, RATIO * size))


class Handover:
    """The arrays of one file, on their way into `stream`; `size` is the length of the parsed file in bytes.

    Attributes:
        segments: name, first byte and last byte + 1 of each array, in the order they came.
    """

    def __init__(self, stream: BinaryIO, *, size: int) -> None:
        self.segments: dict[str, tuple[int, int]] = {}
        self._stream = stream
        self._size = size
        self._declared = 0

    def declare(self, name: str, size: int) -> None:
        """Say that array `name` will need `size` bytes, before any is read; refused when the file then holds too much."""
        self._declared += size
        if self._declared > allowance(self._size):
            raise InputError(
                f"{name!r} brings it to {self._declared / 2**20:,.0f} MiB of arrays in a file of {self._size:,} bytes, "
                f"more than the {allowance(self._size) / 2**20:,.0f} MiB that are believed; write large arrays as .npy"
            )

    def add(self, name: str, values: NDArray[Any]) -> None:
        """Hand over an array of numbers or text, in C order and this machine's byte order."""
        if values.dtype.kind not in KINDS:
            raise InputError(f"{name!r} is an array of {values.dtype}, which is not read; wanted numbers or text")
        array = values.astype(values.dtype.newbyteorder("="), copy=False)
        start = self._begin(name)
        described = {"descr": npy.dtype_to_descr(array.dtype), "fortran_order": False, "shape": array.shape}
        npy.write_array_header_1_0(self._stream, described)
        rows = array if array.ndim else array[None]
        step = max(1, _STRETCH // max(1, math.prod(rows.shape[1:]) * array.itemsize))
        for row in range(0, len(rows), step):
            self._stream.write(rows[row : row + step].tobytes())
        self.segments[name] = (start, self._stream.tell())

    def copy(self, name: str, member: IO[bytes]) -> None:
        """Hand over what is in .npy form already; the parent checks that it is."""
        start = self._begin(name)
        shutil.copyfileobj(member, self._stream, _STRETCH)
        self.segments[name] = (start, self._stream.tell())

    def _begin(self, name: str) -> int:
        if name in self.segments:
            raise InputError(f"two arrays are called {name!r}; give each a name of its own")
        if not name or len(name) > NAME or not name.isprintable():
            raise InputError(f"{name[:40]!r} is no name for an array; wanted 1 to {NAME} printable characters")
        if len(self.segments) == ARRAYS:
            raise InputError(f"it holds more than {ARRAYS:,} arrays; put the rows of one modality into one array")
        self._stream.write(bytes(-self._stream.tell() % _ALIGNED))
        return self._stream.tell()


def text(values: Iterable[str], name: str) -> NDArray[np.str_]:
    """Words as an array (n,) of str, refused when one long word among many would blow the array up."""
    words = list(values)
    longest = max(map(len, words), default=0)
    if 4 * longest * len(words) > FREE:  # four bytes a character, every word as long as the longest
        row = next(row for row, word in enumerate(words) if len(word) == longest)
        raise InputError(
            f"{name!r}: item {row} has {longest:,} characters, too many among {len(words):,} items; shorten it"
        )
    return np.array(words, dtype=f"<U{max(1, longest)}")
