"""A collection: pictures in a folder, each with its captions and, where they are known, its classes and part."""

import os
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, TypeAlias

from msl.data.dataset import TEST, TRAIN, VALIDATION
from msl.data.finding.classlists import NUMBERED
from msl.data.finding.naming import PARTS
from msl.types import InputError

Layout: TypeAlias = Literal["manifest", "karpathy", "captions", "classes"]
"""A table of pictures and captions; Karpathy's JSON; a text file beside each picture; a folder for each class."""

PICTURES = frozenset(
    {".png", ".apng", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".gif", ".bmp", ".dib", ".tif", ".tiff"}
    | {".heic", ".heif", ".avif"}  # not read, but a person who has them must be told so
)
"""Endings that make a file a picture."""

TABLES = (".csv", ".tsv", ".jsonl")
"""Endings of tables: those with cells have a header, the other an object a line."""

PART_WORDS = {word: part for word, part in PARTS.items() if part in (TRAIN, TEST, VALIDATION)} | {
    "dev": VALIDATION,
    "restval": TRAIN,  # of Karpathy's COCO split: validation pictures that everybody trains on
}
"""What people call parts."""


@dataclass(frozen=True, slots=True)
class Item:
    """A picture with its captions.

    Attributes:
        id: names it in all that is made of it; empty for a refused one.
        image: path of the picture below the collection's root, as the file system spells it.
        texts: captions, none empty.
        classes: names of its classes.
        part: `TRAIN`, `TEST` or `VALIDATION`, None where nothing says so.
        said: the file, and the row in it, that this is known from.
        refused: why it cannot be used; empty for nearly all.
    """

    id: str
    image: str
    texts: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    part: int | None = None
    said: str = ""
    refused: str = ""


@dataclass(frozen=True)
class Collection:
    """Items below the folder `root`, in an order that does not depend on the file system, and how they were found.

    `notes` name the tables that were passed over, and why.
    """

    root: Path
    layout: Layout
    items: tuple[Item, ...]
    notes: tuple[str, ...] = ()


def readable(name: str) -> str:
    """Text that any file can hold: bytes of a file's name that are no UTF-8, and NUL, written as escapes."""
    return name.encode("utf-8", "backslashreplace").decode().replace("\0", "\\0")


def part_of(word: str, said: str) -> int:
    """The part a word stands for; an `InputError` for one that stands for none."""
    part = PART_WORDS.get(word.strip().lower())
    if part is None:
        raise InputError(f"{said}: {word[:40]!r} names no part; write train, test or val")
    return part


def class_name(word: str, said: str, names: Sequence[str] | None) -> str:
    """The class called `word`: a number, also as 1.0, is one of `names` counted from 0, without them ``class N``.

    Raises:
        InputError: there are `names`, and it is none of them nor its number.
    """
    number = re.fullmatch(r"([0-9]+)(\.0+)?", word)
    if names is None:
        return f"{NUMBERED}{int(number[1])}" if number else word
    if word in names:
        return word
    if number is None or int(number[1]) >= len(names):
        raise InputError(
            f"{said} is of class {word[:40]}, but class_names has {len(names)}, counted from 0, and none called so; correct either"
        )
    return names[int(number[1])]


def identified(items: Iterable[Item]) -> tuple[Item, ...]:
    """The items with an id each: their own, else the picture's path without its ending, or with it where two would clash.

    Raises:
        InputError: two items say that they have one id, or only some say their part.
    """
    given = list(items)
    kept = [item for item in given if not item.refused]
    _check_own(kept)
    _check_parts(kept)
    times = Counter(item.id or _short(item.image) for item in kept)
    taken = {item.id for item in kept}
    return tuple(replace(item, id="" if item.refused else _named(item, times, taken)) for item in given)


def _named(item: Item, times: Counter[str], taken: set[str]) -> str:
    short = _short(item.image)
    return item.id or (short if times[short] == 1 and short not in taken else readable(item.image))


def _short(image: str) -> str:
    return readable(os.path.splitext(image)[0])


def _check_own(items: Sequence[Item]) -> None:
    first: dict[str, str] = {}
    for item in items:
        if item.id and first.setdefault(item.id, item.said) != item.said:
            raise InputError(
                f"{item.said}: the id {item.id[:80]!r} stands twice (also in {first[item.id]}); give each item its own"
            )


def _check_parts(items: Sequence[Item]) -> None:
    silent = next((item for item in items if item.part is None), None)
    if silent is not None and any(item.part is not None for item in items):
        raise InputError(
            f"{silent.said}: this item has no part, others have; write train, test or val for each, or for none"
        )
