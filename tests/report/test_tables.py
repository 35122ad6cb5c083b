import csv
import io
import math
import re
from dataclasses import replace

import pytest
from rich.console import Console

from msl.evaluation.comparison import Comparison
from msl.evaluation.interval import t_interval
from msl.evaluation.ledger import Summary
from msl.report.latex import escape, latex
from msl.report.table import csv_text, markdown, p_value, summary_tables


def summary(method, values, *, difference=None, **changes):
    named = {
        "data": "emoji",
        "protocol": "extendable, test gallery, cosine",
        "regime": "unseen",
        "chance": 0.05,
        "runs": 2 * len(values),
    } | changes
    value = t_interval(values)
    return Summary(method=method, value=value, lift=(value.mean - 0.05) / 0.95, difference=difference, **named)


def change(mean, *, p_holm, effect=1.0, n=3):
    return Comparison(mean, mean - 0.01, mean + 0.01, n, p=p_holm, effect=effect, p_holm=p_holm)


def block(**changes):
    """The reference, one that is better and one that is worse than it, significantly, in this order."""
    return [
        summary("cca", [0.19, 0.2, 0.21], **changes),
        summary("masln", [0.29, 0.3, 0.31], difference=change(0.1, p_holm=0.0004), **changes),
        summary("masln_2 & more", [0.09, 0.1, 0.11], difference=change(-0.1, p_holm=0.2, effect=None), **changes),
    ]


def lines_of(text):
    """Cells of the tabular's lines, without rules and block titles."""
    body = text[text.index(r"\toprule") : text.index(r"\bottomrule")].splitlines()
    rows = [line for line in body if not line.startswith((r"\toprule", r"\midrule", r"\multicolumn"))]
    assert all(line.endswith(r" \\") for line in rows)
    return [[cell.strip() for cell in re.split(r"(?<!\\)&", line.removesuffix(r"\\"))] for line in rows]


def balanced(text):
    depth = 0
    for brace in re.findall(r"(?<!\\)[{}]", text):
        depth += 1 if brace == "{" else -1
        assert depth >= 0
    return depth == 0


def test_latex_has_the_same_columns_in_every_line_and_balanced_braces():
    both = [*block(), *block(data="fashion_%", regime="seen")]
    text = latex(both, metric="mAP@50 / min(R, 50)", reference="cca", directions={"i2t": both, "t2i": both})
    assert balanced(text)
    assert text.count("$") % 2 == 0
    (columns,) = re.findall(r"\\begin\{tabular\}\{(\w+)\}", text)
    assert {len(line) for line in lines_of(text)} == {len(columns)} == {6}
    assert {int(width) for width in re.findall(r"\\multicolumn\{(\d+)\}", text)} == {6}
    assert [re.findall(rf"\\{kind}\{{(\w+)\}}", text) for kind in ("begin", "end")] == [["table", "tabular"], ["tabular", "table"]]  # fmt: skip
    assert len(lines_of(text)) == 1 + len(both)


def test_latex_escapes_what_people_call_their_things():
    text = latex(block(data=r"50%_\#1~a^b{c}$"), metric="mAP", reference="cca")
    assert r"masln\_2 \& more" in text
    assert escape(r"50%_\#1~a^b{c}$") in text
    assert escape(r"50%_\#1~a^b{c}$") == r"50\%\_\textbackslash{}\#1\textasciitilde{}a\textasciicircum{}b\{c\}\$"
    assert balanced(text)


def test_latex_marks_the_best_the_second_and_what_differs():
    cca, masln, other = (line[1] for line in lines_of(latex(block(), metric="mAP", reference="cca"))[1:])
    assert masln == r"\textbf{0.300} $\pm$ 0.025$^\dagger$"
    assert cca == r"\underline{0.200} $\pm$ 0.025"
    assert other == r"0.100 $\pm$ 0.025"


def test_latex_marks_within_a_block_and_what_is_printed_alike_alike():
    rows = [summary("one", [0.30001, 0.30001]), summary("two", [0.29999, 0.29999]), summary("three", [0.1, 0.1])]
    alone = summary("one", [0.9, 0.9], data="fashion")
    text = latex([*rows, alone], metric="mAP", reference=None)
    values = [line[1].split(" ")[0] for line in lines_of(text)[1:]]
    assert values == [r"\textbf{0.300}", r"\textbf{0.300}", r"\underline{0.100}", "0.900"]
    assert "dagger" not in text


