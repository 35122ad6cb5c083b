"""Stopped at any moment and resumed, a run ends with the bits of one that never stopped."""

import signal
import time

import numpy as np
import pytest
from conftest import SMALL, plant
from safetensors.numpy import load_file

from msl.cli import main

LONG = ["trainer.epochs=40", "trainer.validate_every=10", "trainer.save_seconds=0.05", "method.encoder_a.dropout=0.5"]


def wait_for(path, process, said, seconds=120):
    end = time.monotonic() + seconds
    while not path.exists():
        assert process.poll() is None, said.read_text()
        assert time.monotonic() < end
        time.sleep(0.005)


def same(first, second):
    one, other = (load_file(folder / "weights.safetensors") for folder in (first, second))
    return one.keys() == other.keys() and all(np.array_equal(one[key], other[key]) for key in one)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A run that never stopped, on the same planted data in a folder of its own: where they lie changes no bit."""
    place = tmp_path_factory.mktemp("whole")
    small = [each.replace("PLANTED", str(plant(place / "planted"))) for each in SMALL]
    assert main(["train", *small, *LONG, f"hydra.run.dir={place / 'whole'}"]) == 0
    return place / "whole"


@pytest.mark.parametrize(
    ("how", "stage"),
    [(signal.SIGKILL, "select"), (signal.SIGKILL, "final"), (signal.SIGTERM, "select"), (signal.SIGINT, "final")],
)
def test_killed_and_resumed_equals_never_stopped(shell, run_msl, small, whole, how, stage, monkeypatch):
    """Killed, it is a process of its own; what goes on is this one, which has Lightning imported, or, of those stopped early, another."""
    said = shell.place / "said.txt"
    process = shell("train", *small, *LONG, "hydra.run.dir=stopped")
    wait_for(shell.place / "stopped" / f"{stage}.ckpt", process, said)
    process.send_signal(how)
    status = process.wait(60)
    if how == signal.SIGKILL:
        assert status == -signal.SIGKILL
    else:
        # unless the run was just past its last step, the signal is obeyed after the step and the state is saved
        assert status == 128 + how, said.read_text()
        assert "go on with msl train resume=" in said.read_text()
    assert not (shell.place / "stopped" / "metrics.json").exists()
    monkeypatch.chdir(shell.place)
    status = shell("train", "resume=stopped").wait(120) if stage == "select" else run_msl("train", "resume=stopped")[0]
    assert status == 0, said.read_text()
    assert same(whole, shell.place / "stopped")
    assert (whole / "metrics.json").read_text() == (shell.place / "stopped" / "metrics.json").read_text()
    assert (whole / "log.csv").read_text() == (shell.place / "stopped" / "log.csv").read_text()


def test_a_finished_run_is_not_resumed(run_msl, small):
    run_msl("train", *small, "hydra.run.dir=done")
    status, _, err = run_msl("train", "resume=done")
    assert status == 2
    assert "is finished" in err


def test_resume_takes_no_other_configuration(run_msl, small):
    run_msl("train", *small, "hydra.run.dir=done")
    status, _, err = run_msl("train", "resume=done", "optimiser.lr=1")
    assert status == 2
    assert "optimiser.lr=1" in err


def test_a_loss_that_is_not_finite_names_term_and_step_and_fails(run_msl, small):
    status, _, err = run_msl("train", *small, "optimiser.lr=1e30", "trainer.epochs=20")
    assert status == 1
    assert len(err.strip().splitlines()) == 1
    assert "became" in err
    assert "at step" in err
