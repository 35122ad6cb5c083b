"""The numbered differences from the paper, from the page that states them."""

import re

from msl.files import embedded
from msl.report.page.parts import Grid, Prose, Section

_ITEM = re.compile(r"^\d+\. .*(?:\n {2,}\S.*)*", re.MULTILINE)
_ROW = re.compile(r"^\| *\d+ *\|.*\|$", re.MULTILINE)


def paper_section() -> Section:
    """What MASLN's reproduction does otherwise than the paper, and what the paper leaves open."""
    page = (embedded("docs") / "differences.md").read_text(encoding="utf-8")
    heads = ("number", "choice", "where", "what and why")
    choices = Grid(caption="Left open by the paper, chosen here", heads=heads, rows=rows(page))
    said = "The paper states its equations, not its settings. The choices are the defaults; this run's overrides stand below."
    return Section("Differences from the paper", (Prose((said, *items(page))), choices))


def items(page: str) -> list[str]:
    """The numbered items of a Markdown page, each as one line of plain text."""
    return [plain(found) for found in _ITEM.findall(page)]


def rows(page: str) -> list[list[str]]:
    """The numbered rows of a Markdown page's tables, each cell as plain text."""
    return [[plain(cell) for cell in row.strip("|").split("|")] for row in _ROW.findall(page)]


def plain(markdown: str) -> str:
    """Markdown's text without its marks, on one line."""
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", markdown)
    return " ".join(re.sub(r"`|\*\*", "", text).split())
