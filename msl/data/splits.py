"""Splits: which classes are seen, held out for selection, or unseen, and which rows each part of a run may touch."""

import functools
import hashlib
import json
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

import numpy as np
from annotated_types import Gt, Lt
from numpy.typing import NDArray

from msl.data.arrays import read_arrays
from msl.data.dataset import TEST, TRAIN, VALIDATION, DataSet
from msl.data.labels import carrying
from msl.files import write_text
from msl.types import Count, Fraction, InputError, Ints

Group: TypeAlias = Literal["train", "validation", "seen_train", "seen_test", "unseen_train", "unseen_test"]


@dataclass(frozen=True)
class Split:
    """Class names and row ids of every part of a run; what is written to `split.json`.

    `rows` maps a group to pair ids. Selection fits ``train`` and scores ``validation``; the final fit takes ``seen_train``,
    which holds the training rows of both. ``seen_test`` and ``unseen_test`` are the queries and the test galleries;
    ``seen_train`` and ``unseen_train`` are the train galleries. Fitting never touches a row of an unseen class.
    """

    kind: Literal["extendable", "standard"]
    data: str
    seed: int
    seen: tuple[str, ...]
    pseudo_unseen: tuple[str, ...]
    """Seen classes held out while epochs and weights are chosen; the final fit is on all seen classes."""
    unseen: tuple[str, ...]
    rows: dict[str, tuple[str, ...]]

    @functools.cached_property
    def hash(self) -> str:
        """First 12 hexadecimal digits of the sha256 of the split's content."""
        return hashlib.sha256(json.dumps(self._content(), sort_keys=True).encode()).hexdigest()[:12]

    @property
    def classes_hash(self) -> str:
        """First 12 hexadecimal digits of the sha256 of seen and unseen classes: the class split, whatever its seed."""
        return hashlib.sha256(json.dumps([sorted(self.seen), sorted(self.unseen)]).encode()).hexdigest()[:12]

    def write(self, path: Path) -> Path:
        """Write the manifest, a line for each of its entries."""
        lines = [
            f"{json.dumps(key)}: {json.dumps(value)}" for key, value in (self._content() | {"hash": self.hash}).items()
        ]
        return write_text(path, "{" + ",\n".join(lines) + "}\n")

    def _content(self) -> dict[str, Any]:
        return {each.name: getattr(self, each.name) for each in fields(self)}

    def positions(self, group: Group, data: DataSet) -> Ints:
        """Row numbers of a group in `data`; an `InputError` if the data set lacks one of its ids."""
        place = data.pairs.places
        lacking = [name for name in self.rows[group] if name not in place]
        if lacking:
            raise InputError(
                f"the split names id {lacking[0]!r}, which data set {data.card.name!r} lacks; use the data it was made from"
            )
        return np.array([place[name] for name in self.rows[group]], dtype=np.int64)

    def unseen_classes(self, data: DataSet) -> Ints:
        """Indices of the unseen classes, in the data set's order."""
        return np.flatnonzero(np.isin(data.classes.names, self.unseen))

    def classes(self, data: DataSet, *, selecting: bool) -> Ints:
        """Indices of the classes fitted, in the data set's order: all seen ones, less the held-out ones when selecting."""
        fitted = set(self.seen) - (set(self.pseudo_unseen) if selecting else set())
        return np.array([i for i, name in enumerate(data.classes.names) if name in fitted], dtype=np.int64)


def read_split(path: Path) -> Split:
    """Read a manifest back; its hash must be that of its content."""
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        stated = content.pop("hash")
        content |= {key: tuple(content[key]) for key in ("seen", "pseudo_unseen", "unseen")}
        content["rows"] = {group: tuple(ids) for group, ids in content["rows"].items()}
        split = Split(**content)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{path} is not a readable split manifest ({error}); take it from a finished run") from None
    if split.hash != stated:
        raise InputError(
            f"{path} was changed by hand: its hash is {split.hash}, it states {stated}; restore it or make a new split"
        )
    return split


def extendable(
    data: DataSet,
    *,
    seed: Annotated[int, Gt(-1)],
    seen_share: Annotated[float, Gt(0), Lt(1)],
    pseudo_unseen_share: Fraction,
    unseen_rows: Literal["all", "test"],
    at_most: Count | None = None,
) -> Split:
    """Classes drawn at random by `seed`: `seen_share` of them seen, of those `pseudo_unseen_share` held out for selection.

    Rows of seen classes keep the data set's train and test part. Of unseen classes, which nothing is fitted to, `all`
    rows are queries, or only those of the ``test`` part (DADN's protocol, for published feature files). An item of
    several classes is unseen if one of them is. `at_most` so many of the seen classes are used, the others nowhere.
    """
    order = np.random.default_rng(seed).permutation(len(data.classes))
    count = round(seen_share * len(order))
    seen, unseen = order[:count][:at_most], order[count:]
    held_out = order[: _held_out(seen, pseudo_unseen_share, unseen=len(unseen))]
    return _split(data, seed, seen, held_out, unseen, all_unseen_rows=unseen_rows == "all")


def even_odd(data: DataSet, *, seed: Annotated[int, Gt(-1)], pseudo_unseen_share: Fraction) -> Split:
    """DADN's rule (Chi & Peng, TCSVT 2019): classes of even index are unseen, those of odd index are seen.

    Of unseen classes the rows of the test part are queries. `seed` draws the classes held out for selection.
    """
    seen, unseen = np.arange(len(data.classes))[1::2], np.arange(len(data.classes))[::2]
    order = np.random.default_rng(seed).permutation(seen)
    held_out = _held_out(seen, pseudo_unseen_share, unseen=len(unseen))
    return _split(data, seed, seen, order[:held_out], unseen, all_unseen_rows=False)


