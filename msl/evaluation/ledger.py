"""The ledger: tidy rows of many runs, and their summary with the class split as the unit of statistics."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from msl.evaluation.comparison import Comparison, compare, holm
from msl.evaluation.consistency import check_consistent
from msl.evaluation.interval import Interval, t_interval
from msl.evaluation.packing import packed, unpacked
from msl.files import locked, write_text
from msl.types import InputError

_PROTOCOL = ("split_rule", "gallery_side", "standardise", "similarity")
_CONFIGURED = ("config_hash", "data_hash", "split_hash", "embedding")
"""What was run: files of one name are one to `config_hash`, so what was read from them is named too."""
_IDENTITY = (*_CONFIGURED, "regime", "direction", "metric", *_PROTOCOL)
_NEEDED = (*_IDENTITY, "method", "data", "class_split", "split_seed", "seed", "value", "chance", "lift")


_Cell: TypeAlias = tuple[str, str, str, str]
"""Data set, protocol, regime, method."""


@dataclass(frozen=True)
class Summary:
    """One cell of a table: a method in a regime, over class splits."""

    method: str
    data: str
    protocol: str
    regime: str
    value: Interval
    runs: int
    """Seeds of all class splits together; a split's are averaged to one unit of the interval."""
    chance: float
    lift: float
    difference: Comparison | None
    """Paired difference to the reference method on the same splits; `p_holm` is over the methods of the same cell."""
    seconds: float | None = None
    """Mean processor time to learn, selection included, of the runs that were timed; None if none was."""


def read_rows(file: Path) -> list[dict[str, Any]]:
    """Rows of a `.jsonl` ledger or of a `metrics.json`; an `InputError` if one lacks a key or their numbers disagree."""
    rows = _read(file)
    check_consistent(rows, source=str(file))
    return rows


def rows_so_far(ledger: Path) -> list[dict[str, Any]]:
    """The rows of a ledger that may not be begun yet."""
    return read_rows(ledger) if ledger.is_file() else []


def _read(file: Path) -> list[dict[str, Any]]:
    if not file.is_file():
        raise InputError(f"there is no file {file}; give a ledger (.jsonl) or a run's metrics.json")
    try:
        text = file.read_text(encoding="utf-8")
        rows = (
            json.loads(text)
            if file.suffix == ".json"
            else [row for line in text.split("\n") if line.strip() for row in unpacked(json.loads(line))]
        )
        rows = [dict(row) for row in rows]
    except (ValueError, TypeError, KeyError) as error:
        raise InputError(f"{file} is not a ledger of JSON rows ({error}); restore it") from None
    for number, row in enumerate(rows, start=1):
        lacking = [key for key in _NEEDED if key not in row]
        if lacking:
            raise InputError(f"{file}: row {number} has no {lacking[0]!r}; restore it, or leave that row out")
    return rows


def runs_below(folder: Path) -> list[dict[str, Any]]:
    """Rows of every finished run below a folder; an `InputError` if there is none."""
    files = sorted(folder.rglob("metrics.json"))
    if not files:
        raise InputError(f"no finished run (metrics.json) lies below {folder}; give the folder of a sweep or of runs")
    return [row for file in files for row in read_rows(file)]


def append(ledger: Path, rows: Iterable[dict[str, Any]]) -> None:
    """Add rows; a row of the same configuration, regime, direction and metric replaces the earlier one."""
    with locked(ledger):
        known = {_identity(row): row for row in (_read(ledger) if ledger.is_file() else [])}
        known |= {_identity(row): row for row in rows}
        write_text(ledger, "\n".join(packed(known.values())) + "\n")


