"""Fetching from a real server on this machine, which behaves as badly as servers do."""

import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from msl.data.fetching import connection, download
from msl.data.fetching.download import Remote, fetch
from msl.types import InputError

CONTENT = np.random.default_rng(0).bytes(700_001)
OTHER = np.random.default_rng(1).bytes(len(CONTENT))


def digest(content):
    return hashlib.sha256(content).hexdigest()


class Handler(BaseHTTPRequestHandler):
    """Answers as the next function of `server.plan` says, and as a good server does once the plan is used up."""

    def do_GET(self):
        self.server.asked.append(dict(self.headers))
        (self.server.plan.pop(0) if self.server.plan else good)(self)

    def start(self, status, **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()

    def log_message(self, *_): ...


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_): ...  # a client that goes away is no error here

    def url(self, name="features.bin"):
        return f"http://127.0.0.1:{self.server_port}/{name}"

    def ranges(self):
        return [asked.get("Range") for asked in self.asked]


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(download, "PAUSE", 0.0)
    server = Server(("127.0.0.1", 0), Handler)
    server.content, server.asked, server.plan, server.validator = CONTENT, [], [], {"ETag": '"one"'}
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def good(handler, *, heed_condition=True, validator_again=True):
    """The whole file, or its rest if it is the version asked for."""
    content, validator = handler.server.content, handler.server.validator
    asked = re.fullmatch(r"bytes=(\d+)-", handler.headers.get("Range", ""))
    if not asked or (heed_condition and handler.headers["If-Range"] not in validator.values()):
        handler.start(200, Content_Length=str(len(content)), **validator)
        handler.wfile.write(content)
        return
    first = int(asked[1])
    if first >= len(content):
        handler.start(416, Content_Range=f"bytes */{len(content)}")
        return
    length = {"Content_Length": str(len(content) - first)}
    stated = {"Content_Range": f"bytes {first}-{len(content) - 1}/{len(content)}"}
    handler.start(206, **length, **stated, **(validator if validator_again else {}))
    handler.wfile.write(content[first:])


def forgetful(handler):
    good(handler, validator_again=False)


def careless(handler):
    """Heeds Range and not If-Range: it would let a client glue two versions together."""
    good(handler, heed_condition=False)


def deaf(handler):
    """Knows no ranges."""
    del handler.headers["Range"]
    good(handler)


def cut(after):
    def answer(handler):
        """Announces everything and hangs up in the middle."""
        handler.start(200, Content_Length=str(len(handler.server.content)), **handler.server.validator)
        handler.wfile.write(handler.server.content[:after])

    return answer


def status(code):
    return lambda handler: handler.start(code, Content_Length="0")


def redirect(place):
    return lambda handler: handler.start(302, Location=place, Content_Length="0")


def lengthless(handler):
    handler.start(200)
    handler.wfile.write(handler.server.content)


def torn_chunks(handler):
    handler.protocol_version = "HTTP/1.1"
    handler.start(200, Transfer_Encoding="chunked", Connection="close")
    handler.wfile.write(b"186a0\r\n" + handler.server.content[:5_000])


def web_page(handler):
    handler.start(200, Content_Type="text/html; charset=utf-8")
    handler.wfile.write(b"<h1>We have moved</h1>")


def hanging(handler):
    handler.start(200, Content_Length="10")
    handler.server.released.wait(5)


def wanted(server, **changes):
    known = {"url": server.url(), "file": "features.bin", "sha256": digest(CONTENT), "size": len(CONTENT)}
    return Remote(**known | changes)


def refused(server, folder, *words, **changes):
    """The one line it ends with; a file under its own name is never there."""
    with pytest.raises(InputError) as caught:
        fetch(wanted(server, **changes), folder, progress=None)
    message = str(caught.value)
    assert "\n" not in message
    assert "; " in message
    for word in words:
        assert word in message, message
    assert not (folder / "features.bin").is_file()
    return message


def names(folder):
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


def interrupt_after(bytes_wanted, error=KeyboardInterrupt):
    def progress(done, total):
        if done >= bytes_wanted:
            raise error

    return progress


def stopped(server, folder, *, after=300_000, **changes):
    """Leave a part behind, as Ctrl-C does; its size."""
    with pytest.raises(KeyboardInterrupt):
        fetch(wanted(server, **changes), folder, progress=interrupt_after(after))
    assert names(folder) == ["features.bin.part", "features.bin.part.json"]
    size = (folder / "features.bin.part").stat().st_size
    assert after <= size < len(CONTENT)
    return size


