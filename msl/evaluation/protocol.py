"""The protocol: which queries search which gallery in which regime, and every number with its chance and lift."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from msl.data.dataset import DataSet
from msl.data.splits import Group, Split
from msl.methods.method import Method
from msl.metrics.chance import lift
from msl.metrics.means import class_means, mean
from msl.metrics.measure import chance, measure, precision_recall_curve
from msl.metrics.ranked import Values
from msl.metrics.similarity import Similarity
from msl.types import Floats, InputError, Ints, Regime

GallerySide: TypeAlias = Literal["test", "train"]
"""``test``: queries search the test rows; ``train``: they search the train part of the same classes."""

_QUERIES: dict[Regime, tuple[Group, ...]] = {
    "standard": ("seen_test",),
    "seen": ("seen_test",),
    "unseen": ("unseen_test",),
    "generalised": ("seen_test", "unseen_test"),
}


@dataclass(frozen=True)
class Codes:
    """Codes of queries or gallery: a (n, code), b (n, code), class indices (n,), and the rows of the data set (n,)."""

    a: Floats
    b: Floats
    labels: Ints
    rows: Ints

    def take(self, chosen: NDArray[np.bool_]) -> "Codes":
        """The codes that a mask (n,) chooses."""
        return Codes(self.a[chosen], self.b[chosen], self.labels[chosen], self.rows[chosen])


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


@dataclass(frozen=True)
class Evaluation:
    """Tidy `rows`; per-query values, curves (precision on `LEVELS`) and per-class mAP by ``regime/direction[/metric]``."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    per_query: dict[str, Values] = field(default_factory=dict)
    curves: dict[str, Values] = field(default_factory=dict)
    per_class: dict[str, dict[str, float]] = field(default_factory=dict)


def regimes(split: Split) -> tuple[Regime, ...]:
    """The regimes a split has rows for."""
    return ("standard",) if split.kind == "standard" else ("seen", "unseen", "generalised")


def evaluate(
    method: Method, data: DataSet, split: Split, *, metrics: Sequence[str], gallery: GallerySide, similarity: Similarity
) -> Evaluation:
    """Measure every metric in every regime of the split and in both directions.

    In the generalised regime seen and unseen queries search one gallery that holds both; beside the value over all
    queries stand those over the seen and over the unseen ones and their harmonic mean (Xian et al., TPAMI 2019).
    """
    result = Evaluation()
    for direction in directions(method, data, split, gallery=gallery):
        _measure(result, direction, data, split, metrics, gallery, similarity)
    for regime in regimes(split):
        _average(result, regime, data.card.directions)
    return result


def directions(method: Method, data: DataSet, split: Split, *, gallery: GallerySide) -> Iterator[Direction]:
    """Encode what each regime needs, once, and yield its two directions."""
    groups: tuple[Group, ...] = ("seen_test", "unseen_test")
    if gallery == "train":
        groups += ("seen_train", "unseen_train")
    codes = {group: _encode(method, data, split.positions(group, data)) for group in groups if split.rows[group]}
    forward, backward = data.card.directions
    for regime in regimes(split):
        wanted = _QUERIES[regime]
        queries = _joined([codes[group] for group in wanted if group in codes])
        found = _joined([codes[name] for group in wanted if (name := _gallery_group(group, gallery)) in codes])
        if gallery == "train":  # where every row of an unseen class is a query, those in the gallery are not
            queries = queries.take(~np.isin(queries.rows, found.rows))
        shared = (queries.labels, found.labels, queries.rows, found.rows)
        yield Direction(regime, forward, queries.a, found.b, *shared)
        yield Direction(regime, backward, queries.b, found.a, *shared)


def validation_map(method: Method, data: DataSet, rows: Ints, *, similarity: Similarity) -> float:
    """Mean over both directions of mAP among validation rows: what chooses epochs and weights. Never given test rows."""
    codes = _encode(method, data, rows)
    sides = ((codes.a, codes.b), (codes.b, codes.a))
    values = [mean(measure(q, g, codes.labels, codes.labels, ["map"], similarity=similarity)["map"]) for q, g in sides]
    return float(np.mean(values))


