"""The sections of a page on a whole experiment."""

from msl.report import drawings
from msl.report.page.parts import Drawing, Grid, Part, Prose, Section
from msl.report.study.pages import conclusions
from msl.report.study.study import Study, varied_lines
from msl.report.table import summary_cells, titled


def sections(study: Study) -> list[Section]:
    """Words, numbers, differences or curves over what was varied, ranking, published numbers; what there is of them."""
    found = [
        Section("In words", tuple(Prose((words,)) for words in _plain(study))),
        Section("Results", tuple(_tables(study))),
        Section("What was varied", tuple(_curves(study))),
        Section(f"Differences to {study.reference}", tuple(_differences(study))),
        Section("Ranks over the data sets", tuple(_ranks(study))),
        Section("Published numbers", tuple(_verdicts(study))),
    ]
    return [section for section in found if section.parts]


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
    """A drawing for each axis and data set, a line for each method and regime; a forest plot where values are no numbers."""
    parts: list[Part] = []
    for metric in study.metrics:
        lines = varied_lines(study, study.summaries(metric))
        for axis in dict.fromkeys(axis for *_, axis in lines):
            own = {f"{of}, {regime}": line for (of, regime, name), line in lines.items() if name == axis}
            series = {
                name: (
                    [float(varied.value) for varied, _ in line],
                    [each.value.mean for _, each in line],
                    [each.value.low for _, each in line],
                    [each.value.high for _, each in line],
                )
                for name, line in own.items()
            }
            log = next(iter(own.values()))[0][0].log
            parts.append(
                Drawing(
                    name=f"{metric}-{axis}".replace(" ", "-"),
                    title=f"{titled(metric)} by {axis}",
                    description="Means over class splits, with bands of 95 % intervals.",
                    figure=drawings.lines(series, xlabel=axis, ylabel=titled(metric), log_x=log),
                )
            )
    return parts


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
            f"{verdict.claim.value(verdict.direction):.3f}",
            f"{verdict.ours.mean:.3f}" if verdict.ours else "",
            verdict.kind,
            verdict.reason,
        )
        for verdict in study.verdicts
    ]
    sources = {verdict.claim.name: verdict.claim.source.citation for verdict in study.verdicts}
    cited = tuple(f"{name}: {citation}." for name, citation in sources.items())
    return [Grid("Published numbers beside ours, mean of both directions", heads, rows), Prose(cited)]
