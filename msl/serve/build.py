"""What an index holds besides codes: what is shown of each item, names that items could be given, what scores mean."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from msl.data.dataset import PART_NAMES, DataSet
from msl.data.encoded import Encoded
from msl.data.labels import classes_of
from msl.data.pairs import Features
from msl.data.splits import Group, Split
from msl.methods.method import Method
from msl.serve.calibration import Calibration
from msl.serve.held_out import HeldOut, Side, item_pairs, name_pairs, side
from msl.serve.items import Item
from msl.serve.names import Names, bearing, keywords, readable
from msl.types import Floats, Modality


def shown(data: DataSet) -> Iterator[Item]:
    """What a search shows of each item of a data set."""
    for row, name in enumerate(data.pairs.ids):
        picture = data.pictures[row] if data.pictures else None
        yield Item(
            id=name,
            text=data.texts[row] if data.texts else None,
            image=picture.name if picture else None,
            folder=picture.parent if picture else None,
            classes=tuple(data.classes.names[label] for label in classes_of(data.pairs.labels[row])),
            part=PART_NAMES[data.part[row]],
        )


def shown_of(found: Encoded) -> Iterator[Item]:
    """The same of a folder that `msl encode` wrote."""
    for part, line in zip(found.parts, found.items(), strict=True):
        yield Item(line["id"], line.get("text"), line.get("image"), found.folder, tuple(line.get("class", ())), part)


def coded(method: Method, features: Features, modality: Modality, ids: Sequence[str]) -> tuple[list[str], Floats]:
    """Ids and codes of the items that have the modality."""
    rows = np.flatnonzero(features.present)
    return [ids[row] for row in rows.tolist()], method.encode(features.take(rows), modality)


@dataclass(frozen=True)
class Meaning:
    """A calibration, and its expected error on the held-out items it was fitted to and on those of unseen classes."""

    calibration: Calibration
    error: float
    error_unseen: float | None

    @classmethod
    def of(cls, seen: HeldOut, unseen: HeldOut) -> "Meaning | None":
        """Fit to pairs of seen classes; those of unseen ones only tell how far off it is there."""
        fitted = Calibration.fit(seen.cosines, seen.together)
        if fitted is None:
            return None
        error = fitted.error(unseen.cosines, unseen.together) if len(unseen.cosines) else None
        return cls(fitted, fitted.error(seen.cosines, seen.together), error)


class Measuring:
    """Held-out items of a run, encoded once."""

    def __init__(self, method: Method, data: DataSet, split: Split, *, seed: int) -> None:
        self.data = data
        groups: tuple[Group, Group] = ("seen_test", "unseen_test")
        modalities: tuple[Modality, Modality] = ("a", "b")
        self.sides: dict[Modality, tuple[Side, Side]] = {
            modality: tuple(side(method, data, split, group, modality, seed=seed) for group in groups)  # type: ignore[misc]
            for modality in modalities
        }

    def items(self) -> dict[tuple[Modality, Modality], Meaning]:
        """Of each direction and within each modality."""
        pairs = ((asked, searched) for asked in self.sides for searched in self.sides)
        found = {
            (asked, searched): Meaning.of(*map(item_pairs, self.sides[asked], self.sides[searched]))
            for asked, searched in pairs
        }
        return {key: value for key, value in found.items() if value}

    def names(self, names: Names) -> dict[tuple[str, Modality], Meaning]:
        """Of the items of each modality and these names."""
        found = {
            (names.sort, modality): Meaning.of(
                *(name_pairs(each, names.codes, self._bears(each, names)) for each in both)
            )
            for modality, both in self.sides.items()
        }
        return {key: value for key, value in found.items() if value}

    def _bears(self, items: Side, names: Names) -> NDArray[np.bool_]:
        if names.sort == "class":
            places = [self.data.classes.names.index(name) for name in names.names]
            return items.members[:, places]
        assert self.data.texts is not None  # keywords are words of them
        return bearing([self.data.texts[row] for row in items.rows], names.names)


def naming(data: DataSet, encode: Callable[[Sequence[str]], Floats], *, size: int, fewest_texts: int) -> list[Names]:
    """Class names and keywords that the text encoder can read, with their codes."""
    words = keywords(data.texts, size=size, fewest_texts=fewest_texts) if data.texts else ()
    sorts: list[tuple[Any, Sequence[str]]] = [("class", data.classes.names), ("keyword", words)]
    found = (Names(sort, *readable(names, encode)) for sort, names in sorts if names)
    return [each for each in found if each.names]