@pytest.mark.parametrize("size", [None, len(CONTENT)], ids=["size unknown", "size known"])
@pytest.mark.parametrize("sha256", [None, digest(CONTENT)], ids=["digest unknown", "digest known"])
def test_a_file_is_fetched_whole_and_nothing_else_stays(sha256, size, server, tmp_path):
    path = fetch(wanted(server, sha256=sha256, size=size), tmp_path / "new", progress=None)
    assert path == tmp_path / "new" / "features.bin"
    assert path.read_bytes() == CONTENT
    assert names(path.parent) == ["features.bin"]


def test_folders_in_the_name_are_made(server, tmp_path):
    path = fetch(wanted(server, file="raw/deep/features.bin"), tmp_path, progress=None)
    assert path == tmp_path / "raw" / "deep" / "features.bin"
    assert path.read_bytes() == CONTENT


def test_progress_counts_up_to_the_whole(server, tmp_path):
    calls = []
    fetch(wanted(server), tmp_path, progress=lambda done, total: calls.append((done, total)))
    counts = [done for done, _ in calls]
    assert counts == sorted(set(counts))
    assert counts[-1] == len(CONTENT)
    assert {total for _, total in calls} == {len(CONTENT)}


def test_an_empty_file_is_a_file(server, tmp_path):
    server.content = b""
    path = fetch(wanted(server, sha256=digest(b""), size=0), tmp_path, progress=None)
    assert path.read_bytes() == b""


def test_what_is_there_and_right_is_not_asked_for(server, tmp_path):
    (tmp_path / "features.bin").write_bytes(CONTENT)
    assert fetch(wanted(server), tmp_path, progress=None).read_bytes() == CONTENT
    assert server.asked == []


@pytest.mark.parametrize("there", [OTHER, CONTENT[:-1]], ids=["other bytes", "other size"])
def test_what_is_there_and_wrong_is_refused_and_kept(there, server, tmp_path):
    (tmp_path / "features.bin").write_bytes(there)
    with pytest.raises(InputError, match=r"already there but not what its card names .*; move it away"):
        fetch(wanted(server), tmp_path, progress=None)
    assert (tmp_path / "features.bin").read_bytes() == there
    assert server.asked == []


@pytest.mark.parametrize("make", [Path.mkdir, lambda path: path.symlink_to("nowhere")], ids=["folder", "dangling link"])
def test_what_is_there_and_no_file_is_refused(make, server, tmp_path):
    make(tmp_path / "features.bin")
    assert "already there" in refused(server, tmp_path, "no file", "move it away")


@pytest.mark.parametrize("answer", [good, forgetful, deaf])
@pytest.mark.parametrize(
    "validator",
    [{"ETag": '"one"'}, {"Last-Modified": "Wed, 01 Jan 2020 00:00:00 GMT"}, {"ETag": 'W/"one"'}, {}],
    ids=["etag", "date", "weak etag", "none"],
)
def test_a_stopped_fetch_goes_on_where_it_safely_can(validator, answer, server, tmp_path):
    server.validator = validator
    size = stopped(server, tmp_path)
    server.plan = [answer]
    assert fetch(wanted(server), tmp_path, progress=None).read_bytes() == CONTENT
    safe = any(not value.startswith("W/") for value in validator.values())
    assert server.ranges() == [None, f"bytes={size}-" if safe else None]
    assert names(tmp_path) == ["features.bin"]


@pytest.mark.parametrize("answer", [good, careless])
def test_a_file_that_changed_meanwhile_is_not_glued_to_the_old_one(answer, server, tmp_path):
    stopped(server, tmp_path, sha256=None)
    server.content, server.validator, server.plan = OTHER, {"ETag": '"two"'}, [answer]
    assert fetch(wanted(server, sha256=None), tmp_path, progress=None).read_bytes() == OTHER


def test_a_file_that_shrank_below_what_is_there_is_fetched_anew(server, tmp_path):
    stopped(server, tmp_path, sha256=None, size=None)
    server.content, server.plan = CONTENT[:1000], [careless]  # 416
    path = fetch(wanted(server, sha256=None, size=None), tmp_path, progress=None)
    assert path.read_bytes() == CONTENT[:1000]


def test_a_part_of_another_address_is_not_continued(server, tmp_path):
    stopped(server, tmp_path)
    fetch(wanted(server, url=server.url("mirror.bin")), tmp_path, progress=None)
    assert server.ranges() == [None, None]


@pytest.mark.parametrize("note", [b"", b"[]", b"{}", b'{"url": 3', b"\xff\xfe"], ids=repr)
def test_a_damaged_note_means_beginning_anew(note, server, tmp_path):
    stopped(server, tmp_path)
    (tmp_path / "features.bin.part.json").write_bytes(note)
    assert fetch(wanted(server), tmp_path, progress=None).read_bytes() == CONTENT
    assert server.ranges() == [None, None]


