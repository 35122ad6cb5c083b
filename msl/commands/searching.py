"""A method and its trainer as nodes of a configuration, and the values of them that a run chooses by itself."""

import itertools
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

from msl.config import check, instantiate
from msl.methods.method import Method, Sizes
from msl.types import InputError

_OF_TRAINER = "trainer."
"""How a searched key begins that is not the method's."""


def searched(method: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every combination of the values under the method's `search` (one empty combination if there are none).

    A key is a path below the method, or below the trainer if it begins with ``trainer.``.
    """
    search: dict[str, list[Any]] = method.get("search") or {}
    for values in itertools.product(*search.values()):
        yield dict(zip(search, values, strict=True))


def searched_paths(key: str) -> list[str]:
    """The overrides of `msl train` that a key of the method's `search` stands for."""
    return [
        path.removeprefix(_OF_TRAINER) if path.startswith(_OF_TRAINER) else f"method.{path}" for path in key.split(",")
    ]


def build(method: dict[str, Any], sizes: Sizes, chosen: dict[str, Any]) -> Method:
    """Instantiate a method node; `chosen` maps dotted keys below it, or below the trainer, to searched values."""
    built: Method = instantiate(_method_node(method, chosen))(sizes)
    return built


def build_trainer(trainer: dict[str, Any], chosen: dict[str, Any]) -> Any:
    """Instantiate a trainer node, with the values of `chosen` whose keys begin with ``trainer.``."""
    return instantiate(_trainer_node(trainer, chosen))


def check_search(method: dict[str, Any], trainer: dict[str, Any]) -> None:
    """An `InputError` naming a key or a value under the method's `search` that no trial could have."""
    for key, options in (method.get("search") or {}).items():
        if not isinstance(options, list) or not options:
            raise InputError(f"method.search.{key}={options}: wanted a list of values, as in [0.1,1.0]")
        if any(
            part in ("name", "search") or part.startswith("_") for path in key.split(",") for part in path.split(".")
        ):
            raise InputError(f"method.search names {key!r}, which is no setting; take it out")
    for chosen in searched(method):
        _method_node(method, chosen)
        _trainer_node(trainer, chosen)


def _method_node(method: dict[str, Any], chosen: dict[str, Any]) -> dict[str, Any]:
    own = {key: value for key, value in chosen.items() if not key.startswith(_OF_TRAINER)}
    node = _with_values(method, own, f"method={method['name']}")
    check(node, "method")
    return node


def _trainer_node(trainer: dict[str, Any], chosen: dict[str, Any]) -> dict[str, Any]:
    if f"{_OF_TRAINER}epochs" in chosen:
        raise InputError("method.search: trainer.epochs is chosen in every trial already; take it out")
    own = {key.removeprefix(_OF_TRAINER): value for key, value in chosen.items() if key.startswith(_OF_TRAINER)}
    node = _with_values(trainer, own, "the trainer")
    check(node, "trainer")
    return node


def _with_values(node: dict[str, Any], chosen: dict[str, Any], what: str) -> dict[str, Any]:
    """The node with searched values in place; a key is a dotted path below it, or several of them with commas between."""
    changed = deepcopy(node)
    for path, value in ((path, value) for paths, value in chosen.items() for path in paths.split(",")):
        *parents, last = path.split(".")
        place = changed
        for key in parents:
            place = place.get(key, {})
        if last not in place:
            raise InputError(f"method.search names {path!r}, which is no key of {what}; correct it")
        place[last] = value
    return changed
