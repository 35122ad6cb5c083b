"""The index of a model that is given away: codes, names, what scores mean, items and their previews; no path, no database.

It is searched exactly, whatever the run was searched with, so that nothing but codes has to be trusted.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, get_args

import numpy as np

from msl.files import write_text
from msl.index.search import Exact, Index
from msl.index.store import Store
from msl.serve.items import Item, Items
from msl.serve.names import Names
from msl.serve.place import Content, Place, directed
from msl.serve.retriever import Retriever
from msl.serve.share.thumbnails import Previews, pack
from msl.types import InputError, Modality

ITEMS, PREVIEWS = "items.jsonl", "previews.zip"
FILES = (
    "index.json", "names.npz", ITEMS, PREVIEWS,
    *(f"{modality}/{name}" for modality in get_args(Modality) for name in ("current", "000001/codes.f32", "000001/ids")),
)  # fmt: skip
"""All that an index holds, relative to its folder."""


class Listed(Items):
    """Items that are read once and only read."""

    def __init__(self, file: Path) -> None:
        super().__init__(file)
        try:
            with file.open(encoding="utf-8") as lines:
                items = [_item(json.loads(line)) for line in lines]
        except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
            raise InputError(f"{file} is damaged ({type(error).__name__}: {error}); get the folder again") from None
        self._items = {item.id: item for item in items}

    def find(self, ids: Sequence[str]) -> dict[str, Item]:
        """The items of these ids; those that are not there are left out."""
        return {name: self._items[name] for name in ids if name in self._items}

    def __iter__(self) -> Iterator[Item]:
        """All items, by id."""
        return (self._items[name] for name in sorted(self._items))


@dataclass(frozen=True, kw_only=True)
class Packed:
    """An index that was given away."""

    content: Content
    names: list[Names]
    indexes: Mapping[Modality, Index]
    items: Items

    def searched_by(self, retriever: Retriever) -> Retriever:
        """A retriever that had no index, over this one."""
        return replace(
            retriever,
            indexes=self.indexes,
            items=self.items,
            calibrations=directed(self.content.items),
            names=self.names,
            name_calibrations=directed(self.content.names),
        )


def write_packed(folder: Path, retriever: Retriever, content: Content, previews: Previews) -> None:
    """Write the index of a retriever to a new folder; `content` says what scores mean and whose codes they are."""
    place = Place(folder)
    for modality, index in retriever.indexes.items():
        rows = np.flatnonzero(index.store.alive)
        ids = [index.store.ids[row] for row in rows]
        Store.create(place.codes(modality), {"weights": content.weights}).add(ids, index.store.codes[rows])
    for lock in folder.rglob(".*.lock"):
        lock.unlink()
    place.write(replace(content, search={}), list(retriever.names))
    pack(_written_items(folder / ITEMS, retriever.items, previews), folder / PREVIEWS)


def _written_items(file: Path, items: Items, previews: Previews) -> Iterator[tuple[str, bytes]]:
    """Write the items, whose pictures are members of the archive now; those, by name."""
    lines = []
    for number, item in enumerate(items):
        preview = previews(item)
        kept = replace(item, folder=None, image=f"{number:07d}.jpg" if preview else None)
        if preview:
            yield f"{number:07d}.jpg", preview
        lines.append(json.dumps({key: value for key, value in asdict(kept).items() if key != "folder"}))
    write_text(file, "".join(f"{line}\n" for line in lines))


def open_packed(folder: Path, *, weights: str) -> Packed:
    """Read what `write_packed` wrote; `weights` is the sha256 of the weights beside it.

    Raises:
        InputError: something is missing or damaged, or the codes are of other weights.
    """
    place = Place(folder)
    try:
        content, names = place.read()
        indexes: dict[Modality, Index] = {
            modality: Exact(threads=None).open(Store.open(place.codes(modality))) for modality in get_args(Modality)
        }
    except InputError as error:
        raise InputError(f"{str(error).partition(';')[0]}; get the folder again, or export the run again") from None
    if content.weights != weights or not _sound(content, names):
        raise InputError(f"{folder} is not the index of the weights beside it; get the folder again")
    return Packed(content=content, names=names, indexes=indexes, items=Listed(folder / ITEMS))


def _sound(content: Content, names: Sequence[Names]) -> bool:
    """Whether all that is computed with are numbers."""
    meanings = [*content.items.values(), *content.names.values()]
    numbers = [number for each in meanings for number in (each.calibration.slope, each.calibration.offset)]
    return all(isinstance(number, (int, float)) for number in numbers) and all(
        each.codes.dtype.kind == "f" and each.codes.ndim == 2 and len(each.codes) == len(each.names) for each in names
    )


def _item(line: dict[str, Any]) -> Item:
    texts = [line[key] for key in ("id", "text", "image", "part")]
    if not all(isinstance(each, str) or each is None for each in texts) or not isinstance(line["id"], str):
        raise ValueError("an item's id, text, image and part are texts")
    return Item(line["id"], line["text"], line["image"], None, tuple(map(str, line["classes"])), line["part"])
