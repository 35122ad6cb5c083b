"""Arrays as people have them (numpy, torch, lists), checked once at the door."""

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from msl.types import InputError


def to_numpy(values: ArrayLike, what: str) -> NDArray[Any]:
    """Return `values` as a numpy array; a torch tensor of any device, gradient or dtype is known by its methods."""
    tensor: Any = values
    if hasattr(tensor, "detach") and hasattr(tensor, "cpu"):
        tensor = tensor.detach().cpu()
        # bfloat16 has no numpy twin
        tensor = tensor.float() if "bfloat16" in str(tensor.dtype) else tensor
    try:
        return np.asarray(tensor)
    except ValueError as error:
        raise InputError(
            f"{what}: wanted a rectangular array, got rows of different lengths; pad or drop them"
        ) from error


def to_matrix(values: ArrayLike, what: str, axes: str = "(items, dimensions)") -> NDArray[Any]:
    """Return `values` as a finite, non-empty, real matrix of its own dtype; raise `InputError` if it is not one."""
    matrix = to_numpy(values, what)
    if matrix.ndim != 2:
        raise InputError(f"{what}: wanted a matrix {axes}, got shape {matrix.shape}; reshape it")
    if 0 in matrix.shape:
        raise InputError(
            f"{what}: wanted at least one row and one column, got shape {matrix.shape}; check the selection"
        )
    if matrix.dtype.kind not in "fiub":
        raise InputError(f"{what}: wanted real numbers, got dtype {matrix.dtype}; convert to float32 or float64")
    _check_finite(matrix, what)
    return matrix


def _check_finite(matrix: NDArray[Any], what: str) -> None:
    # One reduction settles nearly every case: any NaN or infinity makes the extremes unusable.
    if matrix.dtype.kind != "f" or (math.isfinite(float(matrix.max())) and math.isfinite(float(matrix.min()))):
        return
    row = int(np.flatnonzero(~np.isfinite(matrix).all(axis=1))[0])
    raise InputError(f"{what}: wanted finite numbers, got NaN or infinity, first in row {row}; repair or drop that row")


def check_cutoff(k: int | None) -> None:
    """Raise `InputError` unless `k` is None (the whole ranking) or a whole number of at least 1."""
    if k is None:
        return
    if isinstance(k, bool) or not isinstance(k, int | np.integer) or k < 1:
        raise InputError(f"k: wanted a whole number of at least 1, or None for the whole ranking, got {k!r}")


def check_choice(choice: str, known: tuple[str, ...], what: str) -> None:
    """Raise `InputError` unless `choice` is one of `known`."""
    if choice not in known:
        raise InputError(f"{what}: wanted one of {', '.join(known)}, got {choice!r}")
