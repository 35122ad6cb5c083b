import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import page_parts
import pytest
from contrasts import CONTRASTS

from msl.report import drawings
from msl.report.page.parts import Drawing, Gallery, Item, Section
from msl.report.page.write import write_page
from msl.types import InputError

VOID = {"meta", "img", "link", "br", "hr"}
SHOWN = '<script>alert(1)</script>"\'><img src=x onerror=alert(1)> $\\frac{1}$ & ��� id="x" url(#y) {{ 7*7 }}'


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    return page_parts.write(tmp_path_factory.mktemp("page"))


class Page(HTMLParser):
    """Every element with its attributes, in order; fails where an end tag is missing or stray."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.text: dict[str, list[str]] = {}
        self.open: list[str] = []
        self.feed(file.read_text(encoding="utf-8"))
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs):
        assert len(dict(attrs)) == len(attrs)
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.setdefault(self.open[-1] if self.open else "", []).append(data)

    def values(self, *names: str) -> list[str]:
        return [attributes[name] for _, attributes in self.elements for name in names if name in attributes]


@pytest.fixture(scope="module")
def page(written):
    return Page(written[0])


def test_ids_are_unique_and_what_they_name_is_there(page):
    ids = page.values("id")
    assert len(ids) == len(set(ids)) > 100
    named = [name for value in page.values("aria-labelledby", "aria-describedby") for name in value.split()]
    linked = [link[1:] for link in page.values("href") if link.startswith("#")]
    clips = re.findall(r"url\(#([^)]*)\)", " ".join(page.values("clip-path", "style")))
    assert named
    assert linked
    assert clips
    assert {*named, *linked, *clips} <= set(ids)


def test_headings_landmarks_and_names(page):
    tags = [tag for tag, _ in page.elements]
    assert [tag for tag in tags if re.fullmatch(r"h\d", tag)] == ["h1"] + 5 * ["h2"]
    assert [tags.count(tag) for tag in ("header", "nav", "main", "section")] == [1, 1, 1, 5]
    assert dict(page.elements)["html"] == {"lang": "en"}
    for tag, attributes in page.elements:
        if tag == "img":
            assert attributes["alt"].strip()
        elif tag == "svg":
            assert attributes["role"] == "img"
            name = attributes["aria-labelledby"].removesuffix("-title")
            assert attributes["aria-describedby"] == f"{name}-said"
        elif tag == "th":
            assert attributes["scope"] in ("row", "col")
        elif "scroll" in attributes.get("class", ""):
            assert (attributes["role"], attributes["tabindex"]) == ("group", "0")
    named = [each["aria-labelledby"] for _, each in page.elements if each.get("class") == "scroll"]
    assert named == [each["id"] for tag, each in page.elements if tag == "caption"]
    assert "desc" not in tags, "a figure's description stands in its caption"
    assert tags.count("caption") == tags.count("table") == 3


def test_right_and_wrong_are_told_in_words_and_signs(page):
    assert page.text["span"].count("right: ") == page.text["span"].count("✓ ") == 8
    assert page.text["span"].count("wrong: ") == page.text["span"].count("✗ ") == 8


def test_hostile_text_is_shown_and_does_nothing(page, written):
    assert page.text["p"].count(SHOWN) == 7  # lead, prose, three finds' texts and two finds' classes
    assert SHOWN in page.text["th"]
    assert f"{SHOWN}." in page.text["strong"]
    assert SHOWN in page.text["span"]
    assert SHOWN in page.text["title"]
    assert [tag for tag, _ in page.elements].count("script") == 1
    assert not [name for _, attributes in page.elements for name in attributes if name.startswith("on")]
    assert not {"\x00", "\x1b", "\ud800"} & set(written[0].read_text(encoding="utf-8"))


def test_nothing_refers_to_the_network(page, written):
    assert "http:" not in written[0].read_text(encoding="utf-8").lower().replace("http-equiv", "")
    assert not re.search(r"https:|@import|//\w+\.", " ".join(page.text["style"] + page.text["script"]))
    for place in page.values("src", "href", "srcset", "action"):
        assert place.startswith(("#", "data:image/", "report-figures/"))
    policy = next(attributes["content"] for tag, attributes in page.elements if "http-equiv" in attributes)
    assert policy.startswith("default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-")


def test_links_lead_to_the_figures_beside_the_page(page, written):
    root = written[0].parent
    linked = [root / link for link in page.values("href") if link.startswith("report-figures/")]
    assert linked == written[1:]
    for file in linked:
        assert file.read_bytes().startswith(b"%PDF-1" if file.suffix == ".pdf" else b"<?xml")


def test_a_caption_separates_the_title_from_what_it_says(page):
    titles = page.text["strong"]
    assert "Before training." in titles, "a title with a full stop has no second"
    assert f"{SHOWN}." in titles


def test_two_pages_of_a_folder_keep_their_figures_and_their_links_lead_there(tmp_path):
    for name, value in (("one.html", 0.2), ("a: 100 % #é.html", 0.9)):
        drawing = Drawing("same", "t", "d", drawings.bars(["a"], [value], xlabel="x", reference=None))
        file, *figures = write_page(tmp_path / name, title="", lead=[], sections=[Section("s", (drawing,))])
        linked = [unquote(link) for link in Page(file).values("href") if not link.startswith("#")]
        assert [str(each.relative_to(tmp_path)) for each in figures] == linked
        assert all(urlsplit(link).path == link for link in Page(file).values("href") if not link.startswith("#"))
    assert len({file.read_bytes() for file in tmp_path.glob("*-figures/same.svg")}) == 2


def test_same_input_same_bytes(tmp_path):
    first, again = (page_parts.write(tmp_path / name, only=slice(3, 5)) for name in "ab")
    assert len(first) == 5
    assert [file.read_bytes() for file in again] == [file.read_bytes() for file in first]


def test_pictures_are_made_small(written):
    assert written[0].stat().st_size < 700_000  # with 11 pictures of 400 x 600 pixels of noise


def one(name: str) -> Drawing:
    return Drawing(name, "t", "d", drawings.bars(["a"], [0.5], xlabel="x", reference=None))


@pytest.mark.parametrize("names", [("same", "same"), ("../up",), ("a/b",), ("",), (".hidden",)], ids=str)
def test_a_name_that_is_no_files_or_stands_twice_is_refused(tmp_path, names):
    with pytest.raises(ValueError, match="plain name"):
        write_page(tmp_path / "p.html", title="", lead=[], sections=[Section("s", tuple(map(one, names)))])
    assert not list(tmp_path.iterdir())


def test_a_picture_that_is_none_is_named(tmp_path):
    (tmp_path / "broken.png").write_bytes(b"\x89PNG no picture")
    part = Gallery("g", ((Item("c", None, tmp_path / "broken.png"), ()),))
    with pytest.raises(InputError, match=r"broken\.png.*restore"):
        write_page(tmp_path / "p.html", title="", lead=[], sections=[Section("s", (part,))])
    assert not (tmp_path / "p.html").exists()


@pytest.fixture
def opened(chromium, written):
    """Open the page; afterwards nothing was complained of, asked of the network, or run by a hostile text."""
    pages, wrong = [], []

    def watch(request):
        if not request.url.startswith(("file:", "data:")):
            wrong.append(request.url)

    def start(*, width: int = 1440, scheme: str = "light", script: bool = True):
        shown = chromium.new_page(
            viewport={"width": width, "height": 800}, color_scheme=scheme, java_script_enabled=script
        )
        pages.append(shown)
        shown.on("console", lambda message: wrong.append(message.text))
        shown.on("pageerror", lambda error: wrong.append(str(error)))
        shown.on("dialog", lambda dialog: wrong.append(dialog.message))
        shown.on("request", watch)
        shown.goto(written[0].as_uri())
        return shown

    yield start
    for shown in pages:
        shown.close()
    assert not wrong


ROWS = "table => [...table.tBodies[0].rows].map(row => row.cells[0].textContent.slice(0, 6))"
BY_DIFFERENCE = ["<scrip", "MASLN", "chance", "CCA"]  # -0.100, -0.006, +0.011 and none


def state(table, column):
    return table.locator("thead th").nth(column).get_attribute("aria-sort")


def test_a_click_sorts_numbers_missing_ones_last(opened):
    shown = opened()
    table = shown.locator("table").first
    head = table.get_by_role("button", name="difference")
    assert state(table, 3) == "none"
    head.click()
    assert table.evaluate(ROWS) == BY_DIFFERENCE
    assert state(table, 3) == "ascending"
    assert shown.locator("[aria-live]").text_content() == "Sorted by difference, ascending."
    head.click()
    assert table.evaluate(ROWS) == ["chance", "MASLN", "<scrip", "CCA"]
    assert state(table, 3) == "descending"
    table.get_by_role("button", name="queries").click()
    assert table.evaluate(ROWS) == ["<scrip", "chance", "MASLN", "CCA"]  # 10, 980, 1,240 twice in their order
    assert state(table, 3) == "none"
    table.get_by_role("button", name="note").click()
    assert table.evaluate(ROWS) == ["CCA", "<scrip", "MASLN", "chance"]


def test_the_keyboard_sorts(opened):
    shown = opened()
    table = shown.locator("table").first
    for _ in range(40):
        shown.keyboard.press("Tab")
        if shown.evaluate("document.activeElement.textContent") == "difference":
            break
    shown.keyboard.press("Enter")
    assert table.evaluate(ROWS) == BY_DIFFERENCE
    shown.keyboard.press("Space")
    assert state(table, 3) == "descending"
    assert shown.evaluate("document.activeElement.textContent") == "difference"


@pytest.mark.parametrize("width", [360, 1440])
def test_the_page_never_scrolls_sideways(opened, width):
    shown = opened(width=width)
    shown.locator("details").evaluate_all("all => all.forEach(each => each.open = true)")
    assert shown.evaluate("document.documentElement.scrollWidth") <= width
    wide = shown.locator("*").evaluate_all(
        "(all, width) => all.filter(each => each.getBoundingClientRect().right > width && !each.closest('.scroll'))"
        ".map(each => each.outerHTML.slice(0, 80))",
        width,
    )
    assert not wide
    scrolled = shown.locator(".scroll").first.evaluate("each => each.scrollWidth > each.clientWidth")
    assert scrolled == (width == 360)


@pytest.mark.parametrize("width", [360, 1440])
def test_the_tab_key_stops_at_a_table_only_where_it_scrolls(opened, width):
    shown = opened(width=width)
    shown.locator("details").evaluate_all("all => all.forEach(each => each.open = true)")
    shown.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    found = shown.locator(".scroll").evaluate_all(
        "all => all.map(each => [each.scrollWidth > each.clientWidth || each.scrollHeight > each.clientHeight, each.tabIndex])"
    )
    assert all(stop == (0 if scrolls else -1) for scrolls, stop in found)
    assert found[0][0] == (width == 360)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_in_both_themes(opened, scheme):
    shown = opened(scheme=scheme)
    ground = shown.evaluate("getComputedStyle(document.body).backgroundColor")
    lightness = sum(map(int, re.findall(r"\d+", ground))) / 3
    assert lightness < 40 if scheme == "dark" else lightness > 240
    found = shown.evaluate(CONTRASTS, "script, title")
    assert len(found) > 200
    assert not [line for line in found if line[0] < 4.5]


def test_without_javascript_the_page_is_whole(opened):
    shown = opened(script=False)
    assert shown.get_by_role("button").count() == 0
    assert shown.locator(".scroll:not([tabindex])").count() == 0
    assert shown.locator("th", has_text="difference").first.is_visible()
    assert shown.locator("figure.drawing svg").count() == 8
    assert all(image.is_visible() for image in shown.locator("img").all())
