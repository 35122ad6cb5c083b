"""Tables: of one run for the terminal, of many runs for the terminal and for Markdown. Nothing in them is typed by hand."""

import csv
import io
import math
import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from msl.evaluation.comparison import Comparison
from msl.evaluation.interval import Interval
from msl.evaluation.ledger import Summary

TITLES = {
    "map": "mAP",
    "map@50": "mAP@50 / min(R, 50)",
    "map@50:hits": "mAP@50 / hits",
    "map@50:relevant": "mAP@50 / R",
}
"""Heads of the metrics whose name alone does not say how they are computed."""

_NAMES = ("data", "protocol", "regime", "method")
_NUMBERS = (
    *("value", "low", "high", "splits", "runs", "chance", "lift"),
    *("difference", "difference_low", "difference_high", "difference_splits", "p", "p_holm", "effect", "seconds"),
)
SECONDS = "learning, CPU s"
PARTS = ("_of_seen", "_of_unseen", "_harmonic")


def titled(metric: str) -> str:
    """A metric's name for a sentence or a head."""
    return TITLES.get(metric, metric.replace("_", " "))


def run_table(rows: Sequence[dict[str, Any]], *, title: str) -> Table:
    """One run's first metric: a line per regime and direction, with chance and lift."""
    metric = rows[0]["metric"]
    table = _plain_table(title)
    for head in ("regime", "direction"):
        table.add_column(head)
    for head in (titled(metric), "chance", "lift", "queries", "gallery"):
        table.add_column(head, justify="right")
    chosen = [row for row in rows if row["metric"] == metric]
    for row in sorted(chosen, key=lambda row: [each["regime"] for each in chosen].index(row["regime"])):
        numbers = [f"{row[key]:.3f}" for key in ("value", "chance", "lift")]
        sizes = [f"{row[key]:,}" for key in ("queries", "gallery")]
        table.add_row(row["regime"], row["direction"], *numbers, *sizes, end_section=row["direction"] == "mean")
    return table


def metrics_table(rows: Sequence[dict[str, Any]]) -> Table:
    """One run's every metric, mean of both directions: a line per metric, a column per regime."""
    means = [row for row in rows if row["direction"] == "mean" and not row["metric"].endswith(PARTS)]
    regimes = list(dict.fromkeys(row["regime"] for row in means))
    table = _plain_table("mean of both directions")
    table.add_column("metric")
    for regime in regimes:
        table.add_column(regime, justify="right")
    for metric in dict.fromkeys(row["metric"] for row in means):
        found = {row["regime"]: row["value"] for row in means if row["metric"] == metric}
        table.add_row(titled(metric), *(f"{found[regime]:.3f}" for regime in regimes))
    return table


def generalised_line(rows: Sequence[dict[str, Any]], metric: str) -> str | None:
    """The generalised regime in a sentence: seen queries, unseen queries, harmonic mean; None if there is no such regime."""
    found = {
        row["metric"]: row["value"] for row in rows if row["regime"] == "generalised" and row["direction"] == "mean"
    }
    if f"{metric}_harmonic" not in found:
        return None
    seen, unseen, harmonic = (found[f"{metric}_{part}"] for part in ("of_seen", "of_unseen", "harmonic"))
    return f"generalised {titled(metric)}: seen queries {seen:.3f}, unseen queries {unseen:.3f}, harmonic mean {harmonic:.3f}"


def protocols_tables(rows: Sequence[dict[str, Any]]) -> list[Table]:
    """One run's codes under many protocols: a table per regime, a line per protocol (``view``), chance and lift of the first metric."""
    (regime, *heads), lines = _protocol_cells(rows)
    tables = {}
    for name, *line in lines:
        if name not in tables:
            tables[name] = _plain_table(f"{regime}: {name}")
            for head in heads:
                text = head in _NAMES
                tables[name].add_column(
                    head, justify="left" if text else "right", no_wrap=text, min_width=0 if text else 6
                )
        tables[name].add_row(*line)
    return list(tables.values())


def protocols_markdown(rows: Sequence[dict[str, Any]]) -> str:
    """The same lines as a Markdown table."""
    return markdown_lines(*_protocol_cells(rows))


def _protocol_cells(rows: Sequence[dict[str, Any]]) -> tuple[list[str], list[list[str]]]:
    first, *others = dict.fromkeys(row["metric"] for row in rows if not row["metric"].endswith(PARTS))
    titles = [titled(name) for name in others]
    cells: dict[tuple[str, str], dict[str, dict[str, Any]]] = {}
    for row in rows:
        if row["direction"] == "mean":
            cells.setdefault((row["regime"], row["view"]), {})[row["metric"]] = row
    lines = []
    for regime in dict.fromkeys(regime for regime, _ in cells):
        for (own, view), found in cells.items():
            if own == regime:
                numbers = [found[first][key] for key in ("value", "chance", "lift")]
                numbers += [found[name]["value"] for name in others]
                lines.append([regime, view, *(f"{number:.3f}" for number in numbers)])
    return ["regime", "protocol", titled(first), "chance", "lift", *titles], lines


