"""From a run's folder to a retriever: the method, what encodes new queries, the index."""

import functools
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias, get_args

from msl.commands.encoders import ENCODERS, rebuilt
from msl.commands.inputs import OWN, read_data
from msl.commands.installed import installed
from msl.commands.loading import load_method
from msl.commands.settings import Settings
from msl.config import instantiate
from msl.data.formats import read_encoders
from msl.data.splits import read_split
from msl.encode.encoders.encoder import Kind as RawKind
from msl.evaluation.run import Card
from msl.index.search import Kind
from msl.index.store import Store
from msl.serve.place import Place, directed
from msl.serve.retriever import Retriever
from msl.types import Floats, InputError, Modality

Reader: TypeAlias = Callable[[Sequence[Any]], Floats]


def load_retriever(run: Path) -> Retriever:
    """The run's method over its index, as both are now.

    Raises:
        InputError: there is no run or no index, either is damaged, or the run was trained again since.
    """
    method, card, settings = load_method(run)
    place = Place.current(run)
    content, names = place.read()
    content.check_weights_of(run)
    kind: Kind = instantiate(installed("index", content.search, where=place.folder))
    return Retriever(
        method=method,
        modalities=content.modalities,
        readers=readers(run, card, settings),
        indexes={modality: kind.open(Store.open(place.codes(modality))) for modality in get_args(Modality)},
        items=place.items,
        trained=frozenset(content.trained),
        calibrations=directed(content.items),
        names=names,
        name_calibrations=directed(content.names),
    )


def last_finished() -> Path:
    """The run below `runs/` that was finished last; an `InputError` if there is none."""
    return _last("metrics.json", "finished", "msl train")


def last_indexed() -> Path:
    """The run below `runs/` that was indexed last; an `InputError` if there is none."""
    return _last("index/current", "indexed", "msl index")


def _last(written: str, state: str, command: str) -> Path:
    found = sorted(Path("runs").glob(f"**/{written}"), key=lambda file: file.stat().st_mtime)
    if not found:
        raise InputError(f"there is no {state} run below runs/; give run=FOLDER, or make one: {command}")
    return found[-1].parents[written.count("/")]


def readers(run: Path, card: Card, settings: Settings) -> dict[Modality, Reader]:
    """Of each modality whose raw items can be encoded as the run's features were: raw items -> features.

    Nothing is loaded before a reader is first called.
    """
    stored = read_encoders(run) or {}
    found: dict[Modality, Reader] = {}
    for modality, name in zip(get_args(Modality), card.modalities, strict=True):
        if name in get_args(RawKind) and name in stored:
            found[modality] = _encoding(stored[name], name, run / ENCODERS)
    if settings.texts["name"] != OWN:
        found["b"] = _made_anew(run, settings)
    return found


def _encoding(stored: Mapping[str, Any], kind: Any, where: Path) -> Reader:
    encoder = functools.cache(lambda: rebuilt(stored, kind, where=where))
    return lambda raw: encoder().encode(raw)


def _made_anew(run: Path, settings: Settings) -> Reader:
    """Features of new texts where the run made its own: what was learnt from the seen training texts is learnt again, once."""

    @functools.cache
    def encoder() -> Reader:
        data, _ = read_data(settings.data, settings.texts)
        assert data.texts is not None  # the run was trained on them
        rows = read_split(run / "split.json").positions("seen_train", data)
        learnt: Reader = instantiate(settings.texts)([data.texts[row] for row in rows])
        return learnt

    return lambda raw: encoder()(raw)
