"""Tables: of one run for the terminal, of many runs for the terminal and for Markdown. Nothing in them is typed by hand."""

import math
from collections.abc import Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
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

_NAMES = ("data", "regime", "method")
_PARTS = ("_of_seen", "_of_unseen", "_harmonic")


def run_table(rows: Sequence[dict[str, Any]], *, title: str) -> Table:
    """One run's first metric: a line per regime and direction, with chance and lift."""
    metric = rows[0]["metric"]
    table = _plain_table(title)
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
    table = _plain_table("mean of both directions")
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


def summary_tables(summaries: Sequence[Summary], *, reference: str | None) -> list[Table]:
    """Many runs: a table per data set and regime, a line per method."""
    parts: dict[str, list[Summary]] = {}
    for summary in summaries:
        parts.setdefault(f"{summary.data}, {summary.regime}", []).append(summary)
    tables = []
    for title, part in parts.items():
        heads, lines = _summary_cells(part, reference)
        table = _plain_table(title)
        for number, head in enumerate(heads[heads.index("method") :]):
            table.add_column(
                head, justify="right" if number else "left", no_wrap=bool(number), min_width=0 if number else 14
            )
        for line in lines:
            table.add_row(*line[heads.index("method") :])
        tables.append(table)
    return tables


def markdown(summaries: Sequence[Summary], *, reference: str | None) -> str:
    """The same lines as a Markdown table."""
    heads, lines = _summary_cells(summaries, reference)
    rule = ["---" if head in _NAMES else "---:" for head in heads]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (heads, rule, *lines)) + "\n"


def interval(value: Interval, *, sign: bool = False) -> str:
    """Mean and half-width of its 95 % interval; a single unit has none."""
    mean = f"{value.mean:{'+' if sign else ''}.3f}"
    return mean if math.isnan(value.half_width) else f"{mean} ± {value.half_width:.3f}"


def _summary_cells(summaries: Sequence[Summary], reference: str | None) -> tuple[list[str], list[list[str]]]:
    """Heads and lines; what is the same in every line and says nothing is left out."""
    heads = ["data", "regime", "method", "value ± 95 %", "chance", "× chance", "lift", "splits"]
    lines = [_cells(summary) for summary in summaries]
    if reference:
        heads.append(f"− {reference}")
        for summary, line in zip(summaries, lines, strict=True):
            line.append(interval(summary.difference, sign=True) if summary.difference else "")
    if len({summary.data for summary in summaries}) == 1:
        return heads[1:], [line[1:] for line in lines]
    return heads, lines


def _cells(summary: Summary) -> list[str]:
    value = summary.value
    names = [summary.data, summary.regime, summary.method]
    return [
        *names,
        interval(value),
        f"{summary.chance:.3f}",
        f"{value.mean / summary.chance:.2f}",
        f"{summary.lift:.3f}",
        str(value.n),
    ]


def _plain_table(title: str) -> Table:
    return Table(title=title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
