"""The keys of `conf/encode.yaml`, and of them what decides the bytes that come out."""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from msl.data.collection.item import Collection, Item, Layout
from msl.data.collection.manifest import Columns
from msl.encode.encoders.encoder import Encoder
from msl.types import Count, Fraction, InputError


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
    captions: Literal["joined", "first", "each"]
    pixels: Count
    preview: Count | None
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
        return {"collection": _digest(collection), "layout": collection.layout, **chosen, **encoders}


_DECIDING = ("captions", "pixels", "preview", "test_share", "seed", "batch", "at_once")


def options(node: dict[str, Any]) -> dict[str, Any]:
    """The name and options of an encoder, without its target."""
    return {key: value for key, value in node.items() if not key.startswith("_")}


def described(nodes: Mapping[str, Any], encoders: Mapping[str, Encoder]) -> dict[str, Any]:
    """The content of ``encoders.json``: for each kind of item the configured encoder's settings, and its identity."""
    return {
        kind: {"settings": options(nodes[kind]), "identity": encoder.identity} for kind, encoder in encoders.items()
    }


def captions(item: Item, mode: str) -> tuple[str, ...]:
    """The texts of an item that are encoded, each of them for a pair of its own."""
    if mode == "each":
        return item.texts
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


def _digest(collection: Collection) -> str:
    digest = hashlib.sha256()
    for item in collection.items:
        known = (item.id, item.image, item.texts, item.classes, item.part, not item.refused)
        digest.update(ascii(known).encode())
    return digest.hexdigest()[:16]
