"""What is worth knowing of a data set before training on it, in words."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from msl.data.dataset import TEST, TRAIN, DataSet
from msl.data.labels import carrying, class_counts
from msl.data.pairs import STRETCH, Features
from msl.types import Floats

FEW = 5
"""Items below which a class says little."""
UNEVEN = 1000.0
"""A feature whose spread is this many times the usual one drowns the others."""


def findings(data: DataSet) -> Iterator[str]:
    """One line for each: constant or uneven features, rows that lie in training and test, thin or one-sided classes."""
    for name, features in zip(data.card.modalities, (data.pairs.a, data.pairs.b), strict=True):
        yield from _of_features(name, features, data.part)
    yield from _of_classes(data)


@dataclass(frozen=True)
class _Spread:
    low: Floats
    high: Floats
    deviation: Floats


def _of_features(name: str, features: Features, part: NDArray[Any]) -> Iterator[str]:
    if not features.present.any():
        yield f"{name}: no item has it"
        return
    spread, doubles = _scan(features, part)
    constant = spread.low == spread.high
    if constant.any():
        yield f"{name}: {constant.sum()} of {len(constant)} features are constant, feature {np.flatnonzero(constant)[0]} the first"
    varying = spread.deviation[~constant]
    if len(varying) and varying.max() > UNEVEN * np.median(varying):
        widest = int(np.argmax(np.where(constant, 0, spread.deviation)))
        times = varying.max() / np.median(varying)
        yield f"{name}: feature {widest} varies {times:,.0f} times as much as the usual one; scale the features alike"
    if doubles:
        yield f"{name}: {doubles} test rows stand in the training rows, number for number"


def _scan(features: Features, part: NDArray[Any]) -> tuple[_Spread, int]:
    """The spread of each feature, and how many test rows equal a training row; read in stretches."""
    rows = np.flatnonzero(features.present)
    low, high = (np.full(features.shape[1], sign * np.inf) for sign in (1, -1))
    total, squares = np.zeros((2, features.shape[1]))
    seen: dict[int, set[int]] = {TRAIN: set(), TEST: set()}
    doubles: list[int] = []
    shift = features[rows[:1]][0].astype(np.float64)
    for start in range(0, len(rows), STRETCH):
        chosen = rows[start : start + STRETCH]
        block = features[chosen]
        low, high = np.minimum(low, block.min(axis=0)), np.maximum(high, block.max(axis=0))
        total += (block - shift).sum(axis=0)
        squares += ((block - shift) ** 2).sum(axis=0)
        for row, where in zip(block, part[chosen], strict=True):
            if where == TRAIN:
                seen[TRAIN].add(hash(row.tobytes()))
            elif where == TEST:
                doubles.append(hash(row.tobytes()))
    variance = squares / len(rows) - (total / len(rows)) ** 2
    found = _Spread(low, high, np.sqrt(np.maximum(variance, 0)))
    return found, sum(digest in seen[TRAIN] for digest in doubles)


def _of_classes(data: DataSet) -> Iterator[str]:
    names, pairs = data.classes.names, data.pairs
    counts = class_counts(pairs.labels, len(names))
    thin = np.flatnonzero(counts < FEW)
    if len(thin):
        said = ", ".join(f"{names[index]} ({counts[index]})" for index in thin[:FEW])
        yield f"{_classes(len(thin))} fewer than {FEW} items: {said}{', ...' if len(thin) > FEW else ''}"
    per_part = [class_counts(pairs.labels[data.part == part], len(names)) for part in (TRAIN, TEST)]
    absent = np.flatnonzero((per_part[1] > 0) & (per_part[0] == 0))
    if len(absent):
        said = ", ".join(names[index] for index in absent[:FEW])
        yield f"{_classes(len(absent), ' of the test rows')} no training row: {said}{', ...' if len(absent) > FEW else ''}"
    for name, features in zip(data.card.modalities, (pairs.a, pairs.b), strict=True):
        if not features.present.all():
            here = pairs.labels[features.present]
            lacking = [
                names[index]
                for index in range(len(names))
                if counts[index] and not carrying(here, np.array([index])).any()
            ]
            if lacking:
                yield f"{_classes(len(lacking))} no {name}: {', '.join(lacking[:FEW])}"
    yield from _alike(names)


def _alike(names: tuple[str, ...]) -> Iterator[str]:
    """Names that a person would call one class."""
    first: dict[str, str] = {}
    pairs = [(other, name) for name in names if (other := first.setdefault(name.strip().casefold(), name)) != name]
    if pairs:
        one, other = pairs[0]
        yield f"{one!r} and {other!r} are two classes, as they are written ({len(pairs)} such names); write each class one way"


def _classes(count: int, which: str = "") -> str:
    return f"1 class{which} has" if count == 1 else f"{count} classes{which} have"
