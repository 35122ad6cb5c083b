"""The parent's side of parsing: keeps one parsing process alive, gives it open files, and maps what it hands over.

A start of the interpreter and its libraries costs half a second, a file after that a few milliseconds.
"""

import atexit
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any, BinaryIO

from numpy.typing import NDArray

from msl.data.parsing.handover import allowance
from msl.data.parsing.segments import mapped
from msl.types import InputError

SECONDS, BYTES_PER_SECOND = 60, 1_000_000
"""A file may take a minute, and a second more for each megabyte it is long."""
ROOM, COPIES = 2 << 30, 3
"""Address space of a parser: 2 GiB for the libraries, and its file's allowance three times over, or all the machine has."""
_START = "import sys; sys.path[:] = sys.argv[1:]; from msl.data.parsing.serve import serve; serve()"
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
_TIME = {"SIGALRM", "SIGXCPU"}


class _Process:
    """The parsing process and the socket to it. It finds its libraries where this process finds them."""

    def __init__(self) -> None:
        self._socket, theirs = socket.socketpair()
        path = [folder for folder in sys.path if os.path.isabs(folder)]
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-c", _START, *path],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                cwd="/",  # keeps nobody's folder busy
                start_new_session=True,  # Ctrl-C is for the parent, which closes the socket
                env=os.environ | _ONE_THREAD | {"ARROW_DEFAULT_MEMORY_POOL": "system"},
            )

    def ask(self, request: dict[str, Any], files: list[int]) -> dict[str, Any]:
        """Send a request and the files it is about; EOFError when the process is gone."""
        try:
            socket.send_fds(self._socket, [json.dumps(request).encode() + b"\n"], files)
            with self._socket.makefile("rb") as lines:
                line = lines.readline()
        except ConnectionError:
            line = b""
        if not line:
            raise EOFError("the parsing process is gone")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def close(self) -> None:
        self._socket.close()
        self._process.kill()
        self._process.wait()

    def forget(self) -> None:
        """In a fork of this process: the parsing process is its parent's."""
        self._socket.close()
        self._process.returncode = 0


_lock = threading.Lock()
_running: _Process | None = None


def parse(file: BinaryIO, path: Path, parser: str) -> dict[str, NDArray[Any]]:
    """The arrays of an open file by name, read by the module `parser` of this package and mapped into memory.

    Raises `InputError` naming `path` for whatever goes wrong with the file: a fault, a crash, a hang, too large a size.
    """
    if not hasattr(os, "fork"):
        raise InputError(f"{path}: only .npy is read on this system, others on Linux and macOS; write it as .npy")
    size = os.fstat(file.fileno()).st_size
    seconds = SECONDS + size // BYTES_PER_SECOND
    memory = ROOM + min(COPIES * allowance(size), os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    request = {"parser": parser, "stem": path.stem, "seconds": seconds, "memory": memory}
    with tempfile.TemporaryFile() as out:
        answer = _ask(request, [file.fileno(), out.fileno()])
        fault = answer.get("fault") or _death(answer.get("status", 0), seconds)
        if fault:
            raise InputError(f"{path}: {fault}")
        return {name: _array(out, *places, what=f"{path}: {name!r}") for name, places in answer["segments"].items()}


def stop() -> None:
    """End the parsing process, if one runs; the next file starts another."""
    global _running
    if _running is not None:
        _running.close()
        _running = None


def _ask(request: dict[str, Any], files: list[int]) -> dict[str, Any]:
    """Ask the running process, or a new one where it is gone: a file ends a fork of it, never the process itself."""
    global _running
    with _lock:
        for _ in range(2):
            _running = _running or _Process()
            try:
                return _running.ask(request, files)
            except EOFError:
                stop()
            except BaseException:  # an interrupt: the answer that is still due must not be the next file's
                stop()
                raise
    raise RuntimeError(f"the parsing process does not start: {sys.executable} -I -c '{_START}'")


def _death(status: int, seconds: int) -> str:
    if not status:
        return ""
    how = signal.Signals(-status).name if status < 0 else f"status {status}"
    if how in _TIME:
        return f"reading it took more than {seconds} s and was given up; the file is damaged, or better written as .npy"
    return f"reading it ended the parser ({how}); the file is damaged, or too large for this machine: write it again"


def _array(out: Any, start: int, stop: int, *, what: str) -> NDArray[Any]:
    try:
        return mapped(out, start=start, stop=stop)
    except InputError as error:
        raise InputError(f"{what} is {error}") from None


def _after_fork() -> None:
    global _lock, _running
    _lock = threading.Lock()
    if _running is not None:
        _running.forget()
        _running = None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
atexit.register(stop)
