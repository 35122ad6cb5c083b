"""What `msl encode` wrote, as it is: features that stay on disk, and what is shown of each item. No class is needed."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

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
        """The lines of `items.jsonl`, one of each item, in order: ``id``, ``text``, ``class`` and maybe ``image``."""
        file = self.folder / "items.jsonl"
        with file.open("rb") as lines:
            for name, line in zip(self.ids, lines, strict=True):
                item: dict[str, Any] = json.loads(line)
                if item["id"] != name:
                    raise InputError(f"{file}: {item['id']!r} stands where {name!r} is wanted; encode the folder again")
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
    try:
        image, text = (np.load(folder / f"{kind}.npy", mmap_mode="r", allow_pickle=False) for kind in ("image", "text"))
        ids, parts = (np.load(folder / f"{name}.npy", allow_pickle=False) for name in ("ids", "split"))
    except (OSError, ValueError) as error:
        raise InputError(f"{folder} is damaged ({error}); encode it again with restart=true") from None
    if not len(image) == len(text) == len(ids) == len(parts):
        raise InputError(
            f"{folder} is damaged: its files hold different numbers of items; encode it again with restart=true"
        )
    stored = dict(read_encoders(folder) or {})
    return Encoded(folder, tuple(map(str, ids)), Features(image), Features(text), tuple(map(str, parts)), stored)
