"""A study in Markdown, LaTeX, CSV and words."""

from collections.abc import Iterator, Sequence

from msl.evaluation.evaluate import PROBE
from msl.evaluation.ledger import Summary
from msl.report.latex import latex
from msl.report.overview import LEGEND, leaders, overview
from msl.report.study.conclusions import ablation, standing
from msl.report.study.study import Study, Varied, varied_lines
from msl.report.table import csv_text, interval, markdown, markdown_lines, p_value, timed, titled

_EXPLAINED = {
    "map": "mAP is over the full ranking",
    PROBE: "The modality probe is the balanced accuracy of a linear classifier that tells the two modalities' codes apart, 0.5 "
    "where it cannot",
}


def how(study: Study) -> str:
    """How to read the numbers, in a paragraph."""
    compared = (
        f" Differences to {study.reference} are paired by class split; p is of a paired t-test, adjusted by Holm within a data "
        "set and regime; d is Cohen's d of the pairs with Hedges' correction."
        if study.reference
        else ""
    )
    explained = " ".join(f"{_EXPLAINED[metric]}." for metric in study.metrics if metric in _EXPLAINED)
    if timed(study.summaries(study.metrics[0])):
        compared += " Learning is the mean processor time of selection and final fit, one thread a run, of the runs that were timed."
    return (
        f"{explained} Every number is the mean of both directions; ± is the half-width of the 95 % t-interval over class splits, "
        "seeds averaged within a split, and runs are splits times seeds (a single class split has no interval). Class splits of one "
        "data set share classes: intervals and p speak of its classes, not of classes at large." + compared
    ).lstrip()


def coverage(study: Study) -> str:
    """How much of the experiment was run."""
    whole = study.runs == study.wanted
    return (
        f"All {study.runs} runs are measured."
        if whole
        else f"{study.runs} of {study.wanted} runs are measured; what follows is of those."
    )


def markdown_page(study: Study) -> str:
    """The study as a Markdown page."""
    parts = [f"# {study.title}", study.question, f"{coverage(study)} {how(study)}"]
    words = list(conclusions(study))
    if words:
        parts += ["## In words", *words]
    if study.many:
        heads, lines, _ = overview(study.summaries(study.metrics[0]))
        first = highest(study)
        parts += ["## At a glance", *([markdown_lines(*first).rstrip()] if first else [])]
        parts += [glance(study), markdown_lines(heads, lines).rstrip()]
    for metric in study.metrics:
        for data, found in study.parts(metric).items():
            protocols = {each.protocol for each in found}  # one for all lines has no column
            about = [f"## {data}" + (f", {titled(metric)}" if len(study.metrics) > 1 else "")]
            about += [f"Protocol: {protocols.pop()}."] if len(protocols) == 1 else []
            parts += [
                *about,
                markdown(found, reference=study.reference, directions=study.by_direction(metric, data)).rstrip(),
            ]
    if study.verdicts:
        parts += ["## Published numbers", "\n".join(f"- {line}" for line in published(study))]
    return "\n\n".join(parts) + "\n"


def highest(study: Study) -> tuple[list[str], list[list[str]]] | None:
    """Heads and lines: what is highest where, and where the reference stands; None where methods are not compared with one."""
    if not study.reference or _left_out(study):
        return None
    return leaders(study.summaries(study.metrics[0]), reference=study.reference)


def glance(study: Study) -> str:
    """How to read the table of all methods on all data sets."""
    return f"{titled(study.metrics[0])}, mean of both directions. {LEGEND.format(reference=study.reference or 'a reference')}"


def written(study: Study) -> dict[str, str]:
    """Its files by ending: Markdown, and LaTeX and tidy CSV of the first metric and then of each other."""
    files = {".md": markdown_page(study)}
    for metric in study.metrics:
        end = "" if metric == study.metrics[0] else f"-{metric}"
        sides = {name: study.summaries(metric, name) for name in study.directions()}
        found = study.summaries(metric)
        files[f"{end}.tex"] = latex(found, metric=titled(metric), reference=study.reference, directions=sides)
        files[f"{end}.csv"] = csv_text(found)
    return files


def conclusions(study: Study) -> Iterator[str]:
    """What the numbers say, in words with intervals, in Markdown."""
    metric, regime = study.metrics[0], study.regimes[0]
    found = study.summaries(metric)
    left_out = _left_out(study)
    if study.reference and any(each.difference for each in left_out):
        yield ablation(found, reference=study.reference, regime=regime, metric=titled(metric)).rstrip()
    elif study.reference and study.many and not left_out:
        said = standing(found, reference=study.reference, regime=regime)
        if said:
            yield said
    varied = [f"- {_extremes(*key, lines)}" for key, lines in varied_lines(study, found).items()]
    if varied:
        yield "\n".join(varied)
    ranking = study.ranking()
    if ranking:
        places = ", ".join(f"{name} {place:.2f}" for name, place in zip(ranking.methods, ranking.ranks, strict=True))
        yield (
            f"Mean ranks over {len(ranking.blocks)} data sets: {places}; ranks closer than {ranking.critical_difference:.2f} "
            f"(Nemenyi) cannot be told apart, Friedman's p: {p_value(ranking.p)}."
        )


def _left_out(study: Study) -> list[Summary]:
    """The lines of an ablation, in the regime that matters."""
    found, start = study.summaries(study.metrics[0]), f"{study.reference} without "
    return [each for each in found if each.regime == study.regimes[0] and each.method.startswith(start)]


def _extremes(of: str, regime: str, axis: str, lines: Sequence[tuple[Varied, Summary]]) -> str:
    """At which value a method is best and at which worst."""
    best, worst = (choose(lines, key=lambda line: line[1].value.mean) for choose in (max, min))
    measured = " and ".join(
        sorted({f"{each.value.n} class split{'s' * (each.value.n > 1)}" for _, each in (best, worst)})
    )
    return (
        f"{of}, {regime}, {axis}: highest at {best[0].value} ({interval(best[1].value)}), lowest at {worst[0].value} "
        f"({interval(worst[1].value)}), {measured}."
    )


def published(study: Study) -> list[str]:
    """The verdicts in sentences; numbers that are not comparable for one reason share one."""
    lines, apart = [], dict[str, list[str]]()
    for verdict in study.verdicts:
        claim = verdict.claim
        number = f"{claim.line.method} on {claim.line.data}, {claim.table.regime}, {claim.printed(verdict.direction)} ({claim.name})"
        if verdict.kind == "not comparable":
            apart.setdefault(verdict.reason, []).append(number)
        else:
            lines.append(f"{number}: {verdict.kind}; {verdict.reason}.")
    return [*lines, *(f"Not comparable ({reason}): {'; '.join(numbers)}." for reason, numbers in apart.items())]
