"""`msl index`: the codes of a run's items on disk, added to, deleted from and made again while others search."""

import shutil
from dataclasses import replace as changed
from pathlib import Path
from typing import Any, get_args

import numpy as np
from omegaconf import DictConfig
from pydantic import BaseModel, ConfigDict, Field
from rich.console import Console

from msl.commands.encoders import ENCODERS, check_same
from msl.commands.inputs import OWN
from msl.commands.loading import load, load_method
from msl.commands.next_command import override, say_next
from msl.commands.retrieval import last_finished, readers, stored_encoders
from msl.config import check, instantiate, resolved, validated
from msl.data.encoded import Encoded, read_encoded
from msl.evaluation.run import Card, RunFolder
from msl.files import sha256
from msl.index.recall import measure_recall
from msl.index.search import Kind
from msl.index.store import Store
from msl.methods.method import Method
from msl.serve.build import Meaning, Measuring, coded, naming, shown, shown_of
from msl.serve.place import Content, Place, building, changing
from msl.types import Count, InputError, Modality

console = Console(markup=False, highlight=False, soft_wrap=True)
MODALITIES: tuple[Modality, ...] = get_args(Modality)


class Recall(BaseModel):
    """The `recall` group."""

    model_config = ConfigDict(extra="forbid")
    queries: Count
    k: Count


class Indexing(BaseModel):
    """The keys of `conf/index.yaml`."""

    model_config = ConfigDict(extra="forbid")
    index: dict[str, Any]
    run: str | None
    add: list[str]
    replace: bool
    delete: list[str]
    fresh: bool
    keywords: int = Field(ge=0)
    fewest_texts: Count
    seed: int = Field(ge=0)
    recall: Recall


def index(cfg: DictConfig) -> None:
    """Build an index, or change the one there is; say what it holds and what its scores mean."""
    values = resolved(cfg)
    check(values)
    wanted = validated(Indexing, values)
    run = Path(wanted.run) if wanted.run else last_finished()
    RunFolder(run).card()  # says so if it is no run
    if wanted.add or wanted.delete:
        with changing(run) as place:
            _change(run, place, wanted)
    else:
        with building(run) as place:
            _make(run, place, wanted)
    say_next("msl", "search", "a few words", override("run", str(run)))


def _make(run: Path, place: Place, wanted: Indexing) -> None:
    kind: Kind = instantiate(wanted.index)
    before = None if wanted.fresh else _before(run)
    console.print(f"writes {place.folder}")
    content, names = _copied(before, place) if before else _encoded(run, place, wanted)
    for modality in MODALITIES:
        kind.build(Store.open(place.codes(modality)))
    content = changed(content, search=wanted.index)
    place.write(content, names)
    _describe(place, content)
    if wanted.index["name"] != "exact":
        _say_recall(place, kind, content, wanted.recall)


def _before(run: Path) -> Place | None:
    """The index there is, if it is of the run's weights."""
    try:
        place = Place.current(run)
    except InputError:
        return None
    if place.read()[0].weights != sha256(run / "weights.safetensors"):
        raise InputError(
            f"{run} was trained again since its index was made; give fresh=true to make it of the run's data alone"
        )
    return place


def _copied(before: Place, place: Place) -> tuple[Content, list[Any]]:
    """All of an index but what its codes are searched with."""
    shutil.copyfile(before.items.file, place.items.file)
    for modality in MODALITIES:
        old = Store.open(before.codes(modality))
        rows = old.alive.nonzero()[0]
        ids = [old.ids[row] for row in rows]
        Store.create(place.codes(modality), old.identity).add(
            ids, old.codes if len(rows) == len(old.codes) else old.codes[rows]
        )
    return before.read()


