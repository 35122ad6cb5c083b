"""What happens around the steps: validation, logs, checkpoints, signals."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytorch_lightning as pl

from msl.methods.method import Method
from msl.training.module import MethodModule
from msl.types import Interrupted, Sink


class Validate(pl.Callback):
    """Scores the method every `every` epochs and after the last; `best` is the best score and its epoch, ties to the earlier.

    `score` sees validation rows only.
    """

    def __init__(self, score: Callable[[Method], float], *, every: int) -> None:
        self.score, self.every = score, every
        self.best: tuple[float, int] = (float("-inf"), 0)
        self.latest: dict[str, float] = {}

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Score; remember the epoch if it is the best so far."""
        assert isinstance(pl_module, MethodModule)
        epoch = trainer.current_epoch + 1
        self.latest = {}
        if epoch % self.every == 0 or epoch == trainer.max_epochs:
            score = self.score(pl_module.method)
            self.latest = {"validation_map": score}
            self.best = max(self.best, (score, epoch), key=lambda found: found[0])

    def state_dict(self) -> dict[str, Any]:
        """Best score and epoch so far."""
        return {"best": self.best}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take them back."""
        self.best = state_dict["best"]


class Log(pl.Callback):
    """Hands every epoch's means and validation score to the sinks; stands after `Validate` in the list."""

    def __init__(self, validation: Validate | None, sinks: list[Sink]) -> None:
        self.validation, self.sinks = validation, sinks
        self.rows: list[dict[str, float]] = []

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Collect the epoch's row and hand it on."""
        assert isinstance(pl_module, MethodModule)
        row = pl_module.means()
        row |= self.validation.latest if self.validation else {}
        self.rows.append({"epoch": trainer.current_epoch + 1, **row})
        for sink in self.sinks:
            sink(trainer.current_epoch + 1, row)

    def state_dict(self) -> dict[str, Any]:
        """The rows so far."""
        return {"rows": self.rows}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take them back and hand them to the sinks again: a log is then whole even if its file was lost."""
        self.rows = state_dict["rows"]
        for row in self.rows:
            values = {name: value for name, value in row.items() if name != "epoch"}
            for sink in self.sinks:
                sink(int(row["epoch"]), values)


class Save(pl.Callback):
    """Writes `last.ckpt` atomically every `seconds` between two steps, and at once when a signal asks to stop.

    Stands last in the list, so that a checkpoint holds what the other callbacks did at the same point.
    """

    def __init__(self, file: Path, *, seconds: float) -> None:
        self.file, self.seconds = file, seconds
        self.saved, self.signum = time.monotonic(), 0
        self.handlers: dict[int, Any] = {}

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """From here on a signal waits for the end of the step."""
        for signum in (signal.SIGTERM, signal.SIGINT):
            self.handlers[signum] = signal.signal(signum, self._remember)

    def _remember(self, signum: int, frame: Any) -> None:
        self.signum = signum
        signal.signal(signum, self.handlers[signum])  # a second signal is not kept waiting

    def on_train_batch_end(self, trainer: pl.Trainer, *_: Any) -> None:
        """Save when it is time or when asked to stop; after an epoch's last step, wait for the epoch's end.

        Lightning resumes a checkpoint of the last step behind the epoch's end: validation and log would be skipped.
        """
        if not trainer.fit_loop.epoch_loop.batch_progress.is_last_batch:
            self._due(trainer)

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Save when it is time or when asked to stop."""
        self._due(trainer)

    def _due(self, trainer: pl.Trainer) -> None:
        if self.signum or time.monotonic() - self.saved >= self.seconds:
            self.write(trainer)
        if self.signum:
            raise Interrupted(self.signum, self.file)

    def write(self, trainer: pl.Trainer) -> None:
        """Save whole or not at all."""
        temporary = self.file.with_name(f".{self.file.name}.partial")
        trainer.save_checkpoint(temporary)
        os.replace(temporary, self.file)
        self.saved = time.monotonic()

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Give the signals back, before the trainer gives back what it took itself: a later teardown would undo that."""
        self._give_back()

    def on_exception(self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException) -> None:
        """The same."""
        self._give_back()

    def _give_back(self) -> None:
        for signum, handler in self.handlers.items():
            signal.signal(signum, handler)
        self.handlers = {}
