"""What was built of a generation's codes, kept beside them: a file of faiss, and a JSON that vouches for it."""

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from msl.files import locked, sha256, write_json
from msl.types import InputError

T = TypeVar("T")


def save(place: Path, name: str, rows: int, settings: Mapping[str, Any], write: Callable[[str], None]) -> None:
    """Let `write` make a file of an index of the first `rows` rows; it takes the place of an earlier one, or nothing is changed."""
    card = _card(place, name)
    with locked(card):
        made = place / f".{name}.new"
        write(str(made))
        with made.open("rb+") as stream:
            os.fsync(stream.fileno())
        digest = sha256(made)
        kept = made.replace(_file(place, name, digest))
        write_json(card, {"rows": rows, "settings": dict(settings), "sha256": digest})
        for other in set(place.glob(f"{name}-*.faiss")) - {kept}:
            other.unlink(missing_ok=True)


def load(place: Path, name: str, settings: Mapping[str, Any], read: Callable[[str], T]) -> tuple[int, T]:
    """How many rows an index covers, and the index, as `read` makes it of the file.

    faiss does not protect itself from what it reads, so the file must be the very one that was written.

    Raises:
        InputError: there is none, it was made with other settings, or it is damaged.
    """
    while True:
        told = _told(place, name)
        if told["settings"] != settings:
            both = settings.keys() | told["settings"].keys()
            key = min(key for key in both if told["settings"].get(key, ...) != settings.get(key, ...))
            raise InputError(
                f"{place}: its {name} index was built with {key}={told['settings'].get(key)}, wanted {settings.get(key)}; "
                f"build it again, or ask for what there is"
            )
        file = _file(place, name, told["sha256"])
        try:
            if sha256(file) != told["sha256"]:
                raise InputError(f"{file} is damaged (its sha256 is not the one written down); build the index again")
            return told["rows"], read(str(file))
        except (FileNotFoundError, RuntimeError) as error:  # faiss raises the second for whatever it cannot open
            if _told(place, name)["sha256"] == told["sha256"]:
                raise InputError(f"{file} cannot be read ({_gist(error)}); build the index again") from None


def _gist(error: Exception) -> str:
    return "it is missing" if isinstance(error, FileNotFoundError) else str(error).splitlines()[0]


def _told(place: Path, name: str) -> dict[str, Any]:
    card = _card(place, name)
    try:
        told: dict[str, Any] = json.loads(card.read_bytes())
        rows, settings, digest = told["rows"], told["settings"], told["sha256"]
    except FileNotFoundError:
        raise InputError(f"{place} has no {name} index yet; build it") from None
    except (ValueError, KeyError, TypeError):
        raise InputError(f"{card} is damaged; build the index again") from None
    if not (type(rows) is int and isinstance(settings, dict) and isinstance(digest, str) and digest.isalnum()):
        raise InputError(f"{card} is damaged; build the index again")
    return told


def _card(place: Path, name: str) -> Path:
    return place / f"{name}.json"


def _file(place: Path, name: str, digest: str) -> Path:
    return place / f"{name}-{digest[:12]}.faiss"
