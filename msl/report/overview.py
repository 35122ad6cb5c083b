"""Many methods on many data sets at a glance: what is highest where, and a line per method with a column per data set and regime."""

import math
from collections.abc import Sequence

from msl.evaluation.ledger import Summary
from msl.report.table import SECONDS, timed

LEGEND = (
    "Means over class splits; the best of a column is bold; ▲ and ▼ are significantly above and below {reference} (paired by "
    "class split, p < .05 after Holm). A column with a single class split has no test."
)


def overview(summaries: Sequence[Summary]) -> tuple[list[str], list[list[str]], list[list[float | str]]]:
    """Heads, lines, and what each cell sorts by: methods in the order given, then the mean processor time to learn if it is known of all."""
    methods = list(dict.fromkeys(each.method for each in summaries))
    columns = list(dict.fromkeys((each.data, each.regime) for each in summaries))
    found = {(each.method, each.data, each.regime): each for each in summaries}
    best = {
        column: max(each.value.mean for each in summaries if (each.data, each.regime) == column) for column in columns
    }
    heads = ["method", *(f"{data} {regime}" if _own(data, regime) == data else data for data, regime in columns)]
    lines, keys = [], list[list[float | str]]()
    for method in methods:
        cells = [found.get((method, *column)) for column in columns]
        lines.append([method, *(_cell(each, best[column]) for each, column in zip(cells, columns, strict=True))])
        keys.append([method, *(each.value.mean if each else math.nan for each in cells)])
    if timed(summaries):
        heads.append(SECONDS)
        for method, line, key in zip(methods, lines, keys, strict=True):
            key.append(_seconds([each for each in summaries if each.method == method]))
            line.append(f"{key[-1]:.1f}")
    return heads, lines, keys


def leaders(summaries: Sequence[Summary], *, reference: str) -> tuple[list[str], list[list[str]]]:
    """Heads and lines, a line per data set, a column per regime: the highest method, and the reference with its place among all."""
    found: dict[tuple[str, str], list[Summary]] = {}
    for each in summaries:
        found.setdefault((_own(each.data, each.regime), each.regime), []).append(each)
    data, regimes = (list(dict.fromkeys(key[place] for key in found)) for place in (0, 1))
    return ["data", *regimes], [
        [name, *(_leader(found.get((name, regime), []), reference) for regime in regimes)] for name in data
    ]


def _leader(summaries: Sequence[Summary], reference: str) -> str:
    if not summaries:
        return ""
    ranked = sorted(summaries, key=lambda each: -each.value.mean)
    names = [each.method for each in ranked]
    first = f"{names[0]} {_cell(ranked[0], math.nan)}"
    if reference not in names[1:]:
        return f"**{first}**" if names[0] == reference else first
    place = names.index(reference)
    return f"{first} ({reference} {ranked[place].value.mean:.3f}, place {place + 1})"


def _own(data: str, regime: str) -> str:
    """The data set's name without the regime that sources of one data set are told apart by."""
    return data.removesuffix(f"-{regime}")


def _cell(summary: Summary | None, best: float) -> str:
    if summary is None:
        return ""
    text = f"{summary.value.mean:.3f}"
    if summary.value.mean == best:
        text = f"**{text}**"
    change = summary.difference
    if change is None or not change.significant:
        return text
    return f"{text} {'▲' if change.mean > 0 else '▼'}"


def _seconds(summaries: Sequence[Summary]) -> float:
    """Mean over the data sets: regimes of one are of the same runs."""
    known = {each.data: each.seconds or 0.0 for each in summaries}
    return sum(known.values()) / len(known)