def summary_tables(summaries: Sequence[Summary], *, reference: str | None) -> list[Table]:
    """Many runs: a table per data set and regime, a line per method; `markdown` has more columns."""
    parts: dict[str, list[Summary]] = {}
    for summary in summaries:
        parts.setdefault(f"{summary.data}, {summary.regime} ({summary.protocol})", []).append(summary)
    tables = []
    for title, part in parts.items():
        heads, lines = summary_cells(part, reference)
        wide = {"× chance", "runs", "d", SECONDS} if reference else set()  # a difference fills 80 columns
        left_out = {place for place, head in enumerate(heads) if head in wide or place < heads.index("method")}
        table = _plain_table(title)
        for number, head in enumerate(_without(heads, left_out)):
            if number:
                table.add_column(head, justify="right", no_wrap=True)
            else:
                table.add_column(head, overflow="fold", min_width=14)
        for line in lines:
            table.add_row(*map(Text, _without(line, left_out)))  # a name may hold what rich takes for markup
        tables.append(table)
    return tables


def markdown(
    summaries: Sequence[Summary],
    *,
    reference: str | None,
    directions: Mapping[str, Sequence[Summary]] = MappingProxyType({}),
) -> str:
    """The same lines as a Markdown table, with a column for each of `directions` before the value."""
    heads, lines = summary_cells(summaries, reference)
    place = heads.index("value ± 95 %")
    heads[place:place] = list(directions)
    for number, line in enumerate(lines):
        line[place:place] = [f"{found[number].value.mean:.3f}" for found in directions.values()]
    return markdown_lines(heads, lines)


def markdown_lines(heads: list[str], lines: list[list[str]]) -> str:
    """Heads and cells as a Markdown table; columns of names on the left, of numbers on the right."""
    rule = ["---" if head in _NAMES else "---:" for head in heads]
    escaped = [
        [re.sub(r"<(?=[a-zA-Z/!])", "&lt;", cell).replace("|", "\\|") for cell in line] for line in (heads, *lines)
    ]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (escaped[0], rule, *escaped[1:])) + "\n"


def csv_text(summaries: Sequence[Summary]) -> str:
    """Tidy CSV, a line per summary, numbers in full precision; what is not defined is empty."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow((*_NAMES, *_NUMBERS))
    for summary in summaries:
        table.writerow([*(getattr(summary, name) for name in _NAMES), *map(_defined, _numbers(summary))])
    return text.getvalue()


def _numbers(summary: Summary) -> list[float | None]:
    """In the order of `_NUMBERS`."""
    value, change = summary.value, summary.difference
    found: list[float | None] = [value.mean, value.low, value.high, value.n, summary.runs, summary.chance, summary.lift]
    if change is None:
        return [*found, *[None] * (len(_NUMBERS) - len(found) - 1), summary.seconds]
    compared = [change.mean, change.low, change.high, change.n, change.p, change.p_holm, change.effect]
    return [*found, *compared, summary.seconds]


def _defined(number: float | None) -> str:
    return "" if number is None or math.isnan(number) else repr(number)


def interval(value: Interval, *, sign: bool = False) -> str:
    """Mean and half-width of its 95 % interval; a single unit has none."""
    mean = f"{value.mean:{'+' if sign else ''}.3f}"
    return mean if math.isnan(value.half_width) else f"{mean} ± {value.half_width:.3f}"


def summary_cells(summaries: Sequence[Summary], reference: str | None) -> tuple[list[str], list[list[str]]]:
    """Heads and lines; what is the same in every line and says nothing is left out."""
    heads = ["data", "protocol", "regime", "method", "value ± 95 %", "chance", "× chance", "lift", "splits", "runs"]
    lines = [_cells(summary) for summary in summaries]
    if reference:
        heads += [f"− {reference}", "p (Holm)", "d"]
        for summary, line in zip(summaries, lines, strict=True):
            line += _difference_cells(summary.difference)
    if timed(summaries):
        heads.append(SECONDS)
        for summary, line in zip(summaries, lines, strict=True):
            line.append(f"{summary.seconds:.1f}")
    idle = {column for column in (0, 1) if len({line[column] for line in lines}) == 1}
    return _without(heads, idle), [_without(line, idle) for line in lines]


def timed(summaries: Sequence[Summary]) -> bool:
    """Whether it is known of every line how long it took to learn."""
    return all(summary.seconds is not None for summary in summaries)


def _difference_cells(difference: Comparison | None) -> list[str]:
    if difference is None:
        return [""] * 3
    effect = "" if difference.effect is None else f"{difference.effect:+.1f}"
    return [interval(difference, sign=True), p_value(difference.p_holm), effect]


def p_value(p: float | None) -> str:
    """To three decimals; nothing where there is no test."""
    if p is None:
        return ""
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def _without(cells: list[str], columns: set[int]) -> list[str]:
    return [cell for number, cell in enumerate(cells) if number not in columns]


def _cells(summary: Summary) -> list[str]:
    value = summary.value
    names = [summary.data, summary.protocol, summary.regime, summary.method]
    return [
        *names,
        interval(value),
        f"{summary.chance:.3f}",
        f"{value.mean / summary.chance:.2f}",
        f"{summary.lift:.3f}",
        str(value.n),
        str(summary.runs),
    ]


def _plain_table(title: str) -> Table:
    return Table(title=Text(title), title_justify="left", box=SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
