"""Labels and class names in the forms people write them, brought to one: class indices or indicators, and names."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from msl.data.labels import checked_labels
from msl.types import InputError, Ints

NAME_LISTS = (".txt", ".json", ".list", ".names")
"""Files that may hold a list of class names: one a line, or a JSON list."""
_OPENING = 1 << 16
NUMBERED = "class "
"""Begins the name of a class of which only the number is known."""


@dataclass(frozen=True, eq=False)
class Labelled:
    """Class indices or indicators of the items, the classes' names, and what a reader should know of the labels."""

    labels: Ints
    names: tuple[str, ...]
    notes: tuple[str, ...] = ()


def numbered(names: tuple[str, ...]) -> bool:
    """Whether the classes have numbers for names, of which no word vector knows anything."""
    return all(name.removeprefix(NUMBERED).strip().lstrip("-").isdigit() for name in names)


def refuse_numbers(names: tuple[str, ...]) -> None:
    """An `InputError` where class embeddings are to be made of names that are only numbers."""
    if numbered(names):
        raise InputError(
            f"the classes are called {names[0]!r}, {names[-1]!r}: numbers have no word vectors; give data.class_names=FILE "
            "with one name a line, or train with embedding=onehot or embedding=none"
        )


def is_list(file: Path) -> bool:
    """Whether a file of class names is a plain list of them: .csv and .tsv are, where nothing is cut into cells."""
    if file.suffix.lower() not in (".csv", ".tsv"):
        return file.suffix.lower() in NAME_LISTS
    with file.open("rb") as stream:
        return not re.search(rb"[,;\t]", stream.read(_OPENING))


def read_names(file: Path) -> tuple[str, ...]:
    """Class names in class order: one a line, or a JSON list of them."""
    try:
        text = file.read_text(encoding="utf-8-sig")
        found = json.loads(text) if file.suffix.lower() == ".json" else [line.strip() for line in text.splitlines()]
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(
            f"{file} is no readable list of names ({str(error).splitlines()[0]}); write one a line"
        ) from None
    names = [name for name in found if name != ""] if isinstance(found, list) else []
    if (
        file.suffix.lower() in (".csv", ".tsv")
        and names[:1]
        and names[0].lower() in ("name", "names", "class", "class_name")
    ):
        del names[0]
    if not names or not all(isinstance(name, str) for name in names):
        raise InputError(
            f"{file}: wanted a list of class names in class order; write one a line, or a JSON list of them"
        )
    return tuple(names)


def labelled(values: NDArray[Any], names: tuple[str, ...] | None, *, classes: int | None, what: str) -> Labelled:
    """Labels of any usual form as class indices (n,) or indicators (n, classes).

    Args:
        values: (n,), (n, 1) or (1, n) class numbers from 0 or from 1, or text; or (n, classes) of 0 and 1, which become
            class indices where each row has one class.
        names: the classes' names in class order, if they are known.
        classes: how many classes there are, if that alone is known.
        what: the array, for messages.

    Raises:
        InputError: anything else, or numbers of which nobody can tell whether they count from 0 or from 1.
    """
    flat = np.ravel(values) if values.ndim == 2 and 1 in values.shape else values
    if flat.ndim == 2:
        return _indicated(flat, names, what)
    if flat.ndim != 1 or flat.dtype.kind not in "iufbU" or not len(flat):
        raise InputError(
            f"{what}: wanted a class number or a class name per item, or a column of 0 and 1 per class, but got shape "
            f"{values.shape} of {values.dtype}; write one label per item"
        )
    if flat.dtype.kind == "U":
        return _worded(flat, names, what)
    numbers, count = _class_numbers(flat, what), len(names) if names is not None else classes
    return _numbered(numbers, what) if count is None else _counted(numbers, names, count, what)


