"""The page in a browser, as a person uses it."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from contrasts import CONTRASTS
from served import HOSTILE, PREVIEW, made_once, serving


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return made_once(tmp_path_factory.getbasetemp())


@pytest.fixture(scope="module")
def server(made):
    with serving(made) as address:
        yield address


@pytest.fixture
def opened(chromium, server):
    """Open an address; afterwards nothing was complained of, asked of another place, or run by a hostile text."""
    pages, wrong = [], []

    def watch(request):
        if not request.url.startswith((server, "data:", "blob:")):
            wrong.append(request.url)

    def said(message):
        if not re.search("status of (404|422|502)", message.text):
            wrong.append(message.text)

    def start(address="/", *, width=1280, scheme="light"):
        page = chromium.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
        page.set_default_timeout(10_000)
        pages.append(page)
        page.on("console", said)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("dialog", lambda dialog: wrong.append(dialog.message))
        page.on("request", watch)
        page.goto(server + address)
        page.locator("#find input").first.wait_for()
        return page

    yield start
    for page in pages:
        page.close()
    assert not wrong


def settled(page, said):
    """Wait for the live region to say how the search went."""
    page.get_by_role("status").filter(has_text=re.compile(said)).wait_for()


def asked(page):
    return {key: value[0] for key, value in parse_qs(urlsplit(page.url).query).items()}


def ids(page, section=0):
    finds = page.locator("#results section").nth(section).locator(".find")
    return [parse_qs(urlsplit(link).query)["item"][0] for link in finds.evaluate_all("all => all.map(a => a.href)")]


def focused(page):
    return page.evaluate("document.activeElement.id || document.activeElement.className")


def test_a_person_types_and_goes_on_with_a_result_and_back(opened):
    page = opened("/?run=first")
    page.get_by_label("Search for").fill("a bird")
    page.get_by_label("Search for").press("Enter")
    settled(page, "^6 images found")
    assert asked(page) == {"text": "a bird", "run": "first"}
    found = ids(page)
    page.locator(".find").nth(1).click()
    page.locator("#chosen img").wait_for()
    settled(page, "^6 images found")
    assert asked(page) == {"item": found[1], "side": "image", "find": "image", "run": "first"}
    assert found[1] not in ids(page)
    page.get_by_label("Texts").check()
    settled(page, "^6 texts found")
    page.go_back()
    settled(page, "^6 images found")
    page.go_back()
    page.locator("#chosen").wait_for(state="hidden")
    settled(page, "^6 images found")
    assert page.get_by_label("Search for").input_value() == "a bird"
    assert ids(page) == found
    page.go_back()
    page.locator("#start").wait_for()
    assert page.locator(".find").count() == 0


def test_an_address_holds_a_query(opened):
    page = opened("/?text=a+fish&find=text&k=3&seen=true&only=fish&part=train&run=second")
    settled(page, r"^\d texts? ?found|^\d texts found")
    assert page.get_by_label("Texts").is_checked()
    values = page.locator("select, [name=k]").evaluate_all("all => all.map(each => each.value)")
    assert values == ["fish", "true", "train", "3", "second"]
    assert set(page.locator(".find .classes").all_text_contents()) <= {"fish"}


def test_filters_search_again(opened):
    page = opened("/?text=a+bird&run=first")
    settled(page, "found")
    page.get_by_label("trained on").select_option("unseen classes")
    settled(page, "found")
    page.locator(".seen-mark").first.wait_for(state="detached")
    assert asked(page)["seen"] == "false"
    marks = page.locator(".find").evaluate_all("all => all.map(each => each.textContent.includes('○ unseen'))")
    assert marks
    assert all(marks)


def test_previews_are_as_large_as_the_server_makes_them(opened):
    page = opened("/?text=a+bird&find=image&run=first")
    settled(page, "images found")
    shown = page.locator(".find img").first
    assert shown.get_attribute("src").endswith(f"&size={PREVIEW}")
    # waits until it is loaded; `wait_for_function` evaluates strings again and again, which the page's policy forbids
    shown.evaluate("image => image.decode()")
    assert shown.evaluate("image => image.naturalWidth") > 0


def test_names_are_found_whatever_filter_was_set_before(opened):
    page = opened("/?text=a+bird&find=names&only=bird&seen=true&run=first")
    settled(page, "names found")


def test_names_describe_and_lead_to_items(opened):
    page = opened("/?item=bird/0&side=image&find=names&run=first")
    settled(page, "names found")
    assert page.locator("[name=only]").is_disabled(), "filters are of items"
    page.locator(".find").first.click()
    settled(page, "images found")
    assert "class" in asked(page)


def picture_of(made, name="fish/1"):
    return (made / "pictures" / f"{name}.png").read_bytes()


def test_a_picture_is_chosen_and_forgotten_on_loading_again(opened, made):
    page = opened("/?run=first")
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Choose a picture").click()
    chooser.value.set_files({"name": "mine.png", "mimeType": "image/png", "buffer": picture_of(made)})
    settled(page, "6 texts found")
    page.get_by_label("Images").check()
    settled(page, "6 images found")
    assert ids(page)[0] == "fish/1", "the very picture is in the index"
    assert page.locator("#chosen").text_content() == "picture: mine.pngRemove"
    page.reload()
    page.get_by_role("alert").filter(has_text="Drop it once more").wait_for()


DROP = """([bytes, kind]) => {
  const file = new File([new Uint8Array(bytes)], "dropped.png", { type: "image/png" }), data = new DataTransfer();
  data.items.add(file);
  const pasted = () => new ClipboardEvent("paste", { clipboardData: data, bubbles: true });
  const event = kind === "paste" ? pasted() : new DragEvent("drop", { dataTransfer: data, bubbles: true });
  document.body.dispatchEvent(event);
}"""


@pytest.mark.parametrize("kind", ["drop", "paste"])
def test_a_picture_is_dropped_or_pasted(opened, made, kind):
    page = opened("/?run=first&find=image")
    page.evaluate(DROP, [list(picture_of(made)), kind])
    settled(page, "6 images found")
    assert ids(page)[0] == "fish/1"
    page.get_by_role("button", name="Remove").click()
    page.locator("#start").wait_for()


def test_what_is_no_picture_is_told(opened):
    page = opened("/?run=first")
    page.evaluate(DROP, [list(b"no picture"), "drop"])
    page.get_by_role("alert").filter(has_text="no picture").wait_for()
    page.evaluate(DROP.replace("new Uint8Array(bytes)", "new Uint8Array(11e6)"), [[], "drop"])
    page.get_by_role("alert").filter(has_text="11.0 MB").wait_for()


def test_the_keyboard_alone(opened):
    page = opened("/?run=first")
    page.keyboard.press("/")
    assert focused(page) == "text"
    page.keyboard.type("a/bird")
    page.keyboard.press("Enter")
    settled(page, "found")
    assert page.get_by_label("Search for").input_value() == "a/bird"
    page.keyboard.press("ArrowDown")
    order = page.locator(".find").evaluate_all("all => all.map(each => each.href)")
    here = "document.activeElement.href"
    assert page.evaluate(here) == order[0]
    page.keyboard.press("ArrowRight")
    assert page.evaluate(here) == order[1]
    page.keyboard.press("Tab")
    assert page.evaluate(here) == order[2]
    page.keyboard.press("ArrowLeft")
    page.set_viewport_size({"width": 360, "height": 800})
    page.keyboard.press("ArrowDown")
    assert page.evaluate(here) == order[3], "two in a row: the one below"
    page.keyboard.press("ArrowUp")
    assert page.evaluate(here) == order[1]
    page.keyboard.press("Enter")
    page.locator("#chosen img").wait_for()
    settled(page, "found")
    assert asked(page)["item"] == parse_qs(urlsplit(order[1]).query)["item"][0]
    assert focused(page) == "results"
    page.keyboard.press("ArrowDown")
    assert focused(page).startswith("find")
    page.keyboard.press("Escape")
    page.locator("#start").wait_for()
    assert (focused(page), asked(page).get("item")) == ("text", None)


def test_focus_is_seen(opened):
    page = opened("/?text=a+bird&run=first")
    settled(page, "found")
    page.keyboard.press("/")
    for _ in range(24):
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline == "solid", page.evaluate("document.activeElement.outerHTML")
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement === document.body"):
            break


def test_two_runs_side_by_side(opened):
    page = opened("/?k=25")
    page.get_by_label("Search for").fill("a tree")
    page.get_by_role("button", name="Search", exact=True).click()
    settled(page, "25 images found by first, 25 images found by second")
    assert [each.split()[0] for each in page.locator("h2").all_text_contents()] == ["first", "second"]
    both = [ids(page, section) for section in (0, 1)]
    shared = [name for name in both[0] if name in both[1]]
    assert shared
    for section, other in ((0, 1), (1, 0)):
        finds = page.locator("#results section").nth(section).locator(".find").all_text_contents()
        for name, text in zip(both[section], finds, strict=True):
            assert ("in both" in text) == (name in shared)
            assert name not in shared or f"no. {both[other].index(name) + 1} in the other" in text
    boxes = page.locator("#results section").evaluate_all("all => all.map(each => each.getBoundingClientRect().top)")
    assert boxes[0] == boxes[1]
    page.get_by_label("run").select_option("second alone")
    settled(page, "^25 images found.$")
    assert ids(page) == both[1]


def test_hostile_texts_are_shown_and_do_nothing(opened):
    page = opened("/?text=an+apple&find=text&run=first")
    settled(page, "found")
    assert all(HOSTILE in text for text in page.locator(".what").all_text_contents())
    assert page.locator("img[src=x], [onerror]").count() == 0
    page.goto(
        page.url.split("?")[0]
        + "?text=%3Cimg%20src=x%20onerror=alert(1)%3E%20apple&run=%3Cimg%20src=x%3E&class=x&side=%3Cb%3E"
    )
    settled(page, "found")
    assert page.get_by_label("Search for").input_value() == f"{HOSTILE} apple"
    page.goto(page.url.split("?")[0] + "?item=%3Cimg%20src=x%20onerror=alert(1)%3E&side=%3Cb%3E")
    page.get_by_role("alert").first.wait_for()
    assert page.locator("img[src=x], [onerror], #chosen b").count() == 0
    assert HOSTILE in page.locator("select[name=only]").text_content()


def test_errors_are_told_and_go_away(opened):
    page = opened("/?text=qwxzv&run=first")
    page.get_by_role("alert").filter(has_text="no known English word").wait_for()
    page.get_by_label("Search for").fill("a bird")
    page.get_by_label("Search for").press("Enter")
    settled(page, "found")
    assert page.get_by_role("alert").count() == 0


def test_a_search_that_takes_its_time_says_so_and_a_newer_one_wins(opened):
    page = opened("/?run=first")
    waiting = []
    page.route("**/api/search", lambda route: waiting.append(route))
    box = page.get_by_label("Search for")
    box.fill("a bird")
    box.press("Enter")
    settled(page, "Searching")
    assert page.locator("#results").get_attribute("aria-busy") == "true"
    page.unroute("**/api/search")
    box.fill("a fish")
    box.press("Enter")
    settled(page, "found")
    assert page.locator("#results").get_attribute("aria-busy") is None
    assert asked(page)["text"] == "a fish"


def test_a_server_that_is_gone_is_told(opened):
    page = opened("/?run=first")
    page.route("**/api/search", lambda route: route.fulfill(status=502, body="<html>"))
    page.get_by_label("Search for").fill("a bird")
    page.get_by_label("Search for").press("Enter")
    page.get_by_role("alert").filter(has_text="status 502").wait_for()
    page.evaluate("() => { window.fetch = () => Promise.reject(new TypeError('gone')); }")
    page.get_by_label("Search for").press("Enter")
    page.get_by_role("alert").filter(has_text="does not answer").wait_for()


@pytest.mark.parametrize("address", ["/", "/?text=a+bird", "/?text=an+apple&find=text", "/?item=bird/0&find=names"])
def test_the_page_never_scrolls_sideways(opened, address):
    page = opened(address)
    if "?" in address:
        settled(page, "found")
    page.locator("details").evaluate_all("all => all.forEach(each => each.open = true)")
    for width in (360, 800, 1280, 2200):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_in_both_themes(opened, scheme):
    page = opened("/?text=a+bird", scheme=scheme)
    settled(page, "found")
    ground = sum(map(int, re.findall(r"\d+", page.evaluate("getComputedStyle(document.body).backgroundColor")))) / 3
    assert ground < 40 if scheme == "dark" else ground > 240
    found = page.evaluate(CONTRASTS, "noscript, [hidden], :disabled, option")
    assert len(found) > 60
    assert not [line for line in found if line[0] < 4.5]


def test_every_control_has_a_name_and_headings_are_in_order(opened):
    page = opened("/?text=a+bird")
    settled(page, "found")
    nameless = page.locator("input:not([hidden]), select, button").evaluate_all(
        "all => all.filter(each => !(each.labels?.length || each.textContent.trim())).map(each => each.outerHTML)"
    )
    assert not nameless
    assert page.locator("h1, h2").evaluate_all("all => all.map(each => each.tagName)") == ["H1", "H2", "H2"]
    assert page.locator("main, form[role=search], [role=status]").count() == 3
    assert page.locator("img:not([alt])").count() == 0
