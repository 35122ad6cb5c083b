import asyncio
import io
import json
import re
import shutil
import socket
import struct
import threading
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import httpx2
import numpy as np
import pytest
from fastapi import HTTPException
from PIL import Image
from served import HOSTILE, SECONDS, inside, made_once, msl, serving
from starlette.testclient import TestClient

from msl.commands.retrieval import load_retriever
from msl.serve.items import Item, Items
from msl.serve.retriever import Only, Query
from msl.serve.web.app import create_app
from msl.serve.web.guard import Guard
from msl.serve.web.limits import Limits
from msl.serve.web.live import Live
from msl.serve.web.messages import Question
from msl.serve.web.service import Service
from msl.types import InputError

LIMITS = Limits(k=20, text=200, body=5_000, upload=50_000, pixels=100_000, preview=32, seconds=5)
ITEM = "bird/0"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return made_once(tmp_path_factory.getbasetemp())


@pytest.fixture(scope="module")
def server(made):
    with serving(made) as address:
        yield address


def client_of(runs, *, limits=LIMITS, hosts=(), **options):
    app = create_app(runs, k=5, limits=limits, hosts=hosts, concurrency=4)
    return TestClient(app, base_url="http://localhost", raise_server_exceptions=False, **options)


@pytest.fixture(scope="module")
def client(made):
    runs = {"first": Live(made / "first", load_retriever), "second": Live(made / "second", load_retriever)}
    with client_of(runs) as client:
        yield client


@pytest.fixture(scope="module")
def oracle(made):
    return load_retriever(made / "first")


def search(client, **question):
    answer = client.post("/api/search", json=question)
    assert answer.status_code == 200, answer.text
    return answer.json()


def upload(client, content, **fields):
    return client.post("/api/search/image", files={"image": ("picture.png", content)}, data=fields)


def error(answer):
    """The one line of a failure, which tells nothing of this machine."""
    assert list(answer.json()) == ["error"]
    line = answer.json()["error"]
    assert line
    assert "\n" not in line
    assert "Traceback" not in line
    assert "/tmp" not in line
    return line


def png(width, height, *, compressed=None):
    """A PNG of which only the header need be true."""

    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    body = zlib.compress(bytes(height * (width + 1)) if compressed is None else compressed)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def expected(hits):
    return [(hit.item.id, hit.cosine, hit.score, hit.seen) for hit in hits]


def told(answer):
    return [(hit["id"], hit["cosine"], hit["score"], hit["seen"]) for hit in answer["hits"]]


@pytest.mark.parametrize("find", ["image", "text"])
def test_a_text_finds_what_the_retriever_finds(client, oracle, find):
    answer = search(client, text="a bird", find=find, k=7)
    assert (answer["run"], answer["asked"], answer["find"]) == ("first", "text", find)
    wanted = oracle.search(Query(modality="b", raw="a bird"), find=oracle.modality(find), k=7)
    assert told(answer) == expected(wanted)
    assert len(answer["hits"]) == 7


def test_an_item_finds_others_and_is_told_with_the_answer(client, oracle):
    answer = search(client, item=ITEM, side="text", find="text", k=3)
    assert told(answer) == expected(oracle.search(Query(modality="b", item=ITEM), find="b", k=3))
    assert answer["item"]["id"] == ITEM
    assert ITEM not in [hit["id"] for hit in answer["hits"]]
    assert search(client, item=ITEM)["asked"] == "image", "the first side it has"


def test_a_class_is_asked_with_as_a_text(client):
    assert told(search(client, **{"class": "a-bird"})) == told(search(client, text="a bird"))


def test_filters_reach_the_retriever(client, oracle):
    answer = search(
        client, text="a bird", k=20, only={"seen": False, "part": "test", "classes": ["fish", "tree", "boat", "bird"]}
    )
    only = Only(seen=False, part="test", classes=("fish", "tree", "boat", "bird"))
    assert told(answer) == expected(oracle.search(Query(modality="b", raw="a bird"), find="a", k=20, only=only))
    assert all(hit["seen"] is False and hit["part"] == "test" for hit in answer["hits"])


def test_each_run_answers_for_itself(client):
    first, second = (search(client, text="a bird", run=run) for run in ("first", "second"))
    assert (first["run"], second["run"]) == ("first", "second")
    assert told(first) != told(second)


