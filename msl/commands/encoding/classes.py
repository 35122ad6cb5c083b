"""The classes that occur, by name, and vectors of their names where any can be made."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from msl.commands.encoding.assemble import write_array
from msl.data.finding.classlists import numbered
from msl.encode.encoders.encoder import Encoder
from msl.encode.words import WordVectors
from msl.files import write_json
from msl.types import InputError


def write_classes(out: Path, names: Sequence[str], text: Encoder) -> tuple[str | None, str]:
    """Write class_names.json and class_vectors.npy; gives what made the vectors, None without any, and what to tell of it.

    They are the text encoder's, underscores read as spaces, or where it does not know all names those of `WordVectors`.
    """
    write_json(out / "class_names.json", list(names))
    if numbered(tuple(names)):
        return None, _NONE
    spoken = [name.replace("_", " ") for name in names]
    for maker, encode in (("the text encoder", text.encode), ("word vectors", WordVectors.load().encode)):
        try:
            vectors = np.asarray(encode(spoken), np.float32)
        except InputError:  # a name it cannot describe
            continue
        write_array(out, "class_vectors.npy", [vectors], vectors.shape, "<f4")
        return (
            maker,
            "" if maker == "the text encoder" else f"note: {_refused(spoken, text)}; class vectors are word vectors",
        )
    return None, f"{_NONE}; {_refused(spoken, text)}"


_NONE = "note: no vectors of these class names: train with embedding=onehot or embedding=none"


def _refused(names: Sequence[str], text: Encoder) -> str:
    """Which name the text encoder does not take, and why."""
    for name in names:
        try:
            text.encode([name])
        except InputError as error:
            return f"the text encoder refuses the class {name!r} ({error})"
    return "the text encoder refuses the class names together"