def _encoded(run: Path, place: Place, wanted: Indexing) -> tuple[Content, list[Any]]:
    """The items of the run's own data, with the meaning of scores measured on those held out."""
    method, data, split, card, settings = load(run)
    weights = sha256(run / "weights.safetensors")
    place.items.add(shown(data))
    for modality in MODALITIES:
        ids, codes = coded(method, getattr(data.pairs, modality), modality, data.pairs.ids)
        Store.create(place.codes(modality), {"weights": weights}).add(ids, codes)
    measuring = Measuring(method, data, split, seed=wanted.seed)
    read = readers(run, card, settings)
    texts = MODALITIES[card.modalities.index("text")] if "text" in card.modalities else None
    names = []
    if texts in read:
        names = naming(
            data,
            lambda raw: method.encode(read[texts](raw), texts),
            size=wanted.keywords,
            fewest_texts=wanted.fewest_texts,
        )
    else:
        console.print(
            "note: the texts' features came without their encoder: search with items of the index (id=ID) only"
        )
    content = Content(
        weights=weights,
        modalities=card.modalities,
        trained=card.classes,
        search={},
        items={">".join(key): value for key, value in measuring.items().items()},
        names={">".join(key): value for each in names for key, value in measuring.names(each).items()},
    )
    return content, names


def _change(run: Path, place: Place, wanted: Indexing) -> None:
    if wanted.add:
        method, card, settings = load_method(run)
        if settings.texts["name"] != OWN:
            raise InputError(
                f"{run} makes features of its own from texts (texts={settings.texts['name']}), not those of msl encode; train a run with "
                "texts=given to add to its index"
            )
        for folder in map(Path, wanted.add):
            _add(place, _fitting(folder, run), method, card, replace=wanted.replace)
    if wanted.delete:
        _delete(place, wanted.delete)
    _describe(place, place.read()[0])


def _fitting(folder: Path, run: Path) -> Encoded:
    """A folder of features; an `InputError` unless they were made as those of the run."""
    found, made = read_encoded(folder), stored_encoders(run / ENCODERS)
    if not made:
        raise InputError(
            f"{run} does not know how its features were made, so none can be added; train on what msl encode writes"
        )
    for kind, stored in made.items():
        check_same(found.encoders[kind]["identity"], stored["identity"], f"{folder}: the {kind} encoder")
    return found


def _add(place: Place, found: Encoded, method: Method, card: Card, *, replace: bool) -> None:
    stores = {modality: Store.open(place.codes(modality)) for modality in MODALITIES}
    known = next((name for store in stores.values() for name in found.ids if name in store.rows), None)
    if known is not None and not replace:
        raise InputError(
            f"{found.folder}: the index has an item {known!r} already; give replace=true to put the new one in its place"
        )
    place.items.add(shown_of(found))
    features = {"image": found.image, "text": found.text}
    for modality, name in zip(MODALITIES, card.modalities, strict=True):
        stores[modality].add(found.ids, method.encode(features[name], modality), replace=replace)
    console.print(f"{len(found.ids):,} items of {found.folder} added")


def _delete(place: Place, ids: list[str]) -> None:
    stores = [Store.open(place.codes(modality)) for modality in MODALITIES]
    unknown = next((name for name in ids if not any(name in store.rows for store in stores)), None)
    if unknown is not None:
        raise InputError(f"the index has no item {unknown!r}, so nothing was deleted; drop it from the list")
    for store in stores:
        store.delete([name for name in ids if name in store.rows])
    place.items.delete(ids)
    console.print(f"{len(ids):,} items deleted")


def _describe(place: Place, content: Content) -> None:
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


def _say_recall(place: Place, kind: Kind, content: Content, wanted: Recall) -> None:
    for modality, name in zip(MODALITIES, content.modalities, strict=True):
        asked = Store.open(place.codes("b" if modality == "a" else "a"))
        rows = np.random.default_rng(0).permutation(len(asked.codes))[: wanted.queries]
        found = measure_recall(kind.open(Store.open(place.codes(modality))), asked.codes[np.sort(rows)], wanted.k)
        console.print(
            f"  {name}s: recall@{found.k} {found.recall:.3f} of exact search, {found.faster:.1f} x its speed, {found.throughput:,.0f} "
            f"queries/s ({found.queries:,} at once)"
        )
