"""One modality out of its arrays: the rows of all parts under each other, with their labels and ids."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from msl.data.dataset import TEST, TRAIN, VALIDATION
from msl.data.finding.discover import Found
from msl.data.finding.sides import Side
from msl.data.pairs import checked_features
from msl.types import Floats, InputError, Ints

ORDER = (TRAIN, VALIDATION, TEST)
"""The order in which the rows of several parts are joined."""
_ON_DISK = 2**29
"""Bytes from which a mapped matrix stays on disk, as in `msl.data.pairs`."""


class Stacked:
    """Matrices of one width under each other without copying any: rows are fetched from the one that has them."""

    def __init__(self, matrices: Sequence[Floats]) -> None:
        self._matrices = tuple(matrices)
        self._starts = np.cumsum([0, *map(len, matrices)])
        self.shape = (int(self._starts[-1]), matrices[0].shape[1])
        self.dtype = np.result_type(*matrices)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: Any) -> Floats:
        wanted = np.arange(len(self))[rows]
        flat = np.atleast_1d(wanted)
        out = np.empty((len(flat), self.shape[1]), self.dtype)
        for start, matrix in zip(self._starts, self._matrices, strict=False):
            inside = (flat >= start) & (flat < start + len(matrix))
            out[inside] = matrix[flat[inside] - start]
        return out if np.ndim(wanted) else out[0]


@dataclass(frozen=True, eq=False)
class Modality:
    """The rows of one modality: `matrix` (n, size), and where they are known `part` (n,), `labels` and `ids`."""

    name: str
    matrix: Any
    part: Ints | None
    labels: NDArray[Any] | None
    ids: NDArray[Any] | None
    mapped: bool

    def __len__(self) -> int:
        return len(self.matrix)


def joined(side: Side, root: Path) -> Modality:
    """Join the parts of a modality; an `InputError` where two arrays claim the same rows or their widths differ."""
    features = in_order(side.features, root, key="a or data.b")
    wide = next((found for found in features if found.array.shape[1:] != features[0].array.shape[1:]), None)
    if wide is not None:
        raise InputError(
            f"{root / wide.place} has {wide.array.shape[1]} columns, but {features[0].place} has {features[0].array.shape[1]}; "
            "make the features of all parts in the same way"
        )
    matrices = [checked_features(_numbers(found), what=str(root / found.place)) for found in features]
    large = sum(matrix.nbytes for matrix in matrices) >= _ON_DISK and any(isinstance(m, np.memmap) for m in matrices)
    single = len(matrices) == 1
    return Modality(
        side.name,
        matrices[0] if single else Stacked(matrices) if large else np.concatenate(matrices),
        None if features[0].meaning.part is None else _parts(features),
        column(side.labels, features, root, key="labels"),
        column(side.ids, features, root, key="ids"),
        mapped=large or (single and isinstance(matrices[0], np.memmap)),
    )


def column(arrays: list[Found], features: list[Found], root: Path, *, key: str) -> NDArray[Any] | None:
    """Labels, ids or parts of the rows of `features`, in their order; None where there are none."""
    if not arrays:
        return None
    ordered = in_order(arrays, root, key=key)
    values = [_upright(found.array) for found in ordered]
    if len({(value.shape[1:], value.dtype.kind == "U") for value in values}) > 1:
        raise InputError(
            f"{root}: {' and '.join(found.place for found in ordered)} are of different forms; write them alike"
        )
    parts = [found.meaning.part for found in ordered]
    halves = len(ordered) > 1 or (parts[0] is not None and len(features) > 1)
    if halves and parts != [found.meaning.part for found in in_order(features, root, key="a or data.b")]:
        raise InputError(
            f"{root}: {', '.join(found.place for found in ordered)} are for other parts than "
            f"{', '.join(found.place for found in features)}; give one per part, or data.{key}=..."
        )
    return np.concatenate(values) if len(values) > 1 else values[0]


def in_order(arrays: list[Found], root: Path, *, key: str) -> list[Found]:
    """Arrays of several parts in the order train, validation, test; an array of no part must be the only one."""
    parts = [found.meaning.part for found in arrays]
    if len(set(parts)) < len(parts) or (None in parts and len(parts) > 1):
        raise InputError(
            f"{root}: {', '.join(f'{found.place} {found.array.shape}' for found in arrays)} claim the same rows; "
            f"choose with data.{key}=..."
        )
    return sorted(arrays, key=lambda found: ORDER.index(found.meaning.part) if found.meaning.part is not None else 0)


def _upright(values: NDArray[Any]) -> NDArray[Any]:
    """A row of values becomes a list."""
    return np.ravel(values) if values.ndim == 2 and 1 in values.shape else values


def _numbers(found: Found) -> NDArray[Any]:
    return found.array.astype(np.uint8) if found.array.dtype.kind == "b" else found.array


def _parts(features: list[Found]) -> Ints:
    parts = [TRAIN if found.meaning.part is None else found.meaning.part for found in features]
    return np.repeat(np.array(parts, dtype=np.int64), [len(found.array) for found in features])