def test_stopped_after_the_last_byte_only_the_check_is_left(server, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        fetch(wanted(server), tmp_path, progress=interrupt_after(len(CONTENT)))
    assert fetch(wanted(server), tmp_path, progress=None).read_bytes() == CONTENT
    assert len(server.asked) == 1


def test_a_cut_connection_is_resumed_at_once(server, tmp_path):
    server.plan = [cut(400_000), cut(0), status(503)]
    assert fetch(wanted(server), tmp_path, progress=None).read_bytes() == CONTENT
    # the second server ignored the range and began anew, so the part had nothing to go on from
    assert server.ranges() == [None, "bytes=400000-", None, None]


@pytest.mark.parametrize("code", [404, 403, 410, 501])
def test_what_the_server_refuses_is_not_asked_for_again(code, server, tmp_path):
    server.plan = [status(code)]
    refused(server, tmp_path, f"status {code}", server.url())
    assert len(server.asked) == 1


@pytest.mark.parametrize("code", [429, 500, 503])
def test_what_may_pass_is_asked_for_again(code, server, tmp_path):
    server.plan = [status(code)] * 2
    assert fetch(wanted(server), tmp_path, progress=None).read_bytes() == CONTENT


def test_pauses_between_attempts_double(server, tmp_path, monkeypatch):
    pauses = []
    monkeypatch.setattr(download, "PAUSE", 1.0)
    monkeypatch.setattr(download.time, "sleep", pauses.append)
    server.plan = [status(500)] * download.ATTEMPTS
    refused(server, tmp_path, "status 500", f"{download.ATTEMPTS} attempts")
    assert pauses == [1, 2, 4, 8]


def test_when_every_connection_is_cut_the_message_says_what_is_kept(server, tmp_path):
    server.plan = [cut(400_000)] * download.ATTEMPTS
    refused(server, tmp_path, "400000 of 700001 bytes came", "400000 bytes that came are kept: repeat")
    assert fetch(wanted(server), tmp_path, progress=None).read_bytes() == CONTENT
    assert server.ranges()[-1] == "bytes=400000-"


def test_a_server_that_is_not_there(server, tmp_path):
    server.server_close()
    refused(server, tmp_path, "refused", "repeat later")


def test_a_server_that_says_nothing_is_left(server, tmp_path, monkeypatch):
    server.released = threading.Event()
    monkeypatch.setattr(connection, "TIMEOUT", 0.05)
    monkeypatch.setattr(download, "ATTEMPTS", 2)
    server.plan = [hanging] * 2
    refused(server, tmp_path, "timed out", "2 attempts", size=None)
    server.released.set()


def test_no_stated_length_is_enough_when_the_card_states_it(server, tmp_path):
    server.plan = [lengthless]
    assert fetch(wanted(server, sha256=None), tmp_path, progress=None).read_bytes() == CONTENT


def test_no_stated_length_and_an_early_end_is_found_by_the_card(server, tmp_path):
    server.content, server.plan = CONTENT[:1000], [lengthless] * download.ATTEMPTS
    refused(server, tmp_path, "1000 of 700001 bytes came", sha256=None)


def test_torn_chunks_are_no_end(server, tmp_path):
    server.plan = [torn_chunks]
    assert fetch(wanted(server, sha256=None, size=None), tmp_path, progress=None).read_bytes() == CONTENT
    assert len(server.asked) == 2


def test_more_than_the_card_states_is_refused_before_it_comes(server, tmp_path):
    refused(server, tmp_path, "offers 700001 bytes, wanted 9", size=9)
    assert names(tmp_path) == []


def test_more_than_the_card_states_is_cut_off_while_it_comes(server, tmp_path):
    server.plan = [lengthless]
    refused(server, tmp_path, "more than 9 bytes", size=9)
    assert names(tmp_path) == []


@pytest.mark.parametrize("answer", [good, lengthless])
def test_without_a_stated_size_there_is_still_a_bound(answer, server, tmp_path, monkeypatch):
    monkeypatch.setattr(download, "MOST_BYTES", 1000)
    server.plan = [answer]
    refused(server, tmp_path, "1000", size=None)
    assert names(tmp_path) == []


def test_one_wrong_byte_is_found_and_the_file_removed(server, tmp_path):
    server.content = CONTENT[:-1] + bytes([CONTENT[-1] ^ 1])
    refused(server, tmp_path, digest(CONTENT), digest(server.content), "removed")
    assert names(tmp_path) == []


def test_a_part_tampered_with_is_removed_and_the_next_fetch_is_right(server, tmp_path):
    size = stopped(server, tmp_path)
    (tmp_path / "features.bin.part").write_bytes(OTHER[:size])
    refused(server, tmp_path, digest(CONTENT), "removed")
    assert fetch(wanted(server), tmp_path, progress=None).read_bytes() == CONTENT


def test_a_web_page_in_its_place_is_no_file(server, tmp_path):
    server.plan = [web_page]
    refused(server, tmp_path, "web page", "features.bin", sha256=None, size=None)
    assert names(tmp_path) == []


@pytest.mark.parametrize("place", ["file:///etc/hostname", "ftp://127.0.0.1/x", "data:,x", "gopher://127.0.0.1/"])
def test_a_redirection_out_of_the_web_is_refused(place, server, tmp_path):
    server.plan = [redirect(place)]
    refused(server, tmp_path, "status 302", place, sha256=None, size=None)
    assert len(server.asked) == 1


def test_an_address_once_secure_stays_secure(server):
    handler, asked = connection._Redirect(), connection.request.Request("https://example.org/x")
    with pytest.raises(connection.HTTPError, match="redirects to 'http://") as caught:
        handler.redirect_request(asked, open(os.devnull, "rb"), 302, "Found", {}, server.url())  # noqa: SIM115
    caught.value.close()


def test_a_redirection_is_followed_and_resumed_through(server, tmp_path):
    size = stopped(server, tmp_path)
    server.plan = [redirect("/elsewhere.bin")]
    assert fetch(wanted(server), tmp_path, progress=None).read_bytes() == CONTENT
    assert server.ranges() == [None, f"bytes={size}-", f"bytes={size}-"]


def test_redirections_end(server, tmp_path):
    server.plan = [redirect(f"/{number}") for number in range(50)]
    refused(server, tmp_path, "status 302")
    assert len(server.asked) == 11


@pytest.mark.parametrize("place", ["http://[::1", "http://127.0.0.1:port/", "http://" + "x" * 70])
def test_a_redirection_to_nonsense_is_one_line(place, server, tmp_path, monkeypatch):
    monkeypatch.setattr(download, "ATTEMPTS", 1)
    server.plan = [redirect(place)]
    refused(server, tmp_path)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_one_line(server, tmp_path):
    (tmp_path / "features.bin.part").symlink_to("/dev/full")
    refused(server, tmp_path, "No space left on device", "make room")


def test_a_folder_that_cannot_be_is_one_line(server, tmp_path):
    (tmp_path / "file").write_text("")
    refused(server, tmp_path / "file", "cannot be written")


def test_two_programs_at_once_are_noticed(server, tmp_path):
    def other_program(done, total):
        with (tmp_path / "features.bin.part").open("ab") as stream:
            stream.write(b"x")

    with pytest.raises(InputError, match="another program"):
        fetch(wanted(server, sha256=None), tmp_path, progress=other_program)
    assert names(tmp_path) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda number: number.name)