def _class_numbers(values: NDArray[Any], what: str) -> Ints:
    """Whole numbers from 0; -1, NaN and the like stand for no class, which nobody can be asked to find."""
    bad = np.flatnonzero(~((values >= 0) & (values < _HIGHEST) & (values == np.floor(values))))
    if len(bad):
        raise InputError(
            f"{what}: row {bad[0]} is {values[bad[0]]} ({len(bad)} such rows); wanted class numbers from 0 or from 1: "
            "correct these rows, or leave the items out"
        )
    return values.astype(np.int64)


_HIGHEST = 2**53
"""Class numbers below this are the same in every type of number."""


def _indicated(values: NDArray[Any], names: tuple[str, ...] | None, what: str) -> Labelled:
    width = values.shape[1]
    if names is not None and len(names) != width:
        raise InputError(
            f"{what}: {width} columns, one per class, but there are {len(names)} class names; give one name per column"
        )
    chosen = names or tuple(f"{NUMBERED}{number}" for number in range(width))
    labels = checked_labels(values, width, what=what)
    if (labels.sum(axis=1) == 1).all():
        return Labelled(labels.argmax(axis=1), chosen, ("labels are one-hot: every item has one class",))
    return Labelled(labels, chosen)


def _worded(values: NDArray[Any], names: tuple[str, ...] | None, what: str) -> Labelled:
    if names is None and any(map(_TAGS.search, values.tolist())):
        return _tagged(values, what)
    chosen = names or tuple(sorted(set(values.tolist())))
    place = {name: index for index, name in enumerate(chosen)}
    unknown = np.flatnonzero([name not in place for name in values.tolist()])
    if len(unknown):
        raise InputError(
            f"{what}: row {unknown[0]} is {str(values[unknown[0]])!r}, which is no class name; correct it or the list of names"
        )
    return Labelled(np.array([place[name] for name in values.tolist()], dtype=np.int64), chosen)


_TAGS = re.compile("[;|]")
"""What stands between the classes of an item that has several."""


def _tagged(values: NDArray[Any], what: str) -> Labelled:
    """Text with several classes per item, as ``dog;cat``."""
    tags = [{tag for each in _TAGS.split(value) if (tag := each.strip())} for value in values.tolist()]
    bare = next((row for row, each in enumerate(tags) if not each), None)
    if bare is not None:
        raise InputError(f"{what}: row {bare} is {str(values[bare])!r}, which names no class; give it one")
    chosen = tuple(sorted(set().union(*tags)))
    indicators = np.array([[name in each for name in chosen] for each in tags], dtype=np.uint8)
    return Labelled(indicators, chosen, ("labels are cut at ; and |: an item may have several classes",))


def _numbered(numbers: Ints, what: str) -> Labelled:
    """Classes without names: those that occur, called by their numbers."""
    values, labels = np.unique(numbers, return_inverse=True)
    if len(values) > len(numbers) // 2 and len(numbers) > len(values) > _MANY:
        raise InputError(
            f"{what}: {len(values)} different numbers for {len(numbers)} items; wanted class numbers, give data.labels"
        )
    said = ("labels count from 1",) if values[0] == 1 and values[-1] == len(values) else ()
    return Labelled(np.asarray(labels, dtype=np.int64), tuple(f"{NUMBERED}{value}" for value in values), said)


_MANY = 100
"""Classes from which it is odd that most have a single item: then the numbers are probably no labels."""


def _counted(numbers: Ints, names: tuple[str, ...] | None, count: int, what: str) -> Labelled:
    lowest, highest = int(numbers.min()), int(numbers.max())
    chosen = names or tuple(f"{NUMBERED}{number}" for number in range(count))
    if lowest >= 1 and highest == count:
        return Labelled(numbers - 1, chosen, ("labels count from 1",))
    if lowest == 1 and highest < count:
        raise InputError(
            f"{what}: labels {lowest} to {highest} for {count} classes could count from 0 or from 1; write class names, or 0..{count - 1}"
        )
    return Labelled(checked_labels(numbers, count, what=what), chosen)