def test_a_picture_finds_what_its_pixels_find(client, oracle, made):
    content = (made / "pictures" / f"{ITEM}.png").read_bytes()
    answer = upload(client, content, find="image", k=4, classes=["bird", "fish"]).json()
    wanted = oracle.search(
        Query(modality="a", raw=Image.open(io.BytesIO(content))), find="a", k=4, only=Only(classes=("bird", "fish"))
    )
    assert told(answer) == expected(wanted)
    assert answer["asked"] == "image"
    assert answer["hits"][0]["cosine"] == pytest.approx(1, abs=1e-5), "it is in the index itself"


def test_names_of_a_picture_an_item_and_a_text(client, oracle, made):
    labels = oracle.annotate(Query(modality="a", item=ITEM), k=2)
    wanted = [vars(label) for sort in labels.values() for label in sort]
    assert client.get("/api/annotate", params={"item": ITEM, "k": 2}).json()["names"] == wanted
    assert search(client, item=ITEM, find="names", k=2)["names"] == wanted
    picture = upload(client, (made / "pictures" / f"{ITEM}.png").read_bytes(), find="names", k=2).json()
    assert [each["name"] for each in picture["names"]] == [each["name"] for each in wanted]
    assert client.get("/api/annotate", params={"text": "a fish", "k": 1}).json()["names"][0]["name"] == "fish"
    refused = client.get("/api/annotate", params={"text": "a fish", "find": "image"})
    assert (refused.status_code, "find" in refused.text) == (422, True)


def test_what_there_is_to_search(client, oracle):
    found = client.get("/api/runs").json()
    assert [run["name"] for run in found["runs"]] == ["first", "second"]
    run = found["runs"][0]
    assert run["modalities"] == run["reads"] == ["image", "text"]
    assert run["counts"] == {"image": 50, "text": 50}
    assert {each["name"] for each in run["classes"] if each["seen"]} == oracle.trained
    assert all(each["items"] == 5 for each in run["classes"])
    assert len(run["classes"]) == 10
    assert found["limits"] == {"k": 20, "text": 200, "upload": 50_000, "preview": 32}
    assert client.get("/healthz").json() == {"status": "ok"}


def test_an_item_and_its_picture(client, made):
    item = client.get(f"/api/items/{quote(ITEM, safe='')}").json()
    assert (item["id"], item["classes"]) == (ITEM, ["bird"])
    assert client.get(f"/api/items/{ITEM}").json() == item
    answer = client.get(item["picture"])
    assert answer.headers["content-type"] == "image/webp"
    with Image.open(io.BytesIO(answer.content)) as shown, Image.open(made / "pictures" / f"{ITEM}.png") as own:
        assert shown.size == own.size
        assert np.abs(np.asarray(shown, float) - np.asarray(own, float)).mean() < 20, "compressed, but the same"
    small = client.get(f"{item['picture']}&size=10")
    assert Image.open(io.BytesIO(small.content)).size == (10, 10)


