"""The folder `msl encode` writes: empty, begun or complete, and never somebody else's."""

import json
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from msl.files import locked, write_json
from msl.types import InputError

PARTIAL = ".partial"
"""Holds, in the folder, what is not finished."""
RECORD = "encode.json"
"""The settings it was made with; moved out of `PARTIAL` last, so that it says that everything else is there."""
FILES = (
    "image.npy", "text.npy", "ids.npy", "label.npy", "class_names.json", "class_vectors.npy", "split.npy", "items.jsonl",
    "encoders.json", "duplicates.jsonl", "skipped.jsonl",
)  # fmt: skip
"""What is written, `RECORD` and `PREVIEWS` apart."""
PREVIEWS = "images"
_PREVIEW = re.compile(r"[0-9a-f]{32}\.jpg")


@contextmanager
def claimed(places: Iterable[Path], out: Path) -> Iterator[None]:
    """Let one process at a time write `out`.

    Raises:
        InputError: another one does, `out` is not apart from the pictures' `places`, or it holds files of others.
    """
    for path in places:
        _check_apart(path.resolve(), out.resolve())
    _check_own(out)
    try:
        with locked(out / RECORD, wait=False):
            yield
    except BlockingIOError:
        raise InputError(f"another msl encode is writing {out}; wait for it, or give another out") from None


def complete(out: Path, settings: dict[str, Any], *, restart: bool) -> bool:
    """Whether all is there already, and is to stay.

    Raises:
        InputError: what is there was made, or begun, with other settings.
    """
    if restart:
        return False
    for folder in (out, out / PARTIAL):
        if (folder / RECORD).is_file():
            _check_same(_record(folder)["settings"], settings, out)
    if not (out / RECORD).is_file():
        return False
    _drop(out / PARTIAL)  # of a run that was killed after its last file
    return True


def begin(out: Path, settings: dict[str, Any], identity: dict[str, Any], *, restart: bool) -> Path:
    """The folder of what is not finished; with `restart` what is there goes first.

    Raises:
        InputError: it was begun with encoders that are no longer the same.
    """
    folder = out / PARTIAL
    if restart:
        _clear(out)
    if (folder / RECORD).is_file():
        _check_same(_record(folder)["identity"], identity, out)
        _sweep(out)
        return folder
    _drop(folder)
    folder.mkdir(parents=True)
    write_json(folder / RECORD, {"settings": settings, "identity": identity})
    return folder


def finish(out: Path, class_vectors: str | None) -> None:
    """Declare the folder complete, and what its class vectors are."""
    write_json(out / PARTIAL / RECORD, _record(out / PARTIAL) | {"class_vectors": class_vectors})
    (out / PARTIAL / RECORD).replace(out / RECORD)
    _drop(out / PARTIAL)


def forget(out: Path) -> None:
    """Remove what was begun, so that the next call sees what a person has changed; skipped.jsonl stays."""
    _drop_previews(out)
    _drop(out / PARTIAL)


def _record(folder: Path) -> dict[str, Any]:
    try:
        found = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        return {key: dict(found[key]) for key in ("settings", "identity")}
    except (ValueError, KeyError, TypeError):
        raise InputError(f"{folder / RECORD} is damaged; begin anew with restart=true") from None


def _check_same(then: dict[str, Any], now: dict[str, Any], out: Path) -> None:
    changed = next((key for key in {**then, **now} if then.get(key) != now.get(key)), None)
    if changed is None:
        return
    listed = {
        "collection": "the pictures or captions listed have changed since",
        "written": "a picture was written again since, though all have as many bytes as before",
    }
    what = listed.get(changed, f"{changed} was {then.get(changed)!r} and is {now.get(changed)!r}")
    raise InputError(f"{out} holds what was begun otherwise: {what}; give another out, or restart=true to encode anew")


def _check_apart(path: Path, out: Path) -> None:
    folder = path if path.is_dir() else path.parent
    if out.is_relative_to(folder) or folder.is_relative_to(out):
        raise InputError(f"out={out} and the pictures in {folder} lie in one another; give out=FOLDER elsewhere")


def _check_own(out: Path) -> None:
    """An `InputError` where anything visible is not this command's: of a folder without a record, everything is another's."""
    if not out.is_dir():
        return
    begun = any((folder / RECORD).is_file() for folder in (out, out / PARTIAL))
    own = {*FILES, RECORD, PREVIEWS} if begun else {"skipped.jsonl"} if _is_skipped(out / "skipped.jsonl") else set()
    foreign = [each.name for each in out.iterdir() if each.name not in own and not each.name.startswith(".")]
    if not begun and (out / PARTIAL).is_dir():
        foreign += [f"{PARTIAL}/{each.name}" for each in (out / PARTIAL).iterdir() if f".{RECORD}." not in each.name]
    if foreign:
        raise InputError(f"{out} holds {min(foreign)!r}, which msl encode did not write; give out=FOLDER, a new one")


def _is_skipped(file: Path) -> bool:
    """Whether a file is what a call left that could encode nothing."""
    if not file.is_file():
        return False
    try:
        with file.open("rb") as stream:
            return set(json.loads(stream.readline())) == {"image", "said", "reason"}
    except (ValueError, TypeError, RecursionError):
        return False


def _sweep(out: Path) -> None:
    """Remove the temporary files of writes that a kill cut short."""
    cut = [each for name in ("class_names.json", "encoders.json") for each in out.glob(f".{name}.*")]
    for file in (*cut, *(out / PARTIAL).glob(f".{RECORD}.*"), *(out / PREVIEWS).glob(".*.jpg.*")):
        file.unlink()


def _clear(out: Path) -> None:
    """Remove all that this command wrote and nothing else; at any moment there is a record, which says whose the rest is."""
    if (out / RECORD).is_file():  # what is half gone must not look complete
        (out / PARTIAL).mkdir(exist_ok=True)
        (out / RECORD).replace(out / PARTIAL / RECORD)
    if not (out / PARTIAL / RECORD).is_file():
        return
    for name in FILES:
        (out / name).unlink(missing_ok=True)
    _drop_previews(out)
    _drop(out / PARTIAL)


def _drop_previews(out: Path) -> None:
    _sweep(out)
    if (out / PREVIEWS).is_dir():
        for file in (out / PREVIEWS).iterdir():
            if _PREVIEW.fullmatch(file.name):
                file.unlink()
        with suppress(OSError):  # a person put something there: it stays
            (out / PREVIEWS).rmdir()


def _drop(folder: Path) -> None:
    """Remove what is not finished, the record last."""
    if not folder.is_dir():
        return
    for file in (each for each in folder.iterdir() if each.name != RECORD):
        file.unlink()
    (folder / RECORD).unlink(missing_ok=True)
    folder.rmdir()
