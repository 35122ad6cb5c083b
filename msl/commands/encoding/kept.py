"""What is kept of a collection: the items with features, the pairs they make, their parts and classes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from msl.commands.encoding.asked import Encoding, captions, pair_id
from msl.commands.encoding.duplicates import Same, drawn, duplicates, grouped
from msl.commands.encoding.partial import Done, Partial
from msl.data.collection.item import Collection, Item
from msl.data.finding.classlists import NUMBERED
from msl.types import Ints


@dataclass(frozen=True)
class Kept:
    """The items that have features, what came of each, and how many pairs each makes."""

    items: Sequence[Item]
    done: Sequence[Done]
    wanted: Encoding

    @classmethod
    def of(cls, collection: Collection, partial: Partial, wanted: Encoding) -> "Kept":
        """Those of a collection."""
        kept = [(item, done) for item, done in zip(collection.items, partial.done, strict=True) if done.captions]
        return cls([item for item, _ in kept], [done for _, done in kept], wanted)

    @cached_property
    def source(self) -> Ints:
        """The item of each pair (pairs,)."""
        return np.repeat(np.arange(len(self.items)), [len(done.captions) for done in self.done])

    @cached_property
    def same(self) -> list[Same]:
        """What several items share."""
        return duplicates([done.picture for done in self.done], [self._texts(row) for row in range(len(self.items))])

    @cached_property
    def part(self) -> Ints:
        """The part of each item (items,): as it was given, else drawn."""
        if self.parted:
            return np.array([item.part for item in self.items])
        kinds, share = [next(iter(item.classes), "") for item in self.items], self.wanted.test_share
        return drawn(grouped(self.same, kinds, share=share), kinds, share=share, seed=self.wanted.seed)

    @property
    def parted(self) -> bool:
        """Whether the data say the parts."""
        return self.items[0].part is not None

    @cached_property
    def class_names(self) -> tuple[str, ...]:
        """The classes that occur: numbered ones in the order of their numbers, others by name."""
        return tuple(sorted({name for item in self.items for name in item.classes}, key=_in_order))

    def pairs(self) -> Iterator[tuple[str, str, Item, Done]]:
        """Id, text, item and what came of it, of every pair."""
        for row, (item, done) in enumerate(zip(self.items, self.done, strict=True)):
            for number, text in zip(done.captions, self._texts(row), strict=True):
                yield pair_id(item, number, self.wanted.captions), text, item, done

    def _texts(self, row: int) -> list[str]:
        offered = captions(self.items[row], self.wanted.captions)
        return [offered[number] for number in self.done[row].captions]


def _in_order(name: str) -> tuple[bool, int, str]:
    number = name.removeprefix(NUMBERED)
    return (False, int(number), name) if name.startswith(NUMBERED) and number.isdecimal() else (True, 0, name)
