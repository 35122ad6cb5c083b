"""A trained method for notebooks and programs: raw texts and pictures in, codes and finds out (`msl.load`)."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeAlias

import numpy as np
from PIL.Image import Image

from msl.encode.pictures import on_white, read_picture
from msl.files import sha256
from msl.index.exact import nearest, unit_rows
from msl.serve.items import Item
from msl.serve.names import Label, Sort
from msl.serve.results import Results
from msl.serve.retriever import Hit, Only, Query, Retriever
from msl.serve.share import hub
from msl.serve.share.packed import write_packed
from msl.serve.share.shared import INDEX, WEIGHTS, Shared, whole
from msl.serve.share.thumbnails import PIXELS, Previews, small
from msl.types import Floats, InputError, Modality

Raw: TypeAlias = str | Path | Image
"""A text, or a picture: its file as a `Path`, or read already. A `str` is always a text, whatever files there are."""


class Model:
    """A trained method with what reads raw items, and the index to search where there is one.

    Args:
        retriever: method, readers and index; `indexes` is empty where there is none.
        share: gives what goes with the weights when the model is given away.
        previews: gives the small picture of an item of the index.
    """

    def __init__(self, retriever: Retriever, *, share: Callable[[], Shared], previews: Previews) -> None:
        self.retriever = retriever
        self._share, self._previews = share, previews

    @classmethod
    def from_pretrained(cls, name: str | Path) -> "Model":
        """The same as `msl.load`: a run's folder, a folder that was given away, or a name on the Hugging Face hub."""
        import msl

        model: Model = msl.load(name)
        return model

    def __repr__(self) -> str:
        retriever = self.retriever
        counts = {retriever.name(modality): len(index.store) for modality, index in retriever.indexes.items()}
        indexed = " and ".join(f"{count:,} {name}s" for name, count in counts.items()) or "no index"
        return f"Model({type(retriever.method).__name__}, {len(retriever.trained)} classes trained on, {indexed})"

    def encode(self, items: Raw | Sequence[Raw]) -> Floats:
        """n texts, or n pictures -> codes (n, code), float32, rows of length 1; a single item is one row.

        Raises:
            InputError: texts and pictures are mixed, there is nothing, an item cannot be read, or the encoder of this
                kind did not come with the model.
        """
        raw, modality = self._read(_listed(items))
        return self.retriever.encode(raw, modality)

    def encode_features(self, features: Floats, modality: str) -> Floats:
        """Features (n, size) of a modality by its name, as the method was trained on -> codes as of `encode`.

        Raises:
            InputError: there is no such modality, or features of another shape.
        """
        side, method = self.retriever.modality(modality), self.retriever.method
        size = method.sizes.a if side == "a" else method.sizes.b
        if features.ndim != 2 or features.shape[1] != size:
            raise InputError(
                f"features: wanted (n, {size}), got {features.shape}; give those of the {modality}s' encoder"
            )
        return unit_rows(method.encode(features, side)).astype(np.float32)

    def similarity(self, x: Raw | Sequence[Raw], y: Raw | Sequence[Raw]) -> Floats:
        """Cosines (n, m) of the codes of n and m texts or pictures."""
        return self.encode(x) @ self.encode(y).T

    def search(
        self, query: Raw, *, k: int = 10, find: str | None = None, only: Only | None = None, gallery: Sequence[Raw] = ()
    ) -> Results:
        """The k items that fit a text or a picture best.

        Args:
            query: what to search with.
            k: how many.
            find: name of the modality found; None for the other one than the query's.
            only: which items of the index may be found.
            gallery: texts, or pictures, to search in place of the index; they are encoded now.

        Raises:
            InputError: there is neither an index nor a gallery, or as of `encode`.
        """
        shown = query if isinstance(query, str) else query.name if isinstance(query, Path) else "a picture"
        if gallery:
            return self._among(query, gallery, k, shown)
        self._indexed("search it, or give gallery=[...]")
        asked = self._query(query)
        target = self.retriever.target(find, asked)
        return Results(shown, tuple(self.retriever.search(asked, find=target, k=k, only=only)), self._previews)

    def annotate(self, item: Raw, *, k: int = 5) -> dict[Sort, list[Label]]:
        """The k classes and the k keywords that fit a picture, or a text, best first.

        Raises:
            InputError: there is no index, whose names they are, or as of `encode`.
        """
        self._indexed("name things with it")
        return self.retriever.annotate(self._query(item), k=k)

    def save_pretrained(self, folder: str | Path, *, index: bool = False) -> Path:
        """Write a folder that can be given away, and with `index` the items' codes, texts and previews too.

        Raises:
            InputError: the folder is not empty, or something of the model cannot be given away.
        """
        with whole(Path(folder)) as fresh:
            self.write(fresh, index=index)
        return Path(folder)

    def write(self, folder: Path, *, index: bool) -> Shared:
        """Write what `save_pretrained` does into a folder that is there; what went with the weights."""
        if index:
            self._indexed("share it")
        shared = self._share()
        shared.write(folder, self.retriever.method)
        if index:
            assert shared.index is not None
            content = replace(shared.index, weights=sha256(folder / WEIGHTS))
            write_packed(folder / INDEX, self.retriever, content, self._previews)
        return shared

    def push_to_hub(self, name: str, *, index: bool = False, private: bool = False) -> str:
        """Give the folder of `save_pretrained` to the Hugging Face hub as ``user/model``; its address.

        Raises:
            InputError: huggingface_hub is not installed, or the hub refuses.
        """
        with TemporaryDirectory() as place:
            return hub.push(self.save_pretrained(Path(place) / "model", index=index), name, private=private)

    def _read(self, items: Sequence[Raw]) -> tuple[list[str | Image], Modality]:
        """What readers take: texts, or pictures in RGB; and their modality."""
        kinds = {"text" if isinstance(item, str) else "image" for item in items}
        if len(kinds) != 1:
            raise InputError(
                "wanted texts, or pictures (pathlib.Path or PIL), "
                + ("got both; encode them apart" if kinds else "got nothing; give at least one")
            )
        modality = self.retriever.modality(kinds.pop())
        if modality not in self.retriever.readers:
            self.retriever.encode([], modality)  # says what is missing before any picture is read
        return [_loaded(item) for item in items], modality

    def _query(self, item: Raw) -> Query:
        (raw,), modality = self._read([item])
        return Query(modality=modality, raw=raw)

    def _indexed(self, purpose: str) -> None:
        if not self.retriever.indexes:
            raise InputError(
                f"the model has no index to {purpose}; make the run's with msl index run=RUN, or get the folder with its index"
            )

    def _among(self, query: Raw, gallery: Sequence[Raw], k: int, shown: str) -> Results:
        positions, cosines = nearest(self.encode(query), self.encode(gallery), k)
        hits = tuple(
            Hit(_item(row, gallery[row]), float(cosine), None, None)
            for row, cosine in zip(positions[0].tolist(), cosines[0], strict=True)
        )
        return Results(shown, hits, lambda item: _preview(gallery[int(item.id)]))


def _listed(items: Raw | Sequence[Raw]) -> Sequence[Raw]:
    return [items] if isinstance(items, (str, Path, Image)) else items


def _loaded(item: Raw) -> str | Image:
    if isinstance(item, str):
        return item
    return on_white(read_picture(item, pixels=PIXELS) if isinstance(item, Path) else item)


def _item(row: int, raw: Raw) -> Item:
    """An item of a gallery: its id is its place there."""
    text = raw if isinstance(raw, str) else raw.name if isinstance(raw, Path) else f"picture {row}"
    return Item(str(row), text, None, None, (), None)


def _preview(raw: Raw) -> bytes | None:
    loaded = _loaded(raw)
    return None if isinstance(loaded, str) else small(loaded)
