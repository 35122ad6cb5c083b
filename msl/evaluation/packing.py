"""How a ledger's lines hold rows: what the rows of a run share is written once, which makes a file a tenth as large."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

_COLUMNS = (
    "regime",
    "direction",
    "metric",
    "value",
    "chance",
    "lift",
    "queries",
    "queries_without_relevant",
    "gallery",
)
"""What differs from row to row of a run."""


def packed(rows: Iterable[dict[str, Any]]) -> Iterator[str]:
    """One line a run: ``{"run": {...}, "columns": [...], "rows": [[...], ...]}``, runs in order of their first row."""
    lines: dict[str, list[list[Any]]] = {}
    for row in rows:
        shared = {key: value for key, value in row.items() if key not in _COLUMNS}
        columns = [name for name in _COLUMNS if name in row]
        lines.setdefault(_json({"run": shared, "columns": columns}), []).append([row[name] for name in columns])
    for head, numbers in lines.items():
        yield f'{head[:-1]}, "rows": {_json(numbers)}}}'


def unpacked(line: dict[str, Any]) -> list[dict[str, Any]]:
    """The rows of a line; a line without `rows` is one itself."""
    if "rows" not in line:
        return [line]
    return [{**line["run"], **dict(zip(line["columns"], numbers, strict=True))} for numbers in line["rows"]]


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)
