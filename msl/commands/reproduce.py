"""`msl reproduce experiment=NAME`: every run behind a table or figure that the ledger lacks, then what is made of them."""

import json
import os
from dataclasses import replace
from pathlib import Path

from omegaconf import DictConfig
from pydantic import Field
from rich.console import Console

from msl.commands.inputs import read_data
from msl.commands.reproducing.arms import Arm, Experiment, arm_values, narrowed
from msl.commands.reproducing.cells import Cell, cells, located, missing
from msl.commands.reproducing.run_cells import launched, worked_off
from msl.commands.settings import Group, checked_settings
from msl.config import resolved, validated
from msl.evaluation.ledger import rows_so_far
from msl.evaluation.run import RunFolder
from msl.files import locked
from msl.types import Count, InputError, NonNegative, TrainingError

console = Console(markup=False)


class Reproduction(Group):
    """`conf/reproduce.yaml`."""

    experiment: Experiment
    ledger: str
    folder: str
    jobs: Count | None
    launcher: str | None
    launcher_options: list[str]
    tracker: str
    near: NonNegative
    page: bool
    methods: list[str] | None = Field(min_length=1)
    datasets: list[str] | None = Field(min_length=1)
    seeds: Count | None
    train: list[str]

    def part(self) -> str:
        """What was asked for instead of the whole experiment, as it was said; nothing if nothing was."""
        narrow = {"methods": self.methods, "datasets": self.datasets, "seeds": self.seeds}
        said = [
            f"{key}={','.join(map(str, value)) if isinstance(value, list) else value}"
            for key, value in narrow.items()
            if value
        ]
        return " ".join([*said, *self.train])

    def chosen(self) -> Experiment:
        """The experiment, or the part of it that was asked for."""
        return narrowed(self.experiment, only=self.methods, datasets=self.datasets, seeds=self.seeds)

    def cells(self) -> list[Cell]:
        """Every cell of it; what changes no number (tracker, pictures) is set here."""
        own = [f"logger={self.tracker}", f"logger.group={self.experiment.name}", "report.queries=0", "progress=false"]
        return cells(self.chosen(), further=[*own, *self.train])


def reproduce(cfg: DictConfig) -> None:
    """Run what is missing, several at a time, and render. A `TrainingError` at the end if a run failed."""
    from msl.commands.reproducing.render import page, render, studied

    wanted = validated(Reproduction, resolved(cfg))
    every, ledger, folder = wanted.cells(), Path(wanted.ledger), Path(wanted.folder)
    console.print(f"{wanted.experiment.title}: {wanted.experiment.question}", soft_wrap=True, highlight=False)
    try:
        with locked(folder / "runs", wait=False):
            every, failures = _run(every, wanted, ledger, folder)
    except BlockingIOError:
        raise InputError(
            f"another msl reproduce is at work in {folder}; wait for it, or give another folder="
        ) from None
    failed = f"{failures} runs failed; the same command tries them again"
    rows = rows_so_far(ledger)
    if failures and not {cell.config_hash for cell in every} & {row["config_hash"] for row in rows}:
        raise TrainingError(failed)
    part = wanted.part()
    name = f"{wanted.experiment.name}-part" if part else wanted.experiment.name
    study = studied(wanted.chosen(), every, rows, near=wanted.near, part=part)
    render(study, name, folder)
    if wanted.page:
        page(study, name, folder, _shown(located(every, rows), folder))
    if failures:
        raise TrainingError(failed)


def _run(every: list[Cell], wanted: Reproduction, ledger: Path, folder: Path) -> tuple[list[Cell], int]:
    """Run the cells that the ledger lacks; the cells, with the hash of the data that were read, and how many failed."""
    rows = rows_so_far(ledger)
    every = _read(every, {row["config_hash"] for row in rows})
    todo = missing(every, rows)
    count = len({cell.run for cell in every})
    console.print(f"{count} runs; {ledger} has {count - len(todo)} of them", soft_wrap=True)
    todo = [cell for cell in todo if cell.data_hash]  # the data of the others are not there
    if not todo:
        return every, 0
    jobs = min(wanted.jobs or os.cpu_count() or 1, len(todo))
    how = f"by {wanted.launcher}" if wanted.launcher else f"{jobs} at a time"
    console.print(
        f"{len(todo)} to do, {how}, in {folder}; stop whenever you like, the same command goes on", soft_wrap=True
    )
    if wanted.launcher:
        return every, launched(todo, folder, ledger, launcher=wanted.launcher, options=wanted.launcher_options)
    return every, worked_off(todo, folder, ledger, jobs=jobs, regime=wanted.experiment.regimes[0])


def _shown(every: list[Cell], folder: Path) -> Path | None:
    """The run that the page shows: the first finished one here, of a method that trains if there is such a one."""
    done = [cell for cell in every if RunFolder(folder / cell.name).finished()]
    trained = [cell for cell in done if (folder / cell.name / "log.csv").is_file()]
    return next((folder / cell.name for cell in trained or done), None)


def _read(every: list[Cell], known: set[str]) -> list[Cell]:
    """The cells with the hash of their data, of the sources that have something to run; the others' data are not read.

    Settings are checked; a data set that is not there is named and left out, and if none is there an `InputError` says so.
    """
    owners: dict[str, set[str]] = {}
    for cell in every:
        owners.setdefault(cell.config_hash, set()).add(cell.arm.source)
    wanted = {cell.arm.source for cell in every if cell.config_hash not in known or len(owners[cell.config_hash]) > 1}
    digests: dict[Arm, str] = {}
    read: dict[str, str] = {}
    refused: dict[str, InputError] = {}
    for arm in dict.fromkeys(cell.arm for cell in every if cell.arm.source in wanted):
        settings = checked_settings(arm_values(arm))
        shared = json.dumps([settings.data, settings.texts])
        try:
            digests[arm] = read[shared] = read.get(shared) or read_data(settings.data, settings.texts)[1]
        except InputError as error:
            refused.setdefault(arm.source, error)
    for source, why in refused.items():
        console.print(f"{source} is left out: {why}", soft_wrap=True)
    if refused and len(refused) == len({cell.arm.source for cell in every}):
        raise next(iter(refused.values()))
    return [replace(cell, data_hash=digests.get(cell.arm)) for cell in every]
