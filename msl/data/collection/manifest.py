"""A table of pictures: a column that names the file, one of captions, and others for id, classes and part."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from msl.data.collection.item import Item, class_name, part_of, readable
from msl.data.collection.place import Places
from msl.data.collection.rows import header, rows
from msl.data.collection.tree import inside
from msl.types import InputError

_NAMES = {
    "image": ("image", "file_name", "filename", "path", "image_path", "filepath"),
    "text": ("text", "caption", "captions", "description", "title", "sentence"),
    "classes": ("class", "label", "category"),
    "split": ("split",),
    "id": ("id",),
}
"""What people call the columns."""


@dataclass(frozen=True, kw_only=True)
class Columns:
    """The columns a person names; None is found by its usual names. `text` may be several, each a caption."""

    image: str | None = None
    text: str | list[str] | None = None
    classes: str | None = None
    split: str | None = None
    id: str | None = None


def why_not(root: Path, file: Path, columns: Columns) -> str:
    """Why a table below `root` lists no pictures; empty where it does."""
    try:
        inside(root, file.relative_to(root).as_posix())
        if not file.is_file():
            return "it is no regular file"
        names = header(file)
    except InputError as error:
        return str(error)
    except OSError as error:
        return f"it cannot be read ({error.strerror})"
    if columns.image in names if columns.image else _called(names, "image"):
        return ""
    between = "separate cells by commas, and " if len(names) == 1 and ";" in names[0] else ""
    shown = readable(", ".join(names))[:80]
    return (
        f"its first line, {shown!r}, names no column of pictures; {between}call one image, or give columns.image=NAME"
    )


def read_manifest(
    root: Path, file: Path, columns: Columns, *, folder: Path, part: int | None, names: Sequence[str] | None
) -> list[Item]:
    """The items of one table, ids left to be given; `part` is that of all its rows where it has no column of parts.

    Paths are relative to `folder`, or to the one folder in it that has the pictures (`Places`). A class that is a number is
    called by `names` (`class_name`).

    Raises:
        InputError: a column is missing or could be two, or a row is odd; file and row are named.
    """
    table = list(rows(root, file))
    held = list(dict.fromkeys(key for _, row in table for key in row))
    found = {key: _column(file, held, key, getattr(columns, key)) for key in _NAMES if table}
    if table and not found["image"]:
        raise InputError(
            f"{file} has no column of pictures ({', '.join(held)[:80]}); call one image, or give columns.image=NAME"
        )
    if table and not (found["text"] or found["classes"]):
        raise InputError(
            f"{file} has no column of captions ({', '.join(held)}); give columns.text=NAME, or layout=classes for a folder "
            "for each class"
        )
    places = Places(root, folder, (row.get(column) for _, row in table for column in found.get("image", [])))
    return [_item(f"{file}, row {number}", row, found, places, part, names) for number, row in table]


def _called(held: Sequence[str], key: str) -> list[str]:
    return [name for name in held if name.strip().casefold() in _NAMES[key]]


def _column(file: Path, held: Sequence[str], key: str, wanted: str | list[str] | None) -> list[str]:
    if wanted:
        asked = [wanted] if isinstance(wanted, str) else list(wanted)
        lacking = next((name for name in asked if name not in held), None)
        if lacking is not None:
            raise InputError(f"{file} has no column {lacking!r}, as columns.{key} asks; it has {', '.join(held)}")
        return asked
    called = _called(held, key)
    if len(called) > 1:
        raise InputError(f"{file}: {' and '.join(called)} could each be the {key}; choose with columns.{key}=NAME")
    return called


def _item(
    said: str,
    row: dict[str, Any],
    found: dict[str, list[str]],
    places: Places,
    part: int | None,
    names: Sequence[str] | None,
) -> Item:
    values = {key: row.get(columns[0]) if columns else None for key, columns in found.items()}
    image, own, split = values["image"], values["id"], values["split"]
    texts = tuple(text for column in found["text"] for text in _texts(row.get(column), said))
    refused = "" if isinstance(image, str) and image.strip() else f"{said} names no picture"
    return Item(
        "" if own in (None, "") else readable(str(own)),
        "" if refused else places.path(str(image)),
        texts,
        tuple(_classes(values["classes"], said, names)),
        part if split in (None, "") else part_of(str(split), said),
        said,
        refused,
    )


def _texts(value: Any, said: str) -> Iterator[str]:
    """Captions of a cell: text, a list of them, or such a list written as JSON."""
    listed = _list(value) if isinstance(value, str) and value.lstrip().startswith("[") else value
    for text in listed if isinstance(listed, list) else [listed]:
        if text is not None and not isinstance(text, str):
            raise InputError(f"{said}: wanted a caption or a list of them, but got {str(text)[:40]!r}; write text")
        if text and text.strip():
            yield readable(text.strip())


def _list(text: str) -> Any:
    """A cell that is a JSON list, else as it is."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return found if isinstance(found, list) and all(isinstance(each, str) for each in found) else text


def _classes(value: Any, said: str, names: Sequence[str] | None) -> Iterator[str]:
    for each in value if isinstance(value, list) else re.split("[;|]", value) if isinstance(value, str) else [value]:
        if each is None or not str(each).strip():
            continue
        if isinstance(each, (dict, list)):
            raise InputError(
                f"{said}: wanted a class, several with ; between, or a list of them; got {str(each)[:40]!r}"
            )
        yield class_name(readable(str(each).strip()), said, names)
