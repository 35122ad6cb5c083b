"""What lies at a path: every array of every file, with what its name says of it."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from msl.data.arrays import PICKLES, SUFFIXES, read_arrays
from msl.data.collection.item import PICTURES
from msl.data.finding.classlists import NAME_LISTS, is_list, read_names
from msl.data.finding.naming import Meaning, Role, meaning
from msl.types import InputError

FIRST, INDEX = "column1", "index"
"""What `msl.data.parsing` calls a table's first column without a header, and pandas' row numbers."""
DEPTH = 4
"""Folders below the given one that are looked into."""
FILES = 200_000
"""More files than this are not one data set of vectors."""


@dataclass(frozen=True, eq=False)
class Found:
    """An array: where it lies (`file`, and `key` in it), what its names say, and the `place` that messages name."""

    file: Path
    key: str
    place: str
    array: NDArray[Any]
    meaning: Meaning

    def called(self, spec: str) -> bool:
        """Whether `spec` is a name of this array: its key, its file (with or without suffix), `file:key`, its modality."""
        name, stem = self.place.partition(":")[0], Path(self.place.partition(":")[0]).with_suffix("").as_posix()
        return spec in (self.place, name, stem, self.key, f"{name}:{self.key}", self.meaning.kind, *self.meaning.hint)


@dataclass(frozen=True)
class Discovery:
    """The arrays found below `root`, and the files `aside` of which nothing was taken, each with the reason."""

    root: Path
    found: tuple[Found, ...]
    aside: tuple[str, ...]


def discover(path: Path) -> Discovery:
    """Read a file, or every file of a folder and its sub-folders.

    A sub-folder with one ``.npy`` vector per item becomes a matrix, with the files' names as ids and the folders in it
    as labels. Hidden files are left alone, and so are .txt, .list and .json files whose name says nothing.

    Raises:
        InputError: nothing is there, or a file whose name says that it belongs to the data set cannot be read.
    """
    if not path.exists():
        raise InputError(f"there is no file or folder {path}; give the path of your features")
    root = path if path.is_dir() else path.parent
    try:
        below = sorted(_files(path, DEPTH)) if path.is_dir() else [path]
    except OSError as error:
        raise InputError(
            f"{error.filename or path} cannot be looked into ({error.strerror}); check its permissions"
        ) from None
    files = [
        file for file in below if path.is_file() or file.suffix.lower() not in PICTURES
    ]  # these lie beside features
    if len(files) > FILES:
        raise InputError(f"{path} holds more than {FILES} files; give the folder that holds only the features")
    items = _item_files(files, root)
    aside = {file: reason for file in files if path.is_dir() and (reason := _left_out(file, root))}
    plain = [file for file in files if file not in items and file not in aside]
    found = [array for file in plain for array in read_found(file, root)]
    if not found and not items and len(files) < len(below):
        raise InputError(f"{path} holds pictures and no features; make some of them: msl encode path={path} out=FOLDER")
    return Discovery(root, (*found, *_stacked(items, root)), tuple(aside.values()))


def read_found(file: Path, root: Path, *, role: Role | None = None) -> list[Found]:
    """The arrays of one file, which may be known to have a `role`; in a file of a single array that array's name does
    not matter.
    """
    relative = file.relative_to(root) if file.is_relative_to(root) else Path(file.name)
    levels = [relative.stem, *reversed(relative.parent.parts)]
    if "class_names" in (role, meaning(levels).role) and is_list(file):
        said = replace(meaning(levels), role="class_names")
        return [Found(file, file.stem, str(relative), np.array(read_names(file)), said)]
    arrays = read_arrays(file)
    if len(arrays) == 1:
        ((key, array),) = arrays.items()
        said = meaning(levels)
        return [Found(file, key, str(relative), array, said if said.role or said.hint else meaning([key, *levels]))]
    if {"id", "ids"} & set(arrays):
        arrays.pop(INDEX, None)  # row numbers that pandas wrote, where there are ids
    return [
        Found(file, key, f"{relative}:{key}", array, _column_meaning(key, levels, len(arrays)))
        for key, array in arrays.items()
    ]


def _column_meaning(key: str, levels: list[str], columns: int) -> Meaning:
    """Of two columns without a header in a file of labels, the first one holds the ids."""
    said = meaning([key, *levels])
    return replace(said, role="ids") if (key, columns, said.role) == (FIRST, 2, "label") else said


def _files(folder: Path, depth: int) -> Iterator[Path]:
    for entry in folder.iterdir():
        if entry.name.startswith("."):
            continue
        if entry.is_dir() and depth:
            yield from _files(entry, depth - 1)
        elif entry.is_file():
            yield entry


def _left_out(file: Path, root: Path) -> str:
    """Why nothing is read from a file, empty for one that is read."""
    suffix, said = file.suffix.lower(), meaning([file.stem])
    if suffix in PICKLES:
        return f"{file.relative_to(root)} (a pickle: take its arrays out with msl data convert)"
    if suffix in NAME_LISTS:
        lists = said.role == "class_names" or (suffix == ".txt" and said.role in ("label", "split", "ids"))
        return "" if lists else f"{file.relative_to(root)} (its name says no role)"
    return "" if suffix in SUFFIXES else f"{file.relative_to(root)} (no file of arrays)"


def _item_files(files: list[Path], root: Path) -> dict[Path, NDArray[Any]]:
    """The files that hold one vector each, in folders of at least two such; by file its vector."""
    vectors: dict[Path, dict[Path, NDArray[Any]]] = defaultdict(dict)
    others = set()
    for file in files:
        if file.suffix.lower() != ".npy" or file.parent == root or meaning([file.stem]).role not in (None, "features"):
            continue
        array, top = read_arrays(file)[file.stem], _modality_folder(file, root)
        vector = array.dtype.kind in "fiu" and array.size == max(array.shape, default=0) > 1
        if vector and meaning([str(top)]).role in (None, "features"):
            vectors[top][file] = array
        else:
            others.add(top)
    others.add(Path())  # vectors that lie in no modality's folder
    return {
        file: array
        for top, held in vectors.items()
        if len(held) > 1 and top not in others
        for file, array in held.items()
    }


def _modality_folder(file: Path, root: Path) -> Path:
    """The outermost folder whose name is no part (train, test)."""
    folders = file.relative_to(root).parts[:-1]
    return Path(next((name for name in folders if not _is_part(name)), ""))


def _is_part(name: str) -> bool:
    said = meaning([name])
    return said.part is not None and not said.hint


def _stacked(items: dict[Path, NDArray[Any]], root: Path) -> list[Found]:
    """Each modality's vectors as a matrix, its ids and, where there are sub-folders, its labels: one of each per part.

    Folders called train and test are parts only where all items lie in one: train is also a class of vehicles.
    """
    tops: dict[Path, list[Path]] = defaultdict(list)
    for file in items:
        tops[_modality_folder(file, root)].append(file)
    found: list[Found] = []
    for top, files in tops.items():
        folders = [file.relative_to(root).parts[:-1] for file in files]
        in_parts = all(any(map(_is_part, names)) for names in folders)
        groups: dict[str, list[Path]] = defaultdict(list)
        for file, names in zip(files, folders, strict=True):
            groups[next(filter(_is_part, names)) if in_parts else ""].append(file)
        found += [each for part, group in groups.items() for each in _matrix(top, part, group, items, root)]
    return found


def _matrix(top: Path, part: str, files: list[Path], items: dict[Path, NDArray[Any]], root: Path) -> Iterator[Found]:
    """One part's (or with `part` empty, all) vectors of the modality in folder `top`."""
    size = items[files[0]].size
    odd = next((file for file in files if items[file].size != size), None)
    if odd is not None:
        raise InputError(
            f"{odd} holds {items[odd].size} numbers, but {files[0]} holds {size}; "
            "give the items of one modality vectors of one length"
        )
    said = meaning([str(top)])
    said = replace(said, role="features", part=meaning([part]).part, hint=said.hint or (str(top),))
    where = f"{top}/*.npy ({len(files)} files{', ' + part if part else ''})"
    inner = [_inner(file, root, {str(top), part} - {""}) for file in files]
    yield Found(root / top, "", where, np.stack([np.ravel(items[file]) for file in files]), said)
    ids = np.array(["/".join(each) for each in inner])
    yield Found(root / top, "", f"names of {where}", ids, replace(said, role="ids"))
    depths = {len(each) for each in inner}
    if depths == {2}:
        labels = np.array([each[0] for each in inner])
        yield Found(root / top, "", f"sub-folders of {where}", labels, replace(said, role="label"))
    elif depths != {1}:
        raise InputError(
            f"{root / top} holds vectors at different depths; put each into the folder of its class, or all side by side"
        )


def _inner(file: Path, root: Path, outer: set[str]) -> list[str]:
    """The names of folders and file without the modality's own and the part's."""
    names = list(file.relative_to(root).with_suffix("").parts)
    for name in outer:
        names.remove(name)  # its first occurrence: a class may be called the same
    return names