def test_latex_says_what_its_signs_mean():
    rows = [*block(), summary("cca", [0.5], data="fashion")]
    caption = re.search(r"\\caption\{(.*)\}", latex(rows, metric="mAP", reference="cca"))[1]
    assert r"mean over 1 or 3 class splits $\pm$ half-width of its 95 \% t-interval" in caption
    assert "best is bold, the second underlined" in caption
    assert r"$\dagger$ differs from cca: p $<$ 0.05" in caption
    assert "adjusted by Holm" in caption


def test_latex_of_a_single_split_has_no_half_width():
    (line,) = lines_of(latex([summary("cca", [0.2])], metric="mAP", reference=None))[1:]
    assert line == ["cca", "0.200", "0.050"]


def test_csv_holds_every_number_as_it_is():
    rows = [
        *block(),
        summary("one split", [1 / 3], difference=Comparison(0.1, math.nan, math.nan, 1, p=None, effect=None)),
    ]
    found = list(csv.DictReader(io.StringIO(csv_text(rows))))
    assert [line["method"] for line in found] == ["cca", "masln", "masln_2 & more", "one split"]
    for line, own in zip(found, rows, strict=True):
        assert (float(line["value"]), float(line["lift"])) == (own.value.mean, own.lift)
        assert int(line["runs"]) == 2 * int(line["splits"]) == 2 * own.value.n
    assert (found[0]["difference"], found[0]["p_holm"]) == ("", "")
    assert (float(found[1]["difference"]), float(found[1]["p_holm"]), float(found[1]["effect"])) == (0.1, 0.0004, 1.0)
    assert (found[3]["low"], found[3]["difference_high"], found[3]["p"]) == ("", "", "")
    assert found[0]["protocol"] == "extendable, test gallery, cosine"


def test_nothing_undefined_is_printed_as_nan():
    rows = [
        *block(),
        summary("one split", [0.2], difference=Comparison(0.1, math.nan, math.nan, 1, p=None, effect=None)),
    ]
    texts = [csv_text(rows), latex(rows, metric="mAP", reference="cca"), markdown(rows, reference="cca")]
    assert not [text for text in texts if re.search(r"\bnan\b|None|inf", text)]


def test_markdown_has_p_and_effect_beside_a_difference_and_only_there():
    heads, _, cca, masln, other = (
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in markdown(block(), reference="cca").splitlines()
    )
    assert heads[-3:] == ["− cca", "p (Holm)", "d"]
    assert (cca[-3:], masln[-3:], other[-2:]) == (["", "", ""], ["+0.100 ± 0.010", "< 0.001", "+1.0"], ["0.200", ""])
    assert "Holm" not in markdown(block(), reference=None)


def test_names_with_signs_of_the_form_stay_in_their_cell():
    named = [replace(each, method="a|b <i>[x] [/y]") for each in block()[:1]]
    line = markdown(named, reference=None).splitlines()[2]
    assert "a\\|b &lt;i>[x] [/y]" in line
    console = Console(width=120, record=True, file=io.StringIO())
    console.print(*summary_tables(named, reference=None))
    assert "a|b <i>[x] [/y]" in console.export_text()
    assert r"a\textbar{}b $<$i$>${[}x] {[}/y]" in latex(named, metric="mAP", reference=None)


def test_the_terminals_table_fits_80_columns_with_a_reference():
    console = Console(width=80, record=True, file=io.StringIO())
    long = replace(block()[1], method="semantic_matching tuned", data="data of a long name")
    timed = [replace(each, seconds=123.4) for each in (*block(), long)]
    console.print(*summary_tables(timed, reference="cca"))
    text = console.export_text()
    assert "…" not in text
    assert "tuned" in text
    for said in ("masln", "0.300 ± 0.025", "+0.100 ± 0.010", "< 0.001", "p (Holm)"):
        assert said in text


@pytest.mark.parametrize(
    ("p", "text"), [(None, ""), (0.0, "< 0.001"), (0.00099, "< 0.001"), (0.001, "0.001"), (1.0, "1.000")]
)
def test_p_values_are_printed_to_three_decimals(p, text):
    assert p_value(p) == text
