"""The encoder that made a data set's features, built again for a query and held to what it said of itself."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msl.commands.installed import installed
from msl.config import instantiate
from msl.encode.encoders.encoder import Encoder, Kind
from msl.types import InputError

ENCODERS = "encoders.json"
"""Beside features, and in the folder of a run that was trained on them: settings and identity of each modality's encoder."""


def rebuilt(stored: Mapping[str, Any], kind: Kind, *, where: Path) -> Encoder:
    """The encoder with these `settings`; its target comes from the installed `conf/encoder`, never from `where`.

    Raises:
        InputError: it is not among the installed ones, cannot be loaded, or is no longer the one of this `identity`.
    """
    settings = stored["settings"]
    node = installed("encoder", settings, where=where)
    encoder: Encoder = instantiate(node)(kind)
    check_same(encoder.identity, stored["identity"], f"{where}: the {kind} encoder {settings['name']}")
    return encoder


def check_same(now: Mapping[str, Any], then: Mapping[str, Any], what: str) -> None:
    """An `InputError` that begins with `what` and names the first difference, unless two identities are equal."""
    changed = [key for key in sorted(now.keys() | then.keys()) if now.get(key) != then.get(key)]
    if changed:
        key = changed[0]
        raise InputError(
            f"{what} is not the one the data were encoded with: {key} is {now.get(key)!r} and was {then.get(key)!r}; "
            "restore its files, or encode the data again and train anew"
        )
