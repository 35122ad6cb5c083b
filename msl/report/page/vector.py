"""A matplotlib `Figure` as bytes of SVG and PDF for papers, and as an SVG inside a page that takes on the page's colours."""

import io
import re
import warnings
from typing import Any, Literal
from xml.etree import ElementTree

from matplotlib import rc_context
from matplotlib.figure import Figure

from msl.report.drawings import FAINT, INK, PAPER, STYLE, printable

_THEME = {INK: "currentColor", FAINT: "var(--rule)", PAPER: "var(--page)"}
_SAVING: dict[Any, Any] = {"svg.fonttype": "none", "svg.hashsalt": "msl", "pdf.fonttype": 42}
_UNDATED = {"svg": {"Date": None, "Creator": None}, "pdf": {"CreationDate": None, "Creator": None, "Producer": None}}


def vector(figure: Figure, kind: Literal["svg", "pdf"], *, title: str) -> bytes:
    """The figure as a file: real text, transparent ground, and the same bytes for the same figure."""
    buffer = io.BytesIO()
    with rc_context(STYLE | _SAVING), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")  # a browser has the font
        figure.savefig(buffer, format=kind, metadata={"Title": printable(title), **_UNDATED[kind]})
    return buffer.getvalue()


def inline(svg: bytes, *, name: str, title: str) -> str:
    """Matplotlib's SVG as an element of a page: ids made the page's own by `name`, no namespaces.

    It is named by its title and described by the page's element `NAME-said`.
    """
    root = ElementTree.fromstring(svg)
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
        element.attrib = {key.rpartition("}")[2]: _own(key, value, name) for key, value in element.attrib.items()}
    for alien in (*root.findall("metadata"), *root.findall("title"), *root.findall("defs")[:1]):
        root.remove(alien)  # the first <defs> holds a style that would govern the whole page
    named = ElementTree.Element("title", {"id": f"{name}-title"})
    named.text = printable(title)
    root.insert(0, named)
    width, height = (float(side) for side in root.attrib["viewBox"].split()[2:])
    # 9 pt of a figure are drawn as 13.5 px, beside the page's 16 px
    root.attrib = {"viewBox": root.attrib["viewBox"], "width": f"{1.5 * width:.0f}", "height": f"{1.5 * height:.0f}"}
    root.attrib |= {"role": "img", "aria-labelledby": f"{name}-title", "aria-describedby": f"{name}-said"}
    return ElementTree.tostring(root, encoding="unicode")


def _own(key: str, value: str, name: str) -> str:
    if key == "id":
        return f"{name}-{value}"
    if key.endswith("href"):
        return value.replace("#", f"#{name}-", 1)
    if "url(#" in value:
        return value.replace("url(#", f"url(#{name}-")
    return re.sub("|".join(_THEME), lambda found: _THEME[found[0]], value)
