"""The experiment tracker: Weights & Biases, offline unless asked otherwise; its failure never ends a run."""

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from msl.files import write_text
from msl.types import Floats

Mode = Literal["disabled", "offline", "online"]


class Board:
    """One W&B run. Every call is guarded: the first failure is told once, then the board stays silent."""

    def __init__(self, run: Any) -> None:
        self._run = run

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
    ) -> "Board":
        """Start a run whose files lie in `folder`; `disabled` does not even import wandb."""
        board = cls(None)
        if mode != "disabled":
            about = {"project": project, "name": name, "group": group, "tags": list(tags), "config": dict(config)}
            board._guarded(lambda: board._begin(mode, folder, about))
        return board

    def _begin(self, mode: Mode, folder: Path, about: Mapping[str, Any]) -> None:
        os.environ.setdefault("WANDB_SILENT", "true")
        import wandb

        self._run = wandb.init(
            **about,
            dir=str(folder),
            mode=mode,
            id=_run_id(folder),
            resume="allow" if mode == "online" else None,
            reinit="finish_previous",
            settings=wandb.Settings(silent=True, console="off", disable_git=True, x_disable_stats=True),
        )
        self._run.define_metric("epoch")
        self._run.define_metric("*", step_metric="epoch")

    @property
    def place(self) -> str | None:
        """The folder of the run's files, None without a run."""
        return str(Path(self._run.dir).parent) if self._run is not None else None

    def log(self, epoch: int, values: Mapping[str, float]) -> None:
        """The scalars of one epoch."""
        self._do(lambda run: run.log({"epoch": epoch, **values}))

    def results(
        self, rows: Sequence[Mapping[str, Any]], curves: Mapping[str, Floats], levels: Floats, pictures: Sequence[Path]
    ) -> None:
        """At the end: every row as a table, headline numbers in the summary, the curves, the pictures."""

        def send(run: Any) -> None:
            import wandb

            columns: list[str | int] = list(rows[0])
            run.log({"results": wandb.Table(columns=columns, data=[list(row.values()) for row in rows])})
            series = wandb.plot.line_series(
                xs=list(levels),
                ys=[list(curve) for curve in curves.values()],
                keys=list(curves),
                title="precision-recall",
                xname="recall",
            )
            run.log({"precision_recall": series} | {picture.stem: wandb.Image(str(picture)) for picture in pictures})
            for row in rows:
                run.summary[f"{row['regime']}/{row['direction']}/{row['metric']}"] = row["value"]

        self._do(send)

    def finish(self, *, exit_code: int) -> None:
        """End the run; a failed one is marked as failed."""
        self._do(lambda run: run.finish(exit_code=exit_code))

    def _do(self, action: Callable[[Any], None]) -> None:
        if self._run is not None:
            self._guarded(lambda: action(self._run))

    def _guarded(self, action: Callable[[], None]) -> None:
        try:
            action()
        except Exception as error:
            self._run = None
            print(
                f"msl: W&B is left out from here on ({type(error).__name__}: {error}); the run goes on", file=sys.stderr
            )


def _run_id(folder: Path) -> str:
    """The run's id, kept in the folder so that a resumed run goes on under it."""
    file = folder / "wandb" / "id"
    if not file.is_file():
        write_text(file, os.urandom(4).hex())
    return file.read_text(encoding="utf-8").strip()
