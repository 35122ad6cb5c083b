"""The experiment tracker, W&B, TensorBoard or MLflow: its failure never ends a run."""

import importlib.util
import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, TypeAlias

from msl.files import write_json
from msl.report.tracking.parts import About, Outcome, Tracker
from msl.types import InputError

Mode: TypeAlias = Literal["disabled", "offline", "online"]
Name: TypeAlias = Literal["wandb", "tensorboard", "mlflow"]

RECORD = "board.json"
"""What a run's folder says of its board: tracker, names, and whether the run ended."""

_TITLES = {"wandb": "W&B", "tensorboard": "TensorBoard", "mlflow": "MLflow"}
_PACKAGES = {"wandb": ("wandb",), "tensorboard": ("tensorboard",), "mlflow": ("mlflow", "sqlalchemy", "alembic")}
_SHOWN_BY = {
    "wandb": "wandb leet shows it here, msl board sync sends it",
    "tensorboard": "tensorboard --logdir shows it",
    "mlflow": "mlflow ui --backend-store-uri shows it",
}


class Board:
    """One run in one tracker. Every call is guarded: the first failure is told once, then the board stays silent."""

    def __init__(self, tracker: Tracker | None, name: Name = "wandb", record: Path | None = None) -> None:
        self._tracker, self._name, self._record = tracker, name, record

    @classmethod
    def start(
        cls,
        *,
        mode: Mode,
        project: str,
        name: str,
        group: str,
        tags: Sequence[str],
        config: Mapping[str, Any],
        folder: Path,
        tracker: Name = "wandb",
        job_type: str = "train",
    ) -> "Board":
        """Start a run, or go on with the one of `folder`; `disabled` does not even import the tracker."""
        board = cls(None, tracker, folder / RECORD)
        if mode != "disabled":
            about = About(
                project=project, name=name, group=group, job_type=job_type, tags=tags, config=config, folder=folder
            )
            board._guarded(lambda: board._begin(about, online=mode == "online"))
        return board

    def _begin(self, about: About, *, online: bool) -> None:
        said = {"tracker": self._name, "project": about.project, "name": about.name, "group": about.group}
        write_json(about.folder / RECORD, said | {"state": "started"})
        self._tracker = _tracker(self._name)(about, online=online)

    @property
    def place(self) -> str | None:
        """Where the run's files are and what shows them, in words; None without a run."""
        if self._tracker is None:
            return None
        return f"{_TITLES[self._name]} run: {_near(self._tracker.place)} ({_SHOWN_BY[self._name]})"

    @property
    def begins_anew(self) -> bool:
        """Whether a resumed run's earlier epochs have to be told again."""
        return self._tracker is not None and self._tracker.begins_anew

    def log(self, epoch: int, values: Mapping[str, float]) -> None:
        """The scalars of one epoch."""
        self._do(lambda tracker: tracker.log(epoch, values))

    def results(self, outcome: Outcome) -> None:
        """What the run found: headline numbers, every row as a table, curves, pictures, artifacts."""
        self._do(lambda tracker: tracker.results(outcome))

    def finish(self, *, exit_code: int) -> None:
        """End the run; a failed one is marked as failed."""
        self._do(lambda tracker: tracker.finish(exit_code=exit_code))
        record = self._record
        if record is not None and record.is_file():
            self._guarded(lambda: _set_state(record, "failed" if exit_code else "finished"))

    def _do(self, action: Callable[[Tracker], None]) -> None:
        tracker = self._tracker
        if tracker is not None:
            self._guarded(lambda: action(tracker))

    def _guarded(self, action: Callable[[], Any]) -> None:
        try:
            action()
        except Exception as error:
            self._tracker = None
            said = f"{type(error).__name__}: {' '.join(str(error).split())}"
            print(f"msl: {_TITLES[self._name]} is left out from here on ({said}); the run goes on", file=sys.stderr)


def check_tracker(name: Name, mode: Mode) -> None:
    """An `InputError` unless the tracker is installed and can do what `mode` asks for."""
    if mode == "disabled":
        return
    lacking = [package for package in _PACKAGES[name] if importlib.util.find_spec(package) is None]
    if lacking:
        raise InputError(
            f"logger={name} needs the package {lacking[0]}, which is not installed: pip install 'msl[trackers]'"
        )
    if name == "tensorboard" and mode == "online":
        raise InputError("logger=tensorboard writes files and has no server; leave logger.mode at offline")
    if name == "mlflow" and mode == "online" and not os.environ.get("MLFLOW_TRACKING_URI"):
        raise InputError("logger=mlflow logger.mode=online wants the server's address in MLFLOW_TRACKING_URI")


def _tracker(name: Name) -> Callable[..., Tracker]:
    if name == "wandb":
        from msl.report.tracking.wandb_run import WandbRun

        return WandbRun
    if name == "tensorboard":
        from msl.report.tracking.tensorboard_run import TensorBoardRun

        return TensorBoardRun
    from msl.report.tracking.mlflow_run import MlflowRun

    return MlflowRun


def _set_state(record: Path, state: str) -> None:
    write_json(record, json.loads(record.read_text(encoding="utf-8")) | {"state": state})


def _near(path: Path) -> str:
    near = os.path.relpath(path)
    return str(path) if near.startswith("..") else near
