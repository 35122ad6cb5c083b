"""Codes on disk, each with an id: added to, deleted from and rebuilt while others read.

A folder holds ``current``, a small JSON file that is replaced whole, and generations (``000001``), each with

- ``codes.f32``: unit rows, float32, little-endian, one after the other;
- ``ids``: their ids, each as JSON on a line of its own.

Both are only ever appended to. What counts of them is said by ``current``, which is replaced after they have reached
the disk: what a killed writer left behind it is not looked at, and the next one writes over it. Writers take turns,
readers never wait: a `Store` maps the files of the moment it was opened, and on POSIX these stay readable when their
names are gone. The generation before the current one is kept, for who has just read ``current``; older ones go (on
Windows, as soon as nobody has them open).
"""

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from msl.index.current import Current, mapped, writing
from msl.index.exact import unit_rows
from msl.types import Floats, InputError, Ints

_ROWS = 8192
"""Written at a time."""


@dataclass(frozen=True, eq=False)
class Store:
    """What a folder held when it was opened: nothing that happens to the folder later changes it."""

    folder: Path
    current: Current
    codes: NDArray[np.float32]
    """Unit rows (rows, d), mapped from disk; a row of zeros stays one. Deleted rows are among them."""
    alive: NDArray[np.bool_]
    """Which rows are not deleted (rows,)."""
    lines: NDArray[np.uint8]
    """The ids as they are on disk."""

    @classmethod
    def create(cls, folder: Path, identity: Mapping[str, Any]) -> "Store":
        """Make an empty one; `identity`, plain JSON, says what the codes are codes of.

        Raises:
            InputError: there is one already.
        """
        with writing(folder):
            if (folder / "current").exists():
                raise InputError(f"{folder} holds codes already; add to them, or give another folder")
            (folder / "000001").mkdir(exist_ok=True)
            Current("000001", 0, 0, 0, (), dict(identity)).write(folder)
            return cls.open(folder)

    @classmethod
    def open(cls, folder: Path) -> "Store":
        """The folder as it is now. Raises `InputError` for one without codes, or with damaged ones."""
        current = Current.read(folder)
        while True:
            try:
                return cls._of(folder, current)
            except FileNotFoundError as error:
                newer = Current.read(folder)
                if newer.generation == current.generation:
                    raise InputError(f"{error.filename} is missing; make the folder again") from None
                current = newer  # two rebuilds came in between

    @classmethod
    def _of(cls, folder: Path, current: Current) -> "Store":
        place = folder / current.generation
        codes = mapped(place / "codes.f32", 4 * current.rows * current.width).view("<f4")
        alive = np.ones(current.rows, dtype=np.bool_)
        alive[list(current.deleted)] = False
        alive.flags.writeable = False
        lines = mapped(place / "ids", current.id_bytes)
        return cls(folder, current, codes.reshape(current.rows, current.width), alive, lines)

    @property
    def identity(self) -> Mapping[str, Any]:
        """What the codes are codes of, as it was said when the folder was made."""
        return self.current.identity

    @property
    def place(self) -> Path:
        """The folder of the generation: what is made of its rows is kept beside them."""
        return self.folder / self.current.generation

    @cached_property
    def ids(self) -> tuple[str, ...]:
        """The id of every row, of deleted ones too; read when first asked for."""
        try:
            ids = tuple(json.loads(b"[" + self.lines.tobytes().rstrip().replace(b"\n", b",") + b"]"))
        except ValueError:
            ids = ()
        if len(ids) != len(self.codes):
            raise InputError(f"{self.place / 'ids'} is damaged; make the folder again")
        return ids

    @cached_property
    def rows(self) -> Mapping[str, int]:
        """The row of every id that is not deleted."""
        return {self.ids[row]: row for row in np.flatnonzero(self.alive).tolist()}

    def __len__(self) -> int:
        """How many codes there are, the deleted not counted."""
        return int(np.count_nonzero(self.alive))

    def add(self, ids: Sequence[str], codes: Floats, *, replace: bool = False) -> "Store":
        """Append codes (n, d), of any lengths, to what the folder holds by now; the folder as it then is.

        With `replace`, codes take the place of those with the same ids. All are added, or none.

        Raises:
            InputError: an id twice or there already, codes of another width, or that are no finite numbers.
        """
        with writing(self.folder):
            now = Store.open(self.folder)
            now._check(ids, codes)
            known = [each for each in ids if each in now.rows]
            if known and not replace:
                raise InputError(f"the id {known[0]!r} is in {self.folder} already; delete it first, or replace it")
            grown = now.current.appended(self.folder, ids, codes.shape[1], _units(codes))
            grown.without(now.rows[each] for each in known).write(self.folder)
            return Store.open(self.folder)

    def _check(self, ids: Sequence[str], codes: Floats) -> None:
        if codes.ndim != 2 or codes.dtype.kind not in "fiu" or not codes.shape[1]:
            raise InputError(f"codes: wanted numbers (rows, width), got {codes.dtype} {codes.shape}")
        if len(ids) != len(codes):
            raise InputError(f"codes: wanted one id each, got {len(ids)} ids for {len(codes)} codes")
        if len(self.codes) and codes.shape[1] != self.current.width:
            raise InputError(
                f"codes: {self.folder} holds codes of width {self.current.width}, got {codes.shape[1]}; "
                "encode with the model that made them"
            )
        seen = set[str]()
        for each in ids:
            if not isinstance(each, str) or each in seen:
                raise InputError(f"the id {each!r} is given twice or is no text; every code needs an id of its own")
            seen.add(each)

    def delete(self, ids: Sequence[str]) -> "Store":
        """Leave codes out from now on, all or none; the folder as it then is. `InputError` names an unknown id."""
        with writing(self.folder):
            now = Store.open(self.folder)
            unknown = [each for each in ids if each not in now.rows]
            if unknown:
                more = f" and {len(unknown) - 1} more" if len(unknown) > 1 else ""
                raise InputError(f"{self.folder} holds no {unknown[0]!r}{more}, so nothing was deleted; leave it out")
            now.current.without(now.rows[each] for each in ids).write(self.folder)
            return Store.open(self.folder)

    def compact(self) -> "Store":
        """Write a new generation without the deleted rows, to have their space back; the folder as it then is."""
        with writing(self.folder):
            now = Store.open(self.folder)
            last = now.current
            fresh = replace(last, generation=f"{int(last.generation) + 1:06d}", rows=0, id_bytes=0, deleted=())
            place = self.folder / fresh.generation
            shutil.rmtree(place, ignore_errors=True)  # of a writer that was killed
            place.mkdir()
            kept = np.flatnonzero(now.alive)
            fresh.appended(self.folder, list(now.rows), last.width, _chosen(now.codes, kept)).write(self.folder)
            for older in self.folder.glob("[0-9]" * 6):
                if older.name < last.generation:
                    shutil.rmtree(older, ignore_errors=True)
            return Store.open(self.folder)


def _units(codes: Floats) -> Iterator[Floats]:
    for start in range(0, len(codes), _ROWS):
        block = codes[start : start + _ROWS]
        bad = np.flatnonzero(~np.isfinite(block).all(axis=1))
        if len(bad):
            raise InputError(f"codes: row {start + bad[0]} holds NaN or infinity; drop or recompute it")
        yield unit_rows(block)


def _chosen(codes: Floats, rows: Ints) -> Iterator[Floats]:
    for start in range(0, len(rows), _ROWS):
        yield codes[rows[start : start + _ROWS]]
