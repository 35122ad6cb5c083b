"""`msl table`: many runs in one table, with intervals over class splits; or an experiment again, from the ledger alone."""

from pathlib import Path
from typing import Any

from omegaconf import DictConfig
from pydantic import BaseModel, ConfigDict
from rich.console import Console

from msl.config import resolved, validated
from msl.evaluation.ledger import Summary, read_rows, runs_below, summarise
from msl.files import write_text
from msl.report import table as tables
from msl.report.latex import latex
from msl.types import InputError, NonNegative

FORMATS = (".md", ".tex", ".csv")


class Tabulation(BaseModel):
    """The keys of `conf/table.yaml`."""

    model_config = ConfigDict(extra="forbid")
    experiment: dict[str, Any] | None = None
    ledger: str | None
    runs: str | None
    metric: str | None
    direction: str | None
    reference: str | None
    near: NonNegative
    out: str | None


def table(cfg: DictConfig) -> None:
    """Read the rows, summarise, print; write a file if `out` names one, of an experiment every file below the folder `out`."""
    wanted = validated(Tabulation, resolved(cfg))
    if (wanted.ledger is None) == (wanted.runs is None):
        raise InputError("table wants either ledger=FILE.jsonl or runs=FOLDER")
    out = Path(wanted.out) if wanted.out else None
    if out and not wanted.experiment and out.suffix not in FORMATS:
        raise InputError(
            f"out={out}: wanted a file that ends in one of {', '.join(FORMATS)}, which says how it is written"
        )
    rows = read_rows(Path(wanted.ledger)) if wanted.ledger else runs_below(Path(str(wanted.runs)))
    if wanted.experiment:
        _experiment(wanted.experiment, wanted, rows, out)
        return
    metric, direction = wanted.metric or "map", wanted.direction or "mean"
    show(rows, metric=metric, direction=direction, reference=wanted.reference)
    if out:
        found = summarise(rows, metric=metric, direction=direction, reference=wanted.reference)
        write_text(out, _written(found, out.suffix, metric, wanted.reference))


def _experiment(named: dict[str, Any], wanted: Tabulation, rows: list[dict[str, Any]], out: Path | None) -> None:
    from msl.commands.reproducing.arms import Experiment  # here: a plain table needs no torch
    from msl.commands.reproducing.cells import cells
    from msl.commands.reproducing.render import render, studied

    experiment = validated(Experiment, named)
    told = [key for key in ("metric", "direction", "reference") if getattr(wanted, key) is not None]
    if told:
        raise InputError(f"{told[0]}= is what experiment={experiment.name} says itself; leave it out")
    render(studied(experiment, cells(experiment, further=[]), rows, near=wanted.near), experiment.name, out)


def _written(found: list[Summary], ending: str, metric: str, reference: str | None) -> str:
    if ending == ".csv":
        return tables.csv_text(found)
    if ending == ".tex":
        return latex(found, metric=tables.titled(metric), reference=reference)
    return tables.markdown(found, reference=reference)


def show(rows: list[dict[str, Any]], *, metric: str, direction: str, reference: str | None) -> None:
    """Print the summary of many rows."""
    found = summarise(rows, metric=metric, direction=direction, reference=reference)
    console = Console(markup=False)
    console.print(
        f"{metric}, direction {direction}, ± 95 % t-interval over class splits, seeds averaged within a split"
    )
    for each in tables.summary_tables(found, reference=reference):
        console.print(each)
