"""The server's process: answers on a socket until a signal comes, and says when it begins to."""

import socket
from collections.abc import Callable
from typing import Any

import uvicorn
from starlette.types import ASGIApp

_LAST_ANSWERS = 5
"""Seconds that answers under way have when the server is ended."""
_HEADERS = 2**16
"""Bytes of the address and headers of a request."""


def answer(app: ASGIApp, listener: socket.socket, *, started: Callable[[], None]) -> None:
    """Answer until SIGINT or SIGTERM, which is raised again when the last answers are given."""
    config = uvicorn.Config(
        app, log_config=None, log_level="warning", access_log=False, server_header=False, proxy_headers=False, ws="none",
        timeout_graceful_shutdown=_LAST_ANSWERS, h11_max_incomplete_event_size=_HEADERS, http="h11",
    )  # fmt: skip
    _Announcing(config, started).run(sockets=[listener])


class _Announcing(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, started: Callable[[], None]) -> None:
        super().__init__(config)
        self._say = started

    async def startup(self, *arguments: Any, **options: Any) -> None:
        await super().startup(*arguments, **options)
        if self.started:
            self._say()
