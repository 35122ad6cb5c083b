"""Segments: arrays in .npy form that lie in a file, and are mapped from there instead of loaded."""

import math
import warnings
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from msl.data.parsing.reason import reason
from msl.types import InputError

KINDS = "biufcSU"
"""Kinds of numpy types that are numbers or text; everything else (objects, records, times) is refused."""
_HEADERS = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
_SURROGATES = (0xD800, 0xE000)
_BEYOND_UNICODE = 0x110000


def mapped(file: IO[bytes], *, start: int, stop: int) -> NDArray[Any]:
    """The array whose .npy form fills `file` from byte `start` to byte `stop`, mapped read-only; text is decoded.

    Raises `InputError`, without the name of the file, when it is no plain array or has another length than it says.
    """
    file.seek(start)
    shape, fortran, dtype = _header(file)
    if dtype.kind not in KINDS:
        raise InputError(f"an array of {_kind(dtype)}, which is not read; wanted numbers or text, write it as such")
    begin = file.tell()
    wanted = math.prod(shape) * dtype.itemsize
    if min(shape, default=0) < 0 or begin + wanted != stop:
        raise InputError(
            f"a damaged array: its header says {shape} of {dtype}, {wanted} bytes, but {stop - begin} follow; "
            "copy or write the file again"
        )
    try:
        order: Any = "F" if fortran else "C"
        if wanted:  # nothing of no bytes can be mapped
            return _decoded(np.memmap(file, dtype, "r", begin, shape, order))
        return np.zeros(shape, dtype, order)
    except (ValueError, OverflowError, MemoryError) as error:
        raise InputError(f"an array that cannot be mapped ({reason(error)}); write the file again") from None


def _header(file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    try:
        version = npy.read_magic(file)
        if version not in _HEADERS:  # version 3 is for records with names beyond latin1
            raise ValueError(f"format version {version}")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Python 2 wrote 10L: numpy reads it, with a warning
            return _HEADERS[version](file)
    except Exception as error:  # of a damaged header tokenize, ast and numpy each have their own
        raise InputError(f"no readable numpy array ({reason(error)}); write it again with numpy.save") from None


def _kind(dtype: np.dtype[Any]) -> str:
    return "pickled objects" if dtype.hasobject else "records" if dtype.fields else f"type {dtype}"


def _decoded(array: NDArray[Any]) -> NDArray[Any]:
    """Bytes become text; text must be Unicode, which numpy does not check."""
    if array.dtype.kind == "S":
        try:
            return np.char.decode(array, "utf-8")
        except UnicodeDecodeError as error:
            raise InputError(f"text that is not UTF-8 ({error.reason}); write it as UTF-8") from None
    if array.dtype.kind == "U":
        codes = np.frombuffer(array.tobytes(), dtype=array.dtype.byteorder + "u4")
        if np.any((codes >= _BEYOND_UNICODE) | ((codes >= _SURROGATES[0]) & (codes < _SURROGATES[1]))):
            raise InputError("text with characters outside Unicode; the file is damaged, write it again")
    return array
