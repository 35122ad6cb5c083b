"""Where the pictures lie that a table names: in one folder, or in one of the folders in it."""

import os
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from msl.data.collection.item import readable
from msl.types import InputError


class Places:
    """Names as a table gives them, of pictures in `folder` -> paths below `root`. What lies elsewhere keeps its path, to be refused.

    All lie in `folder` itself or in one folder in it: where the first of `names` lies that is found at all.

    Raises:
        InputError: two folders in `folder` hold that picture.
    """

    def __init__(self, root: Path, folder: Path, names: Iterable[object]) -> None:
        self.root, self.folder = (Path(os.path.abspath(each)) for each in (root, folder))
        self.below = _below(self.folder, names)

    def path(self, name: str) -> str:
        """The path of a picture below the root."""
        given = PurePosixPath(name)
        absolute = given if given.is_absolute() else PurePosixPath(self.folder.as_posix()) / self.below / name
        return PurePosixPath(os.path.relpath(absolute, self.root) if self._near(absolute) else absolute).as_posix()

    def _near(self, path: PurePosixPath) -> bool:
        return "\0" not in str(path) and Path(os.path.normpath(path)).is_relative_to(self.root)


def _below(folder: Path, names: Iterable[object]) -> str:
    inner = sorted(each.name for each in folder.iterdir() if each.is_dir() and not each.name.startswith("."))
    for name in names:
        if not isinstance(name, str) or not name.strip() or PurePosixPath(name).is_absolute():
            continue
        if os.path.lexists(folder / name):
            return ""
        holders = [each for each in inner if os.path.lexists(folder / each / name)]
        if len(holders) > 1:
            raise InputError(
                f"{folder}: {' and '.join(map(readable, holders[:3]))} each hold {readable(name)[:80]!r}; give images=FOLDER, the one "
                "that is meant"
            )
        if holders:
            return holders[0]
    return ""
