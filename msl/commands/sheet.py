"""The contact sheet of a search: the query, and what was found for it."""

from pathlib import Path

from msl.report.figures import QUERY
from msl.report.sheet import Cell, write_sheet
from msl.serve.retriever import Hit

SEEN, UNSEEN = "#57606a", "#0969da"
_COLUMNS = 6


def write_finds(hits: list[Hit], *, query: Cell, pictures: bool, title: str, file: Path) -> Path:
    """Write the query and, six in a line, the finds: their classes and scores, unseen ones in blue."""
    cells = [query, *(_cell(hit, pictures=pictures) for hit in hits)]
    lines = [cells[start : start + _COLUMNS] for start in range(0, len(cells), _COLUMNS)]
    return write_sheet(lines, title=f"{title}\nblue: classes never trained on", file=file)


def query_cell(*, text: str = "", picture: Path | None = None) -> Cell:
    """What was searched with."""
    return Cell("query", QUERY, picture=picture, text=text)


def _cell(hit: Hit, *, pictures: bool) -> Cell:
    score = "" if hit.score is None else f"{hit.score:.0%} "
    title = f"{score}{', '.join(hit.item.classes)}"
    colour = UNSEEN if hit.seen is False else SEEN
    return Cell(title, colour, picture=hit.item.picture if pictures else None, text=hit.item.text or hit.item.id)
