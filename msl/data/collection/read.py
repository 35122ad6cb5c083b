"""Which layout a folder of pictures has, and its items."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from msl.data.collection.folders import read_folders
from msl.data.collection.item import PART_WORDS, Collection, Item, Layout, identified
from msl.data.collection.karpathy import is_karpathy, read_karpathy
from msl.data.collection.manifest import Columns, is_manifest, read_manifest
from msl.data.collection.rows import TABLES
from msl.types import InputError


def read_collection(
    path: Path, *, layout: Layout | None, columns: Columns, class_names: Sequence[str] | None
) -> Collection:
    """The pictures and captions at `path`: a folder, or the table in it that lists them.

    A table (.csv, .tsv, .jsonl with a column of pictures, or Karpathy's .json) counts before text files beside pictures
    and before a folder for each class. Tables called train, test and val, or lying in folders of these names, are the
    parts of one collection.

    Raises:
        InputError: nothing is there, or it could be read in two ways; the message names the key that settles it.
    """
    if not path.exists():
        raise InputError(f"there is no file or folder {path}; give the folder of your pictures")
    if path.is_file():
        return _listed(path.parent, [path], columns, class_names)
    tables = [] if layout in ("captions", "classes") else sorted(_tables(path, columns, layout))
    if tables:
        return _listed(path, tables, columns, class_names)
    if layout in ("manifest", "karpathy"):
        kind = "Karpathy's .json" if layout == "karpathy" else ".csv, .tsv or .jsonl with a column of pictures"
        raise InputError(f"there is no {kind} in {path}; give path=FILE, or leave layout out")
    return read_folders(path, layout=layout)


def _tables(root: Path, columns: Columns, layout: Layout | None) -> Iterator[Path]:
    """The tables of pictures in a folder and in its folders of parts."""
    folders = [root, *(each for each in root.iterdir() if each.name.lower() in PART_WORDS and _own_folder(each))]
    for file in (file for folder in folders for file in folder.iterdir()):
        if file.name.startswith(".") or file.is_symlink() or not file.is_file():
            continue
        ending = file.suffix.lower()
        if (ending in TABLES and layout != "karpathy" and is_manifest(file, columns)) or (
            ending == ".json" and layout != "manifest" and is_karpathy(file)
        ):
            yield file


def _own_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _listed(root: Path, tables: Sequence[Path], columns: Columns, names: Sequence[str] | None) -> Collection:
    parts = [_part(table, root) if len(tables) > 1 else None for table in tables]
    if len(tables) > 1 and (None in parts or len(set(parts)) < len(parts)):
        said = ", ".join(table.relative_to(root).as_posix() for table in tables[:4])
        raise InputError(f"{root}: {said} each list pictures; choose one with path=FILE, or layout=captions or classes")
    unknown = next((table for table in tables if table.suffix.lower() not in (*TABLES, ".json")), None)
    if unknown is not None:
        raise InputError(
            f"{unknown} is no table of pictures; wanted .csv, .tsv, .jsonl or Karpathy's .json, or a folder"
        )
    found = [
        item
        for table, part in zip(tables, parts, strict=True)
        for item in (
            read_karpathy(root, table)
            if table.suffix.lower() == ".json"
            else read_manifest(root, table, columns, part=part, names=names)
        )
    ]
    if not found:
        raise InputError(f"{tables[0]} lists no picture; give another table, or the folder itself")
    return Collection(
        root, "karpathy" if tables[0].suffix.lower() == ".json" else "manifest", identified(_merged(found))
    )


def _part(table: Path, root: Path) -> int | None:
    """The part a table is of by its own name or, where it lies in one, by its folder's."""
    folder = "" if table.parent == root else table.parent.name.lower()
    return PART_WORDS.get(folder, PART_WORDS.get(table.stem.lower()))


def _merged(items: Sequence[Item]) -> list[Item]:
    """Rows of one picture and one id are one item with several captions, as in tables of one caption a row."""
    merged: dict[tuple[str, str], Item] = {}
    for item in items:
        key = (item.id, item.image or item.said)
        first = merged.setdefault(key, item)
        if first is item:
            continue
        if first.part != item.part:
            raise InputError(f"{item.said}: the picture is in another part than in {first.said}; correct one of them")
        texts, classes = (
            tuple(dict.fromkeys(a + b)) for a, b in ((first.texts, item.texts), (first.classes, item.classes))
        )
        merged[key] = replace(first, texts=texts, classes=classes)
    return list(merged.values())
