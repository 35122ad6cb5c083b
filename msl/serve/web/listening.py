"""The server's process: answers on a socket until a signal comes, and says when it begins to."""

import asyncio
import socket
from collections.abc import Callable
from typing import Any

import h11
import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

_LAST_ANSWERS = 5
"""Seconds that answers under way have when the server is ended."""
_HEADERS = 2**16
"""Bytes of the address and headers of a request."""


def answer(app: ASGIApp, listener: socket.socket, *, seconds: int, started: Callable[[], None]) -> None:
    """Answer until SIGINT or SIGTERM, which is raised again when the last answers are given.

    Args:
        app: what answers.
        listener: the socket.
        seconds: for the address and headers of a request to arrive; later the connection is closed.
        started: called when connections are taken.
    """
    config = uvicorn.Config(
        app, log_config=None, log_level="warning", access_log=False, server_header=False, proxy_headers=False, ws="none",
        timeout_graceful_shutdown=_LAST_ANSWERS, h11_max_incomplete_event_size=_HEADERS, http=_within(seconds),
    )  # fmt: skip
    _Announcing(config, started).run(sockets=[listener])


def _within(seconds: int) -> type[asyncio.Protocol]:
    class Within(H11Protocol):
        """Closes a connection on which a request is begun, or none ever was, and its headers are not there in time."""

        late: asyncio.TimerHandle | None = None

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            self.late = self.loop.call_later(seconds, transport.close)

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            if self.conn.their_state is not h11.IDLE:
                self.arrived()
            elif self.late is None:
                self.late = self.loop.call_later(seconds, self.transport.close)

        def connection_lost(self, exc: Exception | None) -> None:
            self.arrived()
            super().connection_lost(exc)

        def arrived(self) -> None:
            if self.late is not None:
                self.late.cancel()
                self.late = None

    return Within


class _Announcing(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, started: Callable[[], None]) -> None:
        super().__init__(config)
        self._say = started

    async def startup(self, *arguments: Any, **options: Any) -> None:
        await super().startup(*arguments, **options)
        if self.started:
            self._say()