def test_a_picture_is_sent_again_only_when_it_has_changed(client):
    address = search(client, text="a bird", k=1)["hits"][0]["picture"] + "&size=16"
    first = client.get(address)
    again = client.get(address, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    other = client.get(address.replace("16", "17"), headers={"If-None-Match": first.headers["etag"]})
    assert other.status_code == 200


def test_the_schema_names_every_address_and_nothing_comes_from_elsewhere(client):
    paths = client.get("/openapi.json").json()["paths"]
    api = {"search", "search/image", "annotate", "items/{id}", "pictures/{id}", "runs"}
    assert set(paths) == {f"/api/{name}" for name in api} | {"/healthz"}
    assert [client.get(page).status_code for page in ("/docs", "/redoc")] == [404, 404]
    for page in (
        "/",
        *(f"/page/{name}" for name in ("page.css", "page.js", "ask.js", "keys.js", "place.js", "results.js")),
    ):
        text = client.get(page).text
        assert "http:" not in text
        assert "https:" not in text


@pytest.mark.parametrize(
    "path",
    [
        "/api/items/no%20such", "/api/items/..%2F..%2Fetc%2Fpasswd", "/api/items/%2Fetc%2Fpasswd", "/api/items/bird%2F0%00", "/api/items/%00",
        "/api/items/%FF", "/api/items/", "/api/pictures/..%2F..%2Fpictures%2Fbird%2F0.png", "/api/pictures/bird%5C0", "/api/pictures/%00",
        "/api/pictures/bird%2F0%0D%0AX:1", "/page/..%2Fapp.py", "/page/%2e%2e/app.py", "/api/items/bird%2F0?run=..%2Ffirst", "/nothing",
    ],
)  # fmt: skip
def test_only_ids_of_the_index_lead_anywhere(client, path):
    answer = client.get(path)
    assert answer.status_code == 404
    error(answer)


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ({}, "one of a text, an item and a class"),
        ({"text": "  "}, "something in it"),
        ({"text": "a", "item": "b"}, "one of"),
        ({"text": "x" * 201}, "201 characters"),
        ({"text": "qwxzv"}, "no known English word"),
        ({"text": "bird", "k": 0}, "body.k"),
        ({"text": "bird", "k": 21}, "at most 20"),
        ({"text": "bird", "k": 1e400}, "body.k"),
        ({"text": "bird", "find": "sound"}, "images and texts"),
        ({"text": "bird", "surprise": 1}, "body.surprise"),
        ({"text": "bird", "only": {"part": "../test"}}, "body.only.part"),
        ({"text": ["bird"]}, "body.text"),
        ({"item": ITEM, "side": "sound"}, "images and texts"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_wrong_question_is_answered_in_one_line(client, question, said):
    answer = client.post("/api/search", content=json.dumps(question), headers={"content-type": "application/json"})
    assert answer.status_code == 422
    assert said in error(answer)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"text": "\\ud800"}', 422), (b'{"item": "\\ud800"}', 422), (b'{"item": "a\\u0000b"}', 404), (b'{"item": "no such"}', 404),
        (b'{"text": "a bird", "run": "none"}', 404), (b'{"text":', 422), (b"[" * 4_000, 400), (b"\xff", 400), (b"null", 422), (b"[]", 422),
        (b'{"text": "a bird", "k": ' + b"9" * 4_500 + b"}", 400), (b'{"text": "' + b"a" * 1_000_000 + b'"}', 413),
    ],
    ids=range(12),
)  # fmt: skip
def test_a_wrong_body_is_answered_in_one_line(client, body, status):
    answer = client.post("/api/search", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == status
    error(answer)


def test_the_body_is_counted_while_it_arrives(client):
    taken = []

    def pieces():
        for _ in range(1_000):
            taken.append(1)
            yield b"x" * 1_000

    answer = client.post("/api/search", content=pieces(), headers={"content-type": "application/json"})
    assert answer.status_code == 413
    assert "content-length" not in answer.request.headers
    big = client.post("/api/search/image", files={"image": ("a.png", b"x" * 60_000)})
    assert (big.status_code, "50,000 bytes" in error(big)) == (413, True)


@pytest.mark.parametrize("length", ["x", "-1", "9" * 400, "²"], ids=["word", "negative", "long", "superscript"])
def test_an_impossible_length_is_refused(length):
    assert refused({"content-length": length}) == 413


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"this is text", "no picture"),
        (b"", "empty"),
        (b"%PDF-1.7", "no picture"),
        (png(30_000, 30_000, compressed=b""), "100,000 pixels"),
        (png(1_000, 1_000), "100,000 pixels"),
        (png(50, 50)[:-30], "truncated|damaged"),
        (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "no picture"),
    ],
    ids=["text", "empty", "pdf", "bomb", "large", "cut", "svg"],
)
def test_what_is_no_picture_is_said_in_one_line(client, content, said):
    answer = upload(client, content)
    assert answer.status_code == 422
    assert re.search(said, error(answer))


def test_an_upload_that_is_no_form_or_lacks_its_picture(client):
    for options in (
        {"json": {}},
        {"data": {"k": 1}},
        {"content": b"x", "headers": {"content-type": "multipart/form-data"}},
    ):
        answer = client.post("/api/search/image", **options)
        assert answer.status_code in (400, 422)
        error(answer)
    assert upload(client, png(9, 9), surprise="1").status_code == 422


ARRIVED = b'{"text": "a bird"}'


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200), ("localhost:99", 200), ("127.0.0.1:8000", 200), ("[::1]:1", 200), ("LOCALHOST", 200), ("search.example", 200),
        ("evil.example", 421), ("localhost.evil.example", 421), ("127.0.0.1.evil.example", 421), ("", 421), ("localhost:x", 421),
        ("localhost@evil.example", 421), ("evil.example@localhost", 421), ("localhost/", 421), ("localhost#", 421), ("[::1", 421), ("0.0.0.0", 421),
    ],
)  # fmt: skip
def test_it_answers_to_its_own_names_only(host, status):
    assert refused({"host": host}) == status


