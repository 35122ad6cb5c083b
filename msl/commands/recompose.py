"""The configuration of an earlier run: structure from the installed `conf/`, plain values from the run's folder."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from msl.config import composed
from msl.types import InputError


def recomposed(name: str, overrides: Sequence[str], stored: Path) -> DictConfig:
    """The configuration of an earlier run: composed again from its overrides, then given the values it stored.

    Structure and every `_target_` come from the installed `conf/`, never from the run's folder; only plain values do.
    """
    forbidden = [text for text in overrides if re.search(r"(?<!\w)_target_\W*[=:]", text)]
    if forbidden:
        raise InputError(
            f"{stored.parent}: the override {forbidden[0]!r} names a _target_, which a run's folder may not; train anew"
        )
    cfg = composed(name, overrides)
    try:
        old = OmegaConf.to_container(OmegaConf.load(stored), resolve=False)
        assert isinstance(old, dict)
    except Exception as error:
        raise InputError(f"{stored} is not readable YAML ({type(error).__name__}); the run cannot be used") from None
    for path, value in _leaves(old):
        parent, _, key = path.rpartition(".")
        node = OmegaConf.select(cfg, parent) if parent else cfg
        if not isinstance(node, DictConfig) or key not in node:
            raise InputError(f"{stored}: this version of msl has no key {path!r}; use the version that made the run")
        OmegaConf.update(cfg, path, value)
    return cfg


def _leaves(values: dict[Any, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    """Plain values by dotted path: no `_target_`, no interpolation, no list but of scalars, no key with a dot of its own."""
    for key, value in values.items():
        name = f"{path}.{key}" if path else str(key)
        if isinstance(value, dict):
            yield from _leaves(value, name)
        elif not re.search(r"^_|\.", str(key)) and all(map(_is_plain, value if isinstance(value, list) else [value])):
            yield name, value


def _is_plain(value: Any) -> bool:
    return not isinstance(value, (dict, list)) and "${" not in str(value)
