"""Fetching a file from the address its card gives: resumable, checked, and never half there under its own name.

The bytes come into ``NAME.part``. Beside it ``NAME.part.json`` keeps which file of which server they belong to, so that
a file that changed in between is fetched anew and not glued together.
"""

import json
import os
import re
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPResponse
from pathlib import Path
from typing import Any, TypeAlias

from msl.data.fetching.archives import contained
from msl.data.fetching.connection import Changed, Lost, ask, first_and_total, is_web_address, pieces, validator_of
from msl.files import sha256, write_json
from msl.types import InputError

ATTEMPTS = 5
PAUSE = 1.0
"""Seconds before the second attempt; each further one waits twice as long."""
MOST_BYTES = 64 << 30
"""Bytes taken of a file whose size the card does not state."""

Progress: TypeAlias = Callable[[int, int | None], None]
"""Takes the bytes there and the bytes wanted, None where nobody stated them."""


@dataclass(frozen=True, kw_only=True)
class Remote:
    """One file to fetch; raises `InputError` if its address or name is not one to fetch."""

    url: str
    """An http or https address."""
    file: str
    """Name below the data set's folder, with ``/`` between folders."""
    sha256: str | None
    """Hexadecimal digest; None if unknown, and then whoever fetches should report the digest found."""
    size: int | None
    """Bytes, if known."""

    def __post_init__(self) -> None:
        if not is_web_address(self.url):
            raise InputError(f"{self.url!r} is no address to fetch from; give one with http:// or https://")
        if contained(self.file) is None:
            raise InputError(f"{self.file!r} is no name for a fetched file; give one relative to the data set's folder")
        if self.sha256 is not None and not re.fullmatch("[0-9a-f]{64}", self.sha256):
            raise InputError(f"{self.url}: {self.sha256!r} is no sha256; give its 64 hexadecimal digits in lower case")
        if self.size is not None and self.size < 0:
            raise InputError(f"{self.url}: no file has {self.size} bytes; give its size, or null if unknown")


def fetch(remote: Remote, folder: Path, *, progress: Progress | None) -> Path:
    """Bring a file into `folder` and return its path; a file that is there and right is left alone.

    Stopped by a signal or a lost connection, it goes on where it was. Raises `InputError`, one line with the remedy, for
    a file that is there but wrong, for whatever the server or the disk refuses, and for content that is not the card's.
    """
    target = folder / remote.file
    part = _Part(target, remote.url)
    try:
        if os.path.lexists(target):
            return _present(remote, target)
        target.parent.mkdir(parents=True, exist_ok=True)
        _receive(remote, part, progress)
        return part.finish(target, remote.sha256)
    except OSError as error:  # the network's own troubles are told apart by now: this is the disk's
        raise InputError(
            f"{target} cannot be written or read ({error.strerror or error}); "
            "make room, or choose a folder of yours, and repeat to go on"
        ) from None


def _present(remote: Remote, target: Path) -> Path:
    wrong = None
    if not target.is_file():
        wrong = "no file"
    elif remote.size is not None and target.stat().st_size != remote.size:
        wrong = f"{target.stat().st_size} bytes, wanted {remote.size}"
    elif remote.sha256 is not None and (digest := sha256(target)) != remote.sha256:
        wrong = f"sha256 {digest}, wanted {remote.sha256}"
    if wrong:
        raise InputError(f"{target} is already there but not what its card names ({wrong}); move it away and repeat")
    return target


class _Part:
    """The bytes that came so far, and of which version of the file they are."""

    def __init__(self, target: Path, url: str) -> None:
        self.path = target.with_name(f"{target.name}.part")
        self.note = target.with_name(f"{target.name}.part.json")
        self.url = url

    def size(self) -> int:
        return self.path.stat().st_size if self.path.is_file() else 0

    def origin(self) -> dict[str, Any]:
        """The ``validator`` and ``total`` the server stated for the bytes that are there; empty if none can be used."""
        try:
            origin: dict[str, Any] = json.loads(self.note.read_bytes())
            usable = origin["url"] == self.url and isinstance(origin["validator"], str) and "total" in origin
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return {}
        return origin if usable and self.size() else {}

    def begin(self, validator: str | None, total: int | None) -> None:
        self.path.write_bytes(b"")  # first, so that older bytes never lie beside the new note
        write_json(self.note, {"url": self.url, "validator": validator, "total": total})

    def clear(self) -> None:
        self.path.unlink(missing_ok=True)
        self.note.unlink(missing_ok=True)

    def finish(self, target: Path, wanted: str | None) -> Path:
        """Give the bytes their name if their digest is right; take them away if not: no resuming would mend them."""
        if wanted is not None and (digest := sha256(self.path)) != wanted:
            self.clear()
            raise InputError(
                f"{self.url} sent sha256 {digest}, wanted {wanted}; it is removed: repeat, or ask where the file changed"
            )
        with self.path.open("rb+") as stream:
            os.fsync(stream.fileno())
        self.path.replace(target)
        self.note.unlink(missing_ok=True)
        return target


def _receive(remote: Remote, part: _Part, progress: Progress | None) -> None:
    for attempt in range(ATTEMPTS):
        if attempt:
            time.sleep(PAUSE * 2 ** (attempt - 1))
        try:
            return _attempt(remote, part, progress)
        except Changed as changed:
            part.clear()
            reason: Lost = changed
        except Lost as lost:
            reason = lost
    kept = f"the {part.size()} bytes that came are kept: repeat to go on" if part.origin() else "repeat later"
    raise InputError(f"{remote.url} could not be fetched in {ATTEMPTS} attempts ({reason}); {kept}")


def _attempt(remote: Remote, part: _Part, progress: Progress | None) -> None:
    origin = part.origin()
    if origin and origin["total"] == part.size():
        return  # stopped between the last byte and its name
    start = part.size() if origin else 0
    with closing(ask(remote.url, start=start, validator=origin.get("validator"))) as response:
        first, total = first_and_total(response)
        _refuse_other(remote, response, total)
        if not first:
            part.begin(validator_of(response), total)
        elif first != start or validator_of(response) not in (None, origin["validator"]):
            raise Changed("it changed on the server")  # said by a server that heeds Range and not If-Range
        _append(remote, part, response, total if total is not None else remote.size, progress)


def _refuse_other(remote: Remote, response: HTTPResponse, total: int | None) -> None:
    """Before the first byte: what cannot be the card's file."""
    if response.headers.get_content_type() == "text/html" and not remote.file.endswith((".html", ".htm")):
        raise InputError(f"{remote.url} answers with a web page; open it in a browser to find {remote.file}'s address")
    if total is not None and total != (remote.size if remote.size is not None else min(total, MOST_BYTES)):
        raise InputError(
            f"{remote.url} offers {total} bytes, wanted {remote.size or f'{MOST_BYTES} at most'}; "
            "ask where the file changed, or get it by hand"
        )


def _append(remote: Remote, part: _Part, response: HTTPResponse, wanted: int | None, progress: Progress | None) -> None:
    done, most = part.size(), MOST_BYTES if wanted is None else wanted
    with part.path.open("ab") as stream:
        for piece in pieces(response):
            done += len(piece)
            if done > most:
                part.clear()
                raise InputError(
                    f"{remote.url} sends more than {most} bytes; ask where the file changed, or get it by hand"
                )
            stream.write(piece)
            if progress:
                progress(done, wanted)
    if part.size() != done:
        part.clear()
        raise InputError(f"{part.path} was written by another program meanwhile; let one fetch at a time, and repeat")
    if wanted is not None and done < wanted:
        raise Lost(f"{done} of {wanted} bytes came")
