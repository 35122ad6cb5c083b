"""Which rows of two modalities are one item: those of equal ids, else those of equal position, else none."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from msl.data.dataset import TEST, TRAIN, VALIDATION
from msl.data.finding.assign import Shared, in_order_of, spread, stem
from msl.data.finding.join import Modality
from msl.types import InputError, Ints

PART_WORDS = {
    **dict.fromkeys(("train", "training", "tr", "0"), TRAIN),
    **dict.fromkeys(("test", "te", "query", "1"), TEST),
    **dict.fromkeys(("validation", "val", "valid", "2"), VALIDATION),
}
"""What may stand for a part in an array of them."""


@dataclass(frozen=True, eq=False)
class Items:
    """n items: their rows in modality `a` and `b` (-1: none), an id each, labels as they were given, parts if known."""

    ids: tuple[str, ...]
    a: Ints
    b: Ints
    labels: NDArray[Any]
    part: Ints | None
    how: str
    """How the rows came together, in words."""
    named: bool
    """Whether the ids are the data's own, and not row numbers."""

    def with_classes(self) -> "Items":
        """The items with a class: of indicators, those whose row is not all 0."""
        if self.labels.ndim == 1 or self.labels.dtype.kind not in "iufb":
            return self
        rows = np.flatnonzero(self.labels.any(axis=1))
        part = None if self.part is None else self.part[rows]
        ids = tuple(self.ids[row] for row in rows)
        return replace(self, ids=ids, a=self.a[rows], b=self.b[rows], labels=self.labels[rows], part=part)


def paired(a: Modality, b: Modality, shared: Shared, root: Path) -> Items:
    """Bring the rows of two modalities together; an `InputError` where what is given leaves that open."""
    keyed = _by_id(a, b)
    if keyed is not None:
        ids, rows_a, rows_b, how = keyed
    elif len(a) == len(b) and not _differ(a, b):
        ids, how = _own_ids(a, b, shared, root), "paired, row by row"
        rows_a = rows_b = np.arange(len(a))
    else:
        ids, rows_a, rows_b, how = *_unpaired(a, b, root), "unpaired: no item has both modalities"
    _unique(ids, root)
    sides = ((a, rows_a), (b, rows_b))
    if keyed is not None:
        shared, said = in_order_of(sides, shared, root)
        how += said
    labels = spread([(m.labels, rows) for m, rows in sides], ids, shared.labels, shared, what=f"{root}: labels")
    if labels is None:
        raise InputError(
            f"{root}: no labels were found; give data.labels=FILE with one label per item"
            + (", or put each item into a folder of its class" if keyed is not None else "")
        )
    parts = [(m.part, rows) for m, rows in sides]
    part = spread(
        parts, ids, None if shared.split is None else _parts(shared.split, root), shared, what=f"{root}: parts"
    )
    named = keyed is not None or any(known is not None for known in (a.ids, b.ids, shared.ids))
    return Items(ids, rows_a, rows_b, labels, None if part is None else part.astype(np.int64), how, named)


def part_numbers(values: NDArray[Any], what: str) -> Ints:
    """Parts (n,) out of words (train, test, validation) or of 0, 1, 2 in this order."""
    flat = np.ravel(values)
    said = [str(value).strip().lower() if flat.dtype.kind == "U" else f"{value:g}" for value in flat]
    bad = next((row for row, word in enumerate(said) if word not in PART_WORDS), None)
    if bad is not None:
        raise InputError(
            f"{what}: row {bad} is {str(flat[bad])!r}; wanted 'train', 'test' or 'validation', or 0, 1, 2 in this order"
        )
    return np.array([PART_WORDS[word] for word in said], dtype=np.int64)


def _parts(values: NDArray[Any], root: Path) -> Ints:
    return part_numbers(values, f"{root}: split")


def _by_id(a: Modality, b: Modality) -> tuple[tuple[str, ...], Ints, Ints, str] | None:
    """Rows of equal ids, those of only one modality after those of both; None unless both have ids and share some."""
    if a.ids is None or b.ids is None:
        return None
    for shorten in (str, stem):
        places = [{shorten(str(name)): row for row, name in enumerate(side.ids)} for side in (a, b)]  # type: ignore[arg-type]
        both = [name for name in places[0] if name in places[1]]
        if both and len(places[0]) == len(a) and len(places[1]) == len(b):
            break
    else:
        return None
    alone = [[name for name in places[side] if name not in places[1 - side]] for side in (0, 1)]
    ids = (*both, *alone[0], *alone[1])
    how = "paired by equal ids"
    if alone[0] or alone[1]:
        how += f"; {len(alone[0])} items have only {a.name} and {len(alone[1])} only {b.name}"
    rows = [np.array([place.get(name, -1) for name in ids], dtype=np.int64) for place in places]
    return ids, rows[0], rows[1], how


def _differ(a: Modality, b: Modality) -> bool:
    """Whether both have labels or parts of their own that are not the same: then rows of equal position are no pairs."""
    couples = [(a.labels, b.labels), (a.part, b.part)]
    if a.ids is not None and b.ids is not None and a.labels is not None and b.labels is not None:
        return True  # ids that share nothing, and nothing needed of each other
    return any(x is not None and y is not None and not np.array_equal(x, y) for x, y in couples)


def _own_ids(a: Modality, b: Modality, shared: Shared, root: Path) -> tuple[str, ...]:
    ids = next((known for known in (shared.ids, a.ids, b.ids) if known is not None), None)
    if ids is None:
        return tuple(map(str, range(len(a))))
    if len(ids) != len(a):
        raise InputError(
            f"{root}: wanted {len(a)} ids, one per item, but got {len(ids)}; write both from the same list"
        )
    return tuple(map(str, ids))


def _unpaired(a: Modality, b: Modality, root: Path) -> tuple[tuple[str, ...], Ints, Ints]:
    for side, other in ((a, b), (b, a)):
        if side.labels is None:
            raise InputError(
                f"{root}: {a.name} has {len(a)} rows and {b.name} {len(b)}, and {side.name} has no labels of its own: "
                f"pairs want equally many rows, unpaired items labels for each, as {side.name}_labels beside {other.name}_labels"
                f"; {_turned(a, b) or 'give the missing file'}, or name other features with data.a=... data.b=..."
            )
    names = [
        [f"{side.name} {name}" for name in (range(len(side)) if side.ids is None else side.ids)] for side in (a, b)
    ]
    lacking_a, lacking_b = np.full(len(b), -1), np.full(len(a), -1)
    return (
        (*names[0], *names[1]),
        np.concatenate([np.arange(len(a)), lacking_a]),
        np.concatenate([lacking_b, np.arange(len(b))]),
    )


def _turned(a: Modality, b: Modality) -> str:
    """The remedy for matrices that seem to hold an item per column, as MATLAB's often do."""
    if a.matrix.shape[1] == b.matrix.shape[1] > max(len(a), len(b)):
        return f"both have {a.matrix.shape[1]} columns: if those are the items, transpose them"
    for side, other in ((a, b), (b, a)):
        if side.matrix.shape[1] == len(other):
            return f"{side.name} has {len(other)} columns: if those are the items, transpose it"
    return ""


def _unique(ids: tuple[str, ...], root: Path) -> None:
    if len(set(ids)) < len(ids):
        seen: set[str] = set()
        double = next(name for name in ids if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        raise InputError(f"{root}: the id {double!r} stands twice; give each item an id of its own")
