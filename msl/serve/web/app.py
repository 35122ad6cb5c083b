"""The server: a page to search with and the API behind it, described at /openapi.json."""

from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from importlib.resources import files
from typing import Any

import anyio.to_thread
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.types import ASGIApp

from msl import __version__
from msl.serve.web.guard import UPLOADS, Guard
from msl.serve.web.limits import Limits
from msl.serve.web.live import Live
from msl.serve.web.messages import Failure
from msl.serve.web.service import Service
from msl.types import InputError

_KINDS = {"html": "text/html", "css": "text/css", "js": "text/javascript"}


def create_app(
    runs: Mapping[str, Live], *, k: int, limits: Limits, hosts: Collection[str], concurrency: int
) -> ASGIApp:
    """The application, guarded.

    Args:
        runs: indexes by the name they go by.
        k: finds, where a request does not say.
        limits: of a request.
        hosts: names it answers to, besides those of the loopback.
        concurrency: threads that search and read pictures.
    """

    @asynccontextmanager
    async def threads(app: FastAPI) -> AsyncIterator[None]:
        anyio.to_thread.current_default_thread_limiter().total_tokens = concurrency
        yield

    app = FastAPI(title="msl serve", version=__version__, docs_url=None, redoc_url=None, lifespan=threads)
    _route(app, Service(runs, k=k, limits=limits))
    for kind, handler in _HANDLERS.items():
        app.add_exception_handler(kind, handler)
    return Guard(app, hosts=hosts, limits=limits)


def _route(app: FastAPI, service: Service) -> None:
    wrong: dict[int | str, dict[str, Any]] = {"4XX": {"model": Failure}}
    app.add_api_route("/api/search", service.search, methods=["POST"], responses=wrong)
    app.add_api_route(UPLOADS, service.search_image, methods=["POST"], responses=wrong)
    app.add_api_route("/api/annotate", service.annotate, responses=wrong, response_model_exclude={"hits"})
    # an id may have slashes in it; it is looked up in the index, never on the disk
    app.add_api_route("/api/items/{id:path}", service.item, responses=wrong)
    app.add_api_route("/api/pictures/{id:path}", service.picture, responses=wrong, response_class=Response)
    app.add_api_route("/api/runs", service.runs)
    app.add_api_route("/healthz", service.health)
    for file in files("msl.serve.web").joinpath("page").iterdir():
        _serve_file(app, file.name, file.read_bytes())


def _serve_file(app: FastAPI, name: str, content: bytes) -> None:
    kind = _KINDS[name.rpartition(".")[2]]

    async def answer() -> Response:
        return Response(content, media_type=f"{kind}; charset=utf-8")

    app.add_api_route("/" if kind == "text/html" else f"/page/{name}", answer, include_in_schema=False)


async def _of_input(request: Request, error: Exception) -> Response:
    return _failure(422, str(error))


async def _of_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return _failure(error.status_code, str(error.detail), error.headers)


async def _of_values(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    where = ".".join(part for part in first["loc"] if isinstance(part, str))
    return _failure(422, f"{where}: {first['msg']}; /openapi.json says what is wanted")


async def _unforeseen(request: Request, error: Exception) -> Response:
    return _failure(500, "the server failed; what happened is in what it printed")


_HANDLERS: dict[type[Exception], Any] = {
    InputError: _of_input, HTTPException: _of_http, RequestValidationError: _of_values, Exception: _unforeseen,
}  # fmt: skip


def _failure(status: int, line: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    return JSONResponse({"error": " ".join(line.split())}, status, headers=headers)
