import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from msl.commands.reproducing.workers import work_off
from msl.types import InputError


def work(task: str) -> str:
    what, _, value = task.partition(" ")
    if what == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if what == "fail":
        raise InputError(f"no {value}")
    if what == "threads":
        return os.environ["OMP_NUM_THREADS"]
    if what == "wait":
        time.sleep(float(value))
    return value


def test_every_task_comes_back_whatever_befalls_its_neighbours():
    tasks = ["say a", "fail b", "die c", "say d", "say e"]
    found = {outcome.task: outcome for outcome in work_off(tasks, work, jobs=2)}
    assert set(found) == set(tasks)
    assert {task: outcome.value for task, outcome in found.items() if not outcome.failure} == {
        "say a": "a", "say d": "d", "say e": "e",
    }  # fmt: skip
    assert found["fail b"].failure == "no b"
    assert "status -9" in found["die c"].failure


def test_one_job_keeps_the_order_and_has_one_thread(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    assert [each.value for each in work_off(["say a", "threads", "say b"], work, jobs=1)] == ["a", "1", "b"]
    assert os.environ["OMP_NUM_THREADS"] == "2"


def test_a_caller_that_stops_listening_ends_the_workers():
    listening = work_off(["say a", "wait 60"], work, jobs=2)
    started = time.monotonic()
    assert next(listening).value == "a"
    listening.close()
    assert time.monotonic() - started < 30


PARENT = """
import sys
from test_workers import work
from msl.commands.reproducing.workers import work_off
for outcome in work_off(["pid", "wait 60"], work, jobs=2):
    print(outcome.task, flush=True)
"""


def test_workers_end_with_a_parent_that_was_killed(tmp_path):
    command = [sys.executable, "-c", PARENT]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parent)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as parent:
        assert parent.stdout.readline() == "pid\n"
        workers = children(parent.pid)
        assert len(workers) >= 2
        parent.kill()
    deadline = time.monotonic() + 30
    while any(alive(pid) for pid in workers):
        assert time.monotonic() < deadline, "a worker outlived its parent"
        time.sleep(0.05)


def children(pid):
    if not Path("/proc").is_dir():
        pytest.skip("no /proc to look the workers up in")
    found = [child for task in Path(f"/proc/{pid}/task").iterdir() for child in (task / "children").read_text().split()]
    return [int(child) for child in found]


def alive(pid):
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"