def harmonic_mean(seen: float, unseen: float) -> float:
    """``2 S U / (S + U)``, 0 if both are 0."""
    return 2 * seen * unseen / (seen + unseen) if seen + unseen else 0.0


def _gallery_group(queries: Group, gallery: GallerySide) -> str:
    return queries if gallery == "test" else queries.replace("_test", "_train")


def _encode(method: Method, data: DataSet, rows: Ints) -> Codes:
    pairs = data.pairs
    return Codes(method.encode(pairs.a[rows], "a"), method.encode(pairs.b[rows], "b"), pairs.labels[rows], rows)


def _joined(parts: list[Codes]) -> Codes:
    if not parts:
        raise InputError(
            "the split leaves a regime without queries or gallery; change split.seen_share or the data's test part"
        )
    return Codes(*(np.concatenate([getattr(part, name) for part in parts]) for name in ("a", "b", "labels", "rows")))


def _measure(
    result: Evaluation,
    direction: Direction,
    data: DataSet,
    split: Split,
    metrics: Sequence[str],
    gallery: GallerySide,
    similarity: Similarity,
) -> None:
    key = f"{direction.regime}/{direction.name}"
    labels = direction.query_labels, direction.gallery_labels
    values = measure(direction.queries, direction.gallery, *labels, metrics, similarity=similarity)
    chances = chance(*labels, metrics)
    unseen = np.isin(direction.query_labels, [data.classes.names.index(name) for name in split.unseen])
    for metric in metrics:
        row = _Row(direction, metric, gallery)
        result.per_query[f"{key}/{metric}"] = values[metric]
        result.rows.append(row.of(values[metric], chances[metric]))
        if direction.regime == "generalised":
            result.rows.extend(_generalised(row, values[metric], chances[metric], unseen))
    curve = precision_recall_curve(direction.queries, direction.gallery, *labels, similarity=similarity)
    result.curves[key] = np.nanmean(curve, axis=0)
    by_class = class_means(values[metrics[0]], direction.query_labels)
    result.per_class[f"{key}/{metrics[0]}"] = {data.classes.names[int(str(c))]: value for c, value in by_class.items()}


@dataclass(frozen=True)
class _Row:
    direction: Direction
    metric: str
    gallery: GallerySide

    def of(self, values: Values, chances: Values, *, suffix: str = "") -> dict[str, Any]:
        """A tidy row from per-query values; queries with nothing relevant are left out and counted."""
        return self.from_means(mean(values), mean(chances), suffix=suffix, values=values)

    def from_means(self, value: float, by_chance: float, *, suffix: str, values: Values) -> dict[str, Any]:
        return {
            "regime": self.direction.regime,
            "direction": self.direction.name,
            "metric": self.metric + suffix,
            "value": value,
            "chance": by_chance,
            "lift": float(lift(value, by_chance)) if by_chance < 1 else 0.0,
            "queries": int((~np.isnan(values)).sum()),
            "queries_without_relevant": int(np.isnan(values).sum()),
            "gallery": len(self.direction.gallery_labels),
            "gallery_side": self.gallery,
        }


def _generalised(row: _Row, values: Values, chances: Values, unseen: Any) -> Iterator[dict[str, Any]]:
    seen_row = row.of(values[~unseen], chances[~unseen], suffix="_of_seen")
    unseen_row = row.of(values[unseen], chances[unseen], suffix="_of_unseen")
    yield from (seen_row, unseen_row)
    together, by_chance = (harmonic_mean(seen_row[key], unseen_row[key]) for key in ("value", "chance"))
    yield row.from_means(together, by_chance, suffix="_harmonic", values=values)


def _average(result: Evaluation, regime: Regime, names: tuple[str, str]) -> None:
    """Add the mean of both directions, under the direction "mean"."""
    rows = [row for row in result.rows if row["regime"] == regime]
    for first in [row for row in rows if row["direction"] == names[0]]:
        second = next(row for row in rows if row["direction"] == names[1] and row["metric"] == first["metric"])
        means = {key: (first[key] + second[key]) / 2 for key in ("value", "chance", "lift")}
        sums = {key: first[key] + second[key] for key in ("queries", "queries_without_relevant")}
        result.rows.append(first | means | sums | {"direction": "mean"})
