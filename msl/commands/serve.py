"""`msl serve`: a page and an API to search an indexed run with, or two runs side by side."""

import importlib.util
import logging
import socket
import webbrowser
from pathlib import Path

from omegaconf import DictConfig
from pydantic import BaseModel, ConfigDict, Field

from msl.config import resolved, validated
from msl.serve.terminal import flat
from msl.serve.web.limits import Limits
from msl.types import Count, InputError


class Serving(BaseModel):
    """The keys of `conf/serve.yaml`."""

    model_config = ConfigDict(extra="forbid", coerce_numbers_to_str=True)  # a folder or a host may be called 2024
    run: str | None
    runs: list[str] | None = Field(min_length=2, max_length=2)
    host: str = Field(min_length=1)
    port: int = Field(ge=0, le=65_535)
    names: list[str]
    open: bool
    k: Count
    concurrency: Count
    limits: Limits


def serve(cfg: DictConfig) -> None:
    """Serve until a signal comes."""
    wanted = validated(Serving, resolved(cfg))
    if wanted.k > wanted.limits.k:
        raise InputError(f"k={wanted.k} is more than limits.k={wanted.limits.k}; lower the one or raise the other")
    _check_installed()
    folders = _folders(wanted)
    with _listening(wanted) as listener:  # a port that is taken is said before models are loaded
        _answer(wanted, folders, listener)


def _check_installed() -> None:
    missing = [name for name in ("fastapi", "uvicorn", "python_multipart") if importlib.util.find_spec(name) is None]
    if missing:
        raise InputError(f"msl serve needs {missing[0]}, which is not installed: pip install 'msl[serve]'")


def _folders(wanted: Serving) -> dict[str, Path]:
    """Runs by the names they go by: those of their folders, or as much of the path as tells them apart."""
    from msl.commands.retrieval import last_indexed

    if wanted.run and wanted.runs:
        raise InputError("give run=FOLDER for one run or runs=[A,B] for two, not both")
    folders = [Path(each) for each in wanted.runs or ([wanted.run] if wanted.run else [str(last_indexed())])]
    paths = [folder.resolve().parts for folder in folders]
    if len(set(paths)) < len(paths):
        raise InputError(f"runs={wanted.runs}: the same run twice; give two to compare")
    parts = 1
    while len({path[-parts:] for path in paths}) < len(paths):
        parts += 1
    return {"/".join(path[-parts:]): folder for path, folder in zip(paths, folders, strict=True)}


def _listening(wanted: Serving) -> socket.socket:
    try:
        family, *_, address = socket.getaddrinfo(wanted.host, wanted.port, type=socket.SOCK_STREAM)[0]
        listener = socket.create_server(address[:2], family=family, backlog=1024)
    except OSError as error:
        raise InputError(
            f"cannot listen at {wanted.host}, port {wanted.port}: {error.strerror}; give another port (port=0: any free one) or host"
        ) from None
    # asyncio does so for none but its own; without, the end of an answer waits 40 ms for the start to be acknowledged
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def _answer(wanted: Serving, folders: dict[str, Path], listener: socket.socket) -> None:
    from msl.commands.retrieval import load_retriever
    from msl.evaluation.run import RunFolder
    from msl.serve.web.app import create_app
    from msl.serve.web.listening import answer
    from msl.serve.web.live import Live

    for folder in folders.values():
        RunFolder(folder).card()  # says so if it is no run
    logging.basicConfig(format="msl: %(message)s")
    runs = {name: Live(folder, load_retriever) for name, folder in folders.items()}
    hosts = [wanted.host, *wanted.names]
    app = create_app(runs, k=wanted.k, limits=wanted.limits, hosts=hosts, concurrency=wanted.concurrency)
    answer(app, listener, seconds=wanted.limits.seconds, started=lambda: _announce(wanted, listener, list(runs)))


def _announce(wanted: Serving, listener: socket.socket, runs: list[str]) -> None:
    host = f"[{wanted.host}]" if ":" in wanted.host else wanted.host
    address = f"http://{host}:{listener.getsockname()[1]}/"
    print(f"{flat(' and '.join(runs))} at {address} (Ctrl-C ends it)", flush=True)
    if wanted.open:
        webbrowser.open(address)
