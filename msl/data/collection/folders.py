"""Layouts without a table: a text file beside each picture, and a folder for each class."""

import os
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

from msl.data.collection.item import PART_WORDS, Collection, Item, Layout, class_name, identified, readable
from msl.data.collection.tree import Tree, read_text
from msl.types import InputError

_CAMERA = frozenset(
    ("img", "image", "images", "photo", "picture", "pic", "dsc", "dscn", "dscf", "pxl", "mvimg", "gopr", "frame", "screenshot",
     "whatsapp", "wa", "copy", "jpg", "jpeg", "png")
)  # fmt: skip
"""Words of files' names that say nothing of the picture."""


def read_folders(root: Path, found: Tree, *, layout: Layout | None, names: Sequence[str] | None) -> Collection:
    """The pictures `found` below `root`, as ``a.jpg`` with ``a.txt`` (captions, one a line), ``CLASS/a.jpg`` or ``train/CLASS/a.jpg``.

    Without captions a picture's text is its file's name, - and _ read as spaces, if there is a word in it. Folders called
    train and test are parts only where all pictures lie in one: train is also a class of vehicles. A folder that is a
    number is the class called so by `names` (`class_name`).

    Raises:
        InputError: there is no picture, or nobody can tell whether the folders are classes.
    """
    if not found.pictures:
        raise InputError(f"there is no picture below {root}; give the folder that holds them, or path=FILE of a table")
    parts = {PART_WORDS.get(PurePosixPath(picture).parts[0].lower()) for picture in found.pictures}
    parted = None not in parts
    chosen = layout or _layout(root, found, parted=parted)
    items = [
        replace(
            _item(root, picture, found, captioned=found.captioned, parted=parted),
            classes=_classes(picture, names, parted=parted) if chosen == "classes" else (),
        )
        for picture in found.pictures
    ]
    if len(parts) == 1:  # a lone folder train leaves the choice of test items open
        items = [replace(item, part=None) for item in items]
    refused = [Item("", path, said=readable(path), refused=why) for path, why in sorted(found.refused.items())]
    return Collection(root, chosen, identified([*items, *refused]))


def _layout(root: Path, found: Tree, *, parted: bool) -> Layout:
    folders = {names[0] if names else "" for names in (_folders(each, parted=parted) for each in found.pictures)}
    if found.captioned and (folders == {""} or all(name.isdigit() or not name for name in folders)):
        return "captions"  # folders that are only numbered are shards
    if found.captioned:
        raise InputError(
            f"{root} has captions beside its pictures and folders such as {readable(max(folders))!r}: give layout=classes if the "
            "folders are classes, layout=captions if they mean nothing"
        )
    if folders == {""}:
        raise InputError(
            f"{root} has pictures, but no table of captions, no .txt beside any picture and no folder for each class; add one, "
            "or give layout=classes to take the files' names for texts"
        )
    return "classes"


def _folders(picture: str, *, parted: bool) -> tuple[str, ...]:
    """The folders a picture lies in, without that of its part."""
    return PurePosixPath(picture).parts[int(parted) : -1]


def _classes(picture: str, names: Sequence[str] | None, *, parted: bool) -> tuple[str, ...]:
    folders = _folders(picture, parted=parted)
    return (class_name(readable(folders[0]), readable(picture), names),) if folders else ()


def _item(root: Path, picture: str, found: Tree, *, captioned: bool, parted: bool) -> Item:
    texts, refused = _captions(root, picture, found) if captioned else (_name_words(picture), "")
    return Item(
        "",
        picture,
        texts,
        (),
        PART_WORDS[PurePosixPath(picture).parts[0].lower()] if parted else None,
        readable(picture),
        refused,
    )


def _captions(root: Path, picture: str, found: Tree) -> tuple[tuple[str, ...], str]:
    """The lines of the text file beside a picture, or why there are none."""
    file = found.beside(picture)
    if file is None:
        return (), f"there is no {readable(os.path.splitext(picture)[0])}.txt beside it"
    try:
        lines = read_text(root, file).splitlines()
    except InputError as error:
        return (), str(error)
    return tuple(readable(line.strip()) for line in lines if line.strip()), ""


def _name_words(picture: str) -> tuple[str, ...]:
    """A file's name as a text; none where it holds but numbers, single letters and what cameras write."""
    name = " ".join(readable(PurePosixPath(picture).stem).replace("-", " ").replace("_", " ").split())
    words = (word for word in re.findall(r"[^\W\d_]+", name) if len(word) > 1 or not word.isascii())
    return (name,) if any(word.casefold() not in _CAMERA for word in words) else ()
