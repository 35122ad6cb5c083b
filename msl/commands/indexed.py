"""What a person is told of an index: what it holds, what its scores mean, how much an approximate one finds."""

from typing import get_args

import numpy as np
from rich.console import Console

from msl.commands.installed import installed
from msl.config import instantiate
from msl.index.recall import measure_recall
from msl.index.search import Kind
from msl.index.store import Store
from msl.serve.build import Meaning
from msl.serve.place import Content, Place
from msl.serve.retriever import other
from msl.types import Modality

console = Console(markup=False, highlight=False, soft_wrap=True)
MODALITIES: tuple[Modality, ...] = get_args(Modality)


def describe(place: Place, content: Content) -> None:
    """Say what the index holds, and how far its scores are off."""
    stores = [Store.open(place.codes(modality)) for modality in MODALITIES]
    parts = (f"{len(store):,} {name}s" for store, name in zip(stores, content.modalities, strict=True))
    size = sum(file.stat().st_size for file in place.folder.rglob("*") if file.is_file())
    console.print(f"{place.folder}: {' and '.join(parts)}, codes of {stores[0].codes.shape[1]}-d, {size / 1e6:,.1f} MB")
    for meanings, what in ((content.items, "items"), (content.names, "names")):
        for key, meaning in meanings.items():
            console.print(
                f"  scores of {what} {_words(key, content)}: off by {meaning.error:.1%} on held-out items of seen classes{_unseen(meaning)}"
            )


def _words(key: str, content: Content) -> str:
    first, second = key.split(">")
    names: dict[str, str] = dict(zip(MODALITIES, content.modalities, strict=True))
    return f"{names.get(first, first)} → {names[second]}"


def _unseen(meaning: Meaning) -> str:
    return "" if meaning.error_unseen is None else f", {meaning.error_unseen:.1%} of unseen ones"


def say_recall(place: Place, content: Content, *, queries: int, k: int) -> None:
    """Say how much of exact search the index finds for so many codes of the other modality, drawn at random, and how fast."""
    kind: Kind = instantiate(installed("index", content.search, where=place.folder))
    for modality, name in zip(MODALITIES, content.modalities, strict=True):
        asked = Store.open(place.codes(other(modality)))
        rows = np.random.default_rng(0).permutation(len(asked.codes))[:queries]
        found = measure_recall(kind.open(Store.open(place.codes(modality))), asked.codes[np.sort(rows)], k)
        console.print(
            f"  {name}s: recall@{found.k} {found.recall:.3f} of exact search, {found.faster:.1f} x its speed, {found.throughput:,.0f} "
            f"queries/s ({found.queries:,} at once)"
        )