def test_a_killed_fetch_can_go_on(number, server, tmp_path):
    program = (
        "import os, sys; from pathlib import Path; from msl.data.fetching.download import Remote, fetch\n"
        "remote = Remote(url=sys.argv[1], file='features.bin', sha256=None, size=None)\n"
        "kill = lambda done, total: done > 300_000 and os.kill(os.getpid(), int(sys.argv[3]))\n"
        "fetch(remote, Path(sys.argv[2]), progress=kill)"
    )
    arguments = [sys.executable, "-c", program, server.url(), str(tmp_path), str(int(number))]
    ended = subprocess.run(arguments, capture_output=True, check=False, timeout=60)
    assert ended.returncode == -number
    assert json.loads((tmp_path / "features.bin.part.json").read_text())["validator"] == '"one"'
    assert fetch(wanted(server), tmp_path, progress=None).read_bytes() == CONTENT
    assert int(re.search(r"\d+", server.ranges()[-1])[0]) > 0


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"url": "file:///etc/passwd"}, "address"),
        ({"url": "ftp://example.org/x"}, "address"),
        ({"url": "example.org/x"}, "address"),
        ({"url": "http://"}, "address"),
        ({"url": "http://[::1"}, "address"),
        ({"url": "http://example.org:port/"}, "address"),
        ({"url": "http://example.org/a b"}, "address"),
        ({"url": "http://example.org/\n"}, "address"),
        ({"url": "http://example.org/ü"}, "address"),
        ({"file": "../x"}, "name"),
        ({"file": "/x"}, "name"),
        ({"file": ""}, "name"),
        ({"sha256": "ca628f765a69"}, "sha256"),
        ({"sha256": "A" * 64}, "sha256"),
        ({"size": -1}, "bytes"),
    ],
    ids=lambda value: str(value),
)
def test_a_card_that_cannot_be_fetched_is_refused(changes, word):
    with pytest.raises(InputError, match=word) as caught:
        Remote(**{"url": "https://example.org/x", "file": "x", "sha256": None, "size": None} | changes)
    assert "\n" not in str(caught.value)
