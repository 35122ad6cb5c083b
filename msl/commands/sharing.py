"""From a run's folder to what goes with its weights when it is given away."""

import inspect
import json
from importlib import import_module
from pathlib import Path
from typing import Any, Literal, get_args

from omegaconf import OmegaConf

from msl.commands.inputs import OWN
from msl.commands.installed import settings_of
from msl.commands.loading import load_method
from msl.commands.recipe import Encoder, Recipe, recipe
from msl.commands.settings import Settings
from msl.config import instantiate
from msl.data.dataset import Card as DataCard
from msl.data.formats import read_encoders
from msl.data.splits import read_split
from msl.encode.encoders.encoder import Kind
from msl.evaluation.run import Card
from msl.files import embedded
from msl.serve.place import Place
from msl.serve.share.card import Facts, model_card
from msl.serve.share.shared import Shared
from msl.types import InputError

_LIMITS = (
    "It knows what these data show, and was measured on one split of their classes: of others nothing is known.",
    "Codes of features that another encoder made mean nothing to it.",
)
_SEQUENCE = "sequence"  # of `texts` the one that learns nothing; there is an encoder that does the same
_OF_THE_MACHINE = "device"
_FILES: tuple[Literal["path", "model"], ...] = ("path", "model")


def share_run(run: Path, *, license: str) -> Shared:
    """What goes with the weights of a finished run.

    Raises:
        InputError: the run is unfinished or damaged, or its method cannot be given away.
    """
    method, card, settings = load_method(run)
    made = recipe(card, settings, _encoders(run, card, settings))
    notes = _notes(card, made)
    about = (inspect.getdoc(type(method)) or "").partition("\n")[0]
    facts = _facts(run, card, settings, about=about, license=license, limits=(*_LIMITS, *notes))
    index = Place.current(run).read()[0] if (run / "index" / "current").is_file() else None
    return Shared(config=made.model_dump(), card=model_card(facts), index=index, notes=notes)


def _encoders(run: Path, card: Card, settings: Settings) -> dict[str, Encoder]:
    """What reads raw items; not of texts whose features learnt from the training texts, for these are not given away."""
    stored = {kind: each for kind, each in (read_encoders(run) or {}).items() if kind in card.modalities}
    found = {kind: _given_away(each) for kind, each in stored.items() if kind in get_args(Kind)}
    if settings.texts["name"] != OWN:
        found.pop(card.modalities[1], None)
    if settings.texts["name"] == _SEQUENCE and card.modalities[1] == "text":
        node: Any = OmegaConf.to_container(OmegaConf.load(embedded("conf") / "encoder" / f"{_SEQUENCE}.yaml"))
        node |= {"length": settings.texts["length"]}
        own = settings_of(node)
        found["text"] = Encoder(settings=own, identity=instantiate(node)("text").identity)
    return found


def _given_away(stored: dict[str, Any]) -> Encoder:
    """The same without what is the machine's: a file must be named anew, where the device is, everyone knows best."""
    settings = {key: value for key, value in stored["settings"].items() if key != _OF_THE_MACHINE}
    local = [key for key in _FILES if isinstance(settings.get(key), str) and _is_local(key, settings[key])]
    for key in local:
        del settings[key]
    return Encoder(settings=settings, identity=stored["identity"], file=local[0] if local else None)


def _is_local(key: str, value: str) -> bool:
    return key == "path" or Path(value).expanduser().exists() or value.count("/") > 1 or value[:1] in ".~/\\"


def _facts(run: Path, card: Card, settings: Settings, *, about: str, license: str, limits: tuple[str, ...]) -> Facts:
    split, evaluation = read_split(run / "split.json"), settings.evaluation
    data = _data_card(settings)
    return Facts(
        label=card.label,
        method=card.method,
        about=about,
        license=license,
        data=card.data,
        source=f"{data.source}. Licence of the data: {data.licence}." if data else "Licence of the data: not stated.",
        modalities=card.modalities,
        features=card.encoders,
        embedding=card.embedding,
        seen=card.classes,
        unseen=split.unseen,
        split_seed=split.seed,
        searched=f"{evaluation.gallery} gallery, {evaluation.similarity} similarity, standardised by {evaluation.standardise}",
        selection=_selection(card, settings),
        rows=_rows(run),
        limits=limits,
    )


def _selection(card: Card, settings: Settings) -> str:
    if settings.select_on == "nothing":
        return "nothing; settings were used as they stand"
    chosen = [f"{key}={value}" for key, value in ({"epoch": card.epoch} | card.chosen).items() if value is not None]
    score = "" if card.validation is None else f" (mAP {card.validation:.4f} there)"
    return (
        f"{', '.join(chosen) or 'nothing'}, by training classes or rows held out for that{score}, never by test items"
    )


def _notes(card: Card, made: Recipe) -> tuple[str, ...]:
    lacking = [kind for kind in card.modalities if kind not in made.encoders]
    filed = [kind for kind, encoder in made.encoders.items() if encoder.file]
    return (
        *(f"New {kind}s cannot be read: what made their features is not part of it." for kind in lacking),
        *(f"To read {kind}s give its encoder's file: msl.load(..., files={{'{kind}': FILE}})." for kind in filed),
    )


def _rows(run: Path) -> list[dict[str, Any]]:
    file = run / "metrics.json"
    try:
        rows: list[dict[str, Any]] = json.loads(file.read_text(encoding="utf-8"))
        assert rows
        assert all(row.keys() >= {"regime", "direction", "metric", "value"} for row in rows)
        return rows
    except FileNotFoundError:
        raise InputError(f"{run} was not measured to its end; go on with msl train resume={run}") from None
    except (ValueError, AttributeError, AssertionError, TypeError):
        raise InputError(f"{file} is damaged; measure the run again, or restore it") from None


def _data_card(settings: Settings) -> DataCard | None:
    """The card of a data set that msl knows."""
    module = import_module(settings.data["_target_"].rpartition(".")[0])
    card: DataCard | None = getattr(module, "CARD", None)
    return card
