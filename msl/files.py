"""Files: where the embedded ones lie, and how new ones are written so that none is ever half-written."""

import hashlib
import io
import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

_PACKAGE = Path(__file__).resolve().parent


def embedded(name: str) -> Path:
    """Folder of something shipped with the package: ``conf``, ``docs``, ``emoji`` or ``words``.

    An installed wheel carries it inside the package; an editable checkout has it beside the package.
    """
    places = {
        "conf": (_PACKAGE / "conf", _PACKAGE.parent / "conf"),
        "docs": (_PACKAGE / "embedded" / "pages", _PACKAGE.parent / "docs"),
        "emoji": (_PACKAGE / "embedded" / "emoji", _PACKAGE.parent / "data" / "emoji"),
        "words": (_PACKAGE / "embedded" / "words", _PACKAGE.parent / "data" / "words"),
    }[name]
    found = next((place for place in places if place.is_dir()), None)
    if found is None:
        raise FileNotFoundError(
            f"the installation lacks its folder {name!r} ({' or '.join(map(str, places))}); reinstall msl"
        )
    return found


def write_bytes(path: Path, content: bytes) -> Path:
    """Write a file whole or not at all: temporary file beside it, fsync, rename."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(temporary, 0o666 & ~umask)  # mkstemp makes files private; give the permissions `open` would
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    return path


def data_home() -> Path:
    """Folder below which downloaded data sets lie, each in a folder of its name: $MSL_DATA, or ~/.cache/msl."""
    return Path(os.environ.get("MSL_DATA") or Path.home() / ".cache" / "msl")


def own_name(path: Path) -> str:
    """What data at `path` are called where nobody named them: as the folder is, or as the file without its ending."""
    own = path.resolve()
    named = own.parent if own.name == "features.npz" else own
    return named.name if named.is_dir() else named.stem


@contextmanager
def locked(path: Path, *, wait: bool = True) -> Iterator[None]:
    """Let one process at a time read and write a file; where the system has no such locks, nobody waits.

    Without `wait` a `BlockingIOError` says that another process is at it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        import fcntl
    except ImportError:  # Windows
        yield
        return
    with path.with_name(f".{path.name}.lock").open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        yield


def write_npz(path: Path, arrays: Mapping[str, NDArray[Any]]) -> Path:
    """Write named arrays as a compressed .npz, atomically."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    return write_bytes(path, buffer.getvalue())


def write_text(path: Path, content: str) -> Path:
    """Write UTF-8 text atomically."""
    return write_bytes(path, content.encode())


def write_json(path: Path, content: Any) -> Path:
    """Write indented JSON atomically; NaN and infinities are refused because JSON has none."""
    return write_text(path, json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def sha256(path: Path) -> str:
    """Hexadecimal digest of a file's bytes."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
