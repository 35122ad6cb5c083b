"""Every number of an evaluation, with its chance and lift."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from msl.data.dataset import DataSet
from msl.data.labels import carrying, class_counts
from msl.data.splits import Split
from msl.evaluation.protocol import Direction, Protocol, regimes
from msl.metrics.chance import lift
from msl.metrics.curves import LEVELS
from msl.metrics.means import class_means, harmonic_mean, mean
from msl.metrics.measure import chance, measure
from msl.metrics.modality import modality_probe
from msl.metrics.ranked import Values
from msl.types import Regime

PROBE = "modality_probe"
"""The metric that is no mean over queries: how well a linear probe tells the two modalities' codes apart."""


@dataclass(frozen=True)
class Evaluation:
    """Tidy `rows`; per-query values, curves (precision on `LEVELS`) and per-class mAP by ``regime/direction[/metric]``."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    per_query: dict[str, Values] = field(default_factory=dict)
    curves: dict[str, Values] = field(default_factory=dict)
    per_class: dict[str, dict[str, float]] = field(default_factory=dict)


def evaluate(
    sides: Iterable[Direction], data: DataSet, split: Split, protocol: Protocol, *, metrics: Sequence[str]
) -> Evaluation:
    """Measure every metric in every regime and direction of `sides`, which `directions` yields.

    In the generalised regime seen and unseen queries search one gallery that holds both; beside the value over all
    queries stand those over the seen and over the unseen ones and their harmonic mean (Xian et al., TPAMI 2019).
    """
    result = Evaluation()
    for direction in sides:
        _measure(result, direction, data, split, metrics, protocol)
        del direction  # a gallery of a million goes before the next is encoded
    found = regimes(split, protocol)
    for regime in found:
        _average(result, regime, data.card.directions)
    curves = sorted(result.curves.items(), key=lambda curve: found.index(_regime(curve[0])))
    return replace(result, curves=dict(curves))


def _regime(key: str) -> Regime:
    return key.split("/")[0]  # type: ignore[return-value]


def _measure(
    result: Evaluation,
    direction: Direction,
    data: DataSet,
    split: Split,
    metrics: Sequence[str],
    protocol: Protocol,
) -> None:
    key = f"{direction.regime}/{direction.name}"
    labels = direction.query_labels, direction.gallery_labels
    ranked = [metric for metric in metrics if metric != PROBE]
    values = measure(
        direction.queries, direction.gallery, *labels, ranked, similarity=protocol.similarity, levels=LEVELS
    )
    chances = chance(*labels, ranked)
    unseen = carrying(direction.query_labels, split.unseen_classes(data))
    for metric in ranked:
        row = _Row(direction, metric, protocol)
        result.per_query[f"{key}/{metric}"] = values[metric]
        result.rows.append(row.of(values[metric], chances[metric]))
        if direction.regime == "generalised":
            result.rows.extend(_generalised(row, values[metric], chances[metric], unseen))
    if PROBE in metrics:
        probed = modality_probe(direction.queries, direction.gallery, folds=5, seed=0)
        result.rows.append(_Row(direction, PROBE, protocol).from_means(probed, 0.5, values=values[metrics[0]]))
    result.curves[key] = np.nanmean(values["precision_at_recall"], axis=0)
    by_class = class_means(values[metrics[0]], direction.query_labels)
    asked = np.flatnonzero(class_counts(direction.query_labels, len(data.classes)))
    result.per_class[f"{key}/{metrics[0]}"] = {data.classes.names[label]: by_class[label] for label in asked}


@dataclass(frozen=True)
class _Row:
    direction: Direction
    metric: str
    protocol: Protocol

    def of(self, values: Values, chances: Values, *, suffix: str = "") -> dict[str, Any]:
        """A tidy row from per-query values; queries with nothing relevant are left out and counted."""
        return self.from_means(mean(values), mean(chances), suffix=suffix, values=values)

    def from_means(self, value: float, by_chance: float, *, values: Values, suffix: str = "") -> dict[str, Any]:
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
            "gallery_side": self.protocol.gallery,
            "standardise": self.protocol.standardise,
            "similarity": self.protocol.similarity,
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
