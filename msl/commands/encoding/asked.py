"""The keys of `conf/encode.yaml`, and of them what decides the bytes that come out."""

import hashlib
import os
import stat
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from annotated_types import Ge, Le
from pydantic import BaseModel, ConfigDict, Field

from msl.commands.installed import settings_of
from msl.data.collection.item import Collection, Item, Layout
from msl.data.collection.manifest import Columns
from msl.data.collection.tree import inside
from msl.encode.encoders.encoder import Encoder
from msl.types import Count, Fraction, InputError

MOST_PIXELS = 178_956_970
"""Pillow decodes no larger picture: twice its `MAX_IMAGE_PIXELS`."""
LONGEST_SIDE = 65_500
"""libjpeg writes no longer one."""


class Encoding(BaseModel):
    """What a person asks of `msl encode`."""

    model_config = ConfigDict(extra="forbid")
    path: str
    out: str
    image: dict[str, Any]
    text: dict[str, Any]
    layout: Layout | None
    columns: Columns
    class_names: str | None
    images: str | None
    captions: Literal["joined", "first", "each", "class"]
    pixels: Annotated[int, Ge(1), Le(MOST_PIXELS)]
    preview: Annotated[int, Ge(1), Le(LONGEST_SIDE)] | None
    test_share: Fraction
    seed: int = Field(ge=0)
    batch: Count
    at_once: Count
    threads: Count
    restart: bool
    progress: bool

    def settled(self, collection: Collection) -> dict[str, Any]:
        """Everything the files that are written depend on: a stopped run goes on only where all of it is the same."""
        chosen = {key: getattr(self, key) for key in _DECIDING}
        encoders = {
            f"{kind}.{key}": value for kind in ("image", "text") for key, value in options(getattr(self, kind)).items()
        }
        return {
            "collection": _digest(collection),
            **_files(collection),
            "layout": collection.layout,
            **chosen,
            **encoders,
        }


_DECIDING = ("captions", "pixels", "preview", "test_share", "seed", "batch", "at_once")


def options(node: dict[str, Any]) -> dict[str, Any]:
    """The name and options of an encoder, without its target; a file or folder that is here by its absolute path."""
    given = settings_of(node)
    here = {key: given[key] for key in ("path", "model") if given.get(key) and Path(given[key]).exists()}
    return given | {key: str(Path(value).absolute()) for key, value in here.items()}


def described(nodes: Mapping[str, Any], encoders: Mapping[str, Encoder]) -> dict[str, Any]:
    """The content of ``encoders.json``: for each kind of item the configured encoder's settings, and its identity."""
    return {
        kind: {"settings": options(nodes[kind]), "identity": encoder.identity} for kind, encoder in encoders.items()
    }


def captions(item: Item, mode: str) -> tuple[str, ...]:
    """The texts of an item that are encoded, each of them for a pair of its own; with ``class`` its classes' names are one."""
    if mode == "each":
        return item.texts
    if mode == "class":
        return (" ".join(item.classes).replace("_", " "),) * bool(item.classes)
    return item.texts[:1] if mode == "first" else (" ".join(item.texts),) * bool(item.texts)


def pair_id(item: Item, number: int, mode: str) -> str:
    """The id of a pair: its item's, and where there are several the caption's number, counted from 1."""
    return f"{item.id}#{number + 1}" if mode == "each" and len(item.texts) > 1 else item.id


def check_pair_ids(items: Sequence[Item], mode: str) -> None:
    """An `InputError` where two captions would make pairs of one id, as those of ``a`` and a picture called ``a#2``."""
    times = Counter(
        pair_id(item, number, mode) for item in items if not item.refused for number in range(len(captions(item, mode)))
    )
    double = next((name for name, count in times.items() if count > 1), None)
    if double is not None:
        raise InputError(f"two pairs would be called {double[:80]!r}; rename that picture, or give captions=joined")


def check_captions(collection: Collection, mode: str) -> None:
    """An `InputError` where no picture has a text, as those that only have a camera's numbers for names."""
    good = [item for item in collection.items if not item.refused]
    if not good or any(captions(item, mode) for item in good):
        return
    if mode == "class":
        raise InputError(f"captions=class, but {collection.root} says no class of any picture; give layout=classes")
    raise InputError(
        f"no picture of {collection.root} has a caption, nor a name with a word in it ({good[0].image[-80:]!r}); write captions, in a "
        "table or as a.txt beside a.jpg, or give captions=class for the name of its class as each picture's text"
    )


def _files(collection: Collection) -> dict[str, Any]:
    """What shows that a picture was replaced: how many bytes all have, and a digest of when each was written, and its size."""
    found = [_size_and_time(collection.root, item) for item in collection.items]
    digest = hashlib.sha256(repr(found).encode()).hexdigest()[:16]
    return {"bytes of all pictures": sum(size for size, _ in found), "written": digest}


def _size_and_time(root: Path, item: Item) -> tuple[int, int]:
    """Bytes, and nanoseconds since 1970; 0 of what is not there."""
    if item.refused:
        return 0, 0
    try:
        found = os.lstat(root / item.image)
        if stat.S_ISLNK(found.st_mode):
            found = inside(root, item.image).stat()
    except (OSError, ValueError):  # missing, outside, or a name that no file can have
        return 0, 0
    return found.st_size, found.st_mtime_ns


def _digest(collection: Collection) -> str:
    digest = hashlib.sha256()
    for item in collection.items:
        known = (item.id, item.image, item.texts, item.classes, item.part, not item.refused)
        digest.update(ascii(known).encode())
    return digest.hexdigest()[:16]
