"""A static page of a report: one HTML file that needs nothing else, and beside it each drawing as SVG and PDF for papers.

Class names and texts of a data set are hostile: the template escapes everything, and the page's Content-Security-Policy
allows no script but its own and nothing from outside.
"""

import base64
import hashlib
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from msl.files import write_bytes, write_text
from msl.report.drawings import printable
from msl.report.page.cells import columns
from msl.report.page.parts import Drawing, Gallery, Grid, Item, Part, Prose, Section
from msl.report.page.thumbnail import thumbnail
from msl.report.page.vector import inline, vector

if TYPE_CHECKING:
    from jinja2 import Template

_HERE = Path(__file__).parent
_LONGEST = 160  # characters of an item's text


def write_page(file: Path, *, title: str, lead: Sequence[str], sections: Sequence[Section]) -> list[Path]:
    """Write the page and, in `figures_of` it, ``NAME.svg`` and ``.pdf`` of each drawing; gives what was written, the page first.

    The same input makes the same bytes. Raises InputError for a picture that cannot be read, and ValueError for two
    drawings of one name or a name that is no file's.
    """
    drawings = [part for section in sections for part in section.parts if isinstance(part, Drawing)]
    names = [drawing.name for drawing in drawings]
    if len(set(names)) < len(names) or not all(re.fullmatch(r"\w[\w.-]*", name, re.ASCII) for name in names):
        raise ValueError(f"each drawing wants a plain name of its own, not {names}")
    figures, written = figures_of(file), []
    svgs: dict[str, bytes] = {}
    for drawing in drawings:
        svgs[drawing.name] = vector(drawing.figure, "svg", title=drawing.title)
        pdf = vector(drawing.figure, "pdf", title=drawing.title)
        written += [
            write_bytes(figures / f"{drawing.name}.svg", svgs[drawing.name]),
            write_bytes(figures / f"{drawing.name}.pdf", pdf),
        ]
    views = [{"title": section.title, "parts": [*_views(section.parts, svgs)]} for section in sections]
    link = quote(os.fsencode(figures.name))  # whatever a file's name holds
    return [write_text(file, _html(title=title, lead=lead, sections=views, folder=link)), *written]


def figures_of(page: Path) -> Path:
    """The folder of a page's figures, beside it and named after it: `report-figures` for `report.html`."""
    return page.with_name(f"{page.stem}-figures")


def _html(**content: Any) -> str:
    style, script = ((_HERE / name).read_text(encoding="utf-8") for name in ("page.css", "page.js"))
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return _template().render(style=style, script=script, digest=digest, **content)


def _template() -> "Template":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    def shown(value: object) -> str:
        return value if isinstance(value, Markup) else printable(str(value))

    environment = Environment(
        loader=FileSystemLoader(_HERE),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html.jinja")


def _views(parts: Sequence[Part], svgs: Mapping[str, bytes]) -> Iterator[dict[str, Any]]:
    """What the template shows of each part; drawings that follow each other are one part, side by side where there is room."""
    for drawn, run in groupby(parts, key=lambda part: isinstance(part, Drawing)):
        if drawn:
            yield {
                "kind": "drawings",
                "drawings": [_drawing(part, svgs) for part in run if isinstance(part, Drawing)],
            }
            continue
        for part in run:
            match part:
                case Prose(paragraphs):
                    yield {"kind": "prose", "paragraphs": paragraphs}
                case Grid():
                    yield {"kind": "grid", "grid": _grid(part)}
                case Gallery(caption, rows):
                    lines = [{"query": _item(query), "finds": [*map(_item, finds)]} for query, finds in rows]
                    yield {"kind": "gallery", "caption": caption, "rows": lines}


def _drawing(part: Drawing, svgs: Mapping[str, bytes]) -> dict[str, Any]:
    svg = inline(svgs[part.name], name=f"figure-{part.name}", title=part.title)
    texts = {"title": part.title, "description": part.description}
    return {"name": part.name, "svg": svg, "numbers": part.numbers and _grid(part.numbers), **texts}


def _grid(part: Grid) -> dict[str, Any]:
    found = columns(part.keys or part.rows) or [(False, [])] * len(part.heads)
    heads = [(head, number) for head, (number, _) in zip(part.heads, found, strict=True)]
    keys = [*zip(*(key for _, key in found), strict=True)]
    rows = [[*zip(row, key, strict=True)] for row, key in zip(part.rows, keys, strict=True)]
    return {"caption": part.caption, "heads": heads, "rows": rows}


def _item(item: Item) -> dict[str, Any]:
    text = " ".join((item.text or "").split())
    short = text if len(text) <= _LONGEST else f"{text[:_LONGEST]} …"
    picture = thumbnail(item.picture) if item.picture else None
    return {"classes": item.classes, "right": item.right, "text": short, "picture": picture}
