"""Layouts without a table: a text file beside each picture, and a folder for each class."""

import os
from dataclasses import replace
from pathlib import Path, PurePosixPath

from msl.data.collection.item import PART_WORDS, Collection, Item, Layout, identified, readable
from msl.data.collection.tree import Tree, read_text, tree
from msl.types import InputError


def read_folders(root: Path, *, layout: Layout | None) -> Collection:
    """The pictures below `root`, as ``a.jpg`` with ``a.txt`` (captions, one a line), ``CLASS/a.jpg`` or ``train/CLASS/a.jpg``.

    Without captions a picture's text is its file's name, - and _ read as spaces. Folders called train and test are parts
    only where all pictures lie in one: train is also a class of vehicles.

    Raises:
        InputError: there is no picture, or nobody can tell whether the folders are classes.
    """
    found = tree(root)
    if not found.pictures:
        raise InputError(f"there is no picture below {root}; give the folder that holds them, or path=FILE of a table")
    captioned = any(_beside(picture) in found.texts for picture in found.pictures)
    parts = {PART_WORDS.get(PurePosixPath(picture).parts[0].lower()) for picture in found.pictures}
    parted = None not in parts
    chosen = layout or _layout(root, found, captioned=captioned, parted=parted)
    items = [
        _item(root, picture, found, captioned=captioned, parted=parted, classed=chosen == "classes")
        for picture in found.pictures
    ]
    if len(parts) == 1:  # a lone folder train leaves the choice of test items open
        items = [replace(item, part=None) for item in items]
    refused = [Item("", path, said=readable(path), refused=why) for path, why in sorted(found.refused.items())]
    return Collection(root, chosen, identified([*items, *refused]))


def _layout(root: Path, found: Tree, *, captioned: bool, parted: bool) -> Layout:
    folders = {names[0] if names else "" for names in (_folders(each, parted=parted) for each in found.pictures)}
    if captioned and (folders == {""} or all(name.isdigit() or not name for name in folders)):
        return "captions"  # folders that are only numbered are shards
    if captioned:
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


def _item(root: Path, picture: str, found: Tree, *, captioned: bool, parted: bool, classed: bool) -> Item:
    folders = _folders(picture, parted=parted)
    texts, refused = _captions(root, picture, found) if captioned else ((_name_words(picture),), "")
    return Item(
        "",
        picture,
        texts,
        (readable(folders[0]),) if classed and folders else (),
        PART_WORDS[PurePosixPath(picture).parts[0].lower()] if parted else None,
        readable(picture),
        refused,
    )


def _captions(root: Path, picture: str, found: Tree) -> tuple[tuple[str, ...], str]:
    """The lines of the text file beside a picture, or why there are none."""
    file = _beside(picture)
    if file not in found.texts:
        return (), f"there is no {readable(file)} beside it"
    try:
        lines = read_text(root, file).splitlines()
    except InputError as error:
        return (), str(error)
    return tuple(readable(line.strip()) for line in lines if line.strip()), ""


def _beside(picture: str) -> str:
    return f"{os.path.splitext(picture)[0]}.txt"


def _name_words(picture: str) -> str:
    return " ".join(readable(PurePosixPath(picture).stem).replace("-", " ").replace("_", " ").split())