def from_file(data: DataSet, *, path: str, seed: Annotated[int, Gt(-1)], pseudo_unseen_share: Fraction) -> Split:
    """A split somebody published: DADN's `.mat` (row numbers and classes) or the `split.json` of a run.

    `path` is the file, or a folder of which file number `seed` in order of name is taken. The rows of a `.mat` count in
    the data set's order; they must be of the classes the file names.
    """
    file = _numbered(Path(path), seed)
    if file.suffix == ".json":
        return read_split(file)
    arrays = {name: np.ravel(array) for name, array in read_arrays(file).items()}
    lacking = [name for name in ("seen_class", "unseen_class", *_DADN_ROWS) if name not in arrays]
    if lacking:
        raise InputError(f"{file} has no array {lacking[0]!r}; wanted the keys of a DADN split file, or a split.json")
    seen, unseen = (arrays[name].astype(np.int64) for name in ("seen_class", "unseen_class"))
    unknown = [label for label in (*seen, *unseen) if not 0 <= label < len(data.classes)]
    if unknown:
        raise InputError(
            f"{file} names class {unknown[0]}, and data set {data.card.name!r} has {len(data.classes)} classes"
        )
    held_out = _held_out(seen, pseudo_unseen_share, unseen=len(unseen))
    order = np.random.default_rng(seed).permutation(seen)
    split = _split(data, seed, seen, order[:held_out], unseen, all_unseen_rows=False)
    for name, group in _DADN_ROWS.items():
        if not np.array_equal(np.sort(arrays[name]), split.positions(group, data)):
            raise InputError(
                f"{file}: {name} is not the {group.split('_')[1]} rows of the classes it names in data set "
                f"{data.card.name!r}; use the data set the split was made for, in its published order"
            )
    return split


def standard(data: DataSet, *, seed: Annotated[int, Gt(-1)], validation_share: Fraction) -> Split:
    """All classes shared by training and test; `validation_share` of the train part's rows, drawn by `seed`, select.

    A data set with validation rows of its own selects on those instead. The final fit is on the whole train part.
    """
    train, validation = data.part == TRAIN, data.part == VALIDATION
    if not validation.any():
        chosen = np.random.default_rng(seed).permutation(np.flatnonzero(train))[: round(validation_share * train.sum())]
        validation[chosen] = True
    nothing = np.zeros(len(data.pairs), dtype=bool)
    rows = {
        "train": train & ~validation,
        "validation": validation,
        "seen_train": train,
        "seen_test": data.part == TEST,
        "unseen_train": nothing,
        "unseen_test": nothing,
    }
    everything = _names(data, np.arange(len(data.classes)))
    return Split("standard", data.card.name, seed, everything, (), (), _ids(data, rows))


_DADN_ROWS: dict[str, Group] = {
    "idx_train_s": "seen_train",
    "idx_ret_s": "seen_train",
    "idx_test_s": "seen_test",
    "idx_train_u": "unseen_train",
    "idx_ret_u": "unseen_train",
    "idx_test_u": "unseen_test",
}


def _split(data: DataSet, seed: int, seen: Ints, held_out: Ints, unseen: Ints, *, all_unseen_rows: bool) -> Split:
    """The split of these classes, indices in any order."""
    is_unseen = carrying(data.pairs.labels, unseen)
    is_seen = carrying(data.pairs.labels, seen) & ~is_unseen
    is_held_out = carrying(data.pairs.labels, held_out) & is_seen
    train, test = data.part == TRAIN, data.part == TEST
    rows = {
        "train": is_seen & ~is_held_out & train,
        "validation": is_held_out & train,
        "seen_train": is_seen & train,
        "seen_test": is_seen & test,
        "unseen_train": is_unseen & train,
        "unseen_test": is_unseen if all_unseen_rows else is_unseen & test,
    }
    names = _names(data, seen), _names(data, held_out), _names(data, unseen)
    return Split("extendable", data.card.name, seed, *names, _ids(data, rows))


def _held_out(seen: Ints, share: float, *, unseen: int) -> int:
    """How many of the seen classes selection holds out; an `InputError` if too few are left to learn or to search."""
    count = round(share * len(seen))
    if len(seen) - count < 2 or unseen < 2 or (share and count < 2):
        raise InputError(
            f"split: of {len(seen) + unseen} classes, {len(seen) - count} would be trained on, {count} held out and {unseen} "
            "unseen; each wants at least 2: change split.seen_share or split.pseudo_unseen_share"
        )
    return count


def _numbered(path: Path, number: int) -> Path:
    if not path.exists():
        raise InputError(
            f"there is no split file or folder {path}; give split.path=PATH of DADN's .mat files or of a run's split.json"
        )
    if not path.is_dir():
        return path
    files = sorted(file for file in path.iterdir() if file.suffix in (".mat", ".json"))
    if number >= len(files):
        raise InputError(
            f"{path} holds {len(files)} split files (.mat or .json), and split.seed={number} asks for number {number}, "
            "counted from 0; give a smaller split.seed or the path of one file"
        )
    return files[number]


def _names(data: DataSet, indices: Ints) -> tuple[str, ...]:
    return tuple(data.classes.names[index] for index in sorted(indices))


def _ids(data: DataSet, rows: dict[str, NDArray[np.bool_]]) -> dict[str, tuple[str, ...]]:
    return {group: tuple(data.pairs.ids[row] for row in np.flatnonzero(mask)) for group, mask in rows.items()}
