"""What is let through to the server: its own names, its own pages, requests of a size that arrive in time."""

import asyncio
from collections.abc import Collection
from typing import Any
from urllib.parse import urlsplit

from fastapi import HTTPException
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from msl.serve.web.limits import Limits

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
UPLOADS = "/api/search/image"
SAFE = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "x-frame-options": "DENY",
}
"""Headers of every answer: nothing but our own script runs, nobody frames the page or embeds a picture."""


class Guard:
    """Around an application: refuses foreign names and pages, limits bodies, adds headers.

    A page elsewhere could reach a server on this computer by giving its own name our address ("DNS rebinding"): so
    requests that call the server by a name it does not have are refused. And it could send us forms: so are those.

    Args:
        app: what answers.
        hosts: names answered to, besides those of the loopback.
        limits: of bodies and of the time they take.
    """

    def __init__(self, app: ASGIApp, *, hosts: Collection[str], limits: Limits) -> None:
        self.app = app
        self.hosts = LOOPBACK | {host.lower() for host in hosts}
        self.limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        refused = self._refused(scope, headers)
        if refused:
            await refused(scope, receive, _guarded(send))
            return
        await self.app(scope, self._limited(scope, receive), _guarded(send))

    def _refused(self, scope: Scope, headers: Headers) -> JSONResponse | None:
        if [_host(each) in self.hosts for each in headers.getlist("host")] != [True]:
            return _error(421, "this server does not go by that name; open it by the address it printed")
        if scope["method"] not in ("GET", "HEAD") and _foreign(headers):
            return _error(403, "requests from pages of other sites are refused; open the server's own page")
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length[:20]) > self._most(scope):
            return _error(413, self._too_large(scope))
        return None

    def _most(self, scope: Scope) -> int:
        return self.limits.upload if scope["path"] == UPLOADS else self.limits.body

    def _too_large(self, scope: Scope) -> str:
        return f"the request is larger than the {self._most(scope):,} bytes allowed; send less, or a smaller picture"

    def _limited(self, scope: Scope, receive: Receive) -> Receive:
        """Counts while the body arrives, whatever its announced length."""
        deadline = asyncio.get_running_loop().time() + self.limits.seconds
        arrived, complete = 0, False

        async def receiving() -> Message:
            nonlocal arrived, complete
            if complete:  # what comes now is the end of the connection, for which there is time
                return await receive()
            try:
                async with asyncio.timeout_at(deadline):
                    message = await receive()
            except TimeoutError:
                raise HTTPException(408, "the request took too long to arrive; send it again") from None
            arrived += len(message.get("body", b""))
            complete = not message.get("more_body", False)
            if arrived > self._most(scope):
                raise HTTPException(413, self._too_large(scope))
            return message

        return receiving


def _host(value: str) -> str | None:
    """A Host header without its port; None if it is malformed."""
    try:
        parts = urlsplit(f"//{value}")
        _ = parts.port  # of a malformed one, a ValueError
    except ValueError:
        return None
    return parts.hostname if parts.netloc == value and "@" not in value else None


def _foreign(headers: Headers) -> bool:
    """Whether a browser says that a page of another site sent this; programs that are no browsers say nothing."""
    origin, site = headers.get("origin"), headers.get("sec-fetch-site", "same-origin")
    return site not in ("same-origin", "none") or (origin is not None and _netloc(origin) != headers["host"].lower())


def _netloc(origin: str) -> str | None:
    try:
        return urlsplit(origin).netloc.lower() or None
    except ValueError:
        return None


def _error(status: int, line: str) -> JSONResponse:
    return JSONResponse({"error": line}, status, headers={"connection": "close"})


def _guarded(send: Send) -> Send:
    async def sending(message: Any) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in SAFE.items():
                headers[name] = value
            headers.setdefault("cache-control", "no-store")
        await send(message)

    return sending
