"""The runs behind one table or figure, as cells of method x data x class split x seed, and what a ledger has of them."""

import itertools
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from msl.commands.next_command import override
from msl.commands.reproducing.arms import Arm, Experiment, Source, arm_values, arms
from msl.config import config_hash, is_kind
from msl.methods.method import ClosedForm
from msl.types import InputError


@dataclass(frozen=True)
class Cell:
    """One run: an arm on one class split with one seed. Cells of one configuration and data are one run."""

    arm: Arm
    split: int
    seed: int
    config_hash: str
    data_hash: str | None = None
    """Of the data as they are, or as they were when the ledger's rows were measured; None: neither is known."""

    @property
    def overrides(self) -> list[str]:
        """Everything `msl train` is told."""
        return [*self.arm.overrides, f"split.seed={self.split}", f"seed={self.seed}", override("label", self.arm.label)]

    @property
    def name(self) -> str:
        """A name for its folder."""
        said = re.sub(r"[^a-z0-9.]+", "-", f"{self.arm.label} {self.arm.source}".lower())
        return f"{said}-split{self.split}-seed{self.seed}-{self.config_hash}-{self.data_hash}"

    @property
    def run(self) -> tuple[str, str | None]:
        """What is run: two cells that agree in it are one run."""
        return self.config_hash, self.data_hash

    def __str__(self) -> str:
        return f"{self.arm.label} on {self.arm.source}, split {self.split}, seed {self.seed}"


def cells(experiment: Experiment, *, further: Sequence[str]) -> list[Cell]:
    """Every cell, `further` settings given to each; data set by data set, and of each split by split.

    A closed-form method has nothing that a seed would draw: its first seed stands for all.
    """
    return [cell for source in experiment.data for cell in _of_source(experiment, source, further)]


def _of_source(experiment: Experiment, source: str, further: Sequence[str]) -> list[Cell]:
    found: dict[tuple[int, int], list[Cell]] = {}
    wanted = experiment.data[source]
    for arm in arms(experiment, source, further):
        values = arm_values(arm)
        seeds = _seeds(experiment, wanted, values["method"])
        for split, seed in itertools.product(range(wanted.splits), range(seeds)):
            found.setdefault((split, seed), []).append(Cell(arm, split, seed, _hash(values, split, seed)))
    return [cell for _, some in sorted(found.items()) for cell in some]


def _seeds(experiment: Experiment, source: Source, method: dict[str, Any]) -> int:
    if is_kind(method, ClosedForm):
        return 1
    tuned = experiment.tuned_seeds if "search" in method else None
    return source.seeds or tuned or experiment.seeds


def _hash(values: dict[str, Any], split: int, seed: int) -> str:
    """The hash that the run will have, without composing once more for every split and seed."""
    return config_hash(values | {"seed": seed, "split": values["split"] | {"seed": split}})


def located(every: Sequence[Cell], rows: Iterable[dict[str, Any]]) -> list[Cell]:
    """The cells with the version of the data their arm was measured on last, where it is not known which there is now."""
    measured = {row["config_hash"]: row["data_hash"] for row in rows}
    latest = {cell.arm: measured[cell.config_hash] for cell in every if cell.config_hash in measured}
    return [replace(cell, data_hash=cell.data_hash or latest.get(cell.arm)) for cell in every]


def runs_of(rows: Iterable[dict[str, Any]]) -> set[tuple[str, str]]:
    """What was run: the `Cell.run` of every row."""
    return {(row["config_hash"], row["data_hash"]) for row in rows}


def missing(every: Sequence[Cell], rows: Sequence[dict[str, Any]]) -> list[Cell]:
    """The cells the ledger has no row of, by configuration and data; of cells that are one run, the first."""
    known = runs_of(rows)
    first = {cell.run: cell for cell in reversed(located(every, rows))}
    return [cell for cell in reversed(first.values()) if cell.run not in known]


def found_rows(every: Sequence[Cell], rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The ledger's rows of these cells, each under its cell's label; an `InputError` if there is none.

    A source stands under the name of its data set, unless others have the same or it has several: then under its own.
    """
    kept: dict[tuple[str, str | None], list[dict[str, Any]]] = {}
    for row in rows:
        kept.setdefault((row["config_hash"], row["data_hash"]), []).append(row)
    pairs = [
        (cell, row | {"method": cell.arm.label}) for cell in located(every, rows) for row in kept.get(cell.run, [])
    ]
    if not pairs:
        raise InputError("the ledger holds no run of this experiment; msl reproduce makes them")
    said = {(cell.arm.source, row["data"]) for cell, row in pairs}
    sources, names = (Counter(each[place] for each in said) for place in (0, 1))
    alone = {source for source, name in said if sources[source] == names[name] == 1}
    return [row if cell.arm.source in alone else row | {"data": cell.arm.source} for cell, row in pairs]
