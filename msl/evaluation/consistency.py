"""Numbers of a ledger that follow from others: one changed by hand contradicts the rest."""

import math
from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

from msl.metrics.means import harmonic_mean
from msl.types import InputError

TOLERANCE = 1e-9
_CELL = ("config_hash", "data_hash", "split_hash", "embedding", "split_rule", "gallery_side", "standardise", "similarity", "regime")  # fmt: skip
_RUN = (*_CELL, "method", "split_seed", "seed")
_CHANCE = tuple(key for key in _CELL if key not in ("config_hash", "embedding"))
"""What the chance of a metric depends on: not on the method."""

_Row: TypeAlias = dict[str, Any]
_Named: TypeAlias = dict[tuple[str, str], _Row]
"""One run's rows of one regime and protocol, by direction and metric."""


def check_consistent(rows: Sequence[_Row], *, source: str) -> None:
    """An `InputError` that names `source` and the row (from 1) if a number contradicts those it follows from.

    Values and chances lie in [0, 1]; a direction's lift is (value - chance) / (1 - chance); the row "mean" is the mean of
    the two directions; a harmonic mean is that of its seen and unseen queries; chance is the same for every method.
    """
    groups: dict[tuple[Any, ...], _Named] = {}
    chances: dict[tuple[Any, ...], float] = {}
    for number, row in enumerate(rows, start=1):
        wrong = _alone(row) or _other_chance(row, chances)
        if wrong:
            raise _contradiction(source, number, row, *wrong)
        run = (*(row[key] for key in _RUN), row.get("view"))
        groups.setdefault(run, {})[row["direction"], row["metric"]] = row
    found = next((wrong for group in groups.values() for wrong in _together(group)), None)
    if found:
        row, *expected = found
        number = next(number for number, each in enumerate(rows, start=1) if each is row)
        raise _contradiction(source, number, row, *expected)


def _alone(row: _Row) -> tuple[str, str] | None:
    """The number of a row that is impossible by itself, and what it should be."""
    for key in ("value", "chance", "lift"):
        if not isinstance(row[key], float | int) or not row[key] <= 1 or (key != "lift" and row[key] < 0):
            return key, "a number of at most 1" if key == "lift" else "a number from 0 to 1"
    lift = (row["value"] - row["chance"]) / (1 - row["chance"]) if row["chance"] < 1 else 0.0
    if row["direction"] != "mean" and _differ(row["lift"], lift):
        return "lift", f"(value - chance) / (1 - chance) = {lift:.9f}"
    return None


def _other_chance(row: _Row, chances: dict[tuple[Any, ...], float]) -> tuple[str, str] | None:
    key = (*(row[name] for name in _CHANCE), row["direction"], row["metric"], row.get("view"))
    known = chances.setdefault(key, row["chance"])
    return ("chance", f"{known:.9f} as in an earlier row of the same split") if _differ(row["chance"], known) else None


def _together(group: _Named) -> Iterator[tuple[_Row, str, str]]:
    """Rows that contradict others of their run: the row, its key and what that should be."""
    for (direction, metric), row in group.items():
        if direction == "mean":
            parts = [each for (other, name), each in group.items() if name == metric and other != "mean"]
            if len(parts) == 2:
                expected = {key: (parts[0][key] + parts[1][key]) / 2 for key in ("value", "chance", "lift")}
                yield from _unlike(row, expected, "the mean of both directions")
        elif metric.endswith("_harmonic"):
            whole = metric.removesuffix("_harmonic")
            seen, unseen = (group.get((direction, f"{whole}_of_{part}")) for part in ("seen", "unseen"))
            if seen and unseen:
                expected = {key: harmonic_mean(seen[key], unseen[key]) for key in ("value", "chance")}
                yield from _unlike(row, expected, "2 S U / (S + U)")


def _unlike(row: _Row, expected: dict[str, float], why: str) -> Iterator[tuple[_Row, str, str]]:
    return ((row, key, f"{value:.9f}, {why}") for key, value in expected.items() if _differ(row[key], value))


def _differ(one: float, other: float) -> bool:
    return not math.isclose(one, other, rel_tol=0, abs_tol=TOLERANCE)


def _contradiction(source: str, number: int, row: _Row, key: str, expected: str) -> InputError:
    where = f"{row['method']} on {row['data']}, {row['regime']} {row['direction']} {row['metric']}"
    return InputError(
        f"{source}: row {number} ({where}) has {key}={row[key]!r}, and by the other numbers it is {expected}; restore the "
        "file, or take the row from its run's metrics.json again"
    )
