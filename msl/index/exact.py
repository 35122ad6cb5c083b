"""Exact search: the oracle every approximate index is measured against."""

import numpy as np

from msl.types import Floats, Ints


def unit_rows(codes: Floats) -> Floats:
    """Rows (n, d) scaled to length 1 in float64; a zero row stays zero."""
    wide = np.asarray(codes, dtype=np.float64)
    lengths = np.linalg.norm(wide, axis=1, keepdims=True)
    scaled: Floats = np.divide(wide, lengths, out=np.zeros_like(wide), where=lengths > 0)
    return scaled


def nearest(queries: Floats, gallery: Floats, k: int) -> tuple[Ints, Floats]:
    """The k gallery rows of highest cosine for each query, best first: positions (n, k) and cosines (n, k).

    k beyond the gallery is cut to it; equal cosines keep the gallery's order.
    """
    # every distinct row once: a matrix product may round two equal columns differently, and part copies of a row
    distinct, copy_of = np.unique(unit_rows(gallery), axis=0, return_inverse=True)
    scores = (unit_rows(queries) @ distinct.T)[:, copy_of]
    order = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    return order, np.take_along_axis(scores, order, axis=1)
