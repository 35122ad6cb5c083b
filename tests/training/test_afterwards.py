"""What training leaves behind: nothing."""

import gc
import signal

import pytest
import pytorch_lightning as pl

from msl.config import composed
from msl.data.dataset import DataSet
from msl.types import TrainingError


def learn(overrides, folder):
    from msl.commands.train import train

    folder.mkdir()
    train(composed("train", overrides), folder, list(overrides))


def alive():
    gc.collect()
    return [each for each in gc.get_objects() if type(each) in (pl.Trainer, DataSet)]


@pytest.fixture
def handlers():
    before = {signum: signal.getsignal(signum) for signum in (signal.SIGTERM, signal.SIGINT)}
    yield before
    assert {signum: signal.getsignal(signum) for signum in before} == before


def test_signals_and_memory_are_given_back(small, tmp_path, handlers):
    before = len(alive())
    for number in range(2):
        learn([*small, "trainer.epochs=1"], tmp_path / f"run{number}")
    assert len(alive()) == before


def test_signals_are_given_back_after_a_failure(small, tmp_path, handlers):
    with pytest.raises(TrainingError):
        learn([*small, "optimiser.lr=1e30"], tmp_path / "run")
