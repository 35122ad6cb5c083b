"""Arrays out of files that may come from anyone, in every format people keep features in.

.npy is mapped where it lies; everything else is parsed in a process of its own, where a damaged file can do no harm.
"""

import os
import stat
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from msl.data.parsing.process import parse
from msl.data.parsing.segments import mapped
from msl.types import InputError

_PARSERS = {
    ".npz": "archive",
    ".mat": "matlab",
    **dict.fromkeys((".h5", ".hdf5", ".h5py", ".hdf"), "hdf5"),
    **dict.fromkeys((".csv", ".tsv", ".txt"), "delimited"),
    ".parquet": "parquet",
}
SUFFIXES = (".npy", *_PARSERS)
"""What can be read; capitals do not matter."""
PICKLES = (".pkl", ".pickle")
"""What only the converter reads, which an explicit command starts."""
_CODE = (*PICKLES, ".pt", ".pth", ".ckpt", ".joblib")
_STRETCH = 16 << 20
_READ = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)  # a pipe would wait for its writer


def read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """Every array of a file by name, of numbers or text; a file of a single array names it by its stem.

    Arrays have the type and shape they are stored in, are mapped read-only and cost no private memory. They hold
    whatever the file holds: give float arrays to `check_finite` before computing with them.

    Raises:
        InputError: one line naming the file and the remedy, for anything that is not a whole file of plain arrays.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise InputError(_refusal(path))
    with opened(path) as file:
        if suffix != ".npy":
            return parse(file, path, _PARSERS[suffix])
        try:
            return {path.stem: mapped(file, start=0, stop=os.fstat(file.fileno()).st_size)}
        except InputError as error:
            raise InputError(f"{path} is {error}") from None


def opened(path: Path) -> BinaryIO:
    """An ordinary file that is not empty, open for reading; InputError for a folder, a pipe, or what may not be read."""
    try:
        file = os.fdopen(os.open(path, _READ), "rb")
    except IsADirectoryError:
        raise InputError(f"{path} is a folder; wanted a file, {', '.join(SUFFIXES)}") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{str(path)!r} cannot be opened ({reason}); check the path and its permissions") from None
    status = os.fstat(file.fileno())
    if stat.S_ISREG(status.st_mode) and status.st_size:
        return file
    file.close()
    what = "empty" if stat.S_ISREG(status.st_mode) else "no ordinary file"
    raise InputError(f"{path} is {what}; wanted a file of arrays, copy or write it again")


def check_finite(array: NDArray[Any], what: str) -> None:
    """Refuse NaN and infinities, in stretches of rows, so that a mapped array (rows, ...) is never copied.

    Loaders call it once on every array of features or class vectors that they do not copy anyway. The message begins
    with `what` and names the first bad row, counted from 0.
    """
    if array.dtype.kind not in "fc" or not array.size:
        return
    rows = array if array.ndim else array[None]
    step = max(1, _STRETCH // (rows.itemsize * max(1, rows[0].size)))
    for start in range(0, len(rows), step):
        stretch = rows[start : start + step]
        bad = np.flatnonzero(~np.isfinite(stretch).reshape(len(stretch), -1).all(axis=1))
        if len(bad):
            raise InputError(f"{what}: row {start + bad[0]} holds NaN or infinity; drop or recompute it")


def _refusal(path: Path) -> str:
    suffix = path.suffix.lower()
    if suffix in PICKLES:
        remedy = f"take its arrays out with: msl data convert {path} out=FOLDER"
    elif suffix in _CODE:
        remedy = "load it where it was made, if you trust it, and write its arrays with numpy.save"
    else:
        return f"{path}: wanted a file of arrays ({', '.join(SUFFIXES)}), but got {suffix or 'no suffix'!r}; convert it"
    return f"{path}: {suffix} is a pickle, which executes code when it is read, so it is refused; {remedy}"
