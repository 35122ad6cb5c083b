"""`config.json` of a model that is given away: names and plain values from which the installed msl builds its method."""

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

from omegaconf import OmegaConf
from pydantic import BaseModel, ConfigDict, Field

from msl import __version__
from msl.commands.searching import build
from msl.commands.settings import Settings
from msl.config import composed, validated
from msl.evaluation.run import Card
from msl.files import embedded
from msl.methods.method import Method, Sizes
from msl.types import InputError

_KEY = re.compile(r"[A-Za-z]\w*(\.[A-Za-z]\w*)*(,[A-Za-z]\w*(\.[A-Za-z]\w*)*)*", re.ASCII)
_WORD = re.compile(r"\w[\w.+-]*(/\w[\w.-]*)?", re.ASCII)
_OVERRIDE = re.compile(r"[+~]{0,2}[A-Za-z]\w*([/.@][A-Za-z]\w*)*(=[\w.,\[\]-]*)?", re.ASCII)
_NOT_OF_METHOD = {*Settings.model_fields, "hydra"} - {"method"}
_OURS = {"name", "search"}


class Group(BaseModel):
    """What is not declared is an error."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Widths(Group):
    """The method's `Sizes`."""

    a: int = Field(ge=1)
    b: int = Field(ge=1)
    classes: int = Field(ge=1)
    embedding: int = Field(ge=0)


class Encoder(Group):
    """What read the raw items of one kind; `file` is the setting that names a file, which is not given away."""

    settings: dict[str, Any]
    identity: dict[str, Any]
    file: Literal["path", "model"] | None = None


class Recipe(Group):
    """The content of `config.json`."""

    format: Literal[1] = 1
    msl: str = __version__
    method: str
    overrides: list[str]
    """Which parts the method has, where that is not as in its own configuration file."""
    settings: dict[str, Any]
    chosen: dict[str, Any]
    sizes: Widths
    modalities: list[str] = Field(min_length=2, max_length=2)
    classes: list[str]
    encoders: dict[Literal["image", "text"], Encoder]

    def model_post_init(self, context: Any) -> None:
        """Refuse whatever is no plain value: targets, interpolations, paths, options of Hydra."""
        for text in self.overrides:
            if not _OVERRIDE.fullmatch(text) or text.lstrip("+~").startswith("hydra"):
                raise InputError(f"the override {text!r} is more than the choice of a part")
        _check_plain({"settings": self.settings, "chosen": self.chosen})
        installed = {file.stem for file in (embedded("conf") / "encoder").glob("*.yaml")}
        for kind, encoder in self.encoders.items():
            _check_plain(encoder.settings)
            if encoder.settings.get("name") not in installed:
                raise InputError(f"there is no {kind} encoder {encoder.settings.get('name')!r} in this version of msl")
            if encoder.settings.get("path") is not None:
                raise InputError(f"the {kind} encoder's path={encoder.settings['path']!r} names a file")


def recipe(card: Card, settings: Settings, encoders: dict[str, Encoder]) -> Recipe:
    """What builds a run's method again.

    Raises:
        InputError: it has settings that are no plain values, or parts that no override can name.
    """
    values = {
        "method": card.method,
        "overrides": [text for text in card.overrides if _chooses_a_part(text)],
        "settings": _own(settings.method),
        "chosen": dict(card.chosen),
        "sizes": vars(card.sizes),
        "modalities": list(card.modalities),
        "classes": list(card.classes),
        "encoders": encoders,
    }
    made = validated(Recipe, values)
    node = _node(made)
    if {key: value for key, value in node.items() if key != "search"} != {
        key: value for key, value in settings.method.items() if key != "search"
    }:
        raise InputError(
            f"the parts of method={card.method} were changed in a way that cannot be given away; train anew"
        )
    return made


def read_recipe(file: Path) -> Recipe:
    """Read `config.json`. Raises `InputError` if it is missing or damaged, or says more than it may."""
    try:
        return validated(Recipe, json.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError, RecursionError) as error:  # an `InputError` is a ValueError
        raise _damaged(file, error) from None


def builder(wanted: Recipe, file: Path) -> Callable[[], Method]:
    """Builds the method, its weights still to be filled; `file` is where the recipe was read, for errors."""

    def built() -> Method:
        try:
            return build(node, Sizes(**wanted.sizes.model_dump()), wanted.chosen)
        except (InputError, RuntimeError, TypeError, OverflowError) as error:  # torch's own, of absurd sizes
            raise _damaged(file, error) from None

    try:
        node = _node(wanted)
    except InputError as error:
        raise _damaged(file, error) from None
    return built


def _damaged(file: Path, error: Exception) -> InputError:
    reason = next(iter(str(error).splitlines()), type(error).__name__)
    return InputError(f"{file} cannot be used ({reason[:300]}); get the folder again, or the msl that wrote it")


def _node(wanted: Recipe) -> dict[str, Any]:
    """The method's node: structure and targets of the installed configuration, values of the recipe."""
    node: Any = OmegaConf.to_container(composed("train", wanted.overrides).method, resolve=True)
    if node["name"] != wanted.method:
        raise InputError(f"method={wanted.method}, and its overrides make it {node['name']}")
    return _filled(node, wanted.settings, "method")


def _filled(node: dict[str, Any], values: Mapping[str, Any], path: str) -> dict[str, Any]:
    own = {key for key in node if not key.startswith("_") and not (key in _OURS and path == "method")}
    if own != values.keys():
        key = min(own ^ values.keys())
        raise InputError(f"{path}.{key} is " + ("missing" if key in own else "no setting of this version of msl"))
    return node | {key: _value(node[key], value, f"{path}.{key}") for key, value in values.items()}


def _value(old: Any, new: Any, path: str) -> Any:
    if isinstance(new, dict):
        if not isinstance(old, dict):
            raise InputError(f"{path} is a part that this version of msl does not have there")
        return _filled(old, new, path)
    return new


def _own(node: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a method's node, by key."""

    def values(part: Any) -> Any:
        if isinstance(part, dict):
            return {key: values(value) for key, value in part.items() if not key.startswith("_")}
        return part

    return {key: value for key, value in values(node).items() if key not in _OURS}


def _chooses_a_part(text: str) -> bool:
    """Whether an override of `msl train` can decide which parts the method has; values are settings."""
    top = re.split(r"[/.@=]", text.lstrip("+~"))[0]
    return top not in _NOT_OF_METHOD and not text.startswith("method.")


def _check_plain(values: Any, path: str = "") -> None:
    if isinstance(values, dict):
        for key, value in values.items():
            if not _KEY.fullmatch(key):
                raise InputError(f"the key {key!r} is no setting")
            _check_plain(value, f"{path}.{key}".lstrip("."))
    elif isinstance(values, list) and not any(isinstance(value, (dict, list)) for value in values):
        for value in values:
            _check_plain(value, path)
    elif isinstance(values, list) or (isinstance(values, str) and not _WORD.fullmatch(values)):
        raise InputError(f"{path}={values!r} is no plain value")
