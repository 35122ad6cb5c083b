"""From rows and journal to the files of a data folder, never more than a stretch of a matrix in memory."""

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from msl.commands.encoding.decode import preview_name
from msl.commands.encoding.kept import Kept
from msl.commands.encoding.partial import Done, Partial
from msl.commands.encoding.place import PARTIAL, PREVIEWS
from msl.data.collection.item import Item, readable
from msl.data.dataset import PART_NAMES
from msl.data.pairs import STRETCH
from msl.types import Ints


def write_arrays(out: Path, kept: Kept, partial: Partial) -> None:
    """Write image.npy, text.npy, ids.npy, split.npy and, where there are classes, label.npy."""
    image, text = partial.matrix("image"), partial.matrix("text")
    write_array(out, "image.npy", _stretches(kept.source, lambda rows: image[rows]), (len(text), image.shape[1]), "<f4")
    write_array(out, "text.npy", _stretches(np.arange(len(text)), lambda rows: text[rows]), text.shape, "<f4")
    ids = [name for name, *_ in kept.pairs()]
    write_array(out, "ids.npy", [np.array(ids)], (len(ids),), f"<U{max(map(len, ids))}")
    parts = np.array(PART_NAMES)[kept.part][kept.source]
    write_array(out, "split.npy", [parts], parts.shape, "<U10")
    if kept.class_names:
        _write_labels(out, kept)


def _write_labels(out: Path, kept: Kept) -> None:
    """Class indices where every item has one class, else a column of 0 and 1 for each class."""
    place = {name: column for column, name in enumerate(kept.class_names)}
    if all(len(item.classes) == 1 for item in kept.items):
        labels = np.array([place[item.classes[0]] for item in kept.items])[kept.source]
        write_array(out, "label.npy", [labels], labels.shape, "<i8")
        return

    def indicators(rows: Ints) -> NDArray[Any]:
        block = np.zeros((len(rows), len(place)), np.uint8)
        for row, source in enumerate(rows):
            block[row, [place[name] for name in kept.items[source].classes]] = 1
        return block

    write_array(out, "label.npy", _stretches(kept.source, indicators), (len(kept.source), len(place)), "|u1")


def _stretches(rows: Ints, read: Any) -> Iterator[NDArray[Any]]:
    return (read(rows[start : start + STRETCH]) for start in range(0, len(rows), STRETCH))


def write_array(out: Path, name: str, blocks: Iterable[NDArray[Any]], shape: tuple[int, ...], kind: str) -> None:
    """Write an array of numpy's type `kind` as .npy, its blocks one after the other."""
    with _finished(out, name) as stream:
        head = {"descr": kind, "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(stream, head)
        for block in blocks:
            stream.write(np.ascontiguousarray(block, kind).tobytes())


def write_items(out: Path, kept: Kept) -> None:
    """Write items.jsonl, what galleries show: id, text, classes, the small copy of the picture, and where it came from."""
    with _finished(out, "items.jsonl") as stream:
        for name, text, item, done in kept.pairs():
            shown = {"image": f"{PREVIEWS}/{preview_name(done.picture)}"} if kept.wanted.preview else {}
            _say(
                stream, {"id": name, "text": text, **shown, "class": list(item.classes), "source": readable(item.image)}
            )


def write_duplicates(out: Path, kept: Kept) -> None:
    """Write duplicates.jsonl: what several items share, and their ids."""
    with _finished(out, "duplicates.jsonl") as stream:
        for same in kept.same:
            _say(stream, {"same": same.kind, same.kind: same.what, "ids": [kept.items[item].id for item in same.items]})


def write_skipped(out: Path, items: Sequence[Item], done: Sequence[Done]) -> None:
    """Write skipped.jsonl: the picture and the reason of every item, or single caption, that was left out."""
    with _finished(out, "skipped.jsonl") as stream:
        for item, each in zip(items, done, strict=True):
            for reason in each.skipped:
                _say(stream, {"image": readable(item.image), "said": item.said, "reason": reason})


def _say(stream: BinaryIO, what: Mapping[str, Any]) -> None:
    stream.write((json.dumps(what, ensure_ascii=False) + "\n").encode("utf-8", "backslashreplace"))


@contextmanager
def _finished(out: Path, name: str) -> Iterator[BinaryIO]:
    """A file of `out` that is written whole, however large, before it lies there."""
    with (out / PARTIAL / name).open("wb") as stream:
        yield stream
        stream.flush()
        os.fsync(stream.fileno())
    (out / PARTIAL / name).replace(out / name)