def test_two_hosts_or_none_are_refused():
    assert refused({}, more=[(b"host", b"localhost")]) == 421
    assert refused({"host": None}) == 421


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"origin": "http://localhost"}, 200),
        ({"sec-fetch-site": "same-origin"}, 200),
        ({"sec-fetch-site": "none"}, 200),
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "http://localhost:81"}, 403),
        ({"origin": "http://[::1"}, 403),
        ({"origin": "http://localhost", "sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
    ],
    ids=str,
)
def test_a_page_of_another_site_cannot_ask(headers, status):
    assert refused(headers) == status
    assert refused(headers, method="GET") == 200, "a link from anywhere may lead here"


def refused(headers, *, method="POST", more=()):
    """The status that a guard around an application which answers everything gives."""

    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body"})

    given = {"host": "localhost"} | headers
    raw = [(name.encode(), value.encode("latin-1")) for name, value in given.items() if value is not None]
    scope = {"type": "http", "method": method, "path": "/api/search", "headers": [*raw, *more], "query_string": b""}
    sent = []

    async def run():
        async def send(message):
            sent.append(message)

        await Guard(app, hosts=["search.example"], limits=LIMITS)(scope, None, send)

    asyncio.run(run())
    assert (b"x-content-type-options", b"nosniff") in sent[0]["headers"]
    return sent[0]["status"]


def test_a_body_that_comes_too_slowly_is_given_up():
    async def app(scope, receive, send):
        while (await receive())["more_body"]:
            pass

    async def drip():
        await asyncio.sleep(0.3)
        return {"type": "http.request", "body": b"x", "more_body": True}

    scope = {"type": "http", "method": "POST", "path": "/", "headers": [(b"host", b"localhost")]}
    guard = Guard(app, hosts=(), limits=LIMITS.model_copy(update={"seconds": 1}))
    start = time.monotonic()
    with pytest.raises(HTTPException) as raised:
        asyncio.run(guard(scope, drip, None))
    assert raised.value.status_code == 408
    assert time.monotonic() - start < 5


def test_every_answer_carries_its_headers_failures_too(client):
    for path in ("/", "/api/runs", "/nothing", f"/api/pictures/{quote(ITEM, safe='')}", "/page/page.js"):
        headers = client.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        policy = headers["content-security-policy"]
        assert "frame-ancestors 'none'" in policy
        assert "script-src 'self'" in policy
        assert "unsafe" not in policy
        assert not [name for name in headers if name.startswith("access-control")]


def test_no_answer_says_where_files_lie(client, made):
    answers = [
        search(client, text="a bird", k=20),
        client.get("/api/runs").json(),
        client.get("/api/annotate?text=bird").json(),
    ]
    assert str(made) not in str(answers)
    assert ".png" not in str(answers)


def test_an_error_that_names_a_file_of_the_server_is_only_printed(made, tmp_path, monkeypatch, caplog):
    shutil.copytree(made / "first", tmp_path / "my own runs" / "first run")
    monkeypatch.chdir(tmp_path)
    live = Live(Path("my own runs/first run"), load_retriever)
    with client_of({"run": live}) as client:
        live.now().retriever.items.file.write_bytes(b"no database" * 100)
        for answer in (client.post("/api/search", json={"text": "a bird"}), client.get("/api/items/bird/0")):
            assert answer.status_code == 500
            assert not re.search("first|my own|sqlite", error(answer))
    assert "my own runs/first run" in caplog.text


def test_a_slash_that_was_asked_with_is_told_again(client):
    answer = client.post("/api/search", json={"text": "qwx/zv \\ xq"})
    assert answer.status_code == 422
    assert "qwx/zv" in error(answer)


def test_names_are_not_narrowed_by_what_narrows_items(client, made):
    only = {"classes": ["bird"]}
    answer = client.post("/api/search", json={"item": ITEM, "find": "names", "only": only})
    assert answer.status_code == 422
    assert "find=names" in error(answer)
    picture = (made / "pictures" / f"{ITEM}.png").read_bytes()
    assert upload(client, picture, find="names", seen="true").status_code == 422
    assert search(client, item=ITEM, find="names", only={})["names"]


