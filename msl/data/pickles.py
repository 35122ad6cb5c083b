"""The converter: plain arrays out of a pickle, without executing what else it may hold."""

import io
import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from msl.data.arrays import PICKLES, opened
from msl.data.parsing.process import parse
from msl.files import write_bytes
from msl.types import InputError

_FILE_NAME = re.compile(r"[^\W_][\w .+-]{0,100}")


def convert_pickle(file: Path, out: Path) -> list[Path]:
    """Write each array of a pickle as ``<out>/<its key>.npy``, or ``<stem>.npy`` for a bare one; gives the new files.

    Only numpy arrays of numbers or text, and Python's containers of numbers and text, are taken; a list of equally
    long rows becomes one array. Pickles of Python 2 are read too.

    Raises:
        InputError: one line, when the pickle asks for anything else, is damaged, or a file of that name is there.
    """
    if file.suffix.lower() not in PICKLES:
        raise InputError(f"{file}: wanted a pickle ({', '.join(PICKLES)}); write its arrays with numpy.save")
    with opened(file) as stream:
        arrays = parse(stream, file, "pickled")
    places = {_place(name, file, out): array for name, array in arrays.items()}
    there = next((place for place in places if place.exists()), None)
    if there is not None:
        raise InputError(f"{there} is there already; remove it or give another folder")
    return [write_bytes(place, _npy(array)) for place, array in places.items()]


def _place(name: str, file: Path, out: Path) -> Path:
    if not _FILE_NAME.fullmatch(name):
        raise InputError(
            f"{file}: the key {name[:40]!r} is no name for a file; wanted letters, digits, blanks and . + - _, rename it"
        )
    return out / f"{name}.npy"


def _npy(array: NDArray[Any]) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return buffer.getvalue()
