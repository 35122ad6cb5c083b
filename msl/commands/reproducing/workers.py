"""Processes that work off a list, one thread each: what one of them finished survives whatever ends the others."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from typing import Any, Generic, TypeVar

from msl.types import Interrupted

Task = TypeVar("Task")

_CONTEXT = multiprocessing.get_context("spawn")  # a fork would inherit the locks of torch's threads


@dataclass(frozen=True)
class Outcome(Generic[Task]):
    """What came of a task: the value its work returned, or in words what went wrong."""

    task: Task
    value: Any = None
    failure: str | None = None


@dataclass(eq=False)
class _Worker(Generic[Task]):
    """A process, the pipe to it, and what it is at."""

    work: Callable[[Task], Any]
    task: Task | None = None
    pipe: Connection = field(init=False)
    process: Any = field(init=False)

    def __post_init__(self) -> None:
        self.pipe, other = _CONTEXT.Pipe()
        self.process = _CONTEXT.Process(target=_loop, args=(other, self.work))
        self.process.start()
        other.close()

    def begin(self, task: Task) -> None:
        self.task = task
        with suppress(OSError):  # a process that has died tells so when its outcome is asked for
            self.pipe.send(task)

    def outcome(self) -> Outcome[Task]:
        assert self.task is not None
        try:
            value, failure = self.pipe.recv()
        except (EOFError, OSError):
            self.process.join()
            value, failure = None, f"its process ended with status {self.process.exitcode} (out of memory?)"
        task, self.task = self.task, None
        return Outcome(task, value, failure)

    def end(self) -> None:
        """Ask to stop, as a signal would; a training that can be resumed saves itself."""
        self.pipe.close()
        self.process.terminate()
        self.process.join(timeout=10)
        if self.process.exitcode is None:
            self.process.kill()
            self.process.join()


def work_off(tasks: Sequence[Task], work: Callable[[Task], Any], *, jobs: int) -> Iterator[Outcome[Task]]:
    """Outcomes of ``work(task)`` as they come, `jobs` at a time; `work` and tasks are pickled.

    A process that dies costs its task alone, and another takes its place. When this process ends, however it ends, its
    workers end with it.
    """
    waiting = list(reversed(tasks))
    workers: list[_Worker[Task]] = []
    try:
        workers = [_started(work) for _ in range(min(jobs, len(tasks)))]
        while True:
            for worker in workers:
                if worker.task is None and waiting:
                    worker.begin(waiting.pop())
            busy = {worker.pipe: worker for worker in workers if worker.task is not None}
            if not busy:
                return
            for pipe in wait(list(busy)):
                yield busy[pipe].outcome()  # type: ignore[index]
            workers = [_started(work) if waiting and not worker.process.is_alive() else worker for worker in workers]
    finally:
        for worker in workers:
            worker.end()


def _started(work: Callable[[Task], Any]) -> _Worker[Task]:
    with _one_thread():
        return _Worker(work)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Processes started meanwhile compute with one thread each: they share the cores, and bits depend on the number."""
    before = os.environ.get("OMP_NUM_THREADS")
    os.environ["OMP_NUM_THREADS"] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ["OMP_NUM_THREADS"]
        else:
            os.environ["OMP_NUM_THREADS"] = before


def _loop(pipe: Connection, work: Callable[[Any], Any]) -> None:
    threading.Thread(target=_follow_parent, daemon=True).start()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the parent too, which ends its workers
    with suppress(EOFError, Interrupted):
        while True:
            task = pipe.recv()
            try:
                pipe.send((work(task), None))
            except Exception as error:
                pipe.send((None, f"{error}" or type(error).__name__))


def _follow_parent() -> None:
    """End at once when the parent has ended, even by a signal that it could not handle."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    wait([parent.sentinel])
    os._exit(1)
