"""Small tables of vectors: .npy, .npz and .csv files, with names or in class order."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from msl.types import Floats, InputError


@dataclass(frozen=True)
class Named:
    """Float32 `vectors` (n, size), all finite, and their `names`, or None where the order alone says whose they are."""

    names: tuple[str, ...] | None
    vectors: Floats


def read_named(path: Path) -> Named:
    """Read a table of vectors, by its suffix.

    * ``.csv``: a line per name: the name, then its numbers; a first line without numbers is a heading.
    * ``.npz``: the arrays ``names`` (n,) and ``vectors`` (n, size); or a single array, in class order.
    * ``.npy``: one array (n, size), in class order.

    Raises:
        InputError: the file is missing or damaged, has another shape, or holds what is no finite number.
    """
    if not path.is_file():
        raise InputError(f"there is no file {path}; give the path of a .csv, .npz or .npy with class vectors")
    names, vectors = _csv(path) if path.suffix.lower() == ".csv" else _arrays(path)
    if vectors.ndim != 2 or vectors.dtype.kind not in "fiub" or not vectors.size:
        raise InputError(f"{path}: wanted a row of numbers per name, but got shape {vectors.shape} of {vectors.dtype}")
    if names is not None and len(names) != len(vectors):
        raise InputError(f"{path}: there are {len(names)} names but {len(vectors)} vectors; write one vector per name")
    with np.errstate(over="ignore"):
        vectors = vectors.astype(np.float32)
    bad = np.flatnonzero(~np.isfinite(vectors).all(axis=1))
    if len(bad):
        which = f"row {bad[0]}" if names is None else repr(names[bad[0]])
        raise InputError(f"{path}: the vector of {which} is not finite ({len(bad)} such rows); recompute it")
    return Named(names, vectors)


def _arrays(path: Path) -> tuple[tuple[str, ...] | None, np.ndarray[Any, Any]]:
    try:
        with path.open("rb") as stream:  # numpy would leave a damaged file open
            loaded = np.load(stream, allow_pickle=False)
            arrays = {"": loaded} if isinstance(loaded, np.ndarray) else {key: loaded[key] for key in loaded.files}
    except Exception as error:  # of a damaged file zipfile, zlib, struct, tokenize and numpy each have their own
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise InputError(
            f"{path} is no readable .npy or .npz without pickled objects ({reason}); write it with numpy.savez"
        ) from None
    if {"names", "vectors"} <= arrays.keys() and arrays["names"].ndim == 1:
        return tuple(map(str, arrays["names"])), arrays["vectors"]
    if len(arrays) == 1:
        return None, np.asarray(next(iter(arrays.values())))
    raise InputError(f"{path} holds the arrays {', '.join(arrays)}; wanted names and vectors, or a single array")


def _csv(path: Path) -> tuple[tuple[str, ...], np.ndarray[Any, Any]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            rows = list(_csv_rows(path, stream))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"cannot read {path}: {error}; write it as UTF-8 with commas") from None
    if not rows:
        raise InputError(f"{path} has no line with a name and numbers; write one per class")
    return tuple(name for name, _ in rows), np.array([numbers for _, numbers in rows])


def _csv_rows(path: Path, stream: Any) -> Iterator[tuple[str, list[float]]]:
    reader, width = csv.reader(stream), 0
    for row in reader:
        numbers = _numbers(row[1:])
        heading = reader.line_num == 1 and not any(_numbers([cell]) for cell in row[1:])
        if heading or not row:
            continue
        if not numbers or len(numbers) != (width or len(numbers)):
            wanted = f"{width} numbers" if width else "numbers"
            raise InputError(f"{path}: line {reader.line_num}: wanted {wanted} after the name; correct the line")
        width = len(numbers)
        yield row[0].strip(), numbers


def _numbers(cells: list[str]) -> list[float] | None:
    try:
        return [float(cell) for cell in cells]
    except ValueError:
        return None