def test_an_item_whose_picture_is_gone_has_none_to_show(client, monkeypatch):
    monkeypatch.setattr(Item, "picture", None)
    answer = client.get(f"/api/pictures/{ITEM}")
    assert answer.status_code == 404
    assert "no picture" in error(answer)


def test_what_nobody_foresaw_is_no_traceback(made):
    live = Live(made / "first", load_retriever)
    live.ask = lambda question: 1 / 0
    with client_of({"first": live}) as client:
        answer = client.post("/api/search", json={"text": "a bird"})
    assert answer.status_code == 500
    assert "printed" in error(answer)
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.fixture
def copied(made, tmp_path):
    shutil.copytree(made / "first", tmp_path / "run")
    return tmp_path / "run"


def test_an_index_that_changes_is_read_again(copied, made, tmp_path):
    live = Live(copied, load_retriever)
    with client_of({"run": live}) as client:
        before = live.now()
        assert live.now() is before
        assert "bird/1" in [
            hit["id"] for hit in search(client, text="a bird", k=20, only={"classes": ["bird"]})["hits"]
        ]
        with inside(tmp_path):
            msl("index", f"run={copied}", "delete=[bird/1]")
        assert "bird/1" not in [hit["id"] for hit in search(client, text="a bird", k=20)["hits"]]
        assert client.get("/api/runs").json()["runs"][0]["counts"] == {"image": 49, "text": 49}
        with inside(tmp_path):
            msl("index", f"run={copied}", f"add=[{made / 'out'}]", "replace=true")
        assert client.get("/api/runs").json()["runs"][0]["counts"] == {"image": 50, "text": 50}
        assert live.now().retriever.readers is before.retriever.readers, "encoders are not loaded again"
        with inside(tmp_path):
            msl("index", f"run={copied}")
            msl("index", f"run={copied}")
        assert len(search(client, text="a bird", k=20)["hits"]) == 20
        assert len(before.retriever.indexes["a"].store.codes) == 50, "who still holds the first one can read it"


def test_an_index_that_breaks_is_searched_on_as_it_was(copied, caplog):
    live = Live(copied, load_retriever)
    before = live.now()
    (copied / "index" / "current").write_text("000009\n")
    assert live.now() is live.now() is before
    assert caplog.text.count("searched on") == 1


@pytest.mark.parametrize("content", [b"\xff\xfe", b"\0", b"x" * 5_000, b"../.."], ids=["bytes", "nul", "long", "up"])
def test_a_damaged_pointer_to_the_index_is_searched_on_as_it_was(copied, content):
    live = Live(copied, load_retriever)
    before = live.now()
    with client_of({"run": live}) as client:
        (copied / "index" / "current").write_bytes(content)
        assert len(search(client, text="a bird", k=3)["hits"]) == 3
    assert live.now() is before


def test_whatever_is_raised_while_an_index_is_read_again_the_old_one_is_searched_on(copied, caplog):
    live = Live(copied, load_retriever)
    before = live.now()
    live._load = lambda run: 1 / 0
    (copied / "index" / "current").write_text((copied / "index" / "current").read_text())
    assert live.now() is live.now() is before
    assert caplog.text.count("division by zero; the index as it was is searched on") == 1


def test_filters_and_counts_are_read_once_of_an_index(copied, monkeypatch):
    read, rounds, all_of = [], [], Items.__iter__
    monkeypatch.setattr(Items, "__iter__", lambda items: read.append(1) or all_of(items))
    with client_of({"run": Live(copied, load_retriever)}) as client:
        for seen in (True, False, True):
            search(client, text="a bird", only={"seen": seen})
            client.get("/api/runs")
            rounds.append(len(read))
    assert rounds[0] > 0
    assert len(set(rounds)) == 1, "the first question reads them, the others do not"


def test_no_search_is_lost_while_the_index_is_made_again(copied, tmp_path):
    live, stop, answers = Live(copied, load_retriever), threading.Event(), []
    service = Service({"run": live}, k=10, limits=LIMITS)

    def ask():
        while not stop.is_set():
            answers.append(len(service.search(Question(text="a bird")).hits))

    first = live.now()
    with ThreadPoolExecutor(2) as pool, inside(tmp_path):
        asking = [pool.submit(ask) for _ in range(2)]
        try:
            for _ in range(3):
                msl("index", f"run={copied}")
        finally:
            stop.set()
        for each in asking:
            each.result()
    assert set(answers) == {10}
    assert live.now() is not first


