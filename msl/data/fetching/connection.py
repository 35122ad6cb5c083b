"""Asking a web server for a file or the rest of one: http and https only, lost connections told apart from refusals."""

import re
import ssl
from collections.abc import Iterator
from http.client import HTTPException, HTTPMessage, HTTPResponse
from typing import IO
from urllib import request
from urllib.error import HTTPError
from urllib.parse import urlsplit

from msl import __version__
from msl.types import InputError

CHUNK = 1 << 18
TIMEOUT = 30.0
"""Seconds without a byte after which a connection counts as lost."""

_TEMPORARY = {408, 425, 429, 500, 502, 503, 504}
_UNSATISFIABLE = 416


class Lost(Exception):
    """The connection or the answer was no good this time; another attempt may help."""


class Changed(Lost):
    """The server's file is not the one whose rest was asked for; the next attempt must ask for all of it."""


def is_web_address(url: str) -> bool:
    """Whether `url` is an http or https address with a host."""
    try:
        parts = urlsplit(url)
        known = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    return known and url.isascii() and url.isprintable() and " " not in url


def ask(url: str, *, start: int, validator: str | None) -> HTTPResponse:
    """Open `url`, from byte `start` on if the file still has `validator` (see `validator_of`).

    Raises `Lost` for what may pass, `Changed` if there is no such byte, and `InputError` for what the server refuses.
    """
    headers = {"User-Agent": f"msl/{__version__}", "Accept-Encoding": "identity"}
    if start and validator:
        headers |= {"Range": f"bytes={start}-", "If-Range": validator}
    try:
        response: HTTPResponse = _opener().open(request.Request(url, headers=headers), timeout=TIMEOUT)
        return response
    except HTTPError as error:
        error.close()
        said = f"status {error.code}, {_one_line(error.msg)}"
        if error.code == _UNSATISFIABLE and start:
            raise Changed("it changed on the server") from None
        if error.code in _TEMPORARY:
            raise Lost(said) from None
        raise InputError(f"{url} is refused ({said}); look for the data set's present address") from None
    except (OSError, HTTPException, ValueError) as error:  # ValueError: a redirection to something malformed
        reason = getattr(error, "reason", error)
        if isinstance(reason, ssl.SSLCertVerificationError):
            raise InputError(f"{url} has no valid certificate ({reason.verify_message}); get it by hand") from None
        raise Lost(_one_line(reason)) from None


def first_and_total(response: HTTPResponse) -> tuple[int, int | None]:
    """Position of the first byte that comes, and the size of the whole file if it is stated."""
    if response.status != 206:
        return 0, response.length
    stated = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", response.headers.get("Content-Range", "").strip())
    if not stated:
        raise Changed("it sends a part and does not say which")
    return int(stated[1]), None if stated[2] == "*" else int(stated[2])


def validator_of(response: HTTPResponse) -> str | None:
    """What tells this version of the file from others: a strong ETag, else the date of its last change."""
    tag = response.headers.get("ETag", "")
    found = tag if tag.startswith('"') else response.headers.get("Last-Modified", "")
    return found if found and found.isascii() and found.isprintable() else None


def pieces(response: HTTPResponse) -> Iterator[bytes]:
    """The bytes as they come; an end is no promise that all of them came."""
    while True:
        try:
            piece = response.read1(CHUNK)
        except (OSError, HTTPException, ValueError) as error:  # ValueError: a torn chunk
            raise Lost(_one_line(error)) from None
        if not piece:
            return
        yield piece


class _Redirect(request.HTTPRedirectHandler):
    def http_error_302(
        self, req: request.Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage
    ) -> HTTPResponse | None:
        """Leave the body unread: urllib would read it to an end that need not come."""
        fp.close()
        followed: HTTPResponse | None = super().http_error_302(req, fp, code, msg, headers)
        return followed

    http_error_301 = http_error_303 = http_error_307 = http_error_308 = http_error_302

    def redirect_request(
        self, req: request.Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> request.Request | None:
        """Follow to http and https only, and from https not back to http."""
        if urlsplit(newurl).scheme not in {"https", req.type}:
            raise HTTPError(req.full_url, code, f"it redirects to {newurl!r}", headers, fp)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _opener() -> request.OpenerDirector:
    """Of `urllib` only what speaks http and https: no file:, ftp: or data: addresses, whoever gives them."""
    opener = request.OpenerDirector()
    for handler in (
        request.ProxyHandler(), request.HTTPHandler(), request.HTTPSHandler(), request.HTTPDefaultErrorHandler(),
        request.HTTPErrorProcessor(), _Redirect(),
    ):  # fmt: skip
        opener.add_handler(handler)
    return opener


def _one_line(reason: object) -> str:
    return " ".join(str(reason).split()) or type(reason).__name__
