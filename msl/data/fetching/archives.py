"""Unpacking archives nobody vouches for: whole or not at all, inside the folder, nothing overwritten, no bombs.

Only plain files are taken. A link, a device or a name that leads outside refuses the whole archive: no data set needs one.
"""

import bz2
import filecmp
import gzip
import lzma
import os
import stat
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO, Any, TypeAlias

from msl.types import InputError

CHUNK = 1 << 20
MOST_BYTES = 64 << 30
"""Bytes one archive may unpack to."""
MOST_RATIO = 200
"""Bytes it may unpack to per byte of its own, once past `FREE_BYTES`: tables of zeros compress well, but are small."""
FREE_BYTES = 2 << 30
MOST_FILES = 500_000
MOST_HEADER = 16 << 20
"""Bytes of one tar header, which `tarfile` reads whole into memory."""

_RESERVED = {"con", "prn", "aux", "nul", *(f"{port}{number}" for port in ("com", "lpt") for number in range(1, 10))}
_Entry: TypeAlias = tuple[PurePosixPath, int, Callable[[], IO[bytes]]]
"""Name, size the header states, and what opens the content."""


def contained(name: str) -> PurePosixPath | None:
    """The relative path `name` spells, or None if it could lead out of a folder or name a device on any system."""
    parts = PurePosixPath(name).parts
    odd = not parts or name.startswith("/") or ".." in parts or any(sign in name for sign in "\\:")
    device = any(part.split(".")[0].strip().lower() in _RESERVED for part in parts)
    return None if odd or device or not name.isprintable() else PurePosixPath(*parts)


def unpack(archive: Path, folder: Path) -> list[Path]:
    """Unpack a .zip, .tar, .tar.gz, .tgz, .tar.bz2 or .tar.xz below `folder`; the files, in the archive's order.

    A file that is there already with the same bytes stays, so that repeating changes nothing; one with other bytes is an
    error. Archives inside the archive are left packed. Raises `InputError`, and then leaves the folder as it was.
    """
    entries = _entries(archive)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".unpacking-") as temporary:
            names = _extract(archive, entries, Path(temporary))
            return _move(archive, names, Path(temporary), folder)
    except OSError as error:  # the archive's own troubles are InputErrors by now: this is the folder's
        raise InputError(
            f"{archive} cannot be unpacked into {folder} ({error.strerror or error}); make room or choose another folder"
        ) from None


def _entries(archive: Path) -> Iterator[_Entry]:
    if not archive.is_file():
        raise InputError(f"there is no file {archive}; give the path of an archive")
    openers: dict[str, Callable[[Any], Any]] = {
        ".tar": lambda path: path.open("rb"),
        **dict.fromkeys((".tar.gz", ".tgz"), gzip.open),
        ".tar.bz2": bz2.open,
        ".tar.xz": lzma.open,
    }
    name = archive.name.lower()
    if name.endswith(".zip"):
        return _zip_entries(archive)
    opener = next((opener for suffix, opener in openers.items() if name.endswith(suffix)), None)
    if opener is None:
        raise InputError(f"{archive} is no archive msl unpacks; wanted .zip, {', '.join(openers)}")
    return _tar_entries(archive, opener)


def _zip_entries(archive: Path) -> Iterator[_Entry]:
    with _damage_told(archive), zipfile.ZipFile(archive) as opened:
        for info in opened.infolist():
            if info.is_dir():
                continue
            if info.flag_bits & 1:
                raise InputError(f"{archive} is encrypted ({info.orig_filename!r}); unpack it by hand")
            # the mode is 0 where the archive was not made on Unix; orig_filename, because filename ends at a NUL
            plain = stat.S_IFMT(info.external_attr >> 16) in (0, stat.S_IFREG)
            name = _checked(archive, info.orig_filename, plain=plain)
            yield name, info.file_size, partial(opened.open, info)


