"""Held-out items and their pairs: from them scores get their meaning, and by them that meaning is checked."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from msl.data.dataset import DataSet
from msl.data.labels import classes_of
from msl.data.pairs import Features
from msl.data.splits import Group, Split
from msl.index.exact import unit_rows
from msl.methods.method import Method
from msl.types import Floats, Ints, Modality

AT_MOST = 400
"""Items of either side: 160,000 pairs tell the two numbers of a calibration apart well enough."""


@dataclass(frozen=True)
class Side:
    """Items of one modality: unit codes (n, code), which class each has (n, classes), and their rows of the data."""

    codes: Floats
    members: NDArray[np.bool_]
    rows: Ints


def side(method: Method, data: DataSet, split: Split, group: Group, modality: Modality, *, seed: int) -> Side:
    """At most `AT_MOST` of a group's items that have the modality, drawn at random by `seed`."""
    features: Features = getattr(data.pairs, modality)
    rows = split.positions(group, data)
    rows = np.sort(np.random.default_rng(seed).permutation(rows[features.present[rows]])[:AT_MOST])
    members = np.zeros((len(rows), len(data.classes)), dtype=bool)
    for place, row in enumerate(rows):
        members[place, classes_of(data.pairs.labels[row])] = True
    codes = method.encode(features.take(rows), modality) if len(rows) else np.empty((0, 0), np.float32)
    return Side(unit_rows(codes), members, rows)


@dataclass(frozen=True)
class HeldOut:
    """Pairs (n,): their cosine, and whether the two belong together."""

    cosines: Floats
    together: NDArray[np.bool_]


def item_pairs(asked: Side, searched: Side) -> HeldOut:
    """Every asked item with every searched one but itself; they belong together if they share a class."""
    others = asked.rows[:, None] != searched.rows[None, :]
    together = asked.members.astype(np.float32) @ searched.members.T.astype(np.float32) > 0
    cosines = asked.codes @ searched.codes.T if len(asked.rows) and len(searched.rows) else np.empty(others.shape)
    return HeldOut(cosines[others], together[others])


def name_pairs(items: Side, names: Floats, bears: NDArray[np.bool_]) -> HeldOut:
    """Every item with every name (names, code); `bears` (n, names) says which item bears which name."""
    cosines = items.codes @ unit_rows(names).T if len(items.rows) else np.empty(bears.shape)
    return HeldOut(cosines.ravel(), bears.ravel())
