"""``items.jsonl`` (or ``texts.jsonl``) beside the features: what a gallery shows of each item.

One object a line with the item's ``id``, its ``text`` and the path of its ``image``, relative to the file.
"""

import json
from pathlib import Path
from typing import Any, TypeAlias

from msl.types import InputError

Shown: TypeAlias = tuple[tuple[str, ...] | None, tuple[Path, ...] | None]
"""Texts and pictures of all items; None where there are none."""


def read_items(folder: Path, ids: tuple[str, ...]) -> Shown:
    """Texts and pictures of these items, in their order; an item without text shows its id.

    Raises:
        InputError: a line is no object, an id has no line, or a picture lies outside the folder.
    """
    file = next((folder / name for name in ("items.jsonl", "texts.jsonl") if (folder / name).is_file()), None)
    if file is None:
        return None, None
    items = _objects(file)
    lacking = next((name for name in ids if name not in items), None)
    if lacking is not None:
        raise InputError(
            f"{file} has no line for id {lacking!r} of the features; write both from the same list of items"
        )
    odd = next((name for name in ids if not isinstance(items[name].get("image", ""), str)), None)
    if odd is not None:
        raise InputError(
            f"{file}: the image of id {odd!r} is no path; write a path relative to {folder}, or leave it out"
        )
    texts = tuple(str(items[name].get("text", name)) for name in ids)
    if not all("image" in items[name] for name in ids):
        return texts, None
    return texts, tuple(_inside(folder, items[name]["image"], file) for name in ids)


def _objects(file: Path) -> dict[str, dict[str, Any]]:
    items = {}
    # not splitlines(), which also breaks at characters that may stand bare in JSON text, such as U+2028
    for number, line in enumerate(file.read_bytes().rstrip().split(b"\n"), start=1):
        try:
            item = json.loads(line)
            items[str(item["id"])] = item
        except (ValueError, KeyError, TypeError, RecursionError):
            raise InputError(
                f"{file}: line {number} is not a JSON object with an id; write one object per line"
            ) from None
    return items


def _inside(folder: Path, name: str, file: Path) -> Path:
    """The picture's path; a data set may not make a gallery open files elsewhere, by .. or by a link."""
    try:
        inside = (folder / name).resolve().is_relative_to(folder.resolve())
    except (OSError, ValueError, RuntimeError):  # a NUL in the name, links in a circle
        inside = False
    if not inside:
        raise InputError(f"{file}: the picture {name[:80]!r} does not lie inside {folder}; copy it there")
    return folder / name
