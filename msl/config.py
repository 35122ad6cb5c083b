"""Configuration: composed by Hydra, checked value by value, instantiated only from an allow-list of targets."""

import hashlib
import inspect
import json
import os
import re
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar, Unpack, get_args, get_origin, get_type_hints

from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import HydraException, InstantiationException
from hydra.utils import instantiate as hydra_instantiate
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from pydantic import BaseModel, PydanticSchemaGenerationError, TypeAdapter, ValidationError

from msl.files import data_home, embedded, own_name
from msl.types import Fraction, InputError, NonNegative, Positive

Model = TypeVar("Model", bound=BaseModel)

OmegaConf.register_new_resolver("process_id", os.getpid, replace=True)
OmegaConf.register_new_resolver("data_home", lambda: str(data_home()), replace=True)
OmegaConf.register_new_resolver("named", lambda name, path: name or own_name(Path(path)), replace=True)

ALLOWED = ("msl.", "torch.optim.", "pytorch_lightning.")
"""Where a `_target_` may lie: nothing else is ever instantiated."""

_RESERVED = {"name", "search"}
"""Keys of a method or data set that are for msl itself, not for the target."""

_FOREIGN: dict[str, Any] = {
    "lr": Positive,
    "weight_decay": NonNegative,
    "eps": Positive,
    "momentum": Fraction,
    "betas": Sequence[Fraction],
}
"""Ranges of parameters of targets that are not ours, whose annotations state none."""

_MACHINE_KEYS = ("label", "resume", "ledger", "progress", "logger", "report")
"""Keys that change no number, and so are no part of the configuration's hash."""


def composed(name: str, overrides: Sequence[str]) -> DictConfig:
    """Compose `conf/NAME.yaml` with overrides from the command line; an `InputError` for whatever Hydra refuses."""
    GlobalHydra.instance().clear()
    try:
        with initialize_config_dir(str(embedded("conf")), version_base="1.3"):
            return compose(name, overrides=list(overrides))
    except (HydraException, OmegaConfBaseException) as error:
        raise InputError(one_line(error)) from error


def one_line(error: BaseException) -> str:
    """The gist of a Hydra or OmegaConf error: its first line, and the cause's, with the remedy."""
    cause = error.__cause__
    first = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
    unknown = re.search(r"Key '([^']+)' is not in struct", f"{error} {cause}")
    if unknown:
        key = re.search(r"full_key: (\S+)", f"{error} {cause}")
        return f"there is no configuration key {(key or unknown)[1]!r}; `msl train --cfg job` lists them (a new key is added with a + before it)"
    options = re.findall(r"^\t(\S+)$", str(error), flags=re.MULTILINE)
    if options:
        return f"configuration: {first}; there are {', '.join(options)}"
    if cause is not None and str(cause).strip() and str(cause).splitlines()[0] not in first:
        first = f"{first} {str(cause).splitlines()[0]}"
    return f"configuration: {first}"


def resolved(cfg: DictConfig) -> dict[str, Any]:
    """Plain values with interpolations resolved; an `InputError` names a mandatory key (???) that was not given."""
    missing = sorted(OmegaConf.missing_keys(cfg))
    if missing:
        raise InputError(f"the key {missing[0]!r} is mandatory; give it as {missing[0]}=VALUE")
    try:
        values = OmegaConf.to_container(cfg, resolve=True)
    except OmegaConfBaseException as error:
        raise InputError(one_line(error)) from error
    assert isinstance(values, dict)
    return {str(key): value for key, value in values.items()}


def config_hash(values: dict[str, Any]) -> str:
    """First 12 hexadecimal digits of the sha256 of everything configured that can change a number."""
    content = {key: _wherever(value) for key, value in values.items() if key not in _MACHINE_KEYS}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:12]


def _wherever(node: Any) -> Any:
    """Where a file lies changes no number, and what it is called stands for it; data also have their `data_hash`."""
    if not isinstance(node, dict) or not isinstance(node.get("path"), str):
        return node
    return node | {"path": Path(node["path"]).name}


