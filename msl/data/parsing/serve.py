"""The parsing process: waits for open files, and parses each in a fork that may crash, hang or run out of memory.

It never opens a path: files arrive open. It ends when its parent does, and takes the fork at work with it.
"""

import errno
import gc
import json
import os
import resource
import select
import signal
import socket
import warnings
from contextlib import suppress
from importlib import import_module
from types import ModuleType
from typing import Any, NoReturn

from msl.data.parsing.handover import Handover
from msl.data.parsing.reason import reason
from msl.types import InputError

_MESSAGE = 1 << 16


def serve() -> None:
    """Answer requests on the socket that is standard input, until its other end closes."""
    parent = socket.socket(fileno=0)
    while True:
        line, files, _, _ = socket.recv_fds(parent, _MESSAGE, 2)
        if not line:
            return
        answer = _answer(json.loads(line), files, parent)
        for file in files:
            os.close(file)
        if answer is None:
            return
        parent.sendall(json.dumps(answer).encode() + b"\n")


def _answer(request: dict[str, Any], files: list[int], parent: socket.socket) -> dict[str, Any] | None:
    try:
        parser = import_module(f"msl.data.parsing.{request['parser']}")  # before the fork, so that it is done once
    except ImportError as error:
        return {"fault": f"reading it needs {error.name}; pip install 'msl[files]'"}
    receive, send = os.pipe()
    worker = os.fork()
    if not worker:
        _work(parser, request, files, send)
    os.close(send)
    report = _report(receive, parent)
    if report is None:
        os.kill(worker, signal.SIGKILL)
    status = os.waitstatus_to_exitcode(os.waitpid(worker, 0)[1])
    if report is None:
        return None
    try:
        answer: dict[str, Any] = json.loads(report) if status == 0 else {"status": status}
        return answer
    except ValueError:  # memory it damaged before it ended
        return {"status": 1}


def _report(receive: int, parent: socket.socket) -> bytes | None:
    """All that the worker writes; None when the parent goes away meanwhile: it sends nothing while an answer is due."""
    report = b""
    with open(receive, "rb", buffering=0) as pipe:
        while True:
            ready: list[Any] = select.select([parent.fileno(), pipe.fileno()], [], [])[0]
            if parent.fileno() in ready:
                return None
            piece = pipe.read(_MESSAGE)
            if not piece:
                return report
            report += piece


def _work(parser: ModuleType, request: dict[str, Any], files: list[int], send: int) -> NoReturn:
    status = 1
    try:
        gc.disable()  # it lives for one file
        _restrict(request["seconds"], request["memory"])
        answer = _parsed(parser, request["stem"], files)
        with open(send, "wb") as pipe:
            pipe.write(json.dumps(answer).encode())
        status = 0
    finally:
        os._exit(status)


def _restrict(seconds: int, memory: int) -> None:
    """From here on this process has so much time and memory, leaves no core dump and says nothing."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # what a dying C library prints
    limits = {resource.RLIMIT_CORE: 0, resource.RLIMIT_CPU: seconds, resource.RLIMIT_AS: memory}
    for kind, limit in limits.items():
        with suppress(ValueError, OSError):  # macOS refuses RLIMIT_AS; a lower limit may hold already
            resource.setrlimit(kind, (limit, limit + 1))  # at the soft limit of time comes SIGXCPU, at the hard SIGKILL
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(seconds)
    warnings.simplefilter("ignore")
    warnings.simplefilter("error", UserWarning)  # scipy only warns of variables it cannot read


def _parsed(parser: ModuleType, stem: str, files: list[int]) -> dict[str, Any]:
    try:
        with open(files[0], "rb", closefd=False) as stream, open(files[1], "r+b", closefd=False) as out:
            stream.seek(0)  # the place in a file is shared with whoever sent it
            out.seek(0)
            handover = Handover(out, size=os.fstat(files[0]).st_size)
            parser.parse(stream, stem, handover)
        if not handover.segments:
            raise InputError("it holds no array of numbers or text; put some in")
        return {"segments": handover.segments}
    except InputError as error:
        return {"fault": str(error)}
    except MemoryError:
        return {"fault": "it needs more memory than is given to a file of its length; write its arrays as .npy"}
    except Exception as error:  # of a damaged file each library has its own
        if isinstance(error, OSError) and error.errno == errno.ENOSPC:
            return {"fault": "no space for its arrays in the temporary folder; free some, or set TMPDIR to another"}
        return {
            "fault": f"it cannot be read ({reason(error)}); the file is damaged or of another format, write it again"
        }