def _tar_entries(archive: Path, opener: Callable[[Path], IO[bytes]]) -> Iterator[_Entry]:
    with _damage_told(archive), opener(archive) as stream:
        bounded: Any = _Bounded(stream)
        with tarfile.open(fileobj=bounded, mode="r:") as opened:
            for member in opened:
                if not member.isdir():
                    plain = member.isreg() and not member.issparse() and member.size >= 0
                    name = _checked(archive, member.name, plain=plain)
                    yield name, member.size, partial(_content, opened, member)
        # tarfile also stops at a torn header: the true end is a block of zeros, and the stream's checksum follows it
        if bounded.latest != tarfile.NUL * tarfile.BLOCKSIZE or len(stream.read(MOST_HEADER)) == MOST_HEADER:
            raise tarfile.ReadError("it ends in the middle")


def _content(opened: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes]:
    stream = opened.extractfile(member)
    assert stream is not None, "only links and devices have none"
    return stream


class _Bounded:
    """A stream that refuses to be read in one huge or endless piece, which only a forged header asks for."""

    def __init__(self, stream: IO[bytes]) -> None:
        self.seek, self.tell, self._stream = stream.seek, stream.tell, stream
        self.latest = b""

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= MOST_HEADER:
            raise tarfile.ReadError(f"a header of {size} bytes")
        self.latest = self._stream.read(size)
        return self.latest


def _checked(archive: Path, name: str, *, plain: bool) -> PurePosixPath:
    path = contained(name)
    if path is None:
        raise InputError(
            f"{archive} holds the unsafe name {name!r}; nothing was unpacked, get it from its maker or unpack it by hand"
        )
    if not plain:
        raise InputError(
            f"{archive}: {name!r} is no plain file but a link, a device or the like; nothing was unpacked, do it by hand"
        )
    return path


def _extract(archive: Path, entries: Iterator[_Entry], folder: Path) -> list[PurePosixPath]:
    """Write every file below an empty folder, counting the bytes that come and not only those announced."""
    names: dict[PurePosixPath, None] = {}
    done, most = 0, min(MOST_BYTES, max(FREE_BYTES, MOST_RATIO * archive.stat().st_size))
    for name, size, opened in entries:
        if name in names:
            raise InputError(f"{archive} holds {str(name)!r} twice; nothing was unpacked, unpack it by hand")
        names[name] = None
        _bound(archive, done + size, most, len(names))
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        with (folder / name).open("xb") as target:
            for chunk in _chunks(archive, opened):
                done += len(chunk)
                _bound(archive, done, most, len(names))
                target.write(chunk)
    return list(names)


def _bound(archive: Path, size: int, most: int, files: int) -> None:
    if size > most or files > MOST_FILES:
        raise InputError(
            f"{archive} unpacks to more than {most} bytes or {MOST_FILES} files; if you trust it, unpack it by hand"
        )


def _chunks(archive: Path, opened: Callable[[], IO[bytes]]) -> Iterator[bytes]:
    with _damage_told(archive), opened() as stream:
        while chunk := stream.read(CHUNK):
            yield chunk


def _move(archive: Path, names: list[PurePosixPath], source: Path, folder: Path) -> list[Path]:
    """Move what is new into the folder; on any trouble take it out again."""
    new = [name for name in names if not os.path.lexists(folder / name)]
    for name in set(names) - set(new):
        if not (folder / name).is_file() or not filecmp.cmp(source / name, folder / name, shallow=False):
            raise InputError(f"{folder / name} is already there, but not as {archive} has it; move it away and repeat")
    moved: list[Path] = []
    try:
        for name in new:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            moved.append((source / name).rename(folder / name))
    except BaseException:
        for path in moved:
            path.unlink()
        raise
    return [folder / name for name in names]


@contextmanager
def _damage_told(archive: Path) -> Iterator[None]:
    try:
        yield
    except InputError:
        raise
    except Exception as error:  # of a damaged file zipfile, tarfile, zlib, lzma and struct each have their own
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise InputError(f"{archive} is damaged or no such archive ({reason}); get it again") from None
