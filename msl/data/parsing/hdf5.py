"""HDF5, and with it .mat of version 7.3: groups are walked, nothing outside the file is ever opened."""

import math
from collections.abc import Iterator
from typing import Any, BinaryIO

import h5py
import numpy as np
from numpy.typing import NDArray

from msl.data.parsing.handover import Handover, text
from msl.data.parsing.segments import KINDS
from msl.types import InputError

_CLASS, _EMPTY, _SPARSE = "MATLAB_class", "MATLAB_empty", "MATLAB_sparse"


def parse(stream: BinaryIO, stem: str, handover: Handover) -> None:
    """Every data set by the names of its groups joined by "/", or by "." within a MATLAB struct.

    What MATLAB wrote is transposed back to (rows, columns), its strings become text and its sparse matrices dense.
    Soft links are left out: what they name has a name of its own. Records, references and other types are too.
    """
    with h5py.File(f"/dev/fd/{stream.fileno()}", "r", locking=False) as file:
        for name, found in _walk(file):
            values = _sparse(name, found, handover) if isinstance(found, h5py.Group) else _values(name, found, handover)
            if values is not None:
                handover.add(name, values)


def _walk(root: h5py.Group) -> Iterator[tuple[str, h5py.Dataset | h5py.Group]]:
    """Names and data sets, and sparse matrices, which are groups. Each group is entered once: links may form circles."""
    entered, waiting = set(), [("", root)]
    while waiting:
        prefix, group = waiting.pop()
        place = h5py.h5o.get_info(group.id).addr
        if place in entered:
            continue
        entered.add(place)
        for key in group:
            name, found = prefix + key, _linked(group, key, prefix)
            if isinstance(found, h5py.Dataset) or (isinstance(found, h5py.Group) and _SPARSE in found.attrs):
                yield name, found
            elif isinstance(found, h5py.Group):
                waiting.append((name + ("." if _class(found) == "struct" else "/"), found))


def _linked(group: h5py.Group, key: str, prefix: str) -> Any:
    link = group.get(key, getlink=True)
    if isinstance(link, h5py.ExternalLink):
        raise InputError(
            f"{prefix + key!r} is a link to another file, which is not followed; copy the data into this one"
        )
    return group[key] if isinstance(link, h5py.HardLink) and not key.startswith("#") else None  # "#refs#" is MATLAB's


def _class(found: Any) -> str:
    kind = found.attrs.get(_CLASS, b"")
    return kind.decode("ascii", "replace") if isinstance(kind, bytes) else str(kind)


def _values(name: str, found: h5py.Dataset, handover: Handover) -> NDArray[Any] | None:
    kind = _class(found)
    if _EMPTY in found.attrs:
        return _empty(found, kind)
    if h5py.check_ref_dtype(found.dtype) is not None:
        return _cell(name, found, handover)
    if h5py.check_string_dtype(found.dtype) is not None:
        return _text(name, found, handover)
    if found.dtype.kind not in KINDS or found.shape is None:
        return None
    array = _read(name, found, handover)
    if kind == "char":
        return text(_characters(array), name)
    return array.T if kind else array


def _read(name: str, found: h5py.Dataset, handover: Handover) -> NDArray[Any]:
    """All of a data set that lies in this very file."""
    if found.is_virtual or found.external:
        raise InputError(f"{name!r} lies in other files, which are not opened; copy the data into this one")
    handover.declare(name, math.prod(found.shape) * found.dtype.itemsize)
    return np.asarray(found[()])


def _text(name: str, found: h5py.Dataset, handover: Handover) -> NDArray[Any] | None:
    if found.shape is None:
        return None
    values = _read(name, found, handover)
    words = (word.decode("utf-8") if isinstance(word, bytes) else str(word) for word in values.flat)
    return text(words, name).reshape(values.shape)


def _characters(codes: NDArray[Any]) -> list[str]:
    """MATLAB's character matrix, stored (columns, rows) as UTF-16: one string a row, without the padding."""
    rows = np.atleast_2d(codes.astype("<u2")).T
    return [np.ascontiguousarray(row).tobytes().decode("utf-16-le").rstrip(" ") for row in rows]


def _empty(found: h5py.Dataset, kind: str) -> NDArray[Any] | None:
    """MATLAB stores the shape of an array without elements in its place."""
    shape = tuple(map(int, found[:16])) if found.dtype.kind == "u" and len(found.shape) == 1 else (0, 0)
    types = {"double": "f8", "single": "f4", "logical": "?", "char": "U1"}
    if math.prod(shape) or not (kind in types or kind.lstrip("u").startswith("int")):
        return None
    return np.empty(shape, types.get(kind, kind))


def _cell(name: str, found: h5py.Dataset, handover: Handover) -> NDArray[Any] | None:
    """A cell array of strings; None where a cell holds anything else. References are followed once, so none can circle."""
    references = _read(name, found, handover).T
    words: list[str] = []
    for reference in references.flat:
        target = found.file[reference] if reference else None
        if not isinstance(target, h5py.Dataset) or _class(target) != "char" or target.dtype.kind != "u":
            return None
        array = _values(name, target, handover)
        if array is None or array.size > 1:
            return None
        words += [str(word) for word in array.flat] or [""]
    shape = references.shape
    return text(words, name) if max(shape, default=0) == len(words) else text(words, name).reshape(shape)


def _sparse(name: str, group: h5py.Group, handover: Handover) -> NDArray[Any]:
    """MATLAB's sparse matrix: column starts `jc`, row indices `ir` and values `data`, made dense."""
    rows = int(group.attrs[_SPARSE])
    parts = {
        key: _read(f"{name}.{key}", member, handover)
        for key in ("jc", "ir", "data")
        if isinstance(member := _linked(group, key, f"{name}."), h5py.Dataset)
    }
    starts = parts["jc"].astype(np.int64)
    columns = len(starts) - 1
    values = parts.get("data", np.empty(0))
    handover.declare(name, rows * columns * values.dtype.itemsize)
    dense = np.zeros((rows, columns), values.dtype)
    if len(values):
        dense[parts["ir"], np.repeat(np.arange(columns), np.diff(starts))] = values
    return dense
