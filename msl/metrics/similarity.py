"""Codes -> costs: numbers that sort like minus the similarity, computed in float64 for a stretch of queries at a time.

With float32 similarities, rounding ties and swaps move mAP by more than 1e-6 as soon as codes cluster; telling when
they do takes the float64 product that they were to spare. The sort may use fewer bits (`msl.metrics.keys`), for there
it shows where they do not suffice.
Only the order within one query matters, so whatever is constant for a query (its norm) is left out.
"""

from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, Literal, Protocol, TypeAlias, get_args

import numpy as np
from numpy.typing import ArrayLike

from msl.metrics.arrays import check_choice, to_matrix
from msl.metrics.codes import Codes, are_exact, centre_of, copies_in, to_codes
from msl.metrics.ranked import Values
from msl.types import InputError

Similarity: TypeAlias = Literal["cosine", "dot", "euclidean"]
Each: TypeAlias = Callable[..., Iterable[Any]]
"""The built-in `map`, or one that shares its calls among threads."""


class Costs(Protocol):
    """What a ranking needs to know about codes or scores."""

    def __call__(self, start: int, stop: int, out: Values, each: Each = map, /) -> None:
        """Fill `out` with the costs of those queries (stop - start, gallery): the smaller, the better."""


def code_costs(queries: ArrayLike, gallery: ArrayLike, similarity: Similarity) -> tuple[Costs, int, int]:
    """Return the costs of ranking `gallery` (m, d) for `queries` (n, d), and n and m.

    "cosine" (a zero vector has cosine 0 with everything), "dot", or "euclidean" (nearest first). Equal similarities
    come out exactly equal for integer and binary-fraction codes (hash codes: give them unnormalised) and for
    identical gallery rows; otherwise as float64 rounds them. Raises `InputError`.
    """
    check_choice(similarity, get_args(Similarity), "similarity")
    left, right = to_codes(queries, "queries"), to_codes(gallery, "gallery")
    if left.dimensions != right.dimensions:
        raise InputError(
            f"codes: wanted queries and gallery of one dimension, got {left.dimensions} and {right.dimensions}; "
            "encode both into the same space"
        )
    exact = are_exact(left, right)
    if similarity == "euclidean" and not exact:
        centre = centre_of(right)
        left, right = left.about(centre), right.about(centre)
        exact = are_exact(left, right)
    costs = _costs(left, right, _finish(right, similarity))
    return costs if exact else _tied(costs, right), len(left), len(right)


def score_costs(scores: ArrayLike) -> tuple[Costs, int, int]:
    """Return the costs of a score matrix (queries, gallery), and its two sizes."""
    matrix = to_matrix(scores, "scores", "(queries, gallery)")
    if matrix.dtype.kind in "iu" and (int(matrix.max()) > 2**53 or int(matrix.min()) < -(2**53)):
        raise InputError("scores: wanted whole numbers within ±2**53, got larger ones; give float64 or ranks")
    if matrix.dtype.kind == "f" and matrix.dtype.itemsize > 8:
        raise InputError(f"scores: wanted at most float64, got {matrix.dtype}; give float64 or ranks")

    def fill(start: int, stop: int, out: Values, each: Each = map, /) -> None:
        np.negative(matrix[start:stop], out=out, dtype=np.float64)

    return fill, matrix.shape[0], matrix.shape[1]


def _costs(left: Codes, right: Codes, finish: Callable[[Values, slice], object]) -> Costs:
    """Multiply, stretch by stretch of the gallery: converting one takes little beside its product with many queries."""

    def fill(start: int, stop: int, out: Values, each: Each = map, /) -> None:
        rows = -left.rows(slice(start, stop))

        def one(part: slice) -> None:
            finish(np.matmul(rows, right.rows(part).T, out=out[:, part]), part)

        _do(each(one, right.stretches()))

    return fill


def _finish(right: Codes, similarity: Similarity) -> Callable[[Values, slice], object]:
    """Return what turns minus the products (queries, part of the gallery) into costs, in place."""
    if similarity == "cosine":
        norms = right.each_row(lambda rows: np.linalg.norm(rows, axis=1))
        norms[norms == 0] = 1.0
        # dividing after the product keeps the product of exact codes exact, so equal cosines stay equal
        return lambda products, part: np.divide(products, norms[part], out=products)
    if similarity == "euclidean":
        # |q - g|^2 / 2 without |q|^2 / 2
        halves = right.each_row(lambda rows: np.einsum("ij,ij->i", rows, rows) / 2)
        return lambda products, part: np.add(products, halves[part], out=products)
    return lambda products, part: products


def _tied(costs: Costs, right: Codes) -> Costs:
    """Give equal gallery rows the cost of the first: a matrix product may round two equal columns differently."""
    copies, original = copies_in(right)
    if not len(copies):
        return costs

    def fill(start: int, stop: int, out: Values, each: Each = map, /) -> None:
        costs(start, stop, out, each)

        def tie(row: Values) -> None:
            row[copies] = row[original]

        _do(each(tie, out))

    return fill


def _do(calls: Iterable[Any]) -> None:
    """See calls through: a `map` is lazy."""
    deque(calls, maxlen=0)
