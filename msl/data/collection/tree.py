"""What lies in a folder, and only in it: links out of it are never followed."""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from msl.data.collection.item import PICTURES, TABLES, readable
from msl.types import InputError


@dataclass
class Tree:
    """Paths below a folder: `pictures` and `tables` (.json too), sorted, `texts` (.txt, by their paths without it), and what
    was not looked into, with the reason."""

    pictures: list[str] = field(default_factory=list)
    tables: list[str] = field(default_factory=list)
    texts: dict[str, str] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)

    def beside(self, picture: str) -> str | None:
        """The text file of a picture's name."""
        return self.texts.get(os.path.splitext(picture)[0])

    @property
    def captioned(self) -> bool:
        """Whether any picture has a text file of its name."""
        return any(self.beside(picture) for picture in self.pictures)


def tree(root: Path) -> Tree:
    """Everything below `root` but what is hidden. A folder called like a picture counts as one, for its reader to refuse."""
    found = Tree()
    for folder, names in _walk(root, found):
        for name in sorted(names):  # of a.TXT and a.txt the latter counts, whichever is found first
            stem, ending = os.path.splitext(f"{folder}{name}")
            if ending.lower() in PICTURES:
                found.pictures.append(stem + ending)
            elif ending.lower() in (*TABLES, ".json"):
                found.tables.append(stem + ending)
            elif ending.lower() == ".txt":
                found.texts[stem] = stem + ending
    found.pictures.sort()
    found.tables.sort()
    return found


def _walk(root: Path, found: Tree) -> Iterator[tuple[str, list[str]]]:
    """Each folder below `root`, itself first, as the beginning of a path, and what lies in it apart from folders to enter."""

    def closed(error: OSError) -> None:
        place = Path(error.filename).relative_to(root).as_posix()
        if place == ".":
            raise InputError(f"{root} cannot be looked into ({error.strerror}); check its permissions")
        found.refused[place] = f"{readable(place)} cannot be looked into ({error.strerror}); check its permissions"

    for folder, inner, files in os.walk(root, onerror=closed):
        here = "" if Path(folder) == root else f"{Path(folder).relative_to(root).as_posix()}/"
        called = [name for name in inner if PurePosixPath(name).suffix.lower() in PICTURES]
        visible = sorted(name for name in inner if not name.startswith((".", "__MACOSX")) and name not in called)
        for name in visible:
            if os.path.islink(os.path.join(folder, name)):
                found.refused[here + name] = f"{readable(here + name)} is a link to a folder; copy the folder here"
        inner[:] = visible
        yield here, [name for name in files + called if not name.startswith(".")]


def inside(root: Path, name: str) -> Path:
    """The file `name` below `root`.

    Raises:
        InputError: it lies elsewhere, by an absolute path, by .. or by a link, or the name can be no path.
    """
    try:
        within = (root / name).resolve().is_relative_to(root.resolve())
    except (OSError, ValueError, RuntimeError):  # a NUL in the name, links in a circle
        within = False
    if not within:
        raise InputError(
            f"{readable(name)[:80]!r} lies outside {root}, or nowhere; copy it into the folder, or name the one that holds it"
        )
    return root / name


def read_text(root: Path, name: str) -> str:
    """A small text file below `root`, UTF-8 with or without its mark.

    Raises:
        InputError: it lies elsewhere, is no regular file (a pipe would never end), or is not UTF-8; the row is named.
    """
    file = inside(root, name)
    try:
        if not stat.S_ISREG(file.stat().st_mode):
            raise InputError(f"{readable(name)} is no regular file; put a text file there")
        content = file.read_bytes()
    except OSError as error:
        raise InputError(f"{readable(name)} cannot be read ({error.strerror}); check it") from None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        row = content.count(b"\n", 0, error.start) + 1
        raise InputError(f"{readable(name)}: row {row} is not UTF-8; save the file as UTF-8") from None
