"""What a search shows of each item, in a SQLite file: a reader sees the state before a change or after it."""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from msl.types import InputError

_AT_ONCE = 500  # ids in one question to SQLite
_TABLES = """
create table if not exists folders (number integer primary key, path text unique not null);
create table if not exists items (
    id text primary key, text text, image text, folder integer references folders, classes text not null, part text
) without rowid;
"""


@dataclass(frozen=True)
class Item:
    """One item: its text and picture if it has any, its classes by name (none: unlabelled), and its part of the data."""

    id: str
    text: str | None
    image: str | None
    """The picture's path relative to `folder`."""
    folder: Path | None
    classes: tuple[str, ...]
    part: str | None

    @property
    def picture(self) -> Path | None:
        """The picture's file; None if it has none, is gone, or lies outside its folder by .. or by a link."""
        if self.image is None or self.folder is None:
            return None
        try:
            file = (self.folder / self.image).resolve()
            return file if file.is_relative_to(self.folder.resolve()) and file.is_file() else None
        except (OSError, ValueError, RuntimeError):  # a NUL in the name, links in a circle
            return None


class Items:
    """The items of an index, by id."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def add(self, items: Iterable[Item]) -> None:
        """Write items, in one transaction; one of the same id takes the old one's place."""
        with self._open() as connection:
            connection.executescript(_TABLES)
            with connection:
                connection.executemany(
                    "insert or replace into items values (?, ?, ?, ?, ?, ?)",
                    (self._row(connection, item) for item in items),
                )

    def copy_to(self, file: Path) -> "Items":
        """Write a copy of the state as it is now."""
        with self._open() as connection, closing(sqlite3.connect(file)) as copy:
            connection.backup(copy)
        return Items(file)

    def delete(self, ids: Sequence[str]) -> None:
        """Forget items, in one transaction; unknown ones are passed over."""
        with self._open() as connection, connection:
            connection.executemany("delete from items where id = ?", ((each,) for each in ids))

    def find(self, ids: Sequence[str]) -> dict[str, Item]:
        """The items of these ids; those that are not there are left out."""
        with self._open() as connection:
            return {item.id: item for item in self._select(connection, ids)}

    def __iter__(self) -> Iterator[Item]:
        """All items, by id."""
        with self._open() as connection:
            folders = self._folders(connection)
            yield from (_item(row, folders) for row in connection.execute("select * from items order by id"))

    def _select(self, connection: sqlite3.Connection, ids: Sequence[str]) -> Iterator[Item]:
        folders = self._folders(connection)
        for start in range(0, len(ids), _AT_ONCE):
            some = ids[start : start + _AT_ONCE]
            marks = ", ".join("?" * len(some))
            rows = connection.execute(f"select * from items where id in ({marks})", tuple(some))
            yield from (_item(row, folders) for row in rows)

    @staticmethod
    def _folders(connection: sqlite3.Connection) -> dict[int, Path]:
        return {number: Path(path) for number, path in connection.execute("select number, path from folders")}

    @staticmethod
    def _row(connection: sqlite3.Connection, item: Item) -> tuple[object, ...]:
        number = None
        if item.folder is not None:
            path = str(item.folder.resolve())
            connection.execute("insert or ignore into folders (path) values (?)", (path,))
            (number,) = connection.execute("select number from folders where path = ?", (path,)).fetchone()
        return item.id, item.text, item.image, number, json.dumps(item.classes), item.part

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        try:
            with closing(sqlite3.connect(self.file, timeout=30)) as connection:
                yield connection
        except sqlite3.Error as error:
            raise InputError(
                f"{self.file} cannot be used ({error}); build the index anew: msl index run=RUN fresh=true"
            ) from None


def _item(row: tuple[str, str | None, str | None, int | None, str, str | None], folders: dict[int, Path]) -> Item:
    name, text, image, folder, classes, part = row
    return Item(name, text, image, None if folder is None else folders[folder], tuple(json.loads(classes)), part)
