"""Codes -> costs: numbers that sort like minus the similarity, computed in float64 for a stretch of queries at a time.

With float32 similarities, rounding ties and swaps move mAP by more than 1e-6 as soon as codes cluster; telling when
they do takes the float64 product that they were to spare. The sort may use fewer bits (`msl.metrics.keys`), for there
it shows where they do not suffice.
Only the order within one query matters, so whatever is constant for a query (its norm) is left out.
"""

from collections.abc import Callable
from typing import Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from msl.metrics.arrays import check_choice, to_codes, to_matrix
from msl.types import InputError

Similarity: TypeAlias = Literal["cosine", "dot", "euclidean"]
Costs: TypeAlias = Callable[[int, int, NDArray[np.float64]], None]
"""Fill (start, stop, out) with the costs of those queries (stop - start, gallery): the smaller, the better."""

_GRID = 256.0
_GLANCE = 64
"""Rows that usually suffice to see that codes are not exact."""


def code_costs(queries: ArrayLike, gallery: ArrayLike, similarity: Similarity) -> tuple[Costs, int, int]:
    """Return the costs of ranking `gallery` (m, d) for `queries` (n, d), and n and m.

    "cosine" (a zero vector has cosine 0 with everything), "dot", or "euclidean" (nearest first). Equal similarities
    come out exactly equal for integer and binary-fraction codes (hash codes: give them unnormalised) and for
    identical gallery rows; otherwise as float64 rounds them. Raises `InputError`.
    """
    check_choice(similarity, get_args(Similarity), "similarity")
    left, right = to_codes(queries, "queries"), to_codes(gallery, "gallery")
    if left.shape[1] != right.shape[1]:
        raise InputError(
            f"codes: wanted queries and gallery of one dimension, got {left.shape[1]} and {right.shape[1]}; "
            "encode both into the same space"
        )
    if similarity == "euclidean" and not _is_exact(left, right):
        centre = _centre(right)
        left, right = left - centre, right - centre
    exact = _is_exact(left, right)
    costs = _costs(left, right, similarity, exact) if exact else _costs_of_distinct(left, right, similarity)
    return costs, len(left), len(right)


def score_costs(scores: ArrayLike) -> tuple[Costs, int, int]:
    """Return the costs of a score matrix (queries, gallery), and its two sizes."""
    matrix = to_matrix(scores, "scores", "(queries, gallery)")
    if matrix.dtype.kind in "iu" and (int(matrix.max()) > 2**53 or int(matrix.min()) < -(2**53)):
        raise InputError("scores: wanted whole numbers within ±2**53, got larger ones; give float64 or ranks")
    if matrix.dtype.kind == "f" and matrix.dtype.itemsize > 8:
        raise InputError(f"scores: wanted at most float64, got {matrix.dtype}; give float64 or ranks")

    def fill(start: int, stop: int, out: NDArray[np.float64]) -> None:
        np.negative(matrix[start:stop], out=out, dtype=np.float64)

    return fill, matrix.shape[0], matrix.shape[1]


def _is_exact(left: NDArray[np.float64], right: NDArray[np.float64]) -> bool:
    """Tell whether float64 holds every product and sum of these codes without rounding."""
    if not all(_on_grid(codes[:_GLANCE]) for codes in (left, right)):
        return False
    largest = max(np.abs(left).max(), np.abs(right).max()) * _GRID
    if largest * largest * 2 * left.shape[1] >= 2**53:
        return False
    return _on_grid(left) and _on_grid(right)


def _on_grid(codes: NDArray[np.float64]) -> bool:
    steps = codes * _GRID
    return np.array_equal(steps, np.rint(steps))


def _costs_of_distinct(left: NDArray[np.float64], right: NDArray[np.float64], similarity: Similarity) -> Costs:
    """Cost every distinct gallery row once: a matrix product may round two equal columns differently."""
    first, copy_of = _distinct(right)
    if len(first) == len(right):
        return _costs(left, right, similarity, exact=False)
    distinct = _costs(left, right[first], similarity, exact=False)

    def fill(start: int, stop: int, out: NDArray[np.float64]) -> None:
        found = np.empty((stop - start, len(first)))
        distinct(start, stop, found)
        np.take(found, copy_of, axis=1, out=out, mode="clip")

    return fill


def _distinct(rows: NDArray[np.float64]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the place of the first of each set of equal rows, and for each row the set it is in."""
    bits = (rows + 0.0).view(np.uint64)  # adding 0.0 turns -0.0, which has other bits, into 0.0
    # A hash of whole numbers, exact where a float product would round. The upper bits are mixed into the lower, which
    # are all zero in codes that were float32.
    mixed = (bits ^ (bits >> np.uint64(32))) * np.uint64(0x9E3779B97F4A7C15)
    odd = np.random.default_rng(0).integers(2**63, size=rows.shape[1], dtype=np.uint64) * 2 + 1
    _, first, set_of = np.unique((mixed ^ (mixed >> np.uint64(29))) @ odd, return_index=True, return_inverse=True)
    if not np.array_equal(rows[first[set_of]], rows):  # two rows of one hash: treat every row as its own
        return np.arange(len(rows)), np.arange(len(rows))
    return first, set_of


def _costs(left: NDArray[np.float64], right: NDArray[np.float64], similarity: Similarity, exact: bool) -> Costs:
    if similarity == "cosine":
        return _cosine(left, right, exact)
    if similarity == "euclidean":
        return _euclidean(left, right)
    return _product(left, -right)


def _product(left: NDArray[np.float64], right: NDArray[np.float64]) -> Costs:
    columns = np.ascontiguousarray(right.T)

    def fill(start: int, stop: int, out: NDArray[np.float64]) -> None:
        np.matmul(left[start:stop], columns, out=out)

    return fill


def _cosine(left: NDArray[np.float64], right: NDArray[np.float64], exact: bool) -> Costs:
    norms = np.linalg.norm(right, axis=1)
    norms[norms == 0] = 1.0
    if not exact:
        return _product(left, -right / norms[:, None])

    def fill(start: int, stop: int, out: NDArray[np.float64]) -> None:
        # dividing after the product keeps the product exact, so equal cosines stay equal
        np.matmul(left[start:stop], -right.T, out=out)
        out /= norms

    return fill


def _centre(codes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean to 24 bits: about it a far-off cloud loses no digits, and float32 codes are shifted exactly."""
    fraction, exponent = np.frexp(codes.mean(axis=0))
    centre: NDArray[np.float64] = np.ldexp(np.rint(fraction * 2**24), exponent - 24)
    return centre


def _euclidean(left: NDArray[np.float64], right: NDArray[np.float64]) -> Costs:
    """|q - g|^2 / 2 without |q|^2 / 2."""
    halves = np.einsum("ij,ij->i", right, right) / 2
    product = _product(left, -right)

    def fill(start: int, stop: int, out: NDArray[np.float64]) -> None:
        product(start, stop, out)
        out += halves

    return fill
