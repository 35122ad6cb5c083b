"""Files whose bytes depend on their content alone: no clock, no compression library."""

import io
import zipfile
from collections.abc import Mapping

import numpy as np

_DATE = (1980, 1, 1, 0, 0, 0)  # the earliest a zip can say


def array_bytes(array: np.ndarray) -> bytes:
    """A .npy file's bytes; arrays of objects are refused."""
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=False)
    return stream.getvalue()


def arrays_bytes(arrays: Mapping[str, np.ndarray]) -> bytes:
    """A .npz file's bytes: stored, not deflated, since deflated bytes differ from one zlib to the next."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, array in arrays.items():
            archive.writestr(zipfile.ZipInfo(f"{name}.npy", _DATE), array_bytes(array))
    return stream.getvalue()