def summarise(rows: Sequence[dict[str, Any]], *, metric: str, direction: str, reference: str | None) -> list[Summary]:
    """One summary per data set, protocol, regime and method, in order of first appearance.

    Seeds are averaged within a split; p-values of the differences to `reference` are adjusted by Holm within each data
    set, protocol and regime. An `InputError` names an unknown metric, direction or reference, and a label of two
    configurations.
    """
    chosen = [row for row in rows if row["metric"] == metric and row["direction"] == direction]
    if not chosen:
        known = ", ".join(sorted({row["metric"] for row in rows}))
        raise InputError(f"no row has metric={metric!r} and direction={direction!r}; there are {known}")
    if reference is not None and reference not in {row["method"] for row in chosen}:
        known = ", ".join(sorted({row["method"] for row in chosen}))
        raise InputError(f"reference={reference!r} is no method of these runs; there are {known}")
    cells: dict[_Cell, list[dict[str, Any]]] = {}
    for row in chosen:
        cells.setdefault((row["data"], _protocol(row), row["regime"], row["method"]), []).append(row)
    for key, rows in cells.items():
        _check_one_configuration(key, rows)
    return _adjusted([_summary(key, cells, reference) for key in cells])


def _protocol(row: dict[str, Any]) -> str:
    """Everything about the protocol that no mean may mix."""
    scaled = [] if row["standardise"] == "train" else [row["standardise"]]
    return ", ".join([row["split_rule"], f"{row['gallery_side']} gallery", *scaled, row["similarity"]])


def _check_one_configuration(cell: _Cell, rows: list[dict[str, Any]]) -> None:
    """An `InputError` if one label stands for two configurations: their mean would be called a mean over seeds."""
    seen: dict[tuple[Any, ...], tuple[Any, ...]] = {}
    for row in rows:
        run, configured = (row["split_seed"], row["seed"]), tuple(row[key] for key in _CONFIGURED)
        first = seen.setdefault(run, configured)
        if first != configured:
            key, one, other = next(
                each for each in zip(_CONFIGURED, first, configured, strict=True) if each[1] != each[2]
            )
            raise InputError(
                f"two configurations share the label {cell[3]!r} on {cell[0]}, class split {run[0]}, seed {run[1]} "
                f"({key} {one} and {other}); give each a label of its own"
            )


def _summary(key: _Cell, cells: dict[_Cell, list[dict[str, Any]]], reference: str | None) -> Summary:
    data, protocol, regime, method = key
    values = by_split(cells[key], "value")
    other = cells.get((data, protocol, regime, reference), []) if reference and reference != method else []
    others = by_split(other, "value")
    timed = [row["seconds"] for row in cells[key] if row.get("seconds") is not None]
    return Summary(
        method=method,
        data=data,
        protocol=protocol,
        regime=regime,
        value=t_interval(list(values.values())),
        runs=len(cells[key]),
        chance=float(np.mean(list(by_split(cells[key], "chance").values()))),
        lift=float(np.mean(list(by_split(cells[key], "lift").values()))),
        difference=compare(values, others) if values.keys() & others.keys() else None,
        seconds=float(np.mean(timed)) if timed else None,
    )


def _adjusted(summaries: list[Summary]) -> list[Summary]:
    """The same, with `p_holm`."""
    families: dict[tuple[str, str, str], list[float]] = {}
    for each in summaries:
        if each.difference and each.difference.p is not None:
            families.setdefault((each.data, each.protocol, each.regime), []).append(each.difference.p)
    adjusted = {family: dict(zip(found, holm(found), strict=True)) for family, found in families.items()}
    return [
        replace(each, difference=replace(each.difference, p_holm=adjusted[each.data, each.protocol, each.regime][p]))
        if each.difference and (p := each.difference.p) is not None
        else each
        for each in summaries
    ]


def by_split(rows: Sequence[dict[str, Any]], key: str) -> dict[str, float]:
    """Mean over seeds of a number, by class split: `split.seed` may draw only what selection holds out."""
    seeds: dict[str, list[float]] = {}
    for row in rows:
        seeds.setdefault(row["class_split"], []).append(row[key])
    return {split: float(np.mean(values)) for split, values in sorted(seeds.items())}


def _identity(row: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(row[key] for key in _IDENTITY)
