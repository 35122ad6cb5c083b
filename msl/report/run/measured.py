"""A finished run measured again: everything its page shows that its files do not hold, collected while codes pass by."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from annotated_types import Ge, Le

from msl.data.dataset import DataSet
from msl.data.labels import class_counts
from msl.data.splits import Split
from msl.evaluation.evaluate import Evaluation, evaluate
from msl.evaluation.ledger import read_rows
from msl.evaluation.protocol import Direction, Protocol, directions, headline_regime
from msl.evaluation.run import Card
from msl.methods.method import Method
from msl.report.drawings import COLOURS
from msl.report.run.code_space import Space, drawn_classes, sampled
from msl.report.run.queries import Found, found
from msl.report.table import PARTS
from msl.types import Count, InputError, Ints, Positive, Regime

Natural = Annotated[int, Ge(0)]


@dataclass(frozen=True, kw_only=True)
class Shown:
    """How much of a run its page shows; what is drawn at random is drawn by `seed`."""

    seed: Natural
    best: Natural
    worst: Natural
    random: Natural
    """Queries per direction: of the highest and of the lowest average precision, and drawn at random."""
    finds: Count
    classes: Annotated[int, Ge(1), Le(len(COLOURS))]
    points: Annotated[int, Ge(2)]
    """Classes and points of the code space's picture, half of the points of each modality."""
    perplexity: Positive
    items: Count
    """Items of each modality that the gap and the probe are measured on."""
    folds: Annotated[int, Ge(2)]
    tolerance: Positive
    """Largest difference between a number of `metrics.json` and what the weights give now."""


@dataclass(frozen=True, kw_only=True)
class Measured:
    """A finished run and what its weights give: what the sections of its page are made of."""

    folder: Path
    card: Card
    data: DataSet
    split: Split
    protocol: Protocol
    metrics: list[str]
    shown: Shown
    rows: list[dict[str, Any]]
    """Those of `metrics.json`."""
    difference: float
    """Between them and what the weights give now, the largest."""
    evaluation: Evaluation
    asked: dict[str, Ints]
    """Queries of each class (classes,), by ``regime/direction``."""
    regime: Regime
    """The one that galleries and code space show."""
    classes: Ints
    """Those drawn in the code space."""
    found: list[Found]
    after: Space
    before: Space | None
    """The code space of the same method freshly initialised; None for a closed-form one."""


@dataclass
class _Kept:
    regime: Regime
    classes: Ints
    asked: dict[str, Ints] = field(default_factory=dict)
    found: list[Found] = field(default_factory=list)
    space: Space = field(default_factory=Space)


def measured(
    method: Method,
    fresh: Method | None,
    data: DataSet,
    split: Split,
    card: Card,
    protocol: Protocol,
    *,
    metrics: list[str],
    folder: Path,
    shown: Shown,
) -> Measured:
    """Measure a run as it was measured; `fresh` is its method before training.

    Raises `InputError` if `metrics.json` holds other numbers than the weights give.
    """
    rows = read_rows(folder / "metrics.json")
    kept = _Kept(*_regime_and_classes(data, split, protocol, shown))
    sides = _watched(directions(method, data, split, protocol), data, protocol, shown, kept)
    # the galleries and the bars want average precision, whatever else was measured
    evaluation = evaluate(sides, data, split, protocol, metrics=list(dict.fromkeys(["map", *metrics])))
    own = {f"{metric}{part}" for metric in metrics for part in ("", *PARTS)}
    again = [row for row in evaluation.rows if row["metric"] in own]
    return Measured(
        folder=folder,
        card=card,
        data=data,
        split=split,
        protocol=protocol,
        metrics=metrics,
        shown=shown,
        rows=rows,
        difference=_difference(rows, again, folder / "metrics.json", shown.tolerance),
        evaluation=evaluation,
        asked=kept.asked,
        regime=kept.regime,
        classes=kept.classes,
        found=kept.found,
        after=kept.space,
        before=None if fresh is None else _space(fresh, data, split, protocol, shown, kept),
    )


def _regime_and_classes(data: DataSet, split: Split, protocol: Protocol, shown: Shown) -> tuple[Regime, Ints]:
    """The regime to show, unseen classes where they are measured, and the classes to draw of it."""
    regime = headline_regime(split, protocol)
    return regime, drawn_classes(data, split, regime, count=shown.classes, seed=shown.seed)


def _watched(
    sides: Iterator[Direction], data: DataSet, protocol: Protocol, shown: Shown, kept: _Kept
) -> Iterator[Direction]:
    """The directions as they come; what the page needs of each is kept on the way, so that codes are made once."""
    for direction in sides:
        kept.asked[f"{direction.regime}/{direction.name}"] = class_counts(direction.query_labels, len(data.classes))
        if direction.regime == kept.regime:
            counts = {"best": shown.best, "worst": shown.worst, "random": shown.random}
            kept.found += found(direction, counts, finds=shown.finds, similarity=protocol.similarity, seed=shown.seed)
            _sample(direction, data, shown, kept.classes, kept.space)
        yield direction
        del direction  # nothing keeps the codes of a direction that is done


def _sample(direction: Direction, data: DataSet, shown: Shown, classes: Ints, space: Space) -> None:
    order = np.random.default_rng(shown.seed).permutation(len(data.pairs))
    space.items.append(sampled(direction, order, shown.items))
    space.points.append(sampled(direction, order, shown.points // 2, classes=classes))


def _space(method: Method, data: DataSet, split: Split, protocol: Protocol, shown: Shown, kept: _Kept) -> Space:
    space = Space()
    for direction in directions(method, data, split, protocol):
        if direction.regime == kept.regime:
            _sample(direction, data, shown, kept.classes, space)
        del direction
    return space


def _difference(rows: list[dict[str, Any]], again: list[dict[str, Any]], file: Path, tolerance: float) -> float:
    """The largest difference between the stored values and those measured again; an `InputError` beyond `tolerance`."""
    stored, now = ({(row["regime"], row["direction"], row["metric"]): row for row in each} for each in (rows, again))
    if stored.keys() != now.keys():
        name = " ".join(min(stored.keys() ^ now.keys()))
        raise InputError(f"{file} does not hold the rows that its run measures ({name}); restore it, or train again")
    apart = {name: _apart(row, now[name]) for name, row in stored.items()}
    worst = max(apart, key=lambda name: apart[name])
    if apart[worst] > tolerance:
        given = now[worst]
        raise InputError(
            f"{file}: the row {' '.join(worst)} ({stored[worst]['value']:.6f}) is not what the run's weights give "
            f"({given['value']:.6f}, {given['queries']} queries); restore both, or train again"
        )
    return apart[worst]


def _apart(row: dict[str, Any], now: dict[str, Any]) -> float:
    if any(row.get(key) != now[key] for key in ("queries", "gallery", "queries_without_relevant")):
        return math.inf
    return float(max(abs(row[key] - now[key]) for key in ("value", "chance")))
