"""`msl table`: many runs in one table, with intervals over class splits."""

from pathlib import Path
from typing import Any

from omegaconf import DictConfig
from pydantic import BaseModel, ConfigDict
from rich.console import Console

from msl.config import resolved, validated
from msl.evaluation.ledger import read_rows, runs_below, summarise
from msl.files import write_text
from msl.report import table as tables
from msl.types import InputError


class Settings(BaseModel):
    """The keys of `conf/table.yaml`."""

    model_config = ConfigDict(extra="forbid")
    ledger: str | None
    runs: str | None
    metric: str
    direction: str
    reference: str | None
    out: str | None


def table(cfg: DictConfig) -> None:
    """Read the rows, summarise, print; write Markdown if `out` names a file."""
    wanted = validated(Settings, resolved(cfg))
    if (wanted.ledger is None) == (wanted.runs is None):
        raise InputError("table wants either ledger=FILE.jsonl or runs=FOLDER")
    rows = read_rows(Path(wanted.ledger)) if wanted.ledger else runs_below(Path(str(wanted.runs)))
    show(rows, metric=wanted.metric, direction=wanted.direction, reference=wanted.reference)
    if wanted.out:
        found = summarise(rows, metric=wanted.metric, direction=wanted.direction, reference=wanted.reference)
        write_text(Path(wanted.out), tables.markdown(found, reference=wanted.reference))


def show(rows: list[dict[str, Any]], *, metric: str, direction: str, reference: str | None) -> None:
    """Print the summary of many rows."""
    found = summarise(rows, metric=metric, direction=direction, reference=reference)
    console = Console()
    console.print(
        f"{metric}, direction {direction}, ± 95 % t-interval over class splits, seeds averaged within a split"
    )
    for each in tables.summary_tables(found, reference=reference):
        console.print(each)
