"""`msl index`: the codes of a run's items on disk, added to, deleted from and made again while others search."""

from dataclasses import replace as changed
from pathlib import Path
from typing import Annotated, Any, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from msl.commands.encoders import check_same
from msl.commands.indexed import MODALITIES, console, describe, say_recall
from msl.commands.inputs import OWN
from msl.commands.installed import installed, settings_of
from msl.commands.literal import literal
from msl.commands.loading import load, load_method
from msl.commands.next_command import override, say_next
from msl.commands.retrieval import last_finished, readers
from msl.config import check, composed, instantiate, resolved, validated
from msl.data.encoded import Encoded, read_encoded
from msl.data.formats import read_encoders
from msl.evaluation.run import Card, RunFolder
from msl.files import sha256
from msl.index.search import Kind
from msl.index.store import Store
from msl.methods.method import Method
from msl.serve.build import Measuring, coded, naming, shown, shown_of
from msl.serve.names import Names
from msl.serve.place import Content, Place, building
from msl.types import Count, InputError

Several: TypeAlias = Annotated[list[str], BeforeValidator(lambda given: [given] if isinstance(given, str) else given)]
"""Texts, or one of them without brackets."""


class Recall(BaseModel):
    """The `recall` group."""

    model_config = ConfigDict(extra="forbid")
    queries: Count
    k: Count


class Made(BaseModel):
    """The `made` group."""

    model_config = ConfigDict(extra="forbid")
    keywords: int = Field(ge=0)
    fewest_texts: Count
    seed: int = Field(ge=0)


class Indexing(BaseModel):
    """The keys of `conf/index.yaml`."""

    model_config = ConfigDict(extra="forbid")
    index: dict[str, Any] | None = None
    run: str | None
    add: Several
    replace: bool
    delete: Several
    fresh: bool
    made: Made
    recall: Recall


def index(arguments: list[str]) -> None:
    """Build an index, or change the one there is; say what it holds and what its scores mean."""
    cfg = composed("index", literal(arguments, "run", "add", "delete"))
    values = resolved(cfg)
    check(values)
    wanted = validated(Indexing, values)
    run = Path(wanted.run) if wanted.run else last_finished()
    RunFolder(run).card()  # says so if it is no run
    with building(run) as place:
        before = None if wanted.fresh else _before(run)
        content = _changed(run, before, place, wanted) if before else _begun(run, place, wanted)
    describe(place, content)
    if content.search["name"] != "exact":
        say_recall(place, content, queries=wanted.recall.queries, k=wanted.recall.k)
    say_next("msl", "search", "a few words", override("run", str(run)))


def _before(run: Path) -> Place | None:
    """The index there is, if it is of the run's weights."""
    if not (run / "index" / "current").is_file():
        return None
    place = Place.current(run)
    place.read()[0].check_weights_of(run)
    return place


def _begun(run: Path, place: Place, wanted: Indexing) -> Content:
    """A new index of the run's own data."""
    if wanted.add or wanted.delete:
        raise InputError(
            f"{run} has no index to change yet, or fresh=true forgets it; make one first: msl index run={run}"
        )
    node = wanted.index or installed("index", {"name": "exact"}, where=run)
    console.print(f"encodes the items of {run}")
    content, names = _encoded(run, place, node, wanted.made)
    _build(place, node)
    place.write(content, names)
    return content


def _changed(run: Path, before: Place, place: Place, wanted: Indexing) -> Content:
    """The index there is with what is added and deleted, and searched as wanted."""
    content, names = before.read()
    _check_made(content, wanted)
    before.fork(place)
    if wanted.add:
        _add_all(run, place, wanted)
    if wanted.delete:
        _delete(place, wanted.delete)
    if not (wanted.add or wanted.delete) or wanted.index:  # made again, without what was deleted
        node = wanted.index or installed("index", content.search, where=before.folder)
        for modality in MODALITIES:
            Store.open(place.codes(modality)).compact()
        _build(place, node)
        content = changed(content, search=settings_of(node))
        place.write(content, names)
    return content


def _check_made(content: Content, wanted: Indexing) -> None:
    defaults = resolved(composed("index", []))["made"]
    for key, value in wanted.made.model_dump().items():
        if value not in (content.made[key], defaults[key]):
            raise InputError(
                f"made.{key}={value}: the index was made with {content.made[key]}; give fresh=true to make it anew"
            )


def _build(place: Place, node: dict[str, Any]) -> None:
    kind: Kind = instantiate(node)
    for modality in MODALITIES:
        kind.build(Store.open(place.codes(modality)))


def _encoded(run: Path, place: Place, node: dict[str, Any], made: Made) -> tuple[Content, list[Names]]:
    """The items of the run's own data, with the meaning of scores measured on those held out."""
    method, data, split, card, settings = load(run)
    weights = sha256(run / "weights.safetensors")
    place.items.add(shown(data))
    for modality in MODALITIES:
        ids, codes = coded(method, getattr(data.pairs, modality), modality, data.pairs.ids)
        Store.create(place.codes(modality), {"weights": weights}).add(ids, codes)
    measuring = Measuring(method, data, split, seed=made.seed)
    read = readers(run, card, settings)
    texts = MODALITIES[card.modalities.index("text")] if "text" in card.modalities else None
    names: list[Names] = []
    if texts in read:
        read[texts]([])  # an encoder that cannot be had is said once, not taken for a name it cannot read
        names = naming(
            data,
            lambda raw: method.encode(read[texts](raw), texts),
            size=made.keywords,
            fewest_texts=made.fewest_texts,
        )
    else:
        console.print(
            "note: the texts' features came without their encoder: search with items of the index (id=ID) only"
        )
    content = Content(
        weights=weights,
        modalities=card.modalities,
        trained=card.classes,
        search=settings_of(node),
        made=made.model_dump(),
        items={">".join(key): value for key, value in measuring.items().items()},
        names={">".join(key): value for each in names for key, value in measuring.names(each).items()},
    )
    return content, names


def _add_all(run: Path, place: Place, wanted: Indexing) -> None:
    method, card, settings = load_method(run)
    if settings.texts["name"] != OWN:
        raise InputError(
            f"{run} makes features of its own from texts (texts={settings.texts['name']}), not those of msl encode; train a run with "
            "texts=given to add to its index"
        )
    for folder in map(Path, wanted.add):
        _add(place, _fitting(folder, run), method, card, replace=wanted.replace)


def _fitting(folder: Path, run: Path) -> Encoded:
    """A folder of features; an `InputError` unless they were made as those of the run."""
    found, made = read_encoded(folder), read_encoders(run)
    if not made:
        raise InputError(
            f"{run} does not know how its features were made, so none can be added; train on what msl encode writes"
        )
    for kind, stored in made.items():
        if kind not in found.encoders:
            raise InputError(f"{folder} does not say which encoder made its {kind}s; encode the pictures again")
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
