"""`msl reproduce experiment=NAME`: every run behind a table or figure that the ledger lacks, then what is made of them."""

import os
from collections.abc import Sequence
from pathlib import Path

from omegaconf import DictConfig
from pydantic import Field
from rich.console import Console

from msl.commands.inputs import read_data
from msl.commands.reproducing.experiment import Cell, Experiment, cells, narrowed
from msl.commands.reproducing.run_cells import launched, worked_off
from msl.commands.settings import Group, read_settings
from msl.config import composed, resolved, validated
from msl.evaluation.ledger import read_rows
from msl.evaluation.run import RunFolder
from msl.files import locked
from msl.types import Count, InputError, NonNegative, TrainingError

console = Console()


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
    console.print(f"[bold]{wanted.experiment.title}[/bold]: {wanted.experiment.question}")
    try:
        with locked(folder / "runs", wait=False):
            failures = _run(every, wanted, ledger, folder)
    except BlockingIOError:
        raise InputError(
            f"another msl reproduce is at work in {folder}; wait for it, or give another folder="
        ) from None
    study = studied(wanted.chosen(), every, read_rows(ledger), near=wanted.near)
    render(study, wanted.experiment.name, folder)
    if wanted.page:
        page(study, wanted.experiment.name, folder, _shown(every, folder))
    if failures:
        raise TrainingError(f"{len(failures)} runs failed, the first: {failures[0]}; the same command tries them again")


def _run(every: list[Cell], wanted: Reproduction, ledger: Path, folder: Path) -> list[str]:
    """Run the cells that the ledger lacks; what went wrong, in words."""
    lacking = missing(every, ledger)
    count = len({cell.config_hash for cell in every})
    console.print(f"{count} runs; {ledger} has {count - len(lacking)} of them", soft_wrap=True)
    todo = _readable(lacking)
    if not todo:
        return []
    jobs = min(wanted.jobs or os.cpu_count() or 1, len(todo))
    how = f"by {wanted.launcher}" if wanted.launcher else f"{jobs} at a time"
    console.print(
        f"{len(todo)} to do, {how}, in {folder}; stop whenever you like, the same command goes on", soft_wrap=True
    )
    if wanted.launcher:
        return launched(todo, folder, ledger, launcher=wanted.launcher, options=wanted.launcher_options)
    return worked_off(todo, folder, ledger, jobs=jobs, regime=wanted.experiment.regimes[0])


def missing(every: Sequence[Cell], ledger: Path) -> list[Cell]:
    """The cells whose configuration the ledger has no row of; of cells that are one run, the first."""
    known = {row["config_hash"] for row in read_rows(ledger)} if ledger.is_file() else set()
    first = {cell.config_hash: cell for cell in reversed(every)}
    return [cell for cell in reversed(first.values()) if cell.config_hash not in known]


def _shown(every: list[Cell], folder: Path) -> Path | None:
    """The run that the page shows: the first finished one here, of a method that trains if there is such a one."""
    done = [cell for cell in every if RunFolder(folder / cell.name).finished()]
    trained = [cell for cell in done if (folder / cell.name / "log.csv").is_file()]
    return next((folder / cell.name for cell in trained or done), None)


def _readable(lacking: list[Cell]) -> list[Cell]:
    """Those whose settings are right and whose data are there; a data set that is not is named and left out."""
    refused: dict[str, InputError] = {}
    for source in dict.fromkeys(cell.arm.source for cell in lacking):
        arms = dict.fromkeys(cell.arm.overrides for cell in lacking if cell.arm.source == source)
        settings = [read_settings(composed("train", overrides))[0] for overrides in arms]
        try:
            read_data(settings[0].data, settings[0].texts)
        except InputError as error:
            refused[source] = error
            console.print(f"{source} is left out: {error}", soft_wrap=True)
    todo = [cell for cell in lacking if cell.arm.source not in refused]
    if lacking and not todo:
        raise next(iter(refused.values()))
    return todo
