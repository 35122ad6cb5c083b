"""A folder of files of the Wikipedia data set: what is there, and every array checked as it is read."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from msl.data.arrays import opened, read_arrays
from msl.data.pairs import checked_features
from msl.data.wikipedia_files import CHECKSUMS, CLASSES, HDF5, LISTS, VALIDATION_ROWS, Source
from msl.files import sha256
from msl.types import Floats, InputError, Ints


class Folder:
    """The files below a path, each read once; with `verify`, one whose bytes are not the published ones is refused."""

    def __init__(self, path: Path, *, verify: bool) -> None:
        if not os.path.isdir(path):
            raise InputError(
                f"there is no folder {path}; get the original with msl data get wikipedia, or give data.path=FOLDER"
            )
        self.path = path
        self._verify = verify
        self._read: dict[str, Mapping[str, NDArray[Any]]] = {}

    def find(self, name: str) -> Path | None:
        """Where a file or folder lies: at the path, or in the folder that the original archive unpacks to."""
        places = (self.path / name, self.path / "wikipedia_dataset" / name)
        return next((place for place in places if os.path.exists(place)), None)

    def holds(self, source: Source) -> bool:
        """Whether all files of a source are there."""
        return all(self.find(file) for file, _ in source.pieces)

    def held(self, sources: Sequence[Source], kind: str, *, key: str) -> list[Source]:
        """The sources of a kind that are there; an `InputError` says what `key`, a configuration key, lacks."""
        wanted = [source for source in sources if kind in ("auto", source.kind)]
        found = [source for source in wanted if self.holds(source)]
        if found:
            return found
        ways = ", or ".join(source.files for source in wanted)
        made = " (msl data convert makes them of the pickles)" if kind == "acmr" else ""
        others = "|".join(dict.fromkeys(source.kind for source in sources if self.holds(source)))
        raise InputError(
            f"{key}={kind} wants {ways}{made}, and {self.path} lacks it; put it there"
            + (f", or choose {key}={others}" if others else "")
        )

    def read(self, name: str) -> Path:
        """Where a file that must be there lies, compared with its checksum; an `InputError` if it was altered."""
        file = self.find(name)
        if file is None:
            raise InputError(f"there is no {name} in {self.path}; put it there")
        opened(file).close()
        wanted = CHECKSUMS.get(name) if self._verify else None
        if wanted is not None and (digest := sha256(file)) != wanted:
            raise InputError(
                f"{file} has sha256 {digest}, wanted {wanted}; get the published file again, or give data.verify=false"
            )
        return file

    def array(self, name: str, key: str) -> NDArray[Any]:
        """An array of a file; of a list, the column ``text``, ``image`` (ids) or ``category``."""
        if name not in self._read:
            file = self.read(name)
            arrays: Mapping[str, NDArray[Any]] = _columns(file) if name in LISTS else read_arrays(file)
            self._read[name] = _one_spelling(arrays) if name == HDF5 else arrays
        arrays = self._read[name]
        if key not in arrays:
            there = ", ".join(arrays)
            raise InputError(f"{self.find(name)} has no array {key!r} but {there}; get the published file again")
        return arrays[key]

    def features(self, source: Source) -> Floats:
        """The matrix of a source (2866, size), float32."""
        pieces = [
            checked_features(self.array(file, key), what=f"{self.find(file)}: {key}", rows=rows)
            for (file, key), rows in zip(source.pieces, source.rows, strict=True)
        ]
        sizes = [str(piece.shape[1]) for piece in pieces]
        if len(set(sizes)) > 1:
            raise InputError(
                f"{self.path}: the parts of {source.files} have {', '.join(sizes)} columns; take all parts from one place"
            )
        return pieces[0] if len(pieces) == 1 else np.concatenate(pieces)

    def labels(self, source: Source) -> Ints:
        """The class index of each row of a source (2866,), counted from 0 wherever the files begin."""
        labels = np.concatenate(
            [
                _class_numbers(self.array(file, key), rows, what=f"{self.find(file)}: {key}")
                for (file, key), rows in zip(source.pieces, source.rows, strict=True)
            ]
        )
        labels -= labels.min()
        counts, wanted = np.bincount(labels, minlength=len(CLASSES)).tolist(), list(CLASSES.values())
        if counts != wanted:
            raise InputError(
                f"{self.path}: {source.said} of {source.files}: the classes have {counts} items, wanted {wanted}; "
                "take the published file, whose classes are numbered in alphabetical order"
            )
        return labels

    def ids(self, key: str) -> tuple[str, ...]:
        """The ``text`` or ``image`` ids of the published order (2866,), each a different one; the lists must be there."""
        ids = tuple(str(name) for file in LISTS for name in self.array(file, key))
        if len(set(ids)) < len(ids):
            double = next(name for name in ids if ids.count(name) > 1)
            raise InputError(
                f"{self.path}: {' or '.join(LISTS)}: {double!r} stands twice; get the published lists again"
            )
        return ids


def _columns(file: Path) -> dict[str, NDArray[Any]]:
    try:
        lines = [line.split("\t") for line in file.read_text(encoding="utf-8").splitlines()]
        text, image, category = zip(*lines, strict=True)
        return {"text": np.array(text), "image": np.array(image), "category": np.array(category).astype(np.int64)}
    except (OSError, ValueError) as error:
        reason = (
            getattr(error, "strerror", None) or "a line is not a text id, an image id and a number, with tabs between"
        )
        raise InputError(f"{file}: {reason}; get the published file again") from None


def _one_spelling(arrays: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """The HDF5's arrays with texts in the singular, and validation rows of their own.

    Where the file has none, they are the first of its test rows, as the code that reads these files has it.
    """
    found = {name.replace("_texts", "_text") if name.endswith("_texts") else name: a for name, a in arrays.items()}
    if not any(name.startswith("valid_") for name in found):
        for name in [name for name, array in found.items() if name.startswith("test_") and array.ndim]:
            found["valid_" + name.removeprefix("test_")] = found[name][:VALIDATION_ROWS]
            found[name] = found[name][VALIDATION_ROWS:]
    return found


def _class_numbers(array: NDArray[Any], rows: int, *, what: str) -> Ints:
    """One number per row, from a row or a column of numbers, or from indicators of one class each."""
    column = array.ravel() if array.size == rows else array
    if array.shape == (rows, len(CLASSES)) and array.dtype.kind in "biuf" and np.array_equal(_one_hot(array), array):
        column = array.argmax(axis=1)
    if column.shape != (rows,) or column.dtype.kind not in "iuf" or not np.isin(column, range(len(CLASSES) + 1)).all():
        raise InputError(
            f"{what}: wanted {rows} class numbers, 0..9 or 1..10, but got shape {array.shape} of {array.dtype}; "
            "get the published file again"
        )
    return column.astype(np.int64)


def _one_hot(array: NDArray[Any]) -> NDArray[np.bool_]:
    found: NDArray[np.bool_] = np.eye(array.shape[1], dtype=bool)[array.argmax(axis=1)]
    return found
