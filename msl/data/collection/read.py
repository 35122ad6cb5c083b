"""Which layout a folder of pictures has, and its items."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from msl.data.collection.folders import read_folders
from msl.data.collection.item import PART_WORDS, PICTURES, TABLES, Collection, Item, Layout, identified, readable
from msl.data.collection.karpathy import is_karpathy, read_karpathy
from msl.data.collection.manifest import Columns, read_manifest, why_not
from msl.data.collection.tree import tree
from msl.types import InputError


def read_collection(
    path: Path, *, layout: Layout | None, columns: Columns, class_names: Sequence[str] | None, images: Path | None
) -> Collection:
    """The pictures and captions at `path`: a folder, or the table in it that lists them.

    A table (.csv, .tsv, .jsonl with a column of pictures, or Karpathy's .json) counts before text files beside pictures
    and before a folder for each class. Tables called train, test and val, or lying in folders of these names, are the
    parts of one collection. A folder that holds a single folder, and no picture and no table, stands for that one.

    Args:
        path: the folder, or the table.
        layout: how it is kept, if it is not to be found out.
        columns: the columns of a table, where their names say nothing.
        class_names: of classes that are numbers from 0.
        images: the folder that a table's pictures lie in, if not beside the table; the table may then lie one folder down.

    Raises:
        InputError: nothing is there, or it could be read in two ways; the message names the key that settles it.
    """
    if not path.exists():
        raise InputError(f"there is no file or folder {path}; give the folder of your pictures")
    if images is not None:
        _check_images(path, images)
    found = _read(path, layout, columns, class_names, images)
    if class_names is not None and not any(item.classes for item in found.items):
        raise InputError(
            f"class_names is given, but {path}, read as layout={found.layout}, says no class of any picture; leave it out"
        )
    return found


def _read(
    path: Path, layout: Layout | None, columns: Columns, names: Sequence[str] | None, images: Path | None
) -> Collection:
    if path.is_file():
        return _listed(images or path.parent, [path], columns, names, images)
    root = path if images else _entered(path, layout)
    tables, passed = _tables(root, columns, layout, deeper=images is not None)
    if tables:
        found = _listed(root, sorted(tables), columns, names, images)
        return replace(found, notes=tuple(f"{name} was passed over: {why}" for name, why in passed.items()))
    if images or layout in ("manifest", "karpathy"):
        kind = "Karpathy's .json" if layout == "karpathy" else ".csv, .tsv or .jsonl with a column of pictures"
        raise InputError(
            f"there is no {kind} in {root}{_first(passed)}; give path=FILE, or leave layout and images out"
        )
    given = next((key for key, value in vars(columns).items() if value), None)
    if given:
        raise InputError(
            f"columns.{given} is given, but no table in {root} is read{_first(passed)}; give path=FILE, or leave it out"
        )
    return _without_table(root, layout, columns, names)


def _without_table(root: Path, layout: Layout | None, columns: Columns, names: Sequence[str] | None) -> Collection:
    """What lies in folders; where it is only taken for classes, a table that would be passed over is an `InputError`."""
    found = tree(root)
    passed = {name: _reason(root, root / name, columns) for name in found.tables}
    tables = {readable(name): why for name, why in passed.items() if why is not None}
    if tables and layout is None and not found.captioned:
        name, why = next(iter(tables.items()))
        said = f"is not read: {why}" if why else "lists pictures: give images=FOLDER, the one they lie in"
        raise InputError(f"{root / name} {said}; or give layout=classes to leave it aside")
    notes = (
        f"{name} was passed over: {why or 'captions are read from text files or folders here'}"
        for name, why in tables.items()
    )
    return replace(read_folders(root, found, layout=layout, names=names), notes=tuple(notes))


def _reason(root: Path, file: Path, columns: Columns) -> str | None:
    """Why a table is none of pictures, empty where it is one; None for a .json of something else."""
    if file.suffix.lower() != ".json":
        return why_not(root, file, columns)
    return "" if not file.is_symlink() and file.is_file() and is_karpathy(file) else None


def _first(passed: dict[str, str]) -> str:
    return next((f" ({name}: {why})" for name, why in passed.items()), "")


def _entered(root: Path, layout: Layout | None) -> Path:
    """The folder meant: `root`, or the only one in it that is no part, nor a class where that was said."""
    while True:
        seen = _seen(root)
        folders = [each for each in seen if each.is_dir()]
        if len(folders) != 1 or any(each.suffix.lower() in (*PICTURES, *TABLES, ".json", ".txt") for each in seen):
            return root
        (inner,) = folders
        is_class = layout == "classes" and not any(
            each.is_dir() and each.suffix.lower() not in PICTURES for each in _seen(inner)
        )
        if inner.is_symlink() or inner.name.lower() in PART_WORDS or is_class:
            return root
        root = inner


def _seen(folder: Path) -> list[Path]:
    return [each for each in folder.iterdir() if not each.name.startswith((".", "__MACOSX"))]


def _check_images(path: Path, images: Path) -> None:
    if not images.is_dir():
        raise InputError(f"images={images} is no folder; give the one that the table's pictures lie in")
    if path.is_dir() and not images.resolve().is_relative_to(path.resolve()):
        raise InputError(f"images={images} lies outside {path}; give path=FILE of the table, or the folder of both")


def _tables(root: Path, columns: Columns, layout: Layout | None, *, deeper: bool) -> tuple[list[Path], dict[str, str]]:
    """The tables of pictures in a folder and in its folders of parts, `deeper` in all; and why others are none."""
    tables, passed = [], {}
    for file in sorted(_files(root, deeper=deeper)) if layout not in ("captions", "classes") else ():
        ending = file.suffix.lower()
        wanted = (ending in TABLES and layout != "karpathy") or (ending == ".json" and layout != "manifest")
        why = _reason(root, file, columns) if wanted else None
        if why:
            passed[readable(file.relative_to(root).as_posix())] = why
        elif why == "":
            tables.append(file)
    return tables, passed


def _files(root: Path, *, deeper: bool) -> Iterator[Path]:
    inner = (each for each in root.iterdir() if each.is_dir() and not each.is_symlink())
    for folder in (root, *(each for each in inner if deeper or each.name.lower() in PART_WORDS)):
        yield from (file for file in folder.iterdir() if not file.name.startswith("."))


def _listed(
    root: Path, tables: Sequence[Path], columns: Columns, names: Sequence[str] | None, images: Path | None
) -> Collection:
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
            read_karpathy(root, table, folder=images or table.parent)
            if table.suffix.lower() == ".json"
            else read_manifest(root, table, columns, folder=images or table.parent, part=part, names=names)
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
