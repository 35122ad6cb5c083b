"""The sections of a page on a whole experiment."""

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure

from msl.evaluation.ledger import Summary
from msl.report import drawings
from msl.report.overview import overview
from msl.report.page.parts import Drawing, Grid, Part, Prose, Section
from msl.report.study.pages import conclusions, glance, highest
from msl.report.study.study import Study, Varied, varied_lines
from msl.report.table import summary_cells, titled


def sections(study: Study) -> list[Section]:
    """Words, numbers, differences or curves over what was varied, ranking, published numbers; what there is of them."""
    found = [
        Section("In words", tuple(Prose((words,)) for words in _plain(study))),
        Section("At a glance", tuple(_glance(study))),
        Section("Results", tuple(_tables(study))),
        Section("What was varied", tuple(_curves(study))),
        Section(f"Differences to {study.reference}", tuple(_differences(study))),
        Section("Ranks over the data sets", tuple(_ranks(study))),
        Section("Published numbers", tuple(_verdicts(study))),
    ]
    return [section for section in found if section.parts]


def _glance(study: Study) -> list[Part]:
    if not study.many:
        return []
    heads, lines, keys = overview(study.summaries(study.metrics[0]))
    every = Grid(glance(study).replace("the best of a column is bold; ", ""), tuple(heads), _plain_cells(lines), keys)
    first = highest(study)
    if first is None:
        return [every]
    caption = f"The highest {titled(study.metrics[0])}, and the place of {study.reference} where that is another"
    return [Grid(caption, tuple(first[0]), _plain_cells(first[1])), every]


def _plain_cells(lines: Sequence[Sequence[str]]) -> list[list[str]]:
    """Without Markdown's marks."""
    return [[cell.replace("**", "") for cell in line] for line in lines]


def _tables(study: Study) -> list[Part]:
    parts: list[Part] = []
    for metric in study.metrics:
        for data, found in study.parts(metric).items():
            heads, lines = summary_cells(found, study.reference)
            protocols = " or ".join(dict.fromkeys(each.protocol for each in found))
            parts.append(Grid(f"{data}: {titled(metric)}, mean of both directions ({protocols})", tuple(heads), lines))
    return parts


def _differences(study: Study) -> list[Part]:
    parts: list[Part] = []
    for metric in study.metrics:
        for number, (data, found) in enumerate(study.parts(metric).items()):
            rows = [
                (f"{each.regime}: {each.method}", each.difference.mean, each.difference.low, each.difference.high)
                for each in found
                if each.difference and each.difference.n > 1
            ]
            if rows:
                title = f"{data}: difference in {titled(metric)} to {study.reference}"
                figure = drawings.intervals(rows, xlabel=f"difference in {titled(metric)}", zero=True)
                parts.append(Drawing(f"differences-{metric}-{number}", title, _PAIRED, figure))
    return parts


_PAIRED = (
    "Means of the differences, paired by class split, with 95 % intervals; right of 0 is better than the reference."
)


def _curves(study: Study) -> list[Part]:
    """A drawing for each axis, a line for each method, data set and regime; a forest plot where values are no numbers."""
    parts: list[Part] = []
    for metric in study.metrics:
        lines = varied_lines(study, study.summaries(metric))
        for number, axis in enumerate(dict.fromkeys(axis for *_, axis in lines)):
            own = {f"{of}, {regime}": line for (of, regime, name), line in lines.items() if name == axis}
            title, about = f"{titled(metric)} by {axis}", "Means over class splits, with 95 % intervals."
            parts.append(Drawing(f"varied-{metric}-{number}", title, about, _figure(own, axis, titled(metric))))
    return parts


def _figure(lines: Mapping[str, Sequence[tuple[Varied, Summary]]], axis: str, value: str) -> Figure:
    if any(isinstance(varied.value, bool | str | None) for line in lines.values() for varied, _ in line):
        rows = [
            (f"{name}: {varied.value}", each.value.mean, each.value.low, each.value.high)
            for name, line in lines.items()
            for varied, each in line
        ]
        return drawings.intervals(rows, xlabel=value, zero=False)
    series = {name: _series(line) for name, line in lines.items()}
    log = next(iter(lines.values()))[0][0].log
    return drawings.lines(series, xlabel=axis, ylabel=value, log_x=log)


def _series(line: Sequence[tuple[Varied, Summary]]) -> drawings.Series:
    values = [each.value for _, each in line]
    x, y = [float(varied.value) for varied, _ in line], [value.mean for value in values]
    return x, y, [value.low for value in values], [value.high for value in values]


def _ranks(study: Study) -> list[Part]:
    ranking = study.ranking()
    if ranking is None:
        return []
    figure = drawings.critical_difference(ranking.methods, ranking.ranks, ranking.critical_difference, ranking.cliques)
    about = (
        f"Mean ranks over {len(ranking.blocks)} data sets, the best on the right (Demšar, JMLR 2006); a bar joins methods that "
        "the data sets cannot tell apart."
    )
    return [Drawing("critical-difference", "Critical differences", about, figure)]


def _plain(study: Study) -> list[str]:
    return [line.removeprefix("- ") for words in conclusions(study) for line in words.split("\n") if line]


def _verdicts(study: Study) -> list[Part]:
    if not study.verdicts:
        return []
    heads = ("source", "table", "method", "data", "regime", "published", "ours", "verdict", "why")
    rows = [
        (
            verdict.claim.name,
            verdict.claim.table.table,
            verdict.claim.line.method,
            verdict.claim.line.data,
            verdict.claim.table.regime,
            verdict.claim.printed(verdict.direction),
            f"{verdict.ours.mean:.3f}" if verdict.ours else "",
            verdict.kind,
            verdict.reason,
        )
        for verdict in study.verdicts
    ]
    sources = {verdict.claim.name: verdict.claim.source.citation for verdict in study.verdicts}
    cited = tuple(f"{name}: {citation}." for name, citation in sources.items())
    return [Grid("Published numbers beside ours, mean of both directions", heads, rows), Prose(cited)]
