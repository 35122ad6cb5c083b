"""The folder `msl encode` writes: empty, begun or complete, and never somebody else's."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
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


@contextmanager
def claimed(path: Path, out: Path) -> Iterator[None]:
    """Let one process at a time write `out`.

    Raises:
        InputError: another one does, `out` is not apart from the pictures at `path`, or it holds files of others.
    """
    _check_apart(path.resolve(), out.resolve())
    _check_own(out)
    try:
        with locked(out / RECORD, wait=False):
            yield
    except BlockingIOError:
        raise InputError(f"another msl encode is writing {out}; wait for it, or give another out") from None


def complete(out: Path, settings: dict[str, Any], *, restart: bool) -> bool:
    """Whether all is there already; with `restart` what is there goes first.

    Raises:
        InputError: what is there was made, or begun, with other settings.
    """
    if restart:
        _clear(out)
    for folder in (out, out / PARTIAL):
        if (folder / RECORD).is_file():
            _check_same(_record(folder)["settings"], settings, out)
    if not (out / RECORD).is_file():
        return False
    shutil.rmtree(out / PARTIAL, ignore_errors=True)  # of a run that was killed after its last file
    return True


def begin(out: Path, settings: dict[str, Any], identity: dict[str, Any]) -> Path:
    """The folder of what is not finished; an `InputError` where it was begun with encoders that are no longer the same."""
    folder = out / PARTIAL
    if (folder / RECORD).is_file():
        _check_same(_record(folder)["identity"], identity, out)
        _sweep(out)
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    write_json(folder / RECORD, {"settings": settings, "identity": identity})
    return folder


def finish(out: Path) -> None:
    """Declare the folder complete."""
    (out / PARTIAL / RECORD).replace(out / RECORD)
    shutil.rmtree(out / PARTIAL)


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
    what = (
        "the pictures or captions listed have changed since"
        if changed == "collection"
        else f"{changed} was {then.get(changed)!r} and is {now.get(changed)!r}"
    )
    raise InputError(f"{out} holds what was begun otherwise: {what}; give another out, or restart=true to encode anew")


def _check_apart(path: Path, out: Path) -> None:
    folder = path if path.is_dir() else path.parent
    if out.is_relative_to(folder) or folder.is_relative_to(out):
        raise InputError(f"out={out} and the pictures in {folder} lie in one another; give out=FOLDER elsewhere")


def _check_own(out: Path) -> None:
    own = {*FILES, RECORD, PREVIEWS}
    foreign = [each.name for each in out.iterdir() if each.name not in own] if out.is_dir() else []
    visible = [name for name in foreign if not name.startswith(".")]
    if visible:
        raise InputError(f"{out} holds {visible[0]!r}, which msl encode did not write; give out=FOLDER, a new one")


def _sweep(out: Path) -> None:
    """Remove the temporary files of writes that a kill cut short."""
    cut = [each for name in ("class_names.json", "encoders.json") for each in out.glob(f".{name}.*")]
    for file in (*cut, *(out / PREVIEWS).glob(".*")):
        file.unlink()


def _clear(out: Path) -> None:
    for name in (RECORD, *FILES):  # the record first: what is half gone must not look complete
        (out / name).unlink(missing_ok=True)
    for folder in (out / PARTIAL, out / PREVIEWS):
        shutil.rmtree(folder, ignore_errors=True)
