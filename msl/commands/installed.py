"""A configuration node by its name: its target comes from the installed `conf/`, only plain values from elsewhere."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from msl.config import check
from msl.files import embedded
from msl.types import InputError


def installed(group: str, settings: Mapping[str, Any], *, where: Path) -> dict[str, Any]:
    """The node `conf/GROUP/NAME.yaml` with the plain values of `settings`, which has its name and came from a file.

    Raises:
        InputError: there is no such node, it has no such key, or a value is not of its kind; the message names `where`.
    """
    known = {file.stem: file for file in (embedded("conf") / group).glob("*.yaml")}
    name = settings.get("name")
    if name not in known:
        raise InputError(
            f"{where}: there is no {group} {name!r} in this version of msl; use the version that wrote the file"
        )
    node: Any = OmegaConf.to_container(OmegaConf.load(known[name]))
    odd = [
        key
        for key, value in settings.items()
        if key.startswith("_") or key not in node or isinstance(value, (dict, list))
    ]
    if odd:
        raise InputError(f"{where}: {group}={name} takes no {odd[0]!r}; use the version that wrote the file")
    node |= settings
    check(node, group)
    return dict(node)


def settings_of(node: dict[str, Any]) -> dict[str, Any]:
    """A node's name and plain values, for a file: what `installed` reads."""
    return {key: value for key, value in node.items() if not key.startswith("_")}
