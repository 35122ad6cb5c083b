"""Running cells: in processes of our own, or by a Hydra launcher; a cell that was stopped goes on, none is run twice."""

import json
import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from msl.commands.next_command import override
from msl.commands.reproducing.arms import Arm
from msl.commands.reproducing.cells import Cell, missing
from msl.commands.reproducing.workers import work_off
from msl.config import composed
from msl.evaluation.ledger import append, read_rows, rows_so_far
from msl.evaluation.run import RunFolder
from msl.files import write_json


def run_cell(cell: Cell, folder: Path, ledger: Path) -> list[dict[str, Any]]:
    """Train, evaluate and append one cell, whatever an earlier try left of it; returns its rows.

    The ledger's rows also have the processor `seconds` it took to learn. What it says goes to `said.txt` in its folder.
    """
    from msl.commands.resume import resume
    from msl.commands.train import train

    run = RunFolder(folder / cell.name)
    run.path.mkdir(parents=True, exist_ok=True)
    if run.finished():
        rows = read_rows(run.path / "metrics.json")
    else:
        with (run.path / "said.txt").open("a") as said, redirect_stdout(said), redirect_stderr(said):
            fresh = not (run.path / "card.json").is_file()
            overrides = cell.overrides
            rows = train(composed("train", overrides), run.path, overrides) if fresh else resume(run.path)
    seconds = run.card().seconds
    append(ledger, [row | {"seconds": seconds} for row in rows])
    return rows


def worked_off(todo: Sequence[Cell], folder: Path, ledger: Path, *, jobs: int, regime: str) -> int:
    """Run cells `jobs` at a time, a line for each as it ends; how many failed."""
    failures = 0
    console = Console(markup=False)
    left = TimeLeft(todo, jobs)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console, transient=True, disable=not sys.stdout.isatty()) as bar:
        shown = bar.add_task("runs", total=len(todo))
        work = partial(_timed, folder=folder, ledger=ledger)
        for number, outcome in enumerate(work_off(todo, work, jobs=jobs), start=1):
            if outcome.failure:
                failures += 1
                said, seconds = f"failed: {outcome.failure}", None
            else:
                rows, seconds = outcome.value
                said = _headline(rows, regime)
            left.done(outcome.task, seconds)
            console.print(f"{number}/{len(todo)}  {outcome.task}: {said}; {left}", soft_wrap=True, highlight=False)
            bar.update(shown, advance=1, description=f"{left}")
    return failures


def _timed(cell: Cell, folder: Path, ledger: Path) -> tuple[list[dict[str, Any]], float]:
    started = time.perf_counter()
    return run_cell(cell, folder, ledger), time.perf_counter() - started


def _headline(rows: list[dict[str, Any]], regime: str) -> str:
    row = next((row for row in rows if (row["regime"], row["direction"]) == (regime, "mean")), rows[-1])
    return f"{row['regime']} {row['metric']} {row['value']:.3f}"


class TimeLeft:
    """How long the rest will take, by what runs of the same arm took; of an arm not yet seen, by the mean of all."""

    def __init__(self, todo: Sequence[Cell], jobs: int) -> None:
        self.waiting, self.jobs = list(todo), jobs
        self.took: dict[Arm, list[float]] = defaultdict(list)

    def done(self, cell: Cell, seconds: float | None) -> None:
        """Take note of a cell that ended, and of its seconds if it did not fail."""
        self.waiting.remove(cell)
        if seconds is not None:
            self.took[cell.arm].append(seconds)

    def seconds(self) -> float | None:
        """None while nothing is known."""
        if not self.took:
            return None
        overall = float(np.mean([np.mean(some) for some in self.took.values()]))
        each = [float(np.mean(self.took[cell.arm])) if cell.arm in self.took else overall for cell in self.waiting]
        return sum(each) / self.jobs

    def __str__(self) -> str:
        seconds = self.seconds()
        if seconds is None:
            return "time left unknown"
        return f"about {seconds / 60:.0f} min left" if seconds >= 90 else f"about {seconds:.0f} s left"


def launched(todo: Sequence[Cell], folder: Path, ledger: Path, *, launcher: str, options: Sequence[str]) -> int:
    """Run cells as jobs of a Hydra launcher (joblib, submitit_slurm, ray, ...); how many failed, each of which is named.

    The jobs find their cells in `plan.json`, which they must be able to read: a folder that all machines share.
    """
    from msl.cli import launch

    plan = write_json(folder.absolute() / "plan.json", [asdict(cell) for cell in todo])
    places = {"plan": plan, "ledger": ledger.absolute(), "hydra.sweep.dir": plan.parent}
    jobs = f"number={','.join(map(str, range(len(todo))))}"
    launch(
        [*(override(key, str(place)) for key, place in places.items()), jobs, f"hydra/launcher={launcher}", *options]
    )
    failed = missing(todo, rows_so_far(ledger))
    for cell in failed:
        print(f"{cell}: failed; see {folder / cell.name / 'said.txt'}")
    return len(failed)


def planned(plan: Path, number: int, ledger: Path) -> None:
    """Run one cell of a plan, with one thread; a failure is told and leaves the other jobs alone."""
    import torch
    from threadpoolctl import threadpool_limits

    torch.set_num_threads(1)
    values = json.loads(plan.read_text(encoding="utf-8"))[number]
    arm: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in values["arm"].items()
    }
    cell = Cell(**values | {"arm": Arm(**arm)})
    try:
        with threadpool_limits(1):
            run_cell(cell, plan.parent, ledger)
    except Exception as error:
        print(f"msl: {cell}: {error}", file=sys.stderr)
