"""Where the pictures lie that a table names: beside it, or in one of the folders beside it."""

import os
from pathlib import Path, PurePosixPath


class Places:
    """Names as a table in `folder` gives them -> paths below `root`. What lies elsewhere keeps its path, to be refused."""

    def __init__(self, root: Path, folder: Path) -> None:
        self.root, self.folder = (Path(os.path.abspath(each)) for each in (root, folder))
        self.below = ""
        self._settled = False

    def path(self, name: str) -> str:
        """The path of a picture below the root; the first name settles which folder all lie in."""
        if not self._settled:
            self.below, self._settled = self._found(name), True
        given = PurePosixPath(name)
        absolute = given if given.is_absolute() else PurePosixPath(self.folder.as_posix()) / self.below / name
        return PurePosixPath(os.path.relpath(absolute, self.root) if self._near(absolute) else absolute).as_posix()

    def _near(self, path: PurePosixPath) -> bool:
        return "\0" not in str(path) and Path(os.path.normpath(path)).is_relative_to(self.root)

    def _found(self, name: str) -> str:
        """The one folder beside the table that has this picture, where it is not beside the table itself."""
        if "\0" in name or PurePosixPath(name).is_absolute() or os.path.lexists(self.folder / name):
            return ""
        folders = [each.name for each in self.folder.iterdir() if each.is_dir() and os.path.lexists(each / name)]
        return folders[0] if len(folders) == 1 else ""
