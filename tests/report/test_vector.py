import re
from xml.etree import ElementTree

import pytest

from msl.report import drawings
from msl.report.page.vector import inline, vector

HOSTILE = '<script>alert(1)</script> $\\frac{ \x00\x1b\ud800\uffff id="x" url(#y) #1b1f24 ]]> 漢字 😀'


@pytest.fixture(scope="module")
def figure():
    series = {HOSTILE: ([1, 2, 3], [1, 2, 4], [0, 1, 3], [2, 3, 5])}
    return drawings.lines(series, xlabel="\\frac $x$ \0", ylabel="y")


@pytest.mark.parametrize(("kind", "start"), [("svg", b"<?xml"), ("pdf", b"%PDF")])
def test_a_figure_drawn_twice_is_the_same_bytes(figure, kind, start):
    first = vector(figure, kind, title=HOSTILE)
    assert first.startswith(start)
    assert first == vector(figure, kind, title=HOSTILE)
    assert not re.search(rb"dc:date|CreationDate", first)


def test_texts_stay_texts(figure):
    texts = [each.text for each in ElementTree.fromstring(vector(figure, "svg", title="t")).findall(".//{*}text")]
    assert "\\frac $x$ �" in texts  # no formula was made of it
    assert HOSTILE[:34] in " ".join(texts)
    assert "漢字 😀" in " ".join(texts)


def test_the_inline_copy_belongs_to_its_page(figure):
    svg = vector(figure, "svg", title="t")
    root = ElementTree.fromstring(inline(svg, name="figure-a", title=HOSTILE))
    assert (root[0].tag, root[0].text[:25], root[0].get("id")) == ("title", HOSTILE[:25], "figure-a-title")
    assert root.get("aria-labelledby") == "figure-a-title"
    assert root.get("aria-describedby") == "figure-a-said"
    assert root.find("desc") is None
    assert not list(root.iter("style"))
    assert not list(root.iter("metadata"))
    attributes = " ".join(value for each in root.iter() for key, value in each.attrib.items())
    ids = [each.get("id") for each in root.iter() if each.get("id")]
    assert all(each.startswith("figure-a-") for each in ids)
    references = re.findall(r"url\(#([^)]*)\)", attributes) + [each.get("href")[1:] for each in root.iter("use")]
    assert references
    assert set(references) <= set(ids)
    assert "currentColor" in attributes
    assert "var(--rule)" in attributes
    assert not [sign for sign in (drawings.INK, drawings.FAINT, drawings.PAPER) if sign in attributes]
    assert drawings.INK in svg.decode()
    written = " ".join(each.text for each in root.iter("text"))
    assert 'id="x"' in written
    assert "url(#y) #1b1f24" in written
