"""A value for every item, labels and parts: given by id, in the order of the rows, or by each modality for its own."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from msl.data.finding.join import Modality
from msl.types import InputError, Ints


@dataclass(frozen=True, eq=False)
class Shared:
    """What is said of all items at once, in the order of the rows or, where `ids` stand beside it, by id."""

    labels: NDArray[Any] | None
    split: NDArray[Any] | None
    ids: NDArray[Any] | None


def in_order_of(sides: Sequence[tuple[Modality, Ints]], shared: Shared, root: Path) -> tuple[Shared, str]:
    """Labels and parts without ids, brought from the rows of the modality that has every item to the items' order."""
    given = [key for key in ("labels", "split") if getattr(shared, key) is not None]
    if shared.ids is not None or not given:
        return shared, ""
    complete = [each for each in sides if each[1].min() >= 0]
    if not complete:
        raise InputError(
            f"{root}: {' and '.join(given)} have no ids, and neither modality has all items, so nobody can tell whose they "
            "are; write them as a table of id and label"
        )
    side, rows = complete[0]
    for key in given:
        if len(getattr(shared, key)) == len(rows):
            shared = replace(shared, **{key: getattr(shared, key)[rows]})
    first = ", ".join(map(str, np.ravel(side.ids)[:_SHOWN]))  # type: ignore[arg-type]
    return shared, f"; {' and '.join(given)} without ids are taken in the order of {side.name}: {first}, ..."


_SHOWN = 3
"""Ids that show an order."""


def stem(name: str) -> str:
    """An id without folders and suffix."""
    return PurePosixPath(name).stem


def spread(
    sides: Sequence[tuple[NDArray[Any] | None, Ints]],
    ids: tuple[str, ...],
    whole: NDArray[Any] | None,
    shared: Shared,
    *,
    what: str,
) -> NDArray[Any] | None:
    """A value for every item: from `whole`, which speaks of all, else from the modalities' own; None where nobody says."""
    if whole is not None:
        return _whole(whole, ids, shared, what)
    out: NDArray[Any] | None = None
    known = np.zeros(len(ids), dtype=bool)
    for values, rows in sides:
        if values is None:
            continue
        _check_rows(values, rows, what)
        here = rows >= 0
        if out is None:
            out = np.zeros((len(ids), *values.shape[1:]), values.dtype)
        elif values.shape[1:] != out.shape[1:] or (values.dtype.kind == "U") != (out.dtype.kind == "U"):
            raise InputError(f"{what} of the two modalities are of different forms; write both alike")
        out = out.astype(np.promote_types(out.dtype, values.dtype))
        _check_agreement(out, values, rows, known, ids, what)
        out[here & ~known] = values[rows[here & ~known]]
        known |= here
    if out is not None and not known.all():
        raise InputError(f"{what}: item {ids[np.flatnonzero(~known)[0]]!r} has none; give each item one")
    return out


def _check_rows(values: NDArray[Any], rows: Ints, what: str) -> None:
    wanted = int(rows.max(initial=-1)) + 1
    if len(values) != wanted:
        raise InputError(
            f"{what}: wanted {wanted}, one per row of the features, but got {len(values)}; write both from the same list of items"
        )


def _check_agreement(
    out: NDArray[Any], values: NDArray[Any], rows: Ints, known: NDArray[np.bool_], ids: tuple[str, ...], what: str
) -> None:
    both = np.flatnonzero((rows >= 0) & known)
    unequal = both[(out[both] != values[rows[both]]).reshape(len(both), -1).any(axis=1)] if len(both) else both
    if len(unequal):
        raise InputError(f"{what}: the two modalities say different things of item {ids[unequal[0]]!r}; correct one")


def _whole(whole: NDArray[Any], ids: tuple[str, ...], shared: Shared, what: str) -> NDArray[Any]:
    """Values by id where ids stand beside them and say other items than the rows in order; else in order."""
    if shared.ids is not None and tuple(map(str, shared.ids)) != ids:
        for shorten in (str, stem):
            places = {shorten(str(name)): row for row, name in enumerate(shared.ids)}
            rows = [places.get(shorten(name)) for name in ids]
            if None not in rows:
                chosen: NDArray[Any] = whole[np.array(rows)]
                return chosen
        lacking = ids[rows.index(None)]
        raise InputError(f"{what}: none for item {lacking!r} ({len(places)} are given); add a line for it")
    if len(whole) != len(ids):
        raise InputError(
            f"{what}: wanted {len(ids)}, one per item, but got {len(whole)}; write features and labels from the same list"
        )
    return whole
