"""`msl board`: the runs below a folder, and sending those that W&B tracked offline to its server."""

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from msl.config import composed, resolved, validated
from msl.evaluation.ledger import read_rows
from msl.report.tracking.board import RECORD
from msl.types import InputError, TrainingError

console = Console()


class _Keys(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Panels(_Keys):
    """A section of the view: keys as runs log them."""

    name: str
    bars: list[str] = Field(default=[])
    lines: list[str] = Field(default=[])
    media: list[str] = Field(default=[])


class Layout(_Keys):
    """The view that W&B is to show."""

    name: str
    sections: list[Panels]


class Boarding(_Keys):
    """`conf/board.yaml`."""

    runs: str
    dry_run: bool
    seconds: float = Field(gt=0)
    view: str | None
    layout: Layout


class SendingError(TrainingError):
    """Some runs were not sent; the others were."""


@dataclass(frozen=True)
class Tracked:
    """A run's folder and what its files say of it."""

    folder: Path
    record: dict[str, Any]
    """What the board noted; empty for a run without one."""

    @property
    def metrics(self) -> Path:
        """The file that a run writes last, and a sweep's trial never."""
        return self.folder / "metrics.json"

    @property
    def state(self) -> str:
        """`finished`, which says of a sweep's trial that it ended; `failed`; or `started`: at work, or killed."""
        if self.metrics.is_file():
            return "finished"
        return str(self.record.get("state", "started"))

    @property
    def offline(self) -> Path | None:
        """The W&B run to send: of those that a resumed run left, the last, which holds all that the earlier do."""
        return max((self.folder / "wandb").glob("offline-run-*/*.wandb"), default=None)

    @property
    def synced(self) -> bool:
        """Whether W&B has it, by the mark that its own sync leaves."""
        return self.offline is not None and self.offline.with_suffix(".wandb.synced").is_file()

    def headline(self) -> str:
        """The first metric on unseen classes, mean of both directions; of all classes where none is unseen."""
        if not self.metrics.is_file():
            return "-"
        means = [row for row in read_rows(self.metrics) if row["direction"] == "mean"]
        if not means:
            raise InputError(f"{self.metrics} holds no mean of both directions; restore it or remove the run")
        row = next((row for row in means if row["regime"] == "unseen"), means[0])
        return f"{row['regime']} {row['metric']} {row['value']:.3f}"


def board(arguments: list[str]) -> None:
    """`msl board list` or `msl board sync`, with overrides of conf/board.yaml."""
    verbs = {"list": show, "sync": sync}
    verb = arguments[0] if arguments else None
    if verb not in verbs:
        raise InputError(f"msl board wants list or sync, and got {verb or 'nothing'}: msl board sync runs=FOLDER")
    wanted = validated(Boarding, resolved(composed("board", arguments[1:])))
    verbs[verb](wanted, list(tracked(Path(wanted.runs))))


def tracked(folder: Path) -> Iterator[Tracked]:
    """The runs below a folder, a sweep's trials among them, in order of their names; an `InputError` if there is none."""
    # a copy of a card, as MLflow keeps beside the weights, has no split beside it; a sweep's trial has no card
    trained = {card.parent for card in folder.rglob("card.json") if card.with_name("split.json").is_file()}
    places = sorted(trained | {record.parent for record in folder.rglob(RECORD)})
    if not places:
        raise InputError(f"there is no run below {folder}; give the folder they are in as runs=FOLDER")
    for place in places:
        _read(place / "card.json")
        yield Tracked(place, _read(place / RECORD))


def _read(file: Path) -> dict[str, Any]:
    """What a file maps; nothing where there is none; an `InputError` if it is no mapping."""
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
        if not isinstance(found, dict):
            raise ValueError(f"no mapping but {type(found).__name__}")
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise InputError(f"{file} is damaged ({error}); restore it or remove the run") from None
    return found


def show(wanted: Boarding, runs: list[Tracked]) -> None:
    """Print a table for each group, a line for each run."""
    groups: dict[str, list[Tracked]] = {}
    for run in runs:
        groups.setdefault(str(run.record.get("group", "no group")), []).append(run)
    for group, members in groups.items():
        table = Table(title=Text(group), title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
        for head in ("run", "tracker", "state", "headline", "sent"):
            table.add_column(head, overflow="fold", no_wrap=head != "run")
        for run in members:
            sent = "-" if run.offline is None else "yes" if run.synced else "no"
            name = Text(os.path.relpath(run.folder, wanted.runs))
            table.add_row(name, str(run.record.get("tracker", "-")), run.state, run.headline(), sent)
        console.print(table)


def sync(wanted: Boarding, runs: list[Tracked]) -> None:
    """Send what W&B does not have yet, run by run; a `SendingError` at the end if any was refused."""
    waiting = [run for run in runs if run.offline is not None and not run.synced]
    todo = [run for run in waiting if run.state != "started"]
    console.print(f"{len(todo)} of {len(runs)} runs to send{':' if todo else ''}")
    for run in todo:
        console.print(f"  {run.offline}", soft_wrap=True, highlight=False, markup=False)
    if len(waiting) > len(todo):
        console.print(
            f"{len(waiting) - len(todo)} more have not ended: they run, or were killed (msl train resume=...)"
        )
    if wanted.dry_run or not (todo or wanted.view):
        return
    _check(wanted)
    failed = [run for number, run in enumerate(todo, 1) if not _sent(run, f"{number}/{len(todo)}", wanted.seconds)]
    if failed:
        raise SendingError(
            f"{len(failed)} of {len(todo)} runs were not sent; msl board sync runs={wanted.runs} tries those again"
        )
    if wanted.view:
        _save_view(wanted.view, wanted.layout)


def _check(wanted: Boarding) -> None:
    from msl.report.tracking.wandb_run import has_key

    if wanted.view and not all(wanted.view.partition("/")):
        raise InputError(f"view={wanted.view}: wanted ENTITY/PROJECT")
    if wanted.view and importlib.util.find_spec("wandb_workspaces") is None:
        raise InputError(
            "view= needs the package wandb-workspaces, which is not installed: pip install wandb-workspaces"
        )
    if not has_key():
        raise InputError(
            "W&B has no valid key to send with: set WANDB_API_KEY, or write it to .netrc once with `wandb login`"
        )


def _sent(run: Tracked, which: str, seconds: float) -> bool:
    """Send one run with W&B's own sync, whose exit status is 0 even when it is refused: its mark tells."""
    assert run.offline is not None
    command = [sys.executable, "-m", "wandb", "sync", str(run.offline.parent)]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=seconds, stdin=subprocess.DEVNULL,
            env={name: value for name, value in os.environ.items() if name != "WANDB_SILENT"},
        )  # fmt: skip
        lines = [line for line in (done.stdout + done.stderr).splitlines() if "ERROR" in line or "panic" in line]
        reason = lines[-1].partition("ERROR")[2].strip() or lines[-1] if lines else "W&B did not say why"
    except subprocess.TimeoutExpired:
        reason = f"no end after {seconds:g} s"
    said = "sent" if run.synced else f"not sent: {reason}"
    console.print(f"{which}  {run.folder}: {said}", soft_wrap=True, highlight=False, markup=False)
    return run.synced


def _save_view(place: str, layout: Layout) -> None:
    from msl.report.tracking.wandb_run import save_view

    entity, _, project = place.partition("/")
    sections = [section.model_dump() for section in layout.sections]
    try:
        address = save_view(entity, project, name=layout.name, sections=sections)
    except Exception as error:  # whatever the server says
        raise SendingError(f"the view was not saved in {place}: {' '.join(str(error).split())}") from None
    console.print(f"view: {address}", soft_wrap=True)
