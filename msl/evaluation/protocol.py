"""The protocol: which queries search which gallery in which regime, and how their features are scaled."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from msl.data.dataset import DataSet
from msl.data.pairs import Features, Pairs
from msl.data.splits import Group, Split
from msl.methods.method import Method
from msl.metrics.means import mean
from msl.metrics.measure import measure
from msl.metrics.similarity import Similarity
from msl.types import Floats, InputError, Ints, Modality, Regime

GallerySide: TypeAlias = Literal["test", "train"]
"""``test``: queries search the test rows; ``train``: they search the train part of the same classes."""

Standardising: TypeAlias = Literal["train", "per_matrix"]
"""Whose mean and deviation scale the features searched: the training rows', or each matrix's own, as DADN does."""


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """How codes are searched: what has to stand beside every number."""

    gallery: GallerySide
    standardise: Standardising
    similarity: Similarity
    regimes: tuple[Regime, ...]
    """Those measured, of the ones the split has."""


@dataclass(frozen=True)
class Codes:
    """Codes (n, code) of some rows of one modality, their labels and row numbers (n,); rows of seen classes come first."""

    codes: Floats
    labels: Ints
    rows: Ints
    seen: int
    """How many rows are of seen classes."""

    def of(self, regime: Regime) -> "Codes":
        """The rows of a regime, as views."""
        first = self.seen if regime == "unseen" else 0
        last = self.seen if regime in ("standard", "seen") else len(self.rows)
        return Codes(self.codes[first:last], self.labels[first:last], self.rows[first:last], self.seen)

    def take(self, chosen: NDArray[np.bool_]) -> "Codes":
        """The codes that a mask (n,) chooses."""
        return Codes(self.codes[chosen], self.labels[chosen], self.rows[chosen], self.seen)


@dataclass(frozen=True)
class Direction:
    """One regime searched in one direction, ready to be measured."""

    regime: Regime
    name: str
    queries: Floats
    gallery: Floats
    query_labels: Ints
    gallery_labels: Ints
    query_rows: Ints
    gallery_rows: Ints


def regimes(split: Split, protocol: Protocol) -> tuple[Regime, ...]:
    """The regimes measured: those asked for that the split has rows for."""
    if split.kind == "standard":
        return ("standard",)
    return tuple(regime for regime in ("seen", "unseen", "generalised") if regime in protocol.regimes)


def headline_regime(split: Split, protocol: Protocol) -> Regime:
    """The regime that matters: unseen classes where they are measured."""
    measured = regimes(split, protocol)
    return "unseen" if "unseen" in measured else measured[-1]


def check_rows(data: DataSet, split: Split, protocol: Protocol) -> None:
    """An `InputError` unless every regime has rows of both modalities to ask with and to search."""
    for _, features in _modalities(data.pairs):
        for side in dict.fromkeys(("test", protocol.gallery)):
            seen, unseen = map(len, _parts(features, data, split, side))
            found = {"standard": seen, "seen": seen, "unseen": unseen, "generalised": seen + unseen}
            for regime in regimes(split, protocol):
                if not found[regime]:
                    raise _without_rows(regime)


def _without_rows(regime: Regime) -> InputError:
    return InputError(
        f"the split leaves the regime {regime!r} without queries or gallery; change split.seen_share or the data's test part"
    )


def directions(method: Method, data: DataSet, split: Split, protocol: Protocol) -> Iterator[Direction]:
    """Encode and yield direction by direction, every regime of one before the other.

    With a train gallery only one direction's codes are held at a time; with a test gallery both directions need the same.
    """
    check_rows(data, split, protocol)
    sides: tuple[tuple[Modality, Modality], ...] = (("a", "b"), ("b", "a"))
    codes: dict[tuple[Modality, GallerySide], Codes] = {}
    for name, (asked, shown) in zip(data.card.directions, sides, strict=True):
        wanted: tuple[tuple[Modality, GallerySide], ...] = ((asked, "test"), (shown, protocol.gallery))
        codes = {key: codes[key] for key in wanted if key in codes}
        for key in wanted:
            if key not in codes:
                codes[key] = _encode(method, data, split, protocol, *key)
        yield from _regimes(name, codes[wanted[0]], codes[wanted[1]], split, protocol)


def _regimes(name: str, queries: Codes, gallery: Codes, split: Split, protocol: Protocol) -> Iterator[Direction]:
    for regime in regimes(split, protocol):
        wanted, found = queries.of(regime), gallery.of(regime)
        if protocol.gallery == "train":  # where every row of an unseen class is a query, those in the gallery are not
            wanted = wanted.take(~np.isin(wanted.rows, found.rows))
        if not len(wanted.rows) or not len(found.rows):
            raise _without_rows(regime)
        yield Direction(regime, name, wanted.codes, found.codes, wanted.labels, found.labels, wanted.rows, found.rows)


def validation_map(method: Method, data: DataSet, split: Split, protocol: Protocol) -> float:
    """Mean over both directions of mAP among validation rows: what chooses epochs and weights. Never given test rows."""
    rows = split.positions("validation", data)
    found = {}
    for modality, features in _modalities(data.pairs):
        own = rows[features.present[rows]]
        if not len(own):
            raise InputError("a modality has no validation rows; change split.seed or train with select_on=nothing")
        scaled = _scaled(features, [own], split.positions("train", data), protocol)
        found[modality] = method.encode(scaled, modality), data.pairs.labels[own]
    (a, labels_a), (b, labels_b) = found["a"], found["b"]
    sides = ((a, b, labels_a, labels_b), (b, a, labels_b, labels_a))
    return float(np.mean([mean(measure(*side, ["map"], similarity=protocol.similarity)["map"]) for side in sides]))


def _modalities(pairs: Pairs) -> tuple[tuple[Modality, Features], ...]:
    return ("a", pairs.a), ("b", pairs.b)


def _encode(
    method: Method, data: DataSet, split: Split, protocol: Protocol, modality: Modality, side: GallerySide
) -> Codes:
    features = dict(_modalities(data.pairs))[modality]
    parts = _parts(features, data, split, side)
    rows = np.concatenate(parts)
    scaled = _scaled(features, parts, split.positions("seen_train", data), protocol)
    return Codes(method.encode(scaled, modality), data.pairs.labels[rows], rows, len(parts[0]))


def _parts(features: Features, data: DataSet, split: Split, side: GallerySide) -> list[Ints]:
    """The rows of seen and those of unseen classes that have the modality."""
    groups: tuple[Group, Group] = ("seen_test", "unseen_test") if side == "test" else ("seen_train", "unseen_train")
    return [rows[features.present[rows]] for rows in (split.positions(group, data) for group in groups)]


def _scaled(features: Features, parts: list[Ints], fitted: Ints, protocol: Protocol) -> Features:
    """The rows of all parts as they are, or each part with the mean and deviation of the rows fitted instead of its own.

    What standardises by the fitted rows then sees every part z-scored on its own.
    """
    if protocol.standardise == "train":
        return features.take(np.concatenate(parts))
    mean, deviation = _moments(features[fitted[features.present[fitted]]])
    matched = [_z_scores(features[rows]) * deviation + mean for rows in parts if len(rows)]
    return Features(np.concatenate(matched))


def _z_scores(matrix: Floats) -> Floats:
    mean, deviation = _moments(matrix)
    return (matrix - mean) / deviation


def _moments(matrix: Floats) -> tuple[Floats, Floats]:
    """Mean and deviation of every column (1 where it is constant), in float64."""
    deviation = matrix.std(axis=0, dtype=np.float64)
    return matrix.mean(axis=0, dtype=np.float64), np.where(deviation > 0, deviation, 1.0)
