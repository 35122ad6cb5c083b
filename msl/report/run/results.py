"""What a run measured: its numbers, its precision-recall curves, its classes one by one."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from msl.data.dataset import DataSet
from msl.metrics.curves import LEVELS
from msl.report.drawings import bars, lines
from msl.report.page.parts import Drawing, Grid, Part, Prose, Section
from msl.report.run.measured import Measured
from msl.report.table import generalised_line, titled

_TENTH = 10  # levels of the curve from one line of its table to the next


def numbers_section(run: Measured) -> Section:
    """The first metric with chance and lift, every metric, and how they were measured."""
    rows, metric = run.rows, run.metrics[0]
    said = [how_measured(run)]
    line = generalised_line(rows, metric)
    if line:
        said.append(f"{line[0].upper()}{line[1:]}.")
    lacking = sum(
        row["queries_without_relevant"] for row in rows if row["metric"] == metric and row["direction"] != "mean"
    )
    if lacking:
        said.append(f"{lacking:,} queries have nothing relevant in their gallery; they are left out of every mean.")
    chosen = sorted(
        (row for row in rows if row["metric"] == metric), key=lambda row: [*_regimes(rows)].index(row["regime"])
    )
    return Section("Numbers", (Prose(tuple(said)), _first_metric(chosen, metric), _every_metric(run)))


def how_measured(run: Measured) -> str:
    """The protocol in a paragraph."""
    protocol = run.protocol
    scaled = "by the training rows" if protocol.standardise == "train" else "each matrix by its own rows"
    same = f"no number differs by more than {run.difference:.1g}" if run.difference else "every number is the same"
    gallery = "the test rows" if protocol.gallery == "test" else "the train part of the same classes"
    return (
        f"Queries search {gallery} by {protocol.similarity} similarity; features are scaled {scaled}. Rankings are whole "
        "unless a metric's name has a cut-off, equal scores count as one group at its end, a query's own pair stays in the "
        "gallery. Chance is the exact expectation under a random ranking of these labels; lift is (value − chance) / "
        f"(1 − chance). Measured again from the weights for this page, {same}."
    )


def _first_metric(rows: Sequence[dict[str, Any]], metric: str) -> Grid:
    keys = ("value", "chance", "lift", "queries", "gallery")
    numbers = [[row[key] for key in keys] for row in rows]
    return Grid(
        caption=f"{titled(metric)} beside chance",
        heads=("regime", "direction", titled(metric), *keys[1:]),
        rows=[
            [row["regime"], row["direction"], *(f"{x:.3f}" for x in line[:3]), *(f"{x:,}" for x in line[3:])]
            for row, line in zip(rows, numbers, strict=True)
        ],
        keys=[[row["regime"], row["direction"], *line] for row, line in zip(rows, numbers, strict=True)],
    )


def _every_metric(run: Measured) -> Grid:
    values = {(row["metric"], row["regime"]): row["value"] for row in run.rows if row["direction"] == "mean"}
    regimes = _regimes(run.rows)
    return Grid(
        caption="Every metric, mean of both directions",
        heads=("metric", *regimes),
        rows=[[titled(name), *(f"{values[name, regime]:.3f}" for regime in regimes)] for name in run.metrics],
    )


def _regimes(rows: Sequence[dict[str, Any]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(row["regime"] for row in rows))


def curves_section(run: Measured) -> Section:
    """A drawing of the precision-recall curves for each regime, chance beside them."""
    drawings = [_curves(run, regime) for regime in dict.fromkeys(key.split("/")[0] for key in run.evaluation.curves)]
    said = "Interpolated precision at every recall level, mean over queries; towards the right end whole galleries are read."
    return Section("Precision and recall", (Prose((said,)), *drawings))


def _curves(run: Measured, regime: str) -> Drawing:
    named = {
        direction_title(run.data, name): run.evaluation.curves[f"{regime}/{name}"] for name in run.data.card.directions
    }
    levels = LEVELS[::_TENTH]
    return Drawing(
        name=f"precision-recall-{regime}",
        title=f"Precision by recall, {regime} regime.",
        description=f"Precision at recall 0, 0.5 and 1: {'; '.join(f'{name} {_ends(curve)}' for name, curve in named.items())}.",
        figure=lines(
            {name: (LEVELS.tolist(), curve.tolist(), None, None) for name, curve in named.items()},
            xlabel="recall",
            ylabel="interpolated precision",
            levels={"chance (mAP)": _chance(run, regime)},
        ),
        numbers=Grid(
            caption=f"Interpolated precision, {regime} regime",
            heads=("recall", *named),
            rows=[
                [f"{level:.1f}", *(f"{curve[::_TENTH][place]:.3f}" for curve in named.values())]
                for place, level in enumerate(levels)
            ],
        ),
    )


def _ends(curve: Any) -> str:
    return ", ".join(f"{curve[place]:.3f}" for place in (0, len(curve) // 2, -1))


def direction_title(data: DataSet, name: str) -> str:
    """A direction in words: ``i2t``, image queries, texts found -> "image → text"."""
    a, b = data.card.modalities
    return f"{a} → {b}" if name == data.card.directions[0] else f"{b} → {a}"


def _chance(run: Measured, regime: str) -> float:
    """Chance of mAP in a regime, mean of both directions."""
    found = (
        r["chance"]
        for r in run.evaluation.rows
        if (r["regime"], r["direction"], r["metric"]) == (regime, "mean", "map")
    )
    return float(next(found))


def classes_section(run: Measured) -> Section:
    """Bars of each class's mAP; seen and unseen apart, since the generalised regime mixes them."""
    measured = [*dict.fromkeys(key.split("/")[0] for key in run.evaluation.curves)]
    apart = [regime for regime in measured if regime != "generalised"] or measured
    said = "Mean average precision of the queries of each class, mean of both directions, best first. Chance is the regime's."
    return Section("Class by class", (Prose((said,)), *(_bars(run, regime) for regime in apart)))


def _bars(run: Measured, regime: str) -> Part:
    lines_ = sorted(_per_class(run, regime), key=lambda line: (-line[1], line[0]))
    chance, directions = _chance(run, regime), run.data.card.directions
    above = sum(line[1] > chance for line in lines_)
    return Drawing(
        name=f"classes-{regime}",
        title=f"mAP of each class, {regime} regime.",
        description=f"{above} of {len(lines_)} classes lie above the regime's chance of {chance:.3f}.",
        figure=bars([line[0] for line in lines_], [line[1] for line in lines_], xlabel="mAP", reference=chance),
        numbers=Grid(
            caption=f"mAP of each class, {regime} regime",
            heads=("class", "mAP", *directions, "queries"),
            rows=[[name, *(f"{value:.3f}" for value in values), f"{asked:,}"] for name, *values, asked in lines_],
        ),
    )


def _per_class(run: Measured, regime: str) -> list[tuple[str, float, float, float, int]]:
    """Class, its mAP, that of either direction, its queries in both; classes with nothing relevant are left out."""
    keys = [f"{regime}/{name}" for name in run.data.card.directions]
    first, second = (run.evaluation.per_class[f"{key}/map"] for key in keys)
    asked = dict(zip(run.data.classes.names, np.add(*(run.asked[key] for key in keys)).tolist(), strict=True))
    both = [(name, (first[name] + second[name]) / 2, first[name], second[name]) for name in first if name in second]
    return [(*values, asked[values[0]]) for values in both if not math.isnan(values[1])]
