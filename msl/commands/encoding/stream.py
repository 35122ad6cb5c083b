"""Items -> rows of features, batch by batch: what cannot be encoded is left out with its reason, and memory stays bounded."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from itertools import islice
from typing import Any, TypeAlias

import numpy as np

from msl.commands.encoding.asked import Encoding, captions
from msl.commands.encoding.decode import Decoded, Decoder, ahead
from msl.commands.encoding.partial import Done, Partial
from msl.data.collection.item import Collection, Item
from msl.encode.encoders.encoder import Encoder
from msl.types import Floats, InputError

Outcome: TypeAlias = Floats | str
"""A row of features, or the reason why there is none."""

_NO_TEXT = "it has no caption"
_NOT_FINITE = "its features are no finite numbers"


def encode_all(
    collection: Collection,
    encoders: dict[str, Encoder],
    partial: Partial,
    decoder: Decoder,
    wanted: Encoding,
    *,
    advance: Callable[[int], None],
) -> None:
    """Encode every item that `partial` does not count yet; `advance` hears how many came with each batch."""
    left = collection.items[len(partial.done) :]
    coming = ahead(decoder, left, threads=wanted.threads, size=decoder.size, at_once=wanted.at_once)
    with closing(coming) as pictures:
        for start in range(0, len(left), wanted.batch):
            batch = left[start : start + wanted.batch]
            rows, done = _batch(batch, islice(pictures, len(batch)), encoders, wanted)
            partial.append(rows, done)
            advance(len(batch))


def _batch(
    items: Sequence[Item], pictures: Iterable[Decoded], encoders: dict[str, Encoder], wanted: Encoding
) -> tuple[dict[str, Floats], list[Done]]:
    """Rows of a batch, of image one for each kept item and of text one for each kept caption, and what came of each item."""
    texts = [() if item.refused else captions(item, wanted.captions) for item in items]
    spoken = iter(_encoded(encoders["text"], [text for each in texts for text in each]))
    rows: dict[str, list[Floats]] = {"image": [], "text": []}
    done = []
    for (digest, seen), offered in zip(_seen(pictures, encoders["image"], wanted.at_once), texts, strict=True):
        said = [next(spoken) for _ in offered]
        good = [(number, row) for number, row in enumerate(said) if not isinstance(row, str)]
        if isinstance(seen, str) or not good:
            reasons = [seen] if isinstance(seen, str) else [str(row) for row in said] or [_NO_TEXT]
            done.append(Done("", (), tuple(reasons)))
            continue
        rows["image"].append(seen)
        rows["text"] += [row for _, row in good]
        refused = tuple(row for row in said if isinstance(row, str))
        done.append(Done(digest, tuple(number for number, _ in good), refused))
    return {kind: _stacked(found, encoders[kind].size) for kind, found in rows.items()}, done


def _seen(pictures: Iterable[Decoded], encoder: Encoder, at_once: int) -> Iterator[tuple[str, Outcome]]:
    """The digest of each picture and what came of it; at most `at_once` pixels, or one picture, are held together."""
    held: list[Decoded] = []
    pixels = 0
    for each in pictures:
        size = 0 if each.picture is None else each.picture.width * each.picture.height
        if held and pixels + size > at_once:
            yield from _described(held, encoder)
            held, pixels = [], 0
        held.append(each)
        pixels += size
    yield from _described(held, encoder)


def _described(held: Sequence[Decoded], encoder: Encoder) -> list[tuple[str, Outcome]]:
    found = iter(_encoded(encoder, [each.picture for each in held if each.picture is not None]))
    return [(each.digest, each.reason if each.picture is None else next(found)) for each in held]


def _encoded(encoder: Encoder, items: Sequence[Any]) -> list[Outcome]:
    """What came of each item; where an encoder refuses one of many, they are given to it one by one."""
    try:
        return _finite(encoder.encode(items)) if items else []
    except InputError as error:
        if len(items) == 1:
            return [str(error)]
    return [each for item in items for each in _encoded(encoder, [item])]


def _finite(rows: Floats) -> list[Outcome]:
    good = np.asarray(np.isfinite(rows).all(axis=1))
    return [row if fine else _NOT_FINITE for row, fine in zip(rows, good, strict=True)]


def _stacked(rows: Sequence[Floats], size: int) -> Floats:
    return np.stack(rows) if rows else np.empty((0, size), np.float32)
