"""Costs -> sort keys: whole numbers that sort as the costs of a query do, their lowest bit free for the relevance.

Two widths. 32 bits cut the range of a query's costs into 2**31 steps: they sort in half the time, and leave a pair in
doubt now and then. 64 bits are the float64 itself without its last bit. What a key cannot tell apart is found after
the sort (a relevant item equal to a neighbour but for the lowest bit) and settled from the costs: see `ranking`.
"""

import numpy as np
from numpy.typing import NDArray

from msl.metrics.ranked import Counts, Values

Steps = NDArray[np.int32]

_REACH = float(2**30 - 2)
"""Steps from the middle of a query's costs to either end: twice that, and one for the bit, fits 32 bits."""
_NARROWEST = 1e-280
"""Ranges below this are cut more coarsely, for the number of steps in one unit must itself be a float64."""
_VALUE = np.int64(-2)
"""Every bit of a packed cost but the lowest."""
_MAGNITUDE = np.int64(2**63 - 2)
"""Those, without the sign: zero for 0.0 and for -0.0, which are equal and yet have different bits."""


class Room:
    """Memory for the keys of a few queries, used again and again: fresh pages would cost more than the arithmetic."""

    def __init__(self, rows: int, gallery: int) -> None:
        self.keys: Steps = np.empty((rows, gallery), dtype=np.int32)
        self.shifted: Values = np.empty((rows, gallery))


def in_steps(costs: Values, room: Room) -> Steps:
    """Return 32-bit keys, all even (rows, gallery): a greater key means a greater cost, an equal one means nothing."""
    keys, shifted = room.keys[: len(costs)], room.shifted[: len(costs)]
    low, high = costs.min(axis=1, keepdims=True), costs.max(axis=1, keepdims=True)
    middle = np.where((low < 0) & (high > 0), 0.0, low / 2 + high / 2)
    scale = _REACH / np.maximum(np.maximum(high - middle, middle - low), _NARROWEST)
    # costs around zero stay as they are: that spares a pass, and costs at most one bit
    np.multiply(np.subtract(costs, middle, out=shifted) if middle.any() else costs, scale, out=keys, casting="unsafe")
    keys <<= 1
    return keys


def sorted_steps(costs: Values, columns: list[NDArray[np.intp]], room: Room) -> Steps:
    """Return each row's 32-bit keys ascending, the lowest bit of each set where the item is relevant."""
    keys = in_steps(costs, room)
    _mark(keys, columns)
    keys.sort(axis=1)
    return keys


def sorted_values(costs: Values, columns: list[NDArray[np.intp]]) -> Counts:
    """Return each row's costs ascending, bits as they are but for the lowest, set where the item is relevant."""
    packed = costs.view(np.int64) & _VALUE
    _mark(packed, columns)
    packed.view(np.float64).sort(axis=1)
    return packed


def _mark(keys: Steps | Counts, columns: list[NDArray[np.intp]]) -> None:
    for row, items in zip(keys, columns, strict=True):
        row[items] |= 1


def doubtful_steps(ordered: Steps) -> list[tuple[int, int]]:
    """Return (row, key) of the keys that a relevant item shares with another item."""
    flat, gallery = ordered.ravel(), ordered.shape[1]
    first = np.flatnonzero((flat[1:] ^ flat[:-1]).view(np.uint32) <= 1)
    second = first + 1
    first = first[((flat[first] | flat[second]) & 1 == 1) & (second % gallery != 0)]
    return sorted(set(zip((first // gallery).tolist(), (flat[first] & -2).tolist(), strict=True)))


def doubtful_values(ordered: Counts, place: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Tell which relevant items may be tied with a neighbour: the one before for positive costs, after for negative.

    `place` holds the flat places of the relevant items (items,).
    """
    flat = ordered.ravel()
    values = flat[place]
    before, after = (flat.take(place + step, mode="wrap") for step in (-1, 1))
    tied: NDArray[np.bool_] = np.logical_or((values ^ before) & _VALUE == 0, (values ^ after) & _VALUE == 0)
    tied |= values & _MAGNITUDE == 0
    return tied
