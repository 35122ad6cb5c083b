"""Splits: which classes are seen, held out for selection, or unseen, and which rows each part of a run may touch."""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

import numpy as np
from annotated_types import Gt, Lt

from msl.data.dataset import DataSet
from msl.files import write_json
from msl.types import Fraction, InputError, Ints

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

    @property
    def hash(self) -> str:
        """First 12 hexadecimal digits of the sha256 of the split's content."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()[:12]

    def write(self, path: Path) -> Path:
        """Write the manifest."""
        return write_json(path, asdict(self) | {"hash": self.hash})

    def positions(self, group: Group, data: DataSet) -> Ints:
        """Row numbers of a group in `data`; an `InputError` if the data set lacks one of its ids."""
        place = {name: row for row, name in enumerate(data.pairs.ids)}
        lacking = [name for name in self.rows[group] if name not in place]
        if lacking:
            raise InputError(
                f"the split names id {lacking[0]!r}, which data set {data.card.name!r} lacks; use the data it was made from"
            )
        return np.array([place[name] for name in self.rows[group]], dtype=np.int64)

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
) -> Split:
    """Classes drawn at random by `seed`: `seen_share` of them seen, of those `pseudo_unseen_share` held out for selection.

    Rows of seen classes keep the data set's train and test part. Of unseen classes, which nothing is fitted to, `all`
    rows are queries, or only those of the ``test`` part (DADN's protocol, for published feature files).
    """
    total = len(data.classes)
    order = np.random.default_rng(seed).permutation(total)
    seen = round(seen_share * total)
    held_out = round(pseudo_unseen_share * seen)
    if seen - held_out < 2 or total - seen < 2 or (pseudo_unseen_share and held_out < 2):
        raise InputError(
            f"split: of {total} classes, {seen - held_out} would be trained on, {held_out} held out and {total - seen} unseen; "
            "each wants at least 2: change split.seen_share or split.pseudo_unseen_share"
        )
    is_seen, is_held_out = (np.isin(data.pairs.labels, order[:count]) for count in (seen, held_out))
    test = data.part == 1
    rows = {
        "train": is_seen & ~is_held_out & ~test,
        "validation": is_held_out & ~test,
        "seen_train": is_seen & ~test,
        "seen_test": is_seen & test,
        "unseen_train": ~is_seen & ~test,
        "unseen_test": ~is_seen if unseen_rows == "all" else ~is_seen & test,
    }
    return Split(
        kind="extendable",
        data=data.card.name,
        seed=seed,
        seen=_names(data, order[:seen]),
        pseudo_unseen=_names(data, order[:held_out]),
        unseen=_names(data, order[seen:]),
        rows=_ids(data, rows),
    )


def standard(data: DataSet, *, seed: Annotated[int, Gt(-1)], validation_share: Fraction) -> Split:
    """All classes shared by training and test; `validation_share` of the train part's rows, drawn by `seed`, select.

    The final fit is on the whole train part.
    """
    train = np.flatnonzero(data.part == 0)
    chosen = np.random.default_rng(seed).permutation(train)[: round(validation_share * len(train))]
    validation = np.isin(np.arange(len(data.pairs)), chosen)
    nothing = np.zeros(len(data.pairs), dtype=bool)
    rows = {
        "train": (data.part == 0) & ~validation,
        "validation": validation,
        "seen_train": data.part == 0,
        "seen_test": data.part == 1,
        "unseen_train": nothing,
        "unseen_test": nothing,
    }
    everything = _names(data, np.arange(len(data.classes)))
    return Split("standard", data.card.name, seed, everything, (), (), _ids(data, rows))


def _names(data: DataSet, indices: Ints) -> tuple[str, ...]:
    return tuple(data.classes.names[index] for index in sorted(indices))


def _ids(data: DataSet, rows: dict[str, np.ndarray[Any, np.dtype[np.bool_]]]) -> dict[str, tuple[str, ...]]:
    return {group: tuple(data.pairs.ids[row] for row in np.flatnonzero(mask)) for group, mask in rows.items()}
