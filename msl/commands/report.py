"""`msl report run=FOLDER`: one page that shows a finished run."""

from pathlib import Path

import torch
from omegaconf import DictConfig
from rich.console import Console

from msl.commands.inputs import training_pairs
from msl.commands.loading import load
from msl.commands.next_command import override, say_next
from msl.commands.searching import build
from msl.commands.settings import Group, Settings
from msl.config import check, resolved, validated
from msl.data.dataset import DataSet
from msl.data.splits import Split
from msl.evaluation.run import Card, RunFolder
from msl.methods.method import Method, Trained
from msl.report.page.write import figures_of, write_page
from msl.report.run.measured import Measured, Shown, measured
from msl.report.run.sections import lead, sections, title
from msl.types import InputError

console = Console()


class Reported(Group):
    """`conf/report.yaml`."""

    run: str
    out: str | None
    show: Shown


def report(cfg: DictConfig) -> None:
    """Measure the run again, write its page with the figures beside it, say where."""
    values = resolved(cfg)
    check(values)
    wanted = validated(Reported, values)
    folder = Path(wanted.run)
    file = Path(wanted.out) if wanted.out else folder / "report.html"
    _check_finished(folder)
    _check_place(file)
    console.print(f"writes {file} and {figures_of(file)}", soft_wrap=True, markup=False)
    with console.status("measuring the run"):
        run = read_run(folder, wanted.show)
    with console.status("drawing"):
        page, *figures = write_page(file, title=title(run), lead=lead(run), sections=sections(run))
    console.print(f"page: {page}, {len(figures)} files of figures", soft_wrap=True, markup=False)
    say_next("msl", "evaluate", override("run", str(folder)), "protocols=true")


def read_run(folder: Path, show: Shown) -> Measured:
    """A finished run, measured again for a page; an `InputError` if it is unfinished, damaged, or its data changed.

    Nothing in the folder is executed, as in `msl evaluate`.
    """
    _check_finished(folder)
    method, data, split, card, settings = load(folder)
    return measured(
        method,
        fresh(settings, card, data, split),
        data,
        split,
        card,
        settings.evaluation.protocol,
        metrics=settings.evaluation.metrics,
        folder=folder,
        shown=show,
    )


def fresh(settings: Settings, card: Card, data: DataSet, split: Split) -> Method | None:
    """The run's method as its final fit began, initialised by the run's seed; None for a closed-form one."""
    torch.manual_seed(settings.seed)
    method = build(settings.method, card.sizes, card.chosen)
    if not isinstance(method, Trained):
        return None
    pairs, _ = training_pairs(data, split, selecting=False)
    method.prepare(pairs)
    return method


def _check_finished(folder: Path) -> None:
    run = RunFolder(folder)
    run.card()
    if not run.finished():
        raise InputError(f"the run in {folder} stopped before its end; go on with msl train resume={folder}")


def _check_place(file: Path) -> None:
    """An `InputError` if the page cannot be written there: measuring takes minutes."""
    if file.is_dir():
        raise InputError(f"out={file} is a folder; name the page in it, such as out={file / 'report.html'}")
    figures = figures_of(file)
    there = next(place for place in (figures, *figures.parents) if place.exists())
    if not there.is_dir():
        raise InputError(f"{there} is a file, where out={file} wants a folder; give another out=FOLDER/report.html")
