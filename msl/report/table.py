"""Tables: of one run for the terminal, of many runs for the terminal and for Markdown. Nothing in them is typed by hand."""

import math
from collections.abc import Sequence
from typing import Any

from rich.table import Table

from msl.evaluation.interval import Interval
from msl.evaluation.ledger import Summary

TITLES = {
    "map": "mAP",
    "map@50": "mAP@50 / min(R, 50)",
    "map@50:hits": "mAP@50 / hits",
    "map@50:relevant": "mAP@50 / R",
}
"""Heads of the metrics whose name alone does not say how they are computed."""

_PARTS = ("_of_seen", "_of_unseen", "_harmonic")


def run_table(rows: Sequence[dict[str, Any]], *, title: str) -> Table:
    """One run's first metric: a line per regime and direction, with chance and lift."""
    metric = rows[0]["metric"]
    table = Table(title=title, title_justify="left")
    for head in ("regime", "direction"):
        table.add_column(head)
    for head in (TITLES.get(metric, metric), "chance", "lift", "queries", "gallery"):
        table.add_column(head, justify="right")
    chosen = [row for row in rows if row["metric"] == metric]
    for row in sorted(chosen, key=lambda row: [each["regime"] for each in chosen].index(row["regime"])):
        numbers = [f"{row[key]:.3f}" for key in ("value", "chance", "lift")]
        sizes = [f"{row[key]:,}" for key in ("queries", "gallery")]
        table.add_row(row["regime"], row["direction"], *numbers, *sizes, end_section=row["direction"] == "mean")
    return table


def metrics_table(rows: Sequence[dict[str, Any]]) -> Table:
    """One run's every metric, mean of both directions: a line per metric, a column per regime."""
    means = [row for row in rows if row["direction"] == "mean" and not row["metric"].endswith(_PARTS)]
    regimes = list(dict.fromkeys(row["regime"] for row in means))
    table = Table(title="mean of both directions", title_justify="left")
    table.add_column("metric")
    for regime in regimes:
        table.add_column(regime, justify="right")
    for metric in dict.fromkeys(row["metric"] for row in means):
        found = {row["regime"]: row["value"] for row in means if row["metric"] == metric}
        table.add_row(TITLES.get(metric, metric), *(f"{found[regime]:.3f}" for regime in regimes))
    return table


def generalised_line(rows: Sequence[dict[str, Any]], metric: str) -> str | None:
    """The generalised regime in a sentence: seen queries, unseen queries, harmonic mean; None if there is no such regime."""
    found = {
        row["metric"]: row["value"] for row in rows if row["regime"] == "generalised" and row["direction"] == "mean"
    }
    if f"{metric}_harmonic" not in found:
        return None
    seen, unseen, harmonic = (found[f"{metric}_{part}"] for part in ("of_seen", "of_unseen", "harmonic"))
    return f"generalised {TITLES.get(metric, metric)}: seen queries {seen:.3f}, unseen queries {unseen:.3f}, harmonic mean {harmonic:.3f}"


def summary_table(summaries: Sequence[Summary], *, title: str, reference: str | None) -> Table:
    """Many runs: a line per data set, regime and method."""
    table = Table(title=title, title_justify="left")
    for head in _summary_heads(reference):
        table.add_column(head, justify="left" if head in ("data", "regime", "method") else "right")
    for summary in summaries:
        table.add_row(*_summary_cells(summary, reference))
    return table


def markdown(summaries: Sequence[Summary], *, reference: str | None) -> str:
    """The same lines as a Markdown table."""
    heads = _summary_heads(reference)
    rule = ["---" if head in ("data", "regime", "method") else "---:" for head in heads]
    lines = [heads, rule, *(_summary_cells(summary, reference) for summary in summaries)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines) + "\n"


def interval(value: Interval, *, sign: bool = False) -> str:
    """Mean and half-width of its 95 % interval; a single unit has none."""
    mean = f"{value.mean:{'+' if sign else ''}.3f}"
    return mean if math.isnan(value.half_width) else f"{mean} ± {value.half_width:.3f}"


def _summary_heads(reference: str | None) -> list[str]:
    heads = ["data", "regime", "method", "value ± 95 %", "chance", "× chance", "lift", "splits"]
    return [*heads, f"− {reference}"] if reference else heads


def _summary_cells(summary: Summary, reference: str | None) -> list[str]:
    value = summary.value
    cells = [summary.data, summary.regime, summary.method, interval(value), f"{summary.chance:.3f}"]
    cells += [f"{value.mean / summary.chance:.2f}", f"{summary.lift:.3f}", str(value.n)]
    if reference:
        cells.append(interval(summary.difference, sign=True) if summary.difference else "")
    return cells
