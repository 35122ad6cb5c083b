"""Summaries as a LaTeX table for a paper (wants the package booktabs): nothing in it is typed by hand."""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

from msl.evaluation.comparison import LEVEL
from msl.evaluation.ledger import Summary
from msl.report.table import interval

_SPECIAL = {
    "\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    **{character: f"\\{character}" for character in "&%$#_{}"},
    "[": "{[}", "|": r"\textbar{}", "−": "$-$", "×": r"$\times$", "±": r"$\pm$", "→": r"$\rightarrow$", "<": "$<$", ">": "$>$",
}  # fmt: skip


def latex(
    summaries: Sequence[Summary],
    *,
    metric: str,
    reference: str | None,
    directions: Mapping[str, Sequence[Summary]] = MappingProxyType({}),
) -> str:
    """A booktabs table: a block per data set, protocol and regime, a line per method.

    `metric` heads the value's column; each of `directions` has the same lines, and a column before it. In each block and
    column the best is bold and the second underlined; a dagger marks a value that differs from the reference's.
    """
    heads = ["method", *directions, metric, "chance", *([f"− {reference}"] if reference else [])]
    blocks: dict[str, list[int]] = {}
    for number, each in enumerate(summaries):
        blocks.setdefault(f"{each.data}, {each.regime} ({each.protocol})", []).append(number)
    lines = [line for title, block in blocks.items() for line in _block(title, block, summaries, directions, heads)]
    return "\n".join(
        [
            r"\begin{table}",
            r"\centering",
            rf"\caption{{{_caption(summaries, metric, reference)}}}",
            rf"\begin{{tabular}}{{l{'r' * (len(heads) - 1)}}}",
            r"\toprule",
            _row(map(escape, heads)),
            *lines,
            r"\bottomrule",
            r"\end{tabular}",
            r"\end{table}",
            "",
        ]
    )


def escape(text: str) -> str:
    """Plain text as LaTeX prints it; the signs of our tables become mathematics."""
    return "".join(_SPECIAL.get(character, character) for character in text)


def _caption(summaries: Sequence[Summary], metric: str, reference: str | None) -> str:
    splits = " or ".join(map(str, sorted({each.value.n for each in summaries})))
    said = (
        f"{metric}: mean over {splits} class splits ± half-width of its 95 % t-interval (a single class split has none), seeds "
        "averaged within a split. In each block the best is bold, the second underlined."
    )
    if reference is None:
        return escape(said)
    marks = f" differs from {reference}: p < {LEVEL:g} by a paired t-test over class splits, adjusted by Holm within a block."
    return escape(said) + r" $\dagger$" + escape(marks)


def _block(
    title: str,
    block: Sequence[int],
    summaries: Sequence[Summary],
    directions: Mapping[str, Sequence[Summary]],
    heads: Sequence[str],
) -> list[str]:
    columns = [[found[number] for number in block] for found in (*directions.values(), summaries)]
    marked = [_marked([each.value.mean for each in column]) for column in columns]
    lines = [r"\midrule", rf"\multicolumn{{{len(heads)}}}{{l}}{{\textit{{{escape(title)}}}}} \\"]
    for place, number in enumerate(block):
        *sides, value = (column[place] for column in marked)
        lines.append(_row([escape(summaries[number].method), *sides, *_own(summaries[number], value, heads)]))
    return lines


def _own(summary: Summary, value: str, heads: Sequence[str]) -> list[str]:
    """Cells of the value with its interval and mark, of chance and, if there is a column for it, of the difference."""
    half = interval(summary.value).partition("±")[2]
    difference = summary.difference
    dagger = r"$^\dagger$" if difference and difference.significant else ""
    cells = [value + (rf" $\pm${half}" if half else "") + dagger, f"{summary.chance:.3f}"]
    if heads[-1] == "chance":
        return cells
    return [*cells, _signed(interval(difference, sign=True)) if difference else ""]


def _signed(number: str) -> str:
    return f"${number[0]}${escape(number[1:])}"


def _marked(values: Sequence[float]) -> list[str]:
    """To three decimals, the best bold and the second underlined, those printed alike alike; a single one is neither."""
    printed = [f"{value:.3f}" for value in values]
    if len(printed) == 1:
        return printed
    marks = dict(zip(sorted(set(printed), key=float, reverse=True), (r"\textbf", r"\underline"), strict=False))
    return [f"{marks[text]}{{{text}}}" if text in marks else text for text in printed]


def _row(cells: Iterable[str]) -> str:
    return " & ".join(cells) + r" \\"
