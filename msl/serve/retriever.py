"""A trained method over an index: raw queries to codes, codes to items with a score that means something."""

import functools
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray
from PIL.Image import Image

from msl.index.exact import unit_rows
from msl.index.search import Index
from msl.index.store import Store
from msl.methods.method import Method
from msl.serve.calibration import Calibration
from msl.serve.items import Item, Items
from msl.serve.names import Label, Names, Sort
from msl.types import Floats, InputError, Ints, Modality

Part: TypeAlias = Literal["train", "test", "validation"]


def other(modality: Modality) -> Modality:
    """The modality that this one is not."""
    return "b" if modality == "a" else "a"


@dataclass(frozen=True, kw_only=True)
class Query:
    """What is searched with: a text, a picture, or an item of the index by its id, in one of its modalities."""

    modality: Modality
    raw: str | Image | None = None
    item: str | None = None


@dataclass(frozen=True, kw_only=True)
class Only:
    """Which items may be found: of these classes (any of them), trained on or not, of this part of the data; None: any."""

    classes: Collection[str] | None = None
    seen: bool | None = None
    part: Part | None = None


@dataclass(frozen=True)
class Hit:
    """An item that was found."""

    item: Item
    cosine: float
    score: float | None
    """The share of held-out pairs of this similarity that have a class in common; None where it could not be measured."""
    seen: bool | None
    """Whether its classes were trained on; None of an item without classes."""


@dataclass(frozen=True, kw_only=True)
class Retriever:
    """Searches the items of an index in either modality, with queries of either.

    Attributes:
        method: encodes features to codes.
        modalities: names of modality a and b.
        readers: of each modality whose raw items can be read, raw items -> features (n, size).
        indexes: codes of each modality.
        items: what is shown of each id.
        trained: names of the classes trained on.
        calibrations: by direction, such as ``("b", "a")`` for texts searching pictures.
        names: what items could be called.
        name_calibrations: by sort of names and modality of what is named.
    """

    method: Method
    modalities: tuple[str, str]
    readers: Mapping[Modality, Callable[[Sequence[Any]], Floats]]
    indexes: Mapping[Modality, Index]
    items: Items
    trained: frozenset[str]
    calibrations: Mapping[tuple[Modality, Modality], Calibration] = field(default_factory=dict)
    names: Sequence[Names] = ()
    name_calibrations: Mapping[tuple[str, Modality], Calibration] = field(default_factory=dict)

    def modality(self, name: str) -> Modality:
        """``a`` or ``b`` from what a person calls it: its name, in singular or plural.

        Raises:
            InputError: there is no such modality.
        """
        for modality, own in zip(get_args(Modality), self.modalities, strict=True):
            if name in (own, f"{own}s"):
                found: Modality = modality
                return found
        raise InputError(
            f"there are {self.modalities[0]}s and {self.modalities[1]}s to find, not {name!r}; choose one of the two"
        )

    def target(self, find: str | None, query: Query) -> Modality:
        """The modality to be found: that of this name, or the other one than the query's."""
        return self.modality(find) if find else other(query.modality)

    def name(self, modality: Modality) -> str:
        """What the modality is called."""
        return self.modalities["ab".index(modality)]

    def encode(self, raw: Sequence[Any], modality: Modality) -> Floats:
        """Codes (n, code), rows of length 1, of raw texts or pictures.

        Raises:
            InputError: nothing is known of how this modality's features were made, or an item cannot be read.
        """
        if modality not in self.readers:
            raise InputError(
                f"the features of the {self.name(modality)}s came without their encoder, so a new {self.name(modality)} cannot be "
                "encoded like them; search with an item of the index (id=ID), or encode the raw collection with msl encode and train on that"
            )
        return unit_rows(self.method.encode(self.readers[modality](raw), modality)).astype(np.float32)

    def code(self, query: Query) -> Floats:
        """The query's code (1, code)."""
        if query.item is None:
            return self.encode([query.raw], query.modality)
        index = self.indexes[query.modality]
        position = index.store.rows.get(query.item)
        if position is None:
            raise InputError(
                f"the index has no {self.name(query.modality)} with the id {query.item!r}; give one that a search has shown"
            )
        return index.store.codes[position : position + 1]

    def search(self, query: Query, *, find: Modality, k: int, only: Only | None = None) -> list[Hit]:
        """The k items nearest to the query among those allowed, best first; a query item is not its own find."""
        index = self.indexes[find]
        allowed = None if only is None or only == Only() else self._allowed(find, only)
        own = query.item is not None and query.modality == find
        positions, cosines = index.search(self.code(query), k + own, allowed)
        ids = [index.store.ids[position] for position in positions[0]]
        known = self.items.find(ids)
        calibration = self.calibrations.get((query.modality, find))
        scores = [None] * len(ids) if calibration is None else calibration(cosines[0]).tolist()
        hits = [
            Hit(known[name], float(cosine), score, self.seen(known[name]))
            for name, cosine, score in zip(ids, cosines[0], scores, strict=True)
            if name in known and not (own and name == query.item)  # an item may be gone since the codes were read
        ]
        return hits[:k]

    def annotate(self, query: Query, *, k: int) -> dict[Sort, list[Label]]:
        """The k classes and the k keywords nearest to the query, best first.

        Raises:
            InputError: names cannot be encoded, for the texts' features came without their encoder.
        """
        if not self.names:
            raise InputError(
                "class names and keywords are encoded as texts are, and the texts' features came without their encoder; "
                "encode the raw collection with msl encode and train on that"
            )
        code = self.code(query)
        return {
            names.sort: names.label(
                code, k, trained=self.trained, calibration=self.name_calibrations.get((names.sort, query.modality))
            )
            for names in self.names
        }

    def seen(self, item: Item) -> bool | None:
        """Whether every class of the item was trained on."""
        return self.trained.issuperset(item.classes) if item.classes else None

    def _allowed(self, modality: Modality, only: Only) -> NDArray[np.bool_]:
        traits = self._traits[modality]
        allowed = np.ones(len(traits.parts), dtype=bool)
        if only.classes is not None:
            places = [traits.classes[name] for name in only.classes if name in traits.classes]
            allowed[:] = False
            allowed[np.concatenate([np.empty(0, np.intp), *places])] = True
        if only.seen is not None:
            allowed &= traits.seen == only.seen
        if only.part is not None:
            allowed &= traits.parts == only.part
        return allowed

    @functools.cached_property
    def _traits(self) -> dict[Modality, "_Traits"]:
        """What filters ask for, read when one first does: the codes searched do not change either."""
        return {modality: self._traits_of(index.store) for modality, index in self.indexes.items()}

    def _traits_of(self, store: Store) -> "_Traits":
        rows, size = store.rows, len(store.codes)
        parts, seen, classes = np.full(size, "", dtype="U10"), np.full(size, -1), dict[str, list[int]]()
        for item in self.items:
            row = rows.get(item.id)
            if row is None:
                continue
            parts[row], known = item.part or "", self.seen(item)
            seen[row] = -1 if known is None else known
            for name in item.classes:
                classes.setdefault(name, []).append(row)
        return _Traits(parts, seen, {name: np.array(places) for name, places in classes.items()})


@dataclass(frozen=True)
class _Traits:
    """Of each code its item's part (rows,) and whether its classes were trained on, 1, 0 or -1 (rows,); the codes of each class."""

    parts: NDArray[np.str_]
    seen: Ints
    classes: Mapping[str, Ints]