def validated(model: type[Model], values: dict[str, Any]) -> Model:
    """The values as a pydantic model; an `InputError` naming the first wrong key."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        own = first.get("ctx", {}).get("error")
        if isinstance(own, InputError):
            raise own from None
        key = ".".join(map(str, first["loc"]))
        raise InputError(f"{key}={first['input']}: {_lowered(first['msg'])}") from None


def _lowered(message: str) -> str:
    return message[0].lower() + message[1:]


def check(values: Any, path: str = "") -> None:
    """Check every node that has a `_target_`: an allowed one, with its own parameters, values of their types and ranges.

    Raises `InputError` naming the key.
    """
    if isinstance(values, dict):
        if "_target_" in values:
            _check_node(values, path)
        for key, value in values.items():
            check(value, f"{path}.{key}" if path else str(key))
    elif isinstance(values, list):
        for index, value in enumerate(values):
            check(value, f"{path}[{index}]")
    else:
        _check_finite(values, path)


def _check_finite(value: Any, path: str) -> None:
    if isinstance(value, float) and not abs(value) < float("inf"):
        raise InputError(f"{path}={value} is not a finite number; give one")


def _check_node(node: dict[str, Any], path: str) -> None:
    target = _target(node["_target_"], path)
    parameters = parameters_of(target)
    for key, value in node.items():
        if key.startswith("_") or key in _RESERVED:
            continue
        if key not in parameters:
            known = ", ".join(parameters)
            raise InputError(f"{path}.{key} is not a parameter of {node['_target_']}; it takes {known}")
        _check_value(value, parameters[key], f"{path}.{key}")


def _target(name: Any, path: str) -> Callable[..., Any]:
    if not isinstance(name, str) or not name.startswith(ALLOWED):
        raise InputError(f"{path}._target_={name} is not allowed; a target lies under {', '.join(ALLOWED)}")
    module, _, attribute = name.rpartition(".")
    try:
        target = getattr(import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise InputError(
            f"{path}._target_={name} cannot be imported ({error}); look the name up in conf/, or mend its file"
        ) from None
    # an allowed module imports others: what it re-exports from elsewhere (os, torch.load) is not allowed
    if not callable(target) or not f"{getattr(target, '__module__', '')}.".startswith(ALLOWED):
        raise InputError(f"{path}._target_={name} is not allowed; a target lies under {', '.join(ALLOWED)}")
    return target  # type: ignore[no-any-return]


def is_kind(node: dict[str, Any], kind: type) -> bool:
    """Whether a node's target is a class of that kind."""
    return issubclass(_target(node["_target_"], ""), kind)  # type: ignore[arg-type]


def parameters_of(target: Callable[..., Any]) -> dict[str, Any]:
    """Annotations by parameter; the keys of a TypedDict that keyword arguments unpack are parameters too."""
    parameters = inspect.signature(target).parameters
    if not target.__module__.startswith("msl."):
        return {name: _FOREIGN.get(name, Any) for name in parameters}
    hints = get_type_hints(target.__init__ if inspect.isclass(target) else target, include_extras=True)
    found: dict[str, Any] = {}
    for name, parameter in parameters.items():
        hint = hints.get(name, Any)
        unpacked = parameter.kind is parameter.VAR_KEYWORD and get_origin(hint) is Unpack
        found |= get_type_hints(get_args(hint)[0], include_extras=True) if unpacked else {name: hint}
    return found


def _check_value(value: Any, annotation: Any, path: str) -> None:
    if isinstance(value, dict) or (value is None and type(None) in get_args(annotation)):
        return  # a node of its own, a mapping of nodes, or a part that may be left out
    _check_finite(value, path)
    try:
        TypeAdapter(annotation).validate_python(value)
    except ValidationError as error:
        raise InputError(f"{path}={value}: {_lowered(error.errors()[0]['msg'])}") from None
    except PydanticSchemaGenerationError:
        raise InputError(f"{path}={value}: wanted a configuration node with a _target_, as in conf/") from None


def instantiate(node: dict[str, Any]) -> Any:
    """Instantiate a checked node (and the nodes in it), without the keys that are msl's own."""
    _check_targets(node)
    wanted = inspect.signature(_target(node["_target_"], "")).parameters
    own = {key: value for key, value in node.items() if key not in _RESERVED or (key == "name" and key in wanted)}
    try:
        return hydra_instantiate(OmegaConf.create(own), _convert_="all")
    except InstantiationException as error:
        cause = error.__cause__
        raise cause if isinstance(cause, InputError) else InputError(one_line(error)) from error


def _check_targets(node: Any) -> None:
    """Hydra would instantiate whatever a node inside a node names."""
    if isinstance(node, dict) and "_target_" in node:
        _target(node["_target_"], "")
    for each in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        _check_targets(each)


def redacted(cfg: DictConfig) -> str:
    """The configuration as YAML: interpolations unresolved, and what looks like a secret replaced by ``redacted``."""
    yaml = OmegaConf.to_yaml(cfg, resolve=False)
    return re.sub(r"(?im)^(\s*\S*(?:api_?key|token|secret|password)\S*:).+$", r"\1 redacted", yaml)
