""".mat of versions 4, 5 and 7 by scipy, and of version 7.3, which is HDF5."""

import math
from collections import Counter
from typing import Any, BinaryIO

import numpy as np
import scipy.io
import scipy.sparse
from numpy.typing import NDArray
from scipy.io.matlab import MatlabFunction, MatlabOpaque

from msl.data.parsing.handover import Handover, text
from msl.data.parsing.segments import KINDS
from msl.types import InputError

_HDF5 = b"\x89HDF\r\n\x1a\n"
_USER_BLOCK = 512  # MATLAB's own header, which comes before the HDF5
_BYTES = {"single": 4, "int32": 4, "uint32": 4, "int16": 2, "uint16": 2, "int8": 1, "uint8": 1, "logical": 1, "char": 4}
_DEPTH = 16


def parse(stream: BinaryIO, stem: str, handover: Handover) -> None:
    """Every variable by its name, a struct's fields as ``struct.field``; sizes are checked before any is read.

    Numbers keep their type and shape, character arrays and cells of strings become text, sparse matrices dense.
    Other cells, arrays of structs, objects and functions are left out.
    """
    start = stream.read(_USER_BLOCK + len(_HDF5))
    stream.seek(0)
    if _HDF5 in (start[: len(_HDF5)], start[_USER_BLOCK:]):
        from msl.data.parsing import hdf5

        return hdf5.parse(stream, stem, handover)
    variables = scipy.io.whosmat(stream)
    double = next((name for name, times in Counter(name for name, _, _ in variables).items() if times > 1), None)
    if double is not None:
        raise InputError(f"two variables are called {double!r}; give each a name of its own")
    for name, shape, kind in variables:
        handover.declare(name, math.prod(map(int, shape)) * _BYTES.get(kind, 8))
    stream.seek(0)
    values = scipy.io.loadmat(stream)
    for name, _, _ in variables:
        _add(name, values[name], handover, depth=0)
    return None


def _add(name: str, value: Any, handover: Handover, *, depth: int) -> None:
    if isinstance(value, (MatlabFunction, MatlabOpaque)) or depth > _DEPTH:
        return
    if scipy.sparse.issparse(value):
        handover.add(name, _dense(name, value, handover))
    elif value.dtype.names is not None and value.size == 1:
        for field in value.dtype.names:
            _add(f"{name}.{field}", value.flat[0][field], handover, depth=depth + 1)
    elif value.dtype.hasobject:
        words = [_word(item) for item in value.flat]
        strings = [word for word in words if word is not None]
        if words and len(strings) == len(words):
            handover.add(name, _shaped(text(strings, name), value.shape))
    elif value.dtype.kind == "U":
        handover.add(name, text((word.rstrip(" ") for word in value.flat), name))  # MATLAB pads to equal lengths
    elif value.dtype.kind in KINDS:
        handover.add(name, value)


def _dense(name: str, value: Any, handover: Handover) -> NDArray[Any]:
    handover.declare(name, math.prod(value.shape) * value.dtype.itemsize)
    value.check_format(full_check=True)
    dense: NDArray[Any] = value.toarray()
    return dense


def _word(item: Any) -> str | None:
    """The string in a cell, None for anything else."""
    if not isinstance(item, np.ndarray) or item.dtype.kind != "U" or item.size > 1:
        return None
    return str(item.flat[0]) if item.size else ""


def _shaped(words: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    """A row or a column of cells is a list; anything else keeps its shape."""
    return words if max(shape) == words.size else words.reshape(shape)
