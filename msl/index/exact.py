"""Exact search: the oracle every approximate index is measured against."""

import numpy as np

from msl.types import Floats, Ints

_BYTES = 64 * 2**20
"""Of float64, at a time: converted gallery rows, and cosines."""


def unit_rows(codes: Floats) -> Floats:
    """Rows (n, d) scaled to length 1 in float64; a zero row stays zero."""
    wide = np.asarray(codes, dtype=np.float64)
    lengths = np.linalg.norm(wide, axis=1, keepdims=True)
    scaled: Floats = np.divide(wide, lengths, out=np.zeros_like(wide), where=lengths > 0)
    return scaled


def nearest(queries: Floats, gallery: Floats, k: int) -> tuple[Ints, Floats]:
    """The k gallery rows of highest cosine for each query, best first: positions (n, k) and cosines (n, k).

    k beyond the gallery is cut to it; equal cosines keep the gallery's order. The gallery is read a stretch at a time:
    a large one, or an `np.memmap`, is never copied.
    """
    shape = len(queries), min(k, len(gallery))
    positions, cosines = np.empty(shape, dtype=np.intp), np.empty(shape)
    step = max(1, _BYTES // (8 * len(gallery)))
    for start in range(0, len(queries), step):
        block = slice(start, start + step)
        for row, scores in enumerate(_cosines(unit_rows(queries[block]), gallery), start):
            positions[row], cosines[row] = _best(scores, gallery, shape[1])
    return positions, cosines


def _cosines(units: Floats, gallery: Floats) -> Floats:
    cosines = np.empty((len(units), len(gallery)))
    step = max(1, _BYTES // (8 * gallery.shape[1]))
    for start in range(0, len(gallery), step):
        part = slice(start, start + step)
        np.matmul(units, unit_rows(gallery[part]).T, out=cosines[:, part])
    return cosines


def _best(scores: Floats, gallery: Floats, k: int) -> tuple[Ints, Floats]:
    """The k best of the scores (gallery,) of one query, where copies of a row are given equal ones.

    A matrix product may round two equal columns differently, so all within rounding of the k-th are looked at.
    """
    costs, slack = -scores, 4 * gallery.shape[1] * np.finfo(np.float64).eps
    near = np.flatnonzero(~(costs > np.partition(costs, k - 1)[k - 1] + slack))
    _, first, copy_of = np.unique(unit_rows(gallery[near]), axis=0, return_index=True, return_inverse=True)
    tied = scores[near[first[copy_of]]]
    order = np.argsort(-tied, kind="stable")[:k]
    return near[order], tied[order]
