"""The classes that occur, by name, and vectors of their names where any can be made."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from msl.commands.encoding.assemble import write_array
from msl.data.finding.classlists import numbered
from msl.encode.encoders.encoder import Encoder
from msl.encode.words import WordVectors
from msl.files import write_json
from msl.types import Floats, InputError


def write_classes(out: Path, names: Sequence[str], text: Encoder) -> bool:
    """Write class_names.json and class_vectors.npy; whether there are vectors.

    They are the text encoder's, underscores read as spaces, or where it does not know all names those of `WordVectors`.
    """
    write_json(out / "class_names.json", list(names))
    vectors = None if numbered(tuple(names)) else _vectors([name.replace("_", " ") for name in names], text)
    if vectors is not None:
        write_array(out, "class_vectors.npy", [vectors], vectors.shape, "<f4")
    return vectors is not None


def _vectors(names: list[str], text: Encoder) -> Floats | None:
    for encode in (text.encode, WordVectors.load().encode):
        try:
            return np.asarray(encode(names), np.float32)
        except InputError:  # a name it cannot describe
            continue
    return None
