"""Where the index of a run lies: generations in `RUN/index`, of which `current` names the one that counts.

A generation is built beside the one in use, which is kept until the next is built: who reads is never disturbed.
"""

import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from msl.files import locked, sha256, write_json, write_npz, write_text
from msl.serve.build import Meaning
from msl.serve.calibration import Calibration
from msl.serve.items import Items
from msl.serve.names import Names
from msl.types import InputError, Modality

_CONTENT = "index.json"


@dataclass(frozen=True, kw_only=True)
class Content:
    """What `index.json` says of an index."""

    weights: str
    """sha256 of the run's weights, which made the codes."""
    modalities: tuple[str, str]
    trained: tuple[str, ...]
    """Names of the classes trained on."""
    search: dict[str, Any]
    """The configured search, by name and plain values: exact, or approximate and how."""
    made: dict[str, int]
    """Settings that names and calibrations were made with."""
    items: dict[str, Meaning] = field(default_factory=dict)
    """What scores mean, by direction such as ``"b>a"``: texts searching pictures."""
    names: dict[str, Meaning] = field(default_factory=dict)
    """What scores of names mean, by sort and modality such as ``"class>a"``."""

    def check_weights_of(self, run: Path) -> None:
        """An `InputError` unless the codes were made with the weights that the run has now."""
        if self.weights != sha256(run / "weights.safetensors"):
            raise InputError(
                f"{run} was trained again since its index was made; make it anew, of the run's data alone: msl index run={run} fresh=true"
            )


def directed(meanings: Mapping[str, Meaning]) -> dict[tuple[Any, Modality], Calibration]:
    """Calibrations by both parts of their key."""
    return {tuple(key.split(">")): meaning.calibration for key, meaning in meanings.items()}  # type: ignore[misc]


class Place:
    """One generation of an index."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.items = Items(folder / "items.sqlite")

    @classmethod
    def current(cls, run: Path) -> "Place":
        """The generation that counts now; an `InputError` if the run has no index."""
        try:
            name = (run / "index" / "current").read_text(encoding="utf-8").strip()
        except OSError:
            raise InputError(f"{run} has no index; make one with msl index run={run}") from None
        except ValueError:
            name = ""
        if not re.fullmatch("[0-9]{6}", name):
            raise InputError(
                f"{run / 'index' / 'current'} is damaged; build the index anew: msl index run={run} fresh=true"
            )
        return cls(run / "index" / name)

    def codes(self, modality: Modality) -> Path:
        """The folder of a modality's codes."""
        return self.folder / modality

    def fork(self, fresh: "Place") -> None:
        """Let another generation begin as this one is; what is added to either later is not in the other.

        Codes are linked, not copied: they are only ever appended to, each generation says how many are its own, and
        only the last one grows. All other files but the items are replaced whole when they change.
        """
        for file in self.folder.rglob("*"):
            target = fresh.folder / file.relative_to(self.folder)
            if file.is_dir():
                target.mkdir()
            elif not file.name.startswith((".", self.items.file.name)):
                _link(file, target)
        self.items.copy_to(fresh.items.file)

    def write(self, content: Content, names: list[Names]) -> None:
        """Write `index.json` and the names."""
        arrays = {
            f"{each.sort}_{what}": value
            for each in names
            for what, value in (("names", np.array(each.names)), ("codes", each.codes))
        }
        write_npz(self.folder / "names.npz", arrays)
        write_json(self.folder / _CONTENT, {"format": 1} | asdict(content))

    def read(self) -> tuple[Content, list[Names]]:
        """What was written; an `InputError` if it is damaged."""
        try:
            values = json.loads((self.folder / _CONTENT).read_text(encoding="utf-8"))
            values = {key: values[key] for key in Content.__dataclass_fields__}
            meanings = {key: {name: _meaning(each) for name, each in values[key].items()} for key in ("items", "names")}
            lists = {key: tuple(values[key]) for key in ("modalities", "trained")}
            with np.load(self.folder / "names.npz", allow_pickle=False) as arrays:
                sorts = [key.removesuffix("_names") for key in arrays.files if key.endswith("_names")]
                names = [
                    Names(sort, tuple(map(str, arrays[f"{sort}_names"])), arrays[f"{sort}_codes"]) for sort in sorts
                ]
            return Content(**values | meanings | lists), names
        except Exception as error:  # of a damaged file numpy, zipfile and json each have their own
            reason = next(iter(str(error).splitlines()), type(error).__name__)
            raise InputError(
                f"{self.folder} is damaged ({reason}); build the index anew: msl index run={self.folder.parents[1]} fresh=true"
            ) from None


@contextmanager
def building(run: Path) -> Iterator[Place]:
    """A new generation to fill, which counts when the block is left without an error; one writer at a time.

    Raises:
        InputError: another process is building this run's index.
    """
    home = run / "index"
    try:
        with locked(home / "current", wait=False):
            generations = sorted(home.glob("[0-9]" * 6))
            fresh = home / f"{int(generations[-1].name) + 1 if generations else 1:06d}"
            fresh.mkdir()
            try:
                yield Place(fresh)
            except BaseException:
                shutil.rmtree(fresh, ignore_errors=True)
                raise
            before = (home / "current").read_text().strip() if (home / "current").is_file() else ""
            write_text(home / "current", fresh.name + "\n")
            for old in generations:
                if old.name != before:
                    shutil.rmtree(old, ignore_errors=True)
    except BlockingIOError:
        raise InputError(f"another process is building the index of {run}; wait for it") from None


def _link(file: Path, target: Path) -> None:
    try:
        os.link(file, target)
    except OSError:  # a file system without links
        shutil.copyfile(file, target)


def _meaning(values: dict[str, Any]) -> Meaning:
    return Meaning(**values | {"calibration": Calibration(**values["calibration"])})