def test_a_question_spoilt_by_a_change_is_asked_again(copied):
    live = Live(copied, load_retriever)
    asked = []

    def question(at):
        asked.append(at)
        if len(asked) == 1:
            (copied / "index" / "current").write_text((copied / "index" / "current").read_text())
            raise InputError("the generation is gone")
        return "answered"

    assert live.ask(question) == "answered"
    assert asked[0] is not asked[1]
    with pytest.raises(InputError, match="wrong"):
        live.ask(lambda at: (_ for _ in ()).throw(InputError("wrong")))


def test_encoders_work_one_thread_at_a_time_and_the_method_stays_in_evaluation(made):
    busy, most = [], []

    def load(run):
        def read(raw):
            busy.append(1)
            most.append(len(busy))
            time.sleep(0.01)
            busy.pop()
            return np.ones((len(raw), 3), np.float32)

        retriever = load_retriever(run)
        retriever.method.train()
        return replace(retriever, readers={"b": read})

    retriever = Live(made / "first", load).now().retriever
    assert not retriever.method.training
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(retriever.readers["b"], [["x"]] * 8))
    assert max(most) == 1


def test_two_hundred_searches_at_once_are_all_answered(server):
    async def run():
        limits = httpx2.Limits(max_connections=200)
        async with httpx2.AsyncClient(base_url=server, limits=limits, timeout=60) as client:
            questions = [
                {"text": f"a {word}", "run": run}
                for word in ("bird", "fish", "tree", "boat")
                for run in ("first", "second")
            ]
            alone = [(await client.post("/api/search", json=each)).json() for each in questions]
            answers = await asyncio.gather(*(client.post("/api/search", json=questions[n % 8]) for n in range(200)))
            assert [answer.status_code for answer in answers] == [200] * 200
            assert all(answer.json() == alone[n % 8] for n, answer in enumerate(answers))

    asyncio.run(run())


def test_slow_uploads_keep_nobody_waiting(server):
    port = int(server.rpartition(":")[2])
    head = b"POST /api/search/image HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=x\r\nContent-Length: 1000\r\n\r\n--x"
    slow = [socket.create_connection(("127.0.0.1", port)) for _ in range(20)]
    for each in slow:
        each.sendall(head)
    answer = httpx2.post(f"{server}/api/search", json={"text": "a bird"}, timeout=10)
    for each in slow:
        each.close()
    assert len(answer.json()["hits"]) == 6


def test_headers_that_do_not_arrive_in_time_end_the_connection(server):
    port = int(server.rpartition(":")[2])
    silent, begun, again = (socket.create_connection(("127.0.0.1", port)) for _ in range(3))
    again.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert again.recv(65_536).startswith(b"HTTP/1.1 200")
    for each in (begun, again):
        each.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: ")
    begin, open_ones = time.monotonic(), [silent, begun, again]
    while open_ones and time.monotonic() < begin + 3 * SECONDS:
        time.sleep(0.2)
        open_ones = [each for each in open_ones if is_open(each, b"" if each is silent else b"x")]
    for each in (silent, begun, again):
        each.close()
    assert not open_ones
    assert time.monotonic() > begin + SECONDS / 2


def is_open(connection, more):
    """Send some more, and see whether the other side has ended the connection."""
    try:
        connection.sendall(more)
        return connection.recv(1, socket.MSG_DONTWAIT) != b""
    except BlockingIOError:
        return True
    except ConnectionError:
        return False


def test_line_ends_in_headers_add_none(server):
    port = int(server.rpartition(":")[2])
    for target in (b"/api/items/x%0d%0aSet-Cookie:a=1", b"/api/runs?x=\r\nX-Own: 1\r\n\r\n"):
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.sendall(b"GET " + target + b" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            said = b"".join(iter(lambda connection=connection: connection.recv(65_536), b""))
        assert said.startswith((b"HTTP/1.1 404", b"HTTP/1.1 400"))
        assert b"set-cookie" not in said.lower()


def test_hostile_texts_are_data(client):
    hits = search(client, text="an apple", find="text", k=20)["hits"]
    assert all(hit["text"].startswith(HOSTILE) for hit in hits)
    answer = client.post("/api/search", json={"text": HOSTILE})
    assert answer.headers["content-type"] == "application/json"
