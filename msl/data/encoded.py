"""What `msl encode` wrote, as it is: features that stay on disk, and what is shown of each item. No class is needed."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from msl.data.formats import read_encoders
from msl.data.pairs import Features
from msl.types import InputError


@dataclass(frozen=True)
class Encoded:
    """A folder of features: items by `ids`, both modalities, and what made them."""

    folder: Path
    ids: tuple[str, ...]
    image: Features
    text: Features
    parts: tuple[str, ...]
    encoders: dict[str, Any]

    def items(self) -> Iterator[dict[str, Any]]:
        """The lines of `items.jsonl`, one of each item, in order: ``id``, ``text``, ``class`` and maybe ``image``.

        Raises:
            InputError: a line is damaged, or there are more or fewer than items.
        """
        file = self.folder / "items.jsonl"
        if not file.is_file():
            raise _damaged(self.folder, "items.jsonl is missing")
        with file.open("rb") as lines:
            for number, (name, line) in enumerate(zip_longest(self.ids, lines), start=1):
                item = _item(line)
                if item is None or item["id"] != name:
                    raise _damaged(self.folder, f"line {number} of items.jsonl does not describe item {name!r}")
                yield item


def read_encoded(folder: Path) -> Encoded:
    """Read a folder that `msl encode` finished.

    Raises:
        InputError: it is none, is unfinished, or is damaged.
    """
    if not (folder / "encode.json").is_file():
        raise InputError(
            f"{folder} was not written by msl encode, or not finished; run msl encode path=PICTURES out={folder}"
        )
    image, text = (_array(folder, name, axes=2, kind="f") for name in ("image", "text"))
    ids, parts = (_array(folder, name, axes=1, kind="U") for name in ("ids", "split"))
    if not len(image) == len(text) == len(ids) == len(parts):
        raise _damaged(folder, "its files hold different numbers of items")
    stored = read_encoders(folder)
    if stored is None or not {"image", "text"} <= stored.keys():
        raise _damaged(folder, "encoders.json is missing, or does not name both encoders")
    return Encoded(folder, tuple(map(str, ids)), Features(image), Features(text), tuple(map(str, parts)), dict(stored))


def _array(folder: Path, name: str, *, axes: int, kind: str) -> NDArray[Any]:
    """An array, those of features mapped from disk."""
    try:
        found: NDArray[Any] = np.load(folder / f"{name}.npy", mmap_mode="r" if axes == 2 else None, allow_pickle=False)
    except (OSError, ValueError, EOFError, SyntaxError) as error:  # a header that is no Python is a SyntaxError
        raise _damaged(folder, f"{name}.npy: {error}") from None
    if not isinstance(found, np.ndarray) or found.ndim != axes or found.dtype.kind != kind:
        raise _damaged(folder, f"{name}.npy holds something else")
    return found


def _item(line: bytes | None) -> dict[str, Any] | None:
    """A line of `items.jsonl`; None for what is none."""
    try:
        found = json.loads(line or b"")
    except (ValueError, RecursionError):
        return None
    kinds = {"id": str, "text": str, "class": list}
    fine = isinstance(found, dict) and all(isinstance(found.get(key), kind) for key, kind in kinds.items())
    return found if fine and isinstance(found.get("image", ""), str) else None


def _damaged(folder: Path, what: str) -> InputError:
    return InputError(f"{folder} is damaged ({what}); encode it again with restart=true")
